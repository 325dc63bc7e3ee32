"""Sets of phones: ARPAbet symbols without stress, as the CMU dictionary writes them."""

from __future__ import annotations

DIPHTHONGS = frozenset({"AW", "AY", "EY", "OW", "OY"})
VOWELS = frozenset({"AA", "AE", "AH", "AO", "EH", "ER", "IH", "IY", "UH", "UW"}) | DIPHTHONGS
BILABIALS = frozenset({"B", "M", "P"})
LABIODENTALS = frozenset({"F", "V"})
# Sounds of the tongue: its tip at the ridge behind the upper teeth, with air at its sides and without; its
# tip between the teeth; its back at the palate.
LATERALS, ALVEOLARS = frozenset({"L"}), frozenset({"D", "N", "T"})
DENTALS, VELARS = frozenset({"DH", "TH"}), frozenset({"G", "K", "NG"})
LINGUALS = (LATERALS, ALVEOLARS, DENTALS, VELARS)
CONSONANTS = BILABIALS | LABIODENTALS | {
    "CH", "D", "DH", "G", "HH", "JH", "K", "L", "N", "NG", "R", "S", "SH", "T", "TH", "W", "Y", "Z", "ZH",
}  # fmt: skip
PHONES = VOWELS | CONSONANTS
