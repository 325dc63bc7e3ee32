from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion
from tests.engine.face import flame_twin


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A prediction, its truth and a small head."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    head = tmp_path / "generic_model.pkl"
    flame_twin.write_flame(head, flame_twin.flame_arrays())
    for seed, name in enumerate(("predicted", "true")):
        coeffs = np.random.default_rng(seed).normal(0, 0.3, (30, 53)).astype(np.float32)
        motion = Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME)
        write_motion(tmp_path / f"{name}.npz", motion)
    return [str(tmp_path / "predicted.npz"), "--truth", str(tmp_path / "true.npz"), "--head", str(head)]
