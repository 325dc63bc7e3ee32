"""A portrait studio for any head: materials by part, key, fill and rim light, a camera that frames the head.

Axis names: `verts`, `faces`. Directions are for a subject who looks along +z; the rig turns with the camera.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.face.topology import Pictured, Topology, unknown_triangles
from talkcli.engine.render.renderer import Background, Camera, Light, Material, Scene

VIEWS = {"front": 0.0, "three-quarter": 35.0, "profile": 90.0}

# How the names of an avatar's parts begin.
AVATAR = "avatar"
MATERIALS = {
    "skin": Material(specular=0.035, gloss=14.0, wrap=0.42, detail=1.0),
    "lips": Material(specular=0.05, gloss=32.0, wrap=0.3, wet=0.006),
    "teeth": Material(specular=0.1, gloss=60.0, wrap=0.45, wet=0.03, flesh=1.5),
    "gums": Material(specular=0.15, gloss=45.0, wrap=0.25, wet=0.03, flesh=0.5),
    "tongue": Material(specular=0.08, gloss=30.0, wrap=0.25, wet=0.008, flesh=0.15),
    "mouth": Material(specular=0.05, gloss=25.0, wrap=0.2, flesh=0.25),
    "eye": Material(specular=0.32, gloss=420.0, wrap=0.1, cornea=True),
    "iris": Material(specular=0.32, gloss=420.0, wrap=0.1, cornea=True),
    "wet": Material(specular=0.3, gloss=60.0, wrap=0.2, wet=0.08),
    "brow": Material(specular=0.02, gloss=10.0, wrap=0.1),
    "lash": Material(specular=0.0, gloss=10.0, wrap=0.0),
    # Of an avatar all surfaces are of one kind: its pictures hold their gloss.
    AVATAR: Material(specular=0.03, gloss=14.0, wrap=0.3),
    "hair": Material(specular=0.025, gloss=14.0, wrap=0.1, fibres=True),
}
_OTHER = Material(specular=0.05, gloss=20.0, wrap=0.15)
# Bodies without openings; skin, lips and hair are one together with the inside of a mouth.
_CLOSED = {"teeth", "gums", "tongue", "eye", "iris"}
_CLOSED_WITH_MOUTH = {*_CLOSED, "skin", "lips", "mouth", "hair"}

# Key from above and the subject's right, fill beside the camera (it reaches into the mouth), rim, top.
_LIGHTS = (
    Light(direction=(-0.68, 0.58, 0.72), colour=(1.08, 1.0, 0.91), shadow=True),
    Light(direction=(0.5, -0.05, 0.85), colour=(0.18, 0.178, 0.175)),
    Light(direction=(0.6, 0.4, -1.0), colour=(0.6, 0.64, 0.72)),
    Light(direction=(0.0, 1.0, 0.15), colour=(0.14, 0.14, 0.15)),
)
_AMBIENT = (0.2, 0.2, 0.205)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a head is made of, and what is behind it."""

    background: Background
    ambient: tuple[float, float, float]
    clay: tuple[float, float, float] | None = None
    """Colour of everything but the parts in `kept`, all of it matt; None for the head's own colours."""
    kept: Mapping[str, float] = field(default_factory=dict)
    """Parts that stay readable: how much of their own brightness they keep, relative to the clay's."""


LOOKS = {
    "skin": Look(background=(0.055, 0.06, 0.07), ambient=_AMBIENT),
    # Light grey, as in the figures of the literature. What is not named is of clay itself.
    "clay": Look(
        background=(0.72, 0.72, 0.72),
        ambient=(0.3, 0.3, 0.3),
        clay=(0.42, 0.42, 0.42),
        kept={
            "eye": 1.0,
            "iris": 1.0,
            "teeth": 0.8,
            "brow": 0.6,
            "lash": 0.6,
            "mouth": 0.5,
            "gums": 0.5,
            "tongue": 0.5,
        },
    ),
}
_MATT = Material(specular=0.01, gloss=12.0, wrap=0.2)


def check_look(look: str) -> None:
    """Raise UsageError when `look` is not a name of `LOOKS`."""
    if look not in LOOKS:
        raise UsageError(f"There is no look {look}.", hint=f"Looks: {', '.join(LOOKS)}.")


