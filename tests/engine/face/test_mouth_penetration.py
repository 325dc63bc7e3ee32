"""Lips, cheeks, tongue, gums and teeth do not go through each other, in whatever a face may do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from jaxtyping import Float

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, JAW, TONGUE
from talkcli.engine.finish.contacts import TEETH_CONTACT
from tests.engine.face.penetration import Mouth

NAMES = (*ADA, *TONGUE)
ALLOWED_MM = 0.3
ROUND, SPREAD = ("mouthPucker", "mouthFunnel"), ("mouthSmile", "mouthStretch", "mouthDimple")
# Channels that a face may use together at any level, while the tongue is not out.
FREE = (
    "mouthFrown", "mouthPress", "mouthLowerDown", "mouthUpperUp", "mouthShrugLower", "mouthShrugUpper",
    "mouthRollLower", "mouthRollUpper", "mouthLeft", "mouthRight", "mouthClose", "lipSeal", "cheekPuff",
    "noseSneer", "jawForward", "tongueTipUp", "tongueBackUp",
)  # fmt: skip
# Where the tongue is between the teeth or out, the mouth is open at least so far (radians).
OPEN = {"tongueBetween": 0.08, "tongueOut": 0.2}
TYPICAL: tuple[dict[str, float], ...] = (
    {},
    dict(TEETH_CONTACT),
    {"jawPitch": 0.12, "tongueTipUp": 1.0},
    {"jawPitch": 0.25, "tongueTipUp": 1.0},
    {"jawPitch": 0.12, "tongueBackUp": 1.0},
    {"jawPitch": 0.25, "tongueBackUp": 1.0, "mouthStretch": 0.4},
    {"jawPitch": 0.08, "tongueBetween": 1.0, "mouthLowerDown": 0.2},
    {"jawPitch": 0.12, "tongueBetween": 0.5, "mouthSmile": 0.3},
    {"jawPitch": 0.22, "tongueOut": 1.0},
    {"jawPitch": 0.22, "tongueOut": 0.5},
    {"jawPitch": 0.06, "mouthPucker": 0.8},
    {"jawPitch": 0.06, "mouthFunnel": 0.7, "mouthUpperUp": 0.2},
    {"mouthSmile": 1.0, "mouthUpperUp": 0.4, "jawPitch": 0.04, "cheekSquint": 0.9},
    {"mouthRollUpper": 0.8, "mouthRollLower": 0.8, "mouthPress": 0.6},
    {"jawPitch": 0.2, "lipSeal": 1.0},
    {"jawPitch": 0.3, "mouthStretch": 0.8, "mouthLowerDown": 0.6},
)


@pytest.fixture(scope="module")
def head() -> AdaHead:
    return AdaHead.load()


@pytest.fixture(scope="module")
def mouth(head: AdaHead) -> Mouth:
    part = {name: np.flatnonzero(head.part_of_face == i) for i, name in enumerate(head.parts)}
    return Mouth(head.template.astype(float), head.faces, part)


def row(levels: dict[str, float]) -> Float[np.ndarray, "coeffs"]:
    """One frame; a name without a side means both."""
    out = np.zeros(len(NAMES), np.float32)
    for name, level in levels.items():
        for side in [name] if name in NAMES else [f"{name}Left", f"{name}Right"]:
            out[NAMES.index(side)] = level
    return out


def plausible(count: int, seed: int) -> Iterator[dict[str, float]]:
    """Frames with a few channels at random levels, the jaw from closed to wide open."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        levels: dict[str, float] = {"jawPitch": float(random.uniform(0.0, 0.35) * (random.uniform() < 0.8))}
        for name in random.choice(FREE, random.integers(0, 3), replace=False):
            levels[str(name)] = float(random.uniform())
        # Lips that are drawn out are not pushed out as well.
        corner = str(random.choice((*ROUND, *SPREAD)))
        levels[corner] = float(random.uniform() * (random.uniform() < 0.6))
        if random.uniform() < 0.15:
            tongue = str(random.choice(tuple(OPEN)))
            levels = {"jawPitch": float(random.uniform(OPEN[tongue], 0.35)), tongue: float(random.uniform())}
            levels[str(random.choice(SPREAD))] = float(random.uniform(0.0, 0.5))
        sided = {}
        for name, level in levels.items():
            if name not in NAMES and random.uniform() < 0.3:
                sided[f"{name}{random.choice(('Left', 'Right'))}"] = level
            else:
                sided[name] = level
        sided[JAW[1]], sided[JAW[2]] = random.uniform(-0.05, 0.05), random.uniform(-0.02, 0.02)
        yield sided


