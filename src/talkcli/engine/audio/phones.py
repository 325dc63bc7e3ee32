"""Phones in time: ARPAbet symbols without stress, as the CMU dictionary writes them."""

from __future__ import annotations

from dataclasses import dataclass

SILENCE = "SIL"
DIPHTHONGS = frozenset({"AW", "AY", "EY", "OW", "OY"})
VOWELS = frozenset({"AA", "AE", "AH", "AO", "EH", "ER", "IH", "IY", "UH", "UW"}) | DIPHTHONGS
BILABIALS = frozenset({"B", "M", "P"})
LABIODENTALS = frozenset({"F", "V"})
CONSONANTS = (
    frozenset(
        {
            "CH",
            "D",
            "DH",
            "G",
            "HH",
            "JH",
            "K",
            "L",
            "N",
            "NG",
            "R",
            "S",
            "SH",
            "T",
            "TH",
            "W",
            "Y",
            "Z",
            "ZH",
        }
    )
    | BILABIALS
    | LABIODENTALS
)
PHONES = VOWELS | CONSONANTS


@dataclass(frozen=True)
class Phone:
    """One speech sound; `SILENCE` fills what lies between words."""

    symbol: str
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Alignment:
    """What was said when. Phones follow each other without gaps from 0 to the end of the sound.

    `method` says how the times were found: `aligned`, `slowed` (the ladder's second rung) or `energy` (no
    phones: silence, and one open vowel wherever there is sound).
    """

    phones: tuple[Phone, ...]
    method: str

    def pauses(self, shortest_s: float) -> list[Phone]:
        """Silences of at least `shortest_s`."""
        return [phone for phone in self.phones if phone.symbol == SILENCE and phone.duration_s >= shortest_s]
