"""Sets of phones: ARPAbet symbols without stress, as the CMU dictionary writes them."""

from __future__ import annotations

DIPHTHONGS = frozenset({"AW", "AY", "EY", "OW", "OY"})
VOWELS = frozenset({"AA", "AE", "AH", "AO", "EH", "ER", "IH", "IY", "UH", "UW"}) | DIPHTHONGS
BILABIALS = frozenset({"B", "M", "P"})
LABIODENTALS = frozenset({"F", "V"})
CONSONANTS = BILABIALS | LABIODENTALS | {
    "CH", "D", "DH", "G", "HH", "JH", "K", "L", "N", "NG", "R", "S", "SH", "T", "TH", "W", "Y", "Z", "ZH",
}  # fmt: skip
PHONES = VOWELS | CONSONANTS
