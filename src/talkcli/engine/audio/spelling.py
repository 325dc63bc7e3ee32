"""Letter-to-sound rules for words outside the dictionary, of English and five other languages.

The rules work like those of Elovitz et al. (1976): from left to right, the longest spelling first. There are
far fewer of them, because an aligner needs about the right phones in the right number, not a good
pronunciation. Words of all languages become English phones, because the aligner knows no others. These keep
what the mouth needs: contacts, openness, rounding.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "es", "fr", "it", "pl", "ru"]

# Rules of a language: phones (ARPAbet, separated by spaces) by spelling.
_ENGLISH: dict[str, str] = {
    "tion": "SH AH N", "sion": "ZH AH N", "ough": "AO", "augh": "AO", "eigh": "EY", "igh": "AY",
    "tch": "CH", "dge": "JH", "sch": "S K", "que": "K", "ere": "IH R", "are": "EH R", "ire": "AY R",
    "ore": "AO R", "ure": "Y UH R", "air": "EH R", "ear": "IH R", "eer": "IH R", "our": "AO R",
    "oor": "AO R", "oar": "AO R", "sh": "SH", "ch": "CH", "th": "TH", "ph": "F", "wh": "W", "ck": "K",
    "ng": "NG", "qu": "K W", "kn": "N", "gh": "G", "wr": "R", "ee": "IY", "ea": "IY", "ie": "IY",
    "ei": "IY", "ey": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "oa": "OW", "oe": "OW", "oi": "OY",
    "oy": "OY", "ai": "EY", "ay": "EY", "au": "AO", "aw": "AO", "eu": "Y UW", "ew": "Y UW", "ue": "UW",
    "ui": "UW", "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER", "yr": "ER", "ce": "S",
    "ci": "S IH", "cy": "S IY", "bb": "B", "cc": "K", "dd": "D", "ff": "F", "gg": "G", "ll": "L", "mm": "M",
    "nn": "N", "pp": "P", "rr": "R", "ss": "S", "tt": "T", "zz": "Z", "a": "AE", "b": "B", "c": "K",
    "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K", "l": "L", "m": "M",
    "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V", "w": "W",
    "x": "K S", "y": "Y", "z": "Z",
}  # fmt: skip
# Long vowel (the name of its letter) of each short vowel.
_LONG_VOWEL = {"AE": "EY", "EH": "IY", "IH": "AY", "AA": "OW", "AH": "UW"}

# Rules that French, Italian and Spanish share.
_LATIN: dict[str, str] = {
    "b": "B", "c": "K", "d": "D", "f": "F", "g": "G", "h": "", "j": "ZH", "k": "K", "l": "L", "m": "M",
    "n": "N", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "v": "V", "w": "W", "x": "K S", "z": "Z",
    "ph": "F",
}  # fmt: skip
_FRENCH: dict[str, str] = _LATIN | {
    "eau": "OW", "aux": "OW", "au": "OW", "oeu": "ER", "eux": "ER", "eur": "ER R", "eu": "ER", "oin": "W AE",
    "oi": "W AA", "oy": "W AA Y", "ou": "UW", "où": "UW", "ain": "AE", "ein": "AE", "ien": "Y AE",
    "aille": "AA Y", "eille": "EH Y", "ille": "IY Y", "ail": "AA Y", "eil": "EH Y", "ai": "EH", "ei": "EH",
    "an": "AA", "am": "AA", "en": "AA", "em": "AA", "on": "AO", "om": "AO", "in": "AE", "im": "AE",
    "un": "AE", "anne": "AA N", "enne": "EH N", "onne": "AO N", "omme": "AO M", "emme": "AA M", "ine": "IY N",
    "une": "UW N", "ane": "AA N", "one": "AO N", "ana": "AA N AA", "ina": "IY N AA", "ona": "AO N AA",
    "ani": "AA N IY", "ini": "IY N IY", "uni": "UW N IY", "imi": "IY M IY", "ami": "AA M IY",
    "é": "EY", "è": "EH", "ê": "EH", "ë": "EH", "à": "AA", "â": "AA", "î": "IY", "ï": "IY", "ô": "OW",
    "û": "UW", "ù": "UW", "ç": "S", "a": "AA", "e": "AH", "i": "IY", "o": "AO", "u": "UW", "y": "IY",
    "ch": "SH", "ce": "S AH", "ci": "S IY", "cé": "S EY", "ge": "ZH AH", "gi": "ZH IY", "gé": "ZH EY",
    "gn": "N Y", "gu": "G", "qu": "K", "er": "EH R", "tion": "S Y AO", "ss": "S",
}  # fmt: skip
_ITALIAN: dict[str, str] = _LATIN | {
    "gli": "L IY", "glia": "L Y AA", "glie": "L Y EH", "glio": "L Y AO", "gn": "N Y", "sce": "SH EH",
    "sci": "SH IY", "scia": "SH AA", "scio": "SH AO", "sciu": "SH UW", "ch": "K", "gh": "G", "ce": "CH EH",
    "ci": "CH IY", "cia": "CH AA", "cio": "CH AO", "ciu": "CH UW", "cie": "CH EH", "ge": "JH EH",
    "gi": "JH IY", "gia": "JH AA", "gio": "JH AO", "giu": "JH UW", "qu": "K W", "z": "T S", "j": "Y",
    "a": "AA", "à": "AA", "e": "EH", "è": "EH", "é": "EH", "i": "IY", "ì": "IY", "o": "AO", "ò": "AO",
    "u": "UW", "ù": "UW", "uo": "W AO", "y": "IY",
}  # fmt: skip
_SPANISH: dict[str, str] = _LATIN | {
    "ll": "Y", "rr": "R", "ch": "CH", "qu": "K", "gue": "G EH", "gui": "G IY", "ge": "HH EH", "gi": "HH IY",
    "ce": "S EH", "ci": "S IY", "ñ": "N Y", "j": "HH", "v": "B", "z": "S", "y": "Y", "a": "AA", "á": "AA",
    "e": "EH", "é": "EH", "i": "IY", "í": "IY", "o": "OW", "ó": "OW", "u": "UW", "ú": "UW", "ü": "W",
    "ie": "Y EH", "ia": "Y AA", "io": "Y OW", "ua": "W AA", "ue": "W EH", "ui": "W IY", "uo": "W OW",
}  # fmt: skip
_POLISH_VOWELS = {
    "a": "AA", "ą": "AO N", "e": "EH", "ę": "EH N", "o": "AO", "ó": "UW", "u": "UW", "y": "IH",
}  # fmt: skip
# An i between one of these and a vowel only softens the consonant.
_POLISH_SOFT = {"c": "CH", "dz": "JH", "n": "N Y", "s": "SH", "z": "ZH"}
# Nasal vowels become a vowel and m before p and b, so that the lips close twice as long.
_POLISH_NASAL = {"ąb": "AO M B", "ąp": "AO M P", "ęb": "EH M B", "ęp": "EH M P"}
_POLISH: dict[str, str] = _LATIN | _POLISH_VOWELS | _POLISH_NASAL | {
    "i": "IY", "c": "T S", "h": "HH", "j": "Y", "ł": "W", "w": "V", "ć": "CH", "ń": "N Y", "ś": "SH",
    "ź": "ZH", "ż": "ZH", "ch": "HH", "cz": "CH", "sz": "SH", "rz": "ZH", "dz": "D Z", "dź": "JH", "dż": "JH",
    "szcz": "SH CH", "ci": "CH IY", "dzi": "JH IY", "ni": "N Y IY", "si": "SH IY", "zi": "ZH IY",
    **{f"{soft}i{vowel}": f"{consonant} {sound}" for soft, consonant in _POLISH_SOFT.items()
       for vowel, sound in _POLISH_VOWELS.items()},
    **{f"i{vowel}": f"Y {sound}" for vowel, sound in _POLISH_VOWELS.items()},
}  # fmt: skip
_RUSSIAN: dict[str, str] = {
    "а": "AA", "б": "B", "в": "V", "г": "G", "д": "D", "е": "EH", "ё": "AO", "ж": "ZH", "з": "Z", "и": "IY",
    "й": "Y", "к": "K", "л": "L", "м": "M", "н": "N", "о": "AH", "п": "P", "р": "R", "с": "S", "т": "T",
    "у": "UW", "ф": "F", "х": "HH", "ц": "T S", "ч": "CH", "ш": "SH", "щ": "SH", "ъ": "", "ы": "IH", "ь": "",
    "э": "EH", "ю": "UW", "я": "AA", "тся": "T S AH", "ться": "T S AH", "его": "EH V AH", "ого": "AH V AH",
}  # fmt: skip
_RULES: Mapping[Language, Mapping[str, str]] = {
    "en": _ENGLISH, "es": _SPANISH, "fr": _FRENCH, "it": _ITALIAN, "pl": _POLISH, "ru": _RUSSIAN,
}  # fmt: skip
# French letters that are silent at the end of a word. An e before them is silent too, except in -er and -ez.
_SILENT_ENDS = "stdxpz"


def guess_phones(word: str, language: Language = "en") -> list[str]:
    """Return the ARPAbet phones of `word` (any case); empty if it has no letter of the language."""
    plain = unicodedata.normalize("NFC", word.lower())
    rules = _RULES[language]
    letters = "".join(letter for letter in plain if letter in rules)
    if language == "en":
        return _english(letters)
    return _spelled(_french_ending(letters) if language == "fr" else letters, rules)


def _english(letters: str) -> list[str]:
    """Return the phones of an English word, with the rules of a final e and a final y."""
    # A final e is silent and makes the vowel before the last consonant long.
    magic = (
        len(letters) > 3 and letters[-1] == "e" and letters[-2] not in "aeiouyc" and letters[-3] in "aeiou"
    )
    if magic:
        *before, vowel, last = _spelled(letters[:-1], _ENGLISH)
        return [*before, _LONG_VOWEL.get(vowel, vowel), last]
    symbols = _spelled(letters, _ENGLISH)
    return [*symbols[:-1], "IY"] if len(symbols) > 1 and symbols[-1] == "Y" else symbols


def _french_ending(letters: str) -> str:
    """Return a French word without the silent letters at its end."""
    if len(letters) <= 2:
        return letters
    if letters.endswith(("er", "ez")):
        return letters[:-2] + "é"
    if letters.endswith("ent") and len(letters) > 5:
        return letters[:-3]
    bare = letters.rstrip(_SILENT_ENDS)
    if not bare.endswith("e") or len(bare) <= 2:
        return bare
    # The silent e still softens a c or g before it.
    return bare[:-2] + {"c": "ç", "g": "j"}.get(bare[-2], bare[-2])


def _spelled(letters: str, rules: Mapping[str, str]) -> list[str]:
    """Return the phones of `letters`, the longest spelling first; equal neighbours become one phone."""
    longest = max(map(len, rules))
    symbols: list[str] = []
    at = 0
    while at < len(letters):
        size = next(size for size in range(longest, 0, -1) if letters[at : at + size] in rules)
        symbols += rules[letters[at : at + size]].split()
        at += size
    return [symbol for index, symbol in enumerate(symbols) if index == 0 or symbol != symbols[index - 1]]