_FOV_DEG = 16.0
# Room around the head, as a part of the head's height.
_MARGIN = 0.13


def studio_scene(head: Topology, *, yaw_deg: float = 0.0, look: str = "skin") -> Scene:
    """Return light `head` and place the camera `yaw_deg` to the subject's left of straight ahead.

    `look` is one of `LOOKS`. Raises AssetError for a topology whose triangles nobody knows, and UsageError
    for an unknown look.
    """
    check_look(look)
    if not len(head.faces):
        raise unknown_triangles(head.name)
    chosen = LOOKS[look]
    centre, height = _frame(head)
    # Between the lips of a head that has no mouth, the inside of its skin is seen.
    closed = _CLOSED_WITH_MOUTH if "mouth" in head.parts else _CLOSED
    distance = height * (1 + 2 * _MARGIN) / 2 / math.tan(math.radians(_FOV_DEG / 2))
    eye = centre + distance * np.array(_turned((0.0, 0.0, 1.0), yaw_deg))
    return Scene(
        faces=head.faces,
        part_of_face=head.part_of_face,
        materials=tuple(
            replace(_material(part, chosen), closed=part in closed or part.startswith(AVATAR))
            for part in head.parts
        ),
        colours=_colours(head, chosen),
        camera=Camera(eye=_triple(eye), target=_triple(centre), fov_deg=_FOV_DEG),
        lights=tuple(
            Light(direction=_turned(light.direction, yaw_deg), colour=light.colour, shadow=light.shadow)
            for light in _LIGHTS
        ),
        ambient=chosen.ambient,
        background=chosen.background,
        rest=head.template,
        **_pictures(head, chosen),
    )


def _pictures(head: Topology, look: Look) -> dict[str, Any]:
    """Return what an avatar has beside colours: shared normals, and pictures unless it is of clay."""
    if not isinstance(head, Pictured):
        return {}
    if look.clay is not None:
        return {"twins": head.twins}
    return {"twins": head.twins, "uv": head.uv, "pictures": head.pictures, "tints": head.tints}


def _material(part: str, look: Look) -> Material:
    """Return the material of a part. A name that is longer than one we know begins with it: eye_left."""
    known = max((name for name in MATERIALS if part.startswith(name)), key=len, default="")
    material = MATERIALS.get(known, _OTHER)
    return material if look.clay is None or material.cornea else _MATT


def _colours(head: Topology, look: Look) -> np.ndarray:
    """Return the colours of a head: its own, or clay and the brightness of what stays readable."""
    own = np.asarray(head.colours, np.float32)
    if look.clay is None:
        return own
    colours = np.tile(np.array(look.clay, np.float32), (len(own), 1))
    for number, part in enumerate(head.parts):
        if part in look.kept:
            verts = np.unique(np.asarray(head.faces)[np.asarray(head.part_of_face) == number])
            grey = own[verts] @ np.array([0.2126, 0.7152, 0.0722], np.float32)
            colours[verts] = (look.kept[part] * grey)[:, None]
    return colours


def _frame(head: Topology) -> tuple[np.ndarray, float]:
    """Return middle and height of the head without its neck; of the whole mesh where it names no eyes and
    lips.
    """
    low, high = head.template.min(axis=0), head.template.max(axis=0)
    if "eyes" in head.regions and "lips" in head.regions:
        lips = head.template[head.regions["lips"]].mean(axis=0)
        eyes = head.template[head.regions["eyes"]].mean(axis=0)
        # On adults the chin lies 0.7 eye-to-mouth distances below the mouth.
        chin = lips[1] - 0.75 * (eyes[1] - lips[1])
        low = np.array([low[0], max(low[1], chin), max(low[2], lips[2] - 3.0 * (eyes[1] - lips[1]))])
    return (low + high) / 2, float(high[1] - low[1])


def _turned(direction: Sequence[float], yaw_deg: float) -> tuple[float, float, float]:
    cosine, sine = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    x, y, z = direction
    return x * cosine + z * sine, y, z * cosine - x * sine


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
