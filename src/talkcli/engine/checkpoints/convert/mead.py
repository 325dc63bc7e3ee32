"""MEAD as published models were trained on it."""

from __future__ import annotations

# Training actors in the order of the identity code.
MEAD_SPEAKERS = (
    "M003", "M005", "M007", "M009", "M011", "M012", "M013", "M019", "M022", "M023", "M024", "M025", "M026",
    "M027", "M028", "M029", "M030", "M031", "W009", "W011", "W014", "W015", "W016", "W018", "W019", "W021",
    "W023", "W024", "W025", "W026", "W028", "W029",
)  # fmt: skip
