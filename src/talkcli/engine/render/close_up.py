"""The scene of DEEPTalk's lip-reading loss: a frontal pinhole of 60 degrees, close to the face.

We differ: Lambert's light on vertex colours, where the published code puts a texture on FLAME, by nvdiffrast.
Axis names: `verts`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float

from talkcli.engine.face.topology import Topology
from talkcli.engine.render.renderer import Camera, Light, Material, Scene

# A focal length of 1.7321 for half a picture of 1.
FOV_DEG = 60.0
# Height of what is seen at the lips' distance, in distances between eyes and mouth: FLAME's camera of the
# published code, 0.2 m before the origin, sees 2.5 to 3 of them.
_EYE_TO_MOUTH_SEEN = 2.8
_LIGHT = Light(direction=(-0.25, 0.6, 1.0), colour=(0.75, 0.75, 0.75))
_AMBIENT = (0.3, 0.3, 0.3)
# Bodies without openings: their backs are never seen.
_CLOSED = ("teeth", "gums", "tongue", "eye", "iris")
# What light reaches the inside of a mouth: without shadows it would be as bright as the face.
_REACHED = {"mouth": 0.25, "gums": 0.4, "tongue": 0.3, "teeth": 0.8}
_EYES, _MOUTH = slice(36, 48), slice(48, 68)


def close_up(head: Topology) -> Scene:
    """Return `head` filling a square picture, seen and lit from the front.

    Follows the template's landmarks. Raises AssetError where `head` knows none.
    """
    marks = head.landmarks(torch.from_numpy(np.asarray(head.template, np.float32))[None])[0].numpy()
    eyes, mouth = marks[_EYES].mean(axis=0), marks[_MOUTH].mean(axis=0)
    height = _EYE_TO_MOUTH_SEEN * float(np.linalg.norm(eyes - mouth))
    middle = (eyes + mouth) / 2
    target = (float(middle[0]), float(middle[1]), float(mouth[2]))
    distance = height / 2 / math.tan(math.radians(FOV_DEG / 2))
    return Scene(
        faces=head.faces,
        part_of_face=head.part_of_face,
        materials=tuple(Material(closed=part in _CLOSED) for part in head.parts),
        colours=_dimmed(head),
        camera=Camera(eye=(target[0], target[1], target[2] + distance), target=target, fov_deg=FOV_DEG),
        lights=(_LIGHT,),
        ambient=_AMBIENT,
        background=(0.0, 0.0, 0.0),
    )


def _dimmed(head: Topology) -> Float[np.ndarray, "verts 3"]:
    """Return the head's colours, darker inside the mouth."""
    colours = np.array(head.colours, np.float32)
    for number, part in enumerate(head.parts):
        colours[np.unique(head.faces[head.part_of_face == number])] *= _REACHED.get(part, 1.0)
    return colours
