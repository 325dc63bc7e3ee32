"""What aligners call a phone, as ARPAbet without stress: the CMU dictionary's own, TIMIT's, and the IPA of
the Montreal Forced Aligner's English models; and the signs they put where there is no phone.
"""

from __future__ import annotations

import re
import unicodedata

from talkcli.engine.audio.phones import PHONES
from talkcli.engine.types import SILENCE

# A voice, of which the aligner does not know what it says: the neutral vowel.
UNKNOWN = "AH"
_UNKNOWN_SIGNS = {
    "SPN", "UNK", "OOV", "XXX", "USB", "SPOKEN_NOISE", "UNINTELLIGIBLE", "UNCLEAR", "BRACKETED", "CUTOFF",
    "FIL", "HESITATION",
}  # fmt: skip
# No voice: pauses, breath, noises.
_SILENT_SIGNS = {
    "", "SIL", "SILENCE", "SP", "SSIL", "SPL", "PAU", "PAUSE", "EPS", "EPI", "H#", "#H", "#", "_", "-", "--",
    "...", "…", "NSN", "NOISE", "NS", "NOI", "BG", "BREATH", "BRTH", "BR", "INH", "EXH", "INHALE", "EXHALE",
    "INBREATH", "LIPSMACK", "SMACK", "LS", "CLICK", "COUGH", "CG", "LAUGH", "LAUGHTER", "LG", "MUSIC",
    "CROSSTALK", "BEEP", "GARBAGE", "FILLER", "?", "*",
}  # fmt: skip
_BRACKETS = re.compile(r"[\[<({+|*%](.*?)[\])>}+|*%]+")
# Kaldi tells by these where in the word a phone is.
_PLACE = re.compile(r"_[BIES]$")

_TIMIT = {
    "AX": "AH", "AX-H": "AH", "AXR": "ER", "IX": "IH", "UX": "UW", "DX": "D", "NX": "N", "Q": SILENCE,
    "EL": "L", "EM": "M", "EN": "N", "ENG": "NG", "HV": "HH", "WH": "W", "BCL": "B", "PCL": "P", "DCL": "D",
    "TCL": "T", "GCL": "G", "KCL": "K",
}  # fmt: skip
# By what the CMU dictionary has in the same words, as the aligner's dictionaries use the signs: a is the
# vowel of British "cat", aː that of Indian "father", ɒ that of American "more" (and rounded in British "lot",
# too), e that of "face"; ɾ̃ and ʔ stand for n and t ("winter", "mitten"). kp and ɡb close the lips.
_IPA = {
    "a": "AE", "aː": "AA", "aj": "AY", "aw": "AW", "aɪ": "AY", "aʊ": "AW", "b": "B", "c": "K", "d": "D",
    "dʒ": "JH", "ʤ": "JH", "e": "EY", "ej": "EY", "eɪ": "EY", "f": "F", "h": "HH", "i": "IY", "j": "Y",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "OW", "ow": "OW", "oʊ": "OW", "p": "P", "r": "R", "s": "S",
    "t": "T", "tʃ": "CH", "ʧ": "CH", "u": "UW", "v": "V", "w": "W", "z": "Z", "æ": "AE", "ç": "HH", "x": "HH",
    "ð": "DH", "ŋ": "NG", "ɐ": "AH", "ɑ": "AA", "ɒ": "AO", "ɔ": "AO", "ɔj": "OY", "ɔɪ": "OY", "ə": "AH",
    "əw": "OW", "əʊ": "OW", "ɚ": "ER", "ɛ": "EH", "ɜ": "ER", "ɝ": "ER", "ɟ": "G", "g": "G", "ɡ": "G",
    "ɪ": "IH", "ɫ": "L", "ɱ": "M", "ɲ": "N", "ɹ": "R", "ɾ": "D", "ɾ̃": "N", "ʃ": "SH", "ʉ": "UW", "ʊ": "UH",
    "ʌ": "AH", "ʎ": "L", "ʒ": "ZH", "ʔ": "T", "θ": "TH", "β": "B", "ɨ": "IH", "ɯ": "UW", "ʋ": "V", "t̪": "TH",
    "d̪": "DH", "ʈ": "T", "ɖ": "D", "kp": "P", "ɡb": "B", "ɪə": "IH", "eə": "EH", "ʊə": "UH", "ɛɹ": "EH",
}  # fmt: skip
# Length, aspiration, palatalisation, stress and the like beside a letter; others are combined with it.
_MARKS = re.compile(r"[ːˑʰʲʷˠˤˈˌʱⁿˡ˞]")


def phone_of(text: str) -> str | None:
    """Return the ARPAbet symbol of what an aligner wrote, without stress: `SILENCE` for its signs of silence
    and of noises, `UNKNOWN` for those of words it does not know. None for anything else.
    """
    sign = unicodedata.normalize("NFC", text.strip())
    upper = _PLACE.sub("", sign.upper())
    arpabet = upper.rstrip("0123456789")
    if arpabet in PHONES:
        return arpabet
    if (bare := _BRACKETS.fullmatch(upper)) is not None:
        return UNKNOWN if bare[1].strip() in _UNKNOWN_SIGNS else SILENCE
    if upper in _UNKNOWN_SIGNS:
        return UNKNOWN
    if upper in _SILENT_SIGNS:
        return SILENCE
    return _TIMIT.get(arpabet) or _ipa(sign)


def _ipa(sign: str) -> str | None:
    """As much of `sign` counts as has an entry: with all its marks, without those of how it is said, without
    any (a dental t is a "th", an aspirated one is a t).
    """
    said = unicodedata.normalize("NFC", _MARKS.sub("", sign))
    bare = unicodedata.normalize("NFD", said)
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return next((_IPA[form] for form in (sign, said, bare) if form in _IPA), None)
