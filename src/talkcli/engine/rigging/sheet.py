"""A contact sheet of a rig: what its shapes do, alone and where they act together.

Axis names: `height`, `width`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8

from talkcli.engine.face.expressions import pose_vector
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import Reporter

_SIZE = Size(384, 384)
_COLUMNS = 5


def _both(**levels: float) -> dict[str, float]:
    return {f"{name}{side}": level for name, level in levels.items() for side in ("Left", "Right")}


# View and weights of each picture, row by row.
PICTURES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("front", {}),
    ("three-quarter", {}),
    ("front", {"jawOpen": 1.0}),
    ("front", {"jawOpen": 1.0, "mouthClose": 1.0}),
    ("profile", {"jawOpen": 0.6}),
    ("front", _both(eyeBlink=1.0)),
    ("three-quarter", _both(eyeBlink=0.5)),
    ("front", _both(eyeWide=1.0, browOuterUp=1.0) | {"browInnerUp": 1.0}),
    ("front", _both(browDown=1.0, eyeSquint=1.0, noseSneer=1.0)),
    ("front", {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}),
    ("front", _both(mouthSmile=1.0, cheekSquint=1.0)),
    ("three-quarter", _both(mouthSmile=0.8) | {"jawOpen": 0.4}),
    ("front", _both(mouthFrown=1.0)),
    ("front", _both(mouthStretch=1.0)),
    ("front", _both(mouthUpperUp=1.0, mouthLowerDown=1.0)),
    ("front", {"mouthPucker": 1.0}),
    ("three-quarter", {"mouthFunnel": 1.0, "jawOpen": 0.2}),
    ("front", {"mouthRollUpper": 1.0, "mouthRollLower": 1.0}),
    ("front", {"mouthLeft": 1.0}),
    ("front", {"cheekPuff": 1.0}),
)


def rig_sheet(rig: ShapeRig, reporter: Reporter) -> UInt8[np.ndarray, "height width 3"]:
    """Draw `rig`, whose shapes have the names of ARKit, in sRGB."""
    drawn = []
    for at, (view, weights) in enumerate(PICTURES):
        reporter.progress("drawing", at, len(PICTURES))
        moved = np.tensordot(pose_vector(rig.channels, weights), rig.deltas, axes=1)
        scene = scene_of(rig, Shot(size=_SIZE, view=view, camera="close"))
        with contextlib.closing(open_renderer("software", scene, *_SIZE)) as renderer:
            drawn.append(renderer.render((rig.template + moved).astype(np.float32)))
    rows = [np.concatenate(drawn[at : at + _COLUMNS], axis=1) for at in range(0, len(drawn), _COLUMNS)]
    return np.concatenate(rows)
