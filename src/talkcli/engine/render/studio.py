"""A portrait studio for any head: materials by part, key, fill and rim light, a camera that frames the head.

Axis names: `verts`, `faces`. Directions are for a subject who looks along +z; the rig turns with the camera.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from talkcli.engine.face.topology import Topology, unknown_triangles
from talkcli.engine.render.renderer import Camera, Light, Material, Scene

VIEWS = {"front": 0.0, "three-quarter": 35.0, "profile": 90.0}

LOOKS = {
    "skin": "as a person looks",
    "clay": "grey and without colours, to judge the shape",
}

MATERIALS = {
    "skin": Material(specular=0.035, gloss=14.0, wrap=0.3),
    "lips": Material(specular=0.07, gloss=32.0, wrap=0.2),
    "teeth": Material(specular=0.12, gloss=60.0, wrap=0.3),
    "gums": Material(specular=0.15, gloss=45.0, wrap=0.15),
    "tongue": Material(specular=0.12, gloss=30.0, wrap=0.2),
    "mouth": Material(specular=0.05, gloss=25.0, wrap=0.1),
    "eye": Material(specular=0.32, gloss=420.0, wrap=0.1),
    "brow": Material(specular=0.02, gloss=10.0, wrap=0.1),
    "lash": Material(specular=0.0, gloss=10.0, wrap=0.0),
    "hair": Material(specular=0.025, gloss=14.0, wrap=0.1),
}
_OTHER = Material(specular=0.05, gloss=20.0, wrap=0.15)
# Bodies without openings; skin, lips and hair are one together with the inside of a mouth.
_CLOSED = {"teeth", "gums", "tongue", "eye"}
_CLOSED_WITH_MOUTH = {*_CLOSED, "skin", "lips", "mouth", "hair"}

# Key from above and the subject's right, fill beside the camera (it reaches into the mouth), rim, top.
_LIGHTS = (
    Light(direction=(-0.68, 0.58, 0.72), colour=(1.08, 1.0, 0.91), shadow=True),
    Light(direction=(0.5, -0.05, 0.85), colour=(0.18, 0.178, 0.175)),
    Light(direction=(0.6, 0.4, -1.0), colour=(0.6, 0.64, 0.72)),
    Light(direction=(0.0, 1.0, 0.15), colour=(0.14, 0.14, 0.15)),
)
# Linear RGB of the look clay.
_CLAY = (0.35, 0.35, 0.35)
_AMBIENT = (0.2, 0.2, 0.205)
_FOV_DEG = 16.0
# Room around the head, as a part of the head's height.
_MARGIN = 0.13


def studio_scene(head: Topology, *, yaw_deg: float = 0.0, look: str = "skin") -> Scene:
    """Return light `head` and place the camera `yaw_deg` to the subject's left of straight ahead.

    `look` is a key of `LOOKS`. Raises AssetError for a topology whose triangles nobody knows.
    """
    if not len(head.faces):
        raise unknown_triangles(head.name)
    centre, height = _frame(head)
    # Between the lips of a head that has no mouth, the inside of its skin is seen.
    closed = _CLOSED_WITH_MOUTH if "mouth" in head.parts else _CLOSED
    distance = height * (1 + 2 * _MARGIN) / 2 / math.tan(math.radians(_FOV_DEG / 2))
    eye = centre + distance * np.array(_turned((0.0, 0.0, 1.0), yaw_deg))
    return Scene(
        faces=head.faces,
        part_of_face=head.part_of_face,
        materials=tuple(replace(MATERIALS.get(part, _OTHER), closed=part in closed) for part in head.parts),
        colours=head.colours
        if look == "skin"
        else np.tile(np.array(_CLAY, np.float32), (len(head.template), 1)),
        camera=Camera(eye=_triple(eye), target=_triple(centre), fov_deg=_FOV_DEG),
        lights=tuple(
            Light(direction=_turned(light.direction, yaw_deg), colour=light.colour, shadow=light.shadow)
            for light in _LIGHTS
        ),
        ambient=_AMBIENT,
    )


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
