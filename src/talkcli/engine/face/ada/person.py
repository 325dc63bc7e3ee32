"""Who a generated head is: sex, age, build, colours, hair, and how the face departs from the mean.

The people that come with talk are rows of `PEOPLE`; `talk head --set` changes single fields.
"""

from __future__ import annotations

from dataclasses import dataclass

HAIR_STYLES = {
    "none": "no hair",
    "short": "short, cropped at the sides",
    "bob": "chin-long, parted at the side",
    "tied": "combed back into a knot",
}
HAIR_COLOURS = {
    "black": (0.012, 0.010, 0.010),
    "dark": (0.028, 0.018, 0.012),
    "brown": (0.060, 0.034, 0.019),
    "auburn": (0.095, 0.034, 0.014),
    "blond": (0.230, 0.150, 0.075),
    "grey": (0.200, 0.195, 0.190),
    "white": (0.480, 0.470, 0.450),
}
IRIS_COLOURS = {
    "brown": (0.115, 0.055, 0.022),
    "hazel": (0.125, 0.085, 0.036),
    "green": (0.085, 0.105, 0.055),
    "blue": (0.075, 0.115, 0.170),
    "grey": (0.110, 0.125, 0.135),
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A generated head. Measures are standard deviations from the mean of the person's sex."""

    sex: float = 0.5
    """0 for a woman, 1 for a man, between them a mixture."""
    age: float = 30.0
    """Years, 18 to 90."""
    build: float = 0.0
    """-1 for thin, 0 for average, 1 for heavy."""
    tone: float = 0.25
    """Skin, from 0 for the lightest to 1 for the darkest."""
    hair: str = "short"
    """A key of `HAIR_STYLES`."""
    hair_colour: str = "brown"
    """A key of `HAIR_COLOURS`."""
    iris: str = "brown"
    """A key of `IRIS_COLOURS`."""
    brows: float = 1.0
    """Thickness of the brows, 0 to 2; 1 is the mean of the person's sex."""
    asymmetry: float = 1.0
    """How much the two sides differ: 0 for mirrored sides, 1 for what is usual."""
    seed: int = 0
    """What is random in a face: the asymmetry, the places of hairs and spots."""
    face_width: float = 0.0
    """Width between the cheekbones."""
    jaw_width: float = 0.0
    """Width between the angles of the jaw."""
    face_height: float = 0.0
    """Height from the root of the nose to the chin."""
    nose_height: float = 0.0
    """Height of the nose."""
    nose_width: float = 0.0
    """Width between the wings of the nose."""
    nose_length: float = 0.0
    """How far the tip of the nose stands out."""
    mouth_width: float = 0.0
    """Width between the corners of the mouth."""
    lips: float = 0.0
    """Fullness of the lips."""
    eye_distance: float = 0.0
    """Distance between the inner corners of the eyes."""
    chin: float = 0.0
    """How far the chin stands out."""


PEOPLE = {
    "ada": Person(sex=0.0, age=28.0, hair="bob", hair_colour="brown", iris="hazel", asymmetry=0.3),
    "abe": Person(sex=1.0, age=36.0, hair="short", hair_colour="dark", iris="brown", asymmetry=0.3, seed=33),
    "bust": Person(sex=0.5, age=30.0, hair="none", asymmetry=0.0, brows=0.8, seed=3),
}
"""The heads that come with talk, by name."""
