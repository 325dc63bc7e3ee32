"""Translation of the signs that aligners write to ARPAbet phones without stress.

The signs are the CMU dictionary's phones, TIMIT's phones, the IPA of the Montreal Forced Aligner's English
models, and the signs that aligners put where there is no phone.
"""

from __future__ import annotations

import re
import unicodedata

from talkcli.engine.audio.phones import PHONES
from talkcli.engine.types import SILENCE

# Phone of a voice whose words the aligner does not know (the neutral vowel), and the signs of such a voice.
UNKNOWN = "AH"
_UNKNOWN_SIGNS = {
    "SPN", "UNK", "OOV", "XXX", "USB", "SPOKEN_NOISE", "UNINTELLIGIBLE", "UNCLEAR", "BRACKETED", "CUTOFF",
    "FIL", "HESITATION",
}  # fmt: skip
# Signs of sound without a voice: pauses, breath, noises.
_SILENT_SIGNS = {
    "", "SIL", "SILENCE", "SP", "SSIL", "SPL", "PAU", "PAUSE", "EPS", "EPI", "H#", "#H", "#", "_", "-", "--",
    "...", "…", "NSN", "NOISE", "NS", "NOI", "BG", "BREATH", "BRTH", "BR", "INH", "EXH", "INHALE", "EXHALE",
    "INBREATH", "LIPSMACK", "SMACK", "LS", "CLICK", "COUGH", "CG", "LAUGH", "LAUGHTER", "LG", "MUSIC",
    "CROSSTALK", "BEEP", "GARBAGE", "FILLER", "?", "*",
}  # fmt: skip
# Sign in brackets of any kind.
_BRACKETS = re.compile(r"[\[<({+|*%](.*?)[\])>}+|*%]+")
# Suffix by which Kaldi marks the position of a phone in its word.
_PLACE = re.compile(r"_[BIES]$")

# TIMIT's signs that are no ARPAbet phones, with the phones that replace them.
_TIMIT = {
    "AX": "AH", "AX-H": "AH", "AXR": "ER", "IX": "IH", "UX": "UW", "DX": "D", "NX": "N", "Q": SILENCE,
    "EL": "L", "EM": "M", "EN": "N", "ENG": "NG", "HV": "HH", "WH": "W", "BCL": "B", "PCL": "P", "DCL": "D",
    "TCL": "T", "GCL": "G", "KCL": "K",
}  # fmt: skip
# IPA signs with the phones that replace them: those that the CMU dictionary has in the words in which the
# aligner's dictionaries have the sign. There a is the vowel of British "cat", aː that of Indian "father", ɒ
# that of American "more" (and the rounded vowel of British "lot"), and e that of "face"; ɾ̃ and ʔ stand for n
# and t ("winter", "mitten"). kp and ɡb close the lips.
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
# Signs beside a letter that mark length, aspiration, palatalisation, stress and the like. Other such marks
# are combining characters of the letter.
_MARKS = re.compile(r"[ːˑʰʲʷˠˤˈˌʱⁿˡ˞]")


def phone_of(text: str) -> str | None:
    """Return the ARPAbet phone, without stress, of the sign that an aligner wrote.

    The result is `SILENCE` for signs of silence and noises, and for other signs in brackets; `UNKNOWN` for
    signs of unknown words; None for any other text.
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
    """Return the phone of an IPA sign; None if the sign is unknown.

    The function looks up the sign with all its marks, then without the marks of `_MARKS`, then without any
    mark: a dental t becomes "TH", an aspirated t becomes "T".
    """
    said = unicodedata.normalize("NFC", _MARKS.sub("", sign))
    bare = unicodedata.normalize("NFD", said)
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return next((_IPA[form] for form in (sign, said, bare) if form in _IPA), None)
