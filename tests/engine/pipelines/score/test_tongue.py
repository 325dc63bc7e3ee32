"""Motion with channels of the tongue has the scores of the same motion without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.types import Motion, Silent
from tests.engine.pipelines.score.test_motions import speaking


@pytest.mark.parametrize("true_tongue", [False, True])
def test_the_tongue_is_not_scored(tmp_path: Path, true_tongue: bool) -> None:
    write_wav(tmp_path / "a.wav", read_speech(speaking(tmp_path / "speech.wav", 1.6), Silent()))
    draw = np.random.default_rng(0)

    def written(name: str, *, tongue: bool) -> Path:
        coeffs = draw.uniform(0, 0.2, (40, 53)).astype(np.float32)
        write_motion(tmp_path / name, Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
        if tongue:
            wider = np.concatenate([coeffs, np.ones((40, 3), np.float32)], axis=1)
            motion = Motion(coeffs=wider, fps=25.0, head="ada", channels=ADA + TONGUE)
            (tmp_path / "wide").mkdir(exist_ok=True)
            write_motion(tmp_path / "wide" / name, motion)
            return tmp_path / "wide" / name
        return tmp_path / name

    true = written("true.npz", tongue=true_tongue)
    wide = written("a.npz", tongue=True)
    reports = [
        score_motions(
            [path], truth=true, audio=tmp_path / "a.wav", dataset=None, head_name=None, reference=true,
            generation=Generation(), thresholds=(), reporter=Silent(),
        )
        for path in (wide, tmp_path / "a.npz")
    ]  # fmt: skip
    assert reports[0]["overall"] == reports[1]["overall"]
    assert reports[0]["overall"]["lve_mm"]["value"] > 0
    assert reports[0]["overall"]["jerk_ratio_lips"]["value"] > 0


def test_a_model_is_scored_with_all_layers(tmp_path: Path) -> None:
    report = score_motions(
        [], truth=None, audio=speaking(tmp_path / "a.wav", 1.6), dataset=None, head_name=None,
        generation=Generation(layers=True), thresholds=(), reporter=Silent(),
    )  # fmt: skip
    assert report["vertex_sets"]["coefficients"] == 53
    assert report["overall"]["jump_mm"]["value"] > 0
