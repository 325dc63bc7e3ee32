"""Every row of the catalogue gives a number on ada, or a reason that is known."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.types import Motion, Speech

FRAMES = 60
# ada's coefficients are neither BEAT's nor the rig's; random pairs need hundreds of clips or ten takes.
REASONS = {
    "-rig192": "192",
    "-beat51": "channel jaw",
    "@humanml3d": "items",
    "diversity@probtalk3d": "10 takes",
    "slcc@": "two clips",
}


def _motion(seed: int) -> Motion:
    draw = np.random.default_rng(seed)
    t = np.arange(FRAMES)[:, None] / 25
    waves = np.sin(2 * np.pi * (draw.uniform(1, 3, len(ADA)) * t + draw.uniform(0, 1, len(ADA))))
    coeffs = (0.3 + 0.2 * waves) * np.where(np.arange(len(ADA)) < 50, 1, 0.3)
    pose = 0.1 * np.sin(2 * np.pi * (t + draw.uniform(0, 1, 3)))
    return Motion(
        coeffs=coeffs.astype(np.float32), fps=25.0, head="ada", channels=ADA, pose=pose.astype(np.float32)
    )


@pytest.fixture(scope="module")
def values() -> dict[str, Value]:
    head = load_head("ada")
    draw = np.random.default_rng(0)
    loud = np.repeat(np.abs(np.sin(np.arange(FRAMES) / 3)), 640)
    speech = Speech(samples=(0.2 * loud * draw.normal(size=len(loud))).astype(np.float32))
    takes = [Surface(_motion(seed), head) for seed in (1, 2)]
    names = [name for name, info in METRICS.items() if info.group == "papers" or not info.shown]
    return score_clip(
        takes,
        Surface(_motion(0), head),
        speech,
        "no phones",
        metrics=[*names, "head_beats", "mtm_ms", "mod_mm"],
    )


def test_every_row_gives_a_number_or_a_known_reason(values: dict[str, Value]) -> None:
    for name, value in values.items():
        found = over_clips(name, [value])
        expected = next((reason for part, reason in REASONS.items() if part in name), None)
        if expected is None:
            assert found["value"] is not None, (name, found["reason"])
            assert np.isfinite(found["value"])
        else:
            assert found["value"] is None
            assert expected in found["reason"], name


def test_rows_of_one_quantity_agree(values: dict[str, Value]) -> None:
    number = {name: over_clips(name, [value])["value"] for name, value in values.items()}
    assert number["mve@facediffuser"] == pytest.approx(number["mpvpe_face@lom-v1"] / 1e3)
    assert number["reconstruction_l2@voca"] == pytest.approx(3 * number["mse@emage"])
    assert number["ce_mm"] <= number["lve@faceformer"]
    assert number["mhd@unils"] == pytest.approx(1e3 * number["reconstruction_l2@voca"] ** 0.5, rel=0.05)
    assert 0 < number["head_beats"] <= 1
    assert 0 < number["bas@kdtalker"] <= 1
