"""abe as a rig of linear shapes with ARKit's names, as most avatars are."""

from __future__ import annotations

import numpy as np
import torch

from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.shape_rig import ShapeRig


def linear_abe(*, strength: float = 1.0) -> ShapeRig:
    """Return the rig; its shapes move `strength` times as far as abe's channels do."""
    abe = load_head("abe")
    rows = []
    for name in ARKIT:
        base = {"jawOpen": np.ones(1)} if name == "mouthClose" else {}
        rows += [ada_coeffs({**base, name: np.ones(1)}, 1), ada_coeffs(base, 1)]
    with torch.inference_mode():
        moved = abe(torch.from_numpy(np.concatenate(rows))).numpy()
    return ShapeRig(
        name="linear",
        channels=ARKIT,
        template=abe.template,
        deltas=strength * (moved[::2] - moved[1::2]),
        marks=abe.landmark_vertices,  # type: ignore[attr-defined]
    )
