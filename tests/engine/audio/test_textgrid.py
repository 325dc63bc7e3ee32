import unicodedata
from pathlib import Path

import pytest

from talkcli.engine.audio.phone_names import phone_of
from talkcli.engine.audio.phones import PHONES
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


SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
2.5
<exists>
1
"IntervalTier"
"phones"
0
2.5
2
0
0.5
"AH0"
0.5
2.5
"sil"
"""
_PLAIN = (Phone("AH", 0.0, 0.5), Phone(SILENCE, 0.5, 2.5))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "cp1252"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("form", [LONG, SHORT, SHORT.replace("ooTextFile", "ooTextFile short")])
def test_every_form_and_encoding_reads_the_same(
    tmp_path: Path, form: str, encoding: str, line_end: str
) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_bytes(form.replace("\n", line_end).encode(encoding))
    assert read_alignment(path).phones == _PLAIN


@pytest.mark.parametrize(
    ("sign", "symbol"),
    [(sign, SILENCE) for sign in (
        "", " ", "sil", "SIL", "sp", "<sil>", "<eps>", "<p:>", "<nib>", "noise", "[noise]", "{LG}", "{BR}",
        "nsn", "pau", "h#", "#", "breath", "(laughs)", "[laughter]", "sil_S", "q", "epi",
    )]
    + [(sign, "AH") for sign in ("spn", "SPN", "spn_S", "<unk>", "unk", "[bracketed]", "<cutoff>", "<usb>")]
    + [("IH1_B", "IH"), ("ah2", "AH"), ("zh", "ZH"), ("ax", "AH"), ("axr", "ER"), ("bcl", "B")]
    + [("dx", "D")]
    + [("tʰ", "T"), ("pʲ", "P"), ("əw", "OW")]
    + [("iː", "IY"), ("ɚ", "ER"), ("ɹ", "R"), ("dʒ", "JH")]
    + [("t̪", "TH"), ("ɑː", "AA"), ("n̩", "N"), ("ɫ̩", "L"), ("aj", "AY"), ("h", "HH")]
    + [("ð", "DH"), ("ˈɛ", "EH")],
)  # fmt: skip
def test_signs_of_aligners(tmp_path: Path, sign: str, symbol: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace("AH0", sign), encoding="utf-8")
    assert read_alignment(path).phones[0] == Phone(symbol, 0.0, 0.5)


# All phones of the Montreal Forced Aligner's English dictionaries, by what stands in the CMU dictionary.
MFA = {
    "AA": "ɑ ɑː aː", "AE": "æ a", "AH": "ɐ ə", "AO": "ɒ ɒː ɔ", "AW": "aw", "AY": "aj", "EH": "ɛ ɛː",
    "ER": "ɝ ɚ ɜ ɜː", "EY": "ej e eː", "IH": "ɪ", "IY": "i iː", "OW": "ow əw o oː", "OY": "ɔj", "UH": "ʊ",
    "UW": "ʉ ʉː u uː",
    "B": "b bʲ ɡb", "CH": "tʃ", "D": "d dʲ ɖ ɖʲ ɾ ɾʲ", "DH": "ð d̪", "F": "f fʲ fʷ", "G": "ɡ ɡʷ ɟ ɟʷ",
    "HH": "h ç", "JH": "dʒ", "K": "k kʰ kʷ c cʰ cʷ", "L": "l ɫ ɫ̩ ʎ", "M": "m mʲ m̩ ɱ", "N": "n n̩ ɲ ɾ̃",
    "NG": "ŋ", "P": "p pʰ pʲ pʷ kp", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t tʰ tʲ tʷ ʈ ʈʲ ʈʷ ʔ", "TH": "θ t̪",
    "V": "v vʲ vʷ ʋ", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip


def test_every_phone_of_the_montreal_aligner_has_its_arpabet() -> None:
    assert MFA.keys() == PHONES
    found = {sign: phone_of(sign) for signs in MFA.values() for sign in signs.split()}
    assert found == {sign: symbol for symbol, signs in MFA.items() for sign in signs.split()}
    # In either order of what Unicode holds to be equal, and with marks of aspiration on top.
    for sign, symbol in found.items():
        assert phone_of(unicodedata.normalize("NFD", sign)) == symbol
    assert [phone_of(sign) for sign in ("t̪ʰ", "d̪ʲ", "k͡p", "tʃʷ", "ɾ̃ʲ")] == ["TH", "DH", "P", "CH", "N"]


@pytest.mark.parametrize(
    ("ipa", "arpabet"),
    [
        ("kʰ æ t", "K AE1 T"), ("k a t", "K AE1 T"), ("m ɒ ɹ i", "M AO1 R IY0"), ("mʲ ɪ t n̩", "M IH1 T N"),
        ("mʲ ɪ ʔ n̩", "M IH1 T N"), ("cʰ iː", "K IY1"), ("ɡʷ ʊ d", "G UH1 D"), ("vʲ ɪ n", "V IH1 N"),
        ("f əw tʷ əw", "F OW1 T OW0"), ("d̪ ɛː", "DH EH1"), ("ʎ ɪ ɱ f", "L IH1 M F"), ("θ ɜː d", "TH ER1 D"),
    ],
)  # fmt: skip
def test_words_in_ipa_are_those_in_arpabet(tmp_path: Path, ipa: str, arpabet: str) -> None:
    found = []
    for name, phones in (("ipa", ipa.split()), ("arpabet", arpabet.split())):
        path = tmp_path / f"{name}.TextGrid"
        rows = [f'{index / 10}\n{(index + 1) / 10}\n"{phone}"' for index, phone in enumerate(phones)]
        head = SHORT[: SHORT.index("2.5\n2\n")]
        path.write_text(f"{head}2.5\n{len(rows)}\n" + "\n".join(rows) + "\n", encoding="utf-8")
        found.append(read_alignment(path))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("half", "whole"), [(".5", "2.5"), ("0.5", "2.5"), ("5e-1", "2.5e0"), ("5.e-1", "2.5")]
)
def test_numbers_as_programs_write_them(tmp_path: Path, half: str, whole: str) -> None:
    path = tmp_path / "a.TextGrid"
    for form in (LONG, SHORT):
        path.write_text(form.replace("0.5", half).replace("2.5", whole))
        assert read_alignment(path).phones == _PLAIN


@pytest.mark.parametrize("sign", ["1", "hello", "AHH", "ʘ", "phone 7", "B B", "0", "xyz", "K_", "AA1B"])
def test_what_is_neither_phone_nor_sign_is_refused(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace("AH0", sign), encoding="utf-8")
    with pytest.raises(InputError, match="no ARPAbet phone"):
        read_alignment(path)


@pytest.mark.parametrize(
    "name", ["phones", "Phones", "phone", "phonemes", "M001 - phones", "anna b - phones"]
)
def test_other_names_of_the_tier(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace('"phones"', f'"{name}"'))
    assert read_alignment(path).phones == _PLAIN


def test_two_speakers_are_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace('"phones"', '"a - phones"').replace('"words"', '"b - phones"'))
    with pytest.raises(InputError, match="several tiers of phones: b - phones, a - phones"):
        read_alignment(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("xmin = 0.5", "xmin = 0.2", "not in order"),
        ("xmax = 0.5", "xmax = 1e999", "not in order"),
        ("xmin = 0.5", "xmin = -5", "not in order"),
        ('"phones"', '"syllables"', "no interval tier called phones, only words, syllables"),
        ('"ooTextFile"', '"ooTextFile', "TextGrid|tier"),
    ],
)
def test_times_and_tiers_that_cannot_be(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace(old, new))
    with pytest.raises(InputError, match=words):
        read_alignment(path)


def test_millions_of_quotes_end(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG + '"' * 1_000_001 + "x" * 100_000)
    assert read_alignment(path).phones == _PLAIN


def test_a_symbol_that_is_no_phone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG.replace("AH0", "ǃqʼ"))
    with pytest.raises(InputError, match="ǃqʼ"):
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