def deepest_mm(head: AdaHead, mouth: Mouth, levels: dict[str, float]) -> tuple[float, str]:
    """The deepest pair of one frame."""
    vertices = head(torch.from_numpy(row(levels))[None])[0].numpy().astype(float)
    pair, depth = max(mouth.depths(vertices).items(), key=lambda item: item[1])
    return 1000.0 * depth, pair


def check(head: AdaHead, mouth: Mouth, frames: Iterator[dict[str, float]]) -> None:
    """No frame has parts deeper in each other than allowed."""
    found = [(*deepest_mm(head, mouth, levels), levels) for levels in frames]
    worst = max(found, key=lambda item: item[0])
    assert worst[0] <= ALLOWED_MM, worst


@pytest.mark.parametrize("levels", TYPICAL, ids=lambda levels: "+".join(levels) or "rest")
def test_speech_keeps_lips_tongue_and_teeth_apart(
    head: AdaHead, mouth: Mouth, levels: dict[str, float]
) -> None:
    check(head, mouth, iter([levels]))


def test_plausible_motions_keep_them_apart(head: AdaHead, mouth: Mouth) -> None:
    check(head, mouth, plausible(24, seed=0))


@pytest.mark.slow
def test_hundreds_of_plausible_motions_keep_them_apart(head: AdaHead, mouth: Mouth) -> None:
    check(head, mouth, plausible(300, seed=1))


@pytest.mark.parametrize("pitch", [0.0, 0.06, 0.12, 0.2, 0.25])
@pytest.mark.parametrize(
    ("name", "body", "from_z", "to_z"),
    # The tip on the ridge behind the upper incisors, the back on the palate.
    [("tongueTipUp", "gums", 0.078, 0.09), ("tongueBackUp", "flesh", 0.044, 0.06)],
)
def test_tongue_reaches_its_contacts_in_an_open_jaw(
    head: AdaHead, mouth: Mouth, name: str, body: str, from_z: float, to_z: float, pitch: float
) -> None:
    vertices = head(torch.from_numpy(row({"jawPitch": pitch, name: 1.0}))[None])[0].numpy().astype(float)
    tongue = np.unique(head.faces[head.part_of_face == head.parts.index("tongue")])
    z = head.template[tongue, 2]
    gap_mm = 1000.0 * mouth.gap(
        vertices, body, tongue[(z > from_z) & (z < to_z) & (head.template[tongue, 1] > -0.076)]
    )
    assert -ALLOWED_MM <= gap_mm < 2.0


def test_tongue_comes_out_between_the_teeth(head: AdaHead) -> None:
    vertices = head(torch.from_numpy(row({"jawPitch": 0.09, "tongueBetween": 1.0}))[None])[0].numpy()
    tongue, teeth = (
        np.unique(head.faces[head.part_of_face == head.parts.index(part)]) for part in ("tongue", "teeth")
    )
    lower = vertices[teeth][head.template[teeth, 1] < -0.074]
    assert vertices[tongue, 2].max() > lower[:, 2].max() + 0.001


def test_what_sticks_in_something_is_noticed(head: AdaHead, mouth: Mouth) -> None:
    vertices = head.template.astype(float).copy()
    lower = np.unique(head.faces[head.part_of_face == head.parts.index("lips")])
    vertices[lower, 2] -= 0.008
    assert mouth.depths(vertices)["flesh and teeth"] > 0.001
