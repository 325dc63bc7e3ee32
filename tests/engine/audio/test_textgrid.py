from pathlib import Path

import pytest

from talkcli.engine.audio.textgrid import Interval, read_alignment, read_tier, write_alignment
from talkcli.engine.errors import InputError
from talkcli.engine.types import SILENCE, Alignment, Phone

SPOKEN = Alignment(
    (
        Phone(SILENCE, 0.0, 0.2),
        Phone("B", 0.2, 0.27),
        Phone("OY", 0.27, 1 / 1.3),
        Phone(SILENCE, 1 / 1.3, 1.0),
    ),
    "aligned",
)
LONG = """File type = "ooTextFile"
Object class = "TextGrid"
xmin = 0
xmax = 2.5
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "a ""quoted"" word"
        intervals [2]:
            xmin = 0.5
            xmax = 2.5
            text = ""
    item [2]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 2.5
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = "AH0"
        intervals [2]:
            xmin = 0.5
            xmax = 2.5
            text = "sil"
"""


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_alignment(tmp_path / "a.TextGrid", SPOKEN)
    read = read_alignment(tmp_path / "a.TextGrid")
    assert [phone.symbol for phone in read.phones] == [SILENCE, "B", "OY", SILENCE]
    for phone, wanted in zip(read.phones, SPOKEN.phones, strict=True):
        assert phone.start_s == pytest.approx(wanted.start_s, abs=1e-6)
        assert phone.end_s == pytest.approx(wanted.end_s, abs=1e-6)
    # Phones meet exactly, whatever the rounding.
    assert all(a.end_s == b.start_s for a, b in zip(read.phones[:-1], read.phones[1:], strict=True))


def test_a_tier_is_found_by_name_and_the_first_one_without(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG)
    assert read_tier(path) == [Interval('a "quoted" word', 0.0, 0.5), Interval("", 0.5, 2.5)]
    assert read_tier(path, "phones") == [Interval("AH0", 0.0, 0.5), Interval("sil", 0.5, 2.5)]
    with pytest.raises(InputError, match="no interval tier called syllables"):
        read_tier(path, "syllables")


def test_stress_and_names_of_silence_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG)
    assert read_alignment(path).phones == (Phone("AH", 0.0, 0.5), Phone(SILENCE, 0.5, 2.5))


def test_a_symbol_that_is_no_phone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace("AH0", "ɑː"))
    with pytest.raises(InputError, match="ɑː"):
        read_alignment(path)


@pytest.mark.parametrize("broken", [b"\xff\xfe\x00", b"", LONG[: LONG.index("AH0")].encode()])
def test_what_is_no_grid_is_an_input_error(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(broken)
    with pytest.raises(InputError):
        read_alignment(path)


def test_loudness_alone_makes_no_grid(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without phones"):
        write_alignment(tmp_path / "a.TextGrid", Alignment((Phone("AH", 0.0, 1.0),), "energy"))
    assert not list(tmp_path.iterdir())
