"""A head built as FLAME is, that looks like ada: 50 components of her expressions and a jaw that turns.

Nothing of FLAME's own is in it. It has no channel that seals lips: what closes an open jaw is in the
components, as in those of scans.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, NUM_EXPRESSION
from talkcli.engine.face.flame import FlameHead
from talkcli.engine.face.flame_file import JAW_JOINT, NUM_JOINTS, NUM_POSE_FEATURES, Embedding, FlameArrays

_SCANS = 160


def flame_like(ada: AdaHead) -> FlameHead:
    """Return the head, numbered as `ada` is."""
    components = _components(ada)
    num_verts = len(ada.template)
    jaw = ada.tables["jaw"]
    weights = np.zeros((num_verts, NUM_JOINTS), np.float32)
    weights[:, JAW_JOINT], weights[:, 0] = jaw, 1.0 - jaw
    regressor = np.zeros((NUM_JOINTS, num_verts), np.float32)
    # Vertices whose weighted mean is the hinge, and which no expression moves.
    still = np.flatnonzero(np.abs(components).max(axis=(1, 2)) == 0)
    anchors = still[np.linspace(0, len(still) - 1, 8).astype(int)]
    rows = np.vstack([ada.template[anchors].T, np.ones(len(anchors))])
    regressor[:, anchors] = np.linalg.lstsq(rows, np.append(ada.tables["hinge"], 1.0), rcond=None)[0]
    arrays = FlameArrays(
        template=ada.template,
        expressions=components,
        pose_correctives=np.zeros((num_verts, 3, NUM_POSE_FEATURES), np.float32),
        joint_regressor=regressor,
        weights=weights,
        faces=ada.faces,
    )
    faces = np.array([np.flatnonzero((ada.faces == mark).any(axis=1))[0] for mark in ada.landmark_vertices])
    shares = (ada.faces[faces] == ada.landmark_vertices[:, None]).astype(np.float32)
    return FlameHead(arrays, {}, Embedding(faces=faces, weights=shares), Path())


def _components(ada: AdaHead) -> np.ndarray:
    """Return principal components (verts, 3, 50) of random expressions, each of unit variance."""
    draw = np.random.default_rng(7)
    coeffs = np.zeros((_SCANS, len(ADA)), np.float32)
    chosen = [k for k, name in enumerate(ADA[:NUM_EXPRESSION]) if not name.startswith(("eyeLook", "tongue"))]
    for row in coeffs:
        row[draw.choice(chosen, 6, replace=False)] = draw.uniform(0.0, 0.7, 6)
    coeffs[:, ADA.index("jawPitch")] = draw.uniform(0.0, 0.5, _SCANS) * JAW_OPEN_RAD
    coeffs[::3, ADA.index("lipSeal")] = 1.0
    jaw = np.zeros_like(coeffs)
    jaw[:, NUM_EXPRESSION:] = coeffs[:, NUM_EXPRESSION:]
    with torch.inference_mode():
        moved = (ada(torch.from_numpy(coeffs)) - ada(torch.from_numpy(jaw))).numpy()
    flat = moved.reshape(_SCANS, -1)
    flat[:, np.abs(flat).max(axis=0) < 1e-6] = 0.0
    _, sizes, shapes = np.linalg.svd(flat - 0.0, full_matrices=False)
    kept = shapes[:NUM_EXPRESSION] * sizes[:NUM_EXPRESSION, None] / np.sqrt(_SCANS)
    return np.ascontiguousarray(kept.reshape(NUM_EXPRESSION, -1, 3).transpose(1, 2, 0), dtype=np.float32)
