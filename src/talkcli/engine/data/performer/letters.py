"""A guess at how an English word outside the dictionary sounds.

Longest spelling first, left to right, in the manner of the letter-to-sound rules of Elovitz et al. (1976),
with far fewer rules: an aligner needs the right number of roughly right sounds, not speech worth hearing.
"""

from __future__ import annotations

_RULES: dict[str, str] = {
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
_LONGEST = max(map(len, _RULES))
_LONG_VOWEL = {"AE": "EY", "EH": "IY", "IH": "AY", "AA": "OW", "AH": "UW"}


def guess_phones(word: str) -> list[str]:
    """ARPAbet symbols for `word` (letters only, any case); empty when it holds no letter a-z."""
    letters = "".join(letter for letter in word.lower() if "a" <= letter <= "z")
    # A final e is silent and makes the vowel before the last consonant say its name.
    magic = (
        len(letters) > 3 and letters[-1] == "e" and letters[-2] not in "aeiouyc" and letters[-3] in "aeiou"
    )
    stem = letters[:-1] if magic else letters
    symbols: list[str] = []
    at = 0
    while at < len(stem):
        size = next(size for size in range(_LONGEST, 0, -1) if stem[at : at + size] in _RULES)
        sound = _RULES[stem[at : at + size]]
        if magic and at == len(stem) - 2:
            sound = _LONG_VOWEL.get(sound, sound)
        if stem[at:] == "y" and at > 0:
            sound = "IY"
        symbols += sound.split()
        at += size
    return symbols
