from __future__ import annotations

from pathlib import Path

from talkcli.engine.data.manifest import Digests, Entry, Split
from talkcli.engine.data.motion_report import Oddity
from talkcli.engine.prepare.build import Built, Dropped
from talkcli.engine.prepare.card import write_card
from talkcli.engine.version import __version__


def entry(name: str, *, emotion: str = "neutral", split: Split = "train", licence: str = "MIT") -> Entry:
    return Entry(
        id=name, audio=f"audio/{name}.flac", motion=f"motion/{name}.npz", fps=25.0, speaker=name[0],
        emotion=emotion, intensity=1.0, split=split, sha256=Digests(audio="0" * 64, motion="1" * 64),
        licence=licence,
    )  # fmt: skip


def card(out: Path, entries: list[Entry], dropped: list[Dropped]) -> str:
    built = Built(entries=tuple(entries), dropped=tuple(dropped), num_kept=0, seconds=5400.0)
    write_card(out, built, "talk preprocess folder")
    return (out / "CARD.md").read_text()


def test_counts_labels_and_how_it_was_made(tmp_path: Path) -> None:
    entries = [entry("a1"), entry("a2", emotion="happy"), entry("b1", split="val", licence="CC0-1.0")]
    text = card(tmp_path / "set", entries, [])
    assert text.startswith("# set\n\n3 clips, 1.50 hours, 2 speakers.")
    assert f"`talk preprocess folder` of talk {__version__}" in text
    for row in ("| train | 2 | 1 |", "| val | 1 | 1 |", "| neutral | 2 | 66.7 % | 2 |", "| CC0-1.0 | 1 |"):
        assert row in text
    assert "Nothing." in text
    assert "more than one split" not in text
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["CARD.md"]


def test_equal_data_have_equal_cards_and_a_second_card_replaces_the_first(tmp_path: Path) -> None:
    first = card(tmp_path, [entry("a1")], [])
    assert card(tmp_path, [entry("a1"), entry("a2")], []) != first
    assert card(tmp_path, [entry("a1")], []) == first


def test_reasons_are_grouped_by_kind(tmp_path: Path) -> None:
    dropped = [
        *(Dropped(id=f"x{n}", reason=f"Sound has {n}.25 s, motion {n}.75 s.") for n in range(3)),
        *(Dropped(id=f"y{n}", reason=f"/data/y{n}.wav is an empty file (0 bytes).") for n in range(2)),
    ]
    text = card(tmp_path, [entry("a1")], dropped)
    assert "5 clips; every one is in quarantine.jsonl." in text
    assert "| 3 | x0 | Sound has 0.25 s, motion 0.75 s. |" in text
    assert "| 2 | y0 | /data/y0.wav is an empty file (0 bytes). |" in text


def test_torn_speakers_are_named(tmp_path: Path) -> None:
    assert "more than one split: a." in card(tmp_path, [entry("a1"), entry("a2", split="test")], [])


def test_what_is_doubtful_is_on_the_card(tmp_path: Path) -> None:
    odd = Oddity(kind="lag", clips=("a1", "a2"), text="The mouth is 131 ms early (+-10 ms, r 0.71).")
    built = Built(entries=(entry("a1"),), dropped=(), num_kept=0, seconds=1.0, oddities=(odd,))
    write_card(tmp_path, built, "talk preprocess folder")
    text = (tmp_path / "CARD.md").read_text()
    assert f"| a mouth more than 80 ms early or late | 2 | a1 | {odd.text} |" in text
    assert "Doubtful" not in card(tmp_path, [entry("a1")], [])


def test_pictures_are_counted_not_timed(tmp_path: Path) -> None:
    still = entry("a1").model_copy(update={"still": True, "num_frames": 1000, "sex": "female"})
    text = card(tmp_path, [still], [])
    assert text.splitlines()[2].startswith("1 clip, 1000 pictures, 1 speaker.")
    assert "| sound and pictures | 1 | 100.0 % | 1 |" in text
    assert "| female | 1 |" in text


def test_labels_cannot_break_the_table(tmp_path: Path) -> None:
    dropped = [Dropped(id="x", reason="\udcff.wav is\nempty")]
    text = card(tmp_path, [entry("a1", licence="a | b\n<script>")], dropped)
    assert "| a \\| b &lt;script> | 1 |" in text
    assert "| 1 | x | \\udcff.wav is empty |" in text
