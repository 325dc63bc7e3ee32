"""A contact sheet of a head: three sides, a smile and an open mouth, side by side.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import UInt8

from talkcli.engine.face.channels import JAW_OPEN_RAD
from talkcli.engine.face.expressions import EMOTION_POSES, pose_vector
from talkcli.engine.face.head import Head
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot, Size

_SIZE = Size(512, 512)
# View and pose of each picture.
_PICTURES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("front", {}),
    ("three-quarter", {}),
    ("profile", {}),
    ("front", EMOTION_POSES["happy"]),
    ("front", {"jawPitch": 0.8 * JAW_OPEN_RAD}),
)


def contact_sheet(head: Head) -> UInt8[np.ndarray, "height width 3"]:
    """Draw `head`, which has ada's channels, in sRGB."""
    drawn = []
    for view, pose in _PICTURES:
        coeffs = torch.from_numpy(pose_vector(head.channels, pose))[None]
        scene = scene_of(head, Shot(size=_SIZE, view=view))
        with contextlib.closing(open_renderer("software", scene, *_SIZE)) as renderer, torch.inference_mode():
            drawn.append(renderer.render(head(coeffs)[0].numpy()))
    return np.concatenate(drawn, axis=1)
