"""Every row of the catalogue gives a number on ada, or a reason that is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from talkcli.engine.checkpoints import judge_weights
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.gathered import gathered
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.work import Scored
from talkcli.engine.types import Motion, Speech

FRAMES = 45
# ada's coefficients are neither BEAT's nor the rig's; random pairs need hundreds of clips or ten takes; half
# of the truth's frames are another motion. Nobody's weights are here, and 45 frames are fewer than the
# features of a picture.
REASONS = {
    "-rig192": "192",
    "-beat51": "channel jaw",
    "@humanml3d": "items",
    "diversity@probtalk3d": "10 takes",
    "slcc@perceptual3d-pooled": "two clips",
    "slcc@": "speaker's name",
    "-halved": "counterpart",
    "@syncnet": "SyncNet v2 are not here",
    "@wav2lip": "SyncNet v2 are not here",
    "emo_fid": "items",
    "fid": "Inception are not here",
}


def _motion(late: int) -> Motion:
    """The same motion, late by some frames and smaller by a tenth for each."""
    draw = np.random.default_rng(0)
    t = (np.arange(FRAMES)[:, None] - late) / 25
    waves = np.sin(2 * np.pi * (draw.uniform(1, 3, len(ADA)) * t + draw.uniform(0, 1, len(ADA))))
    coeffs = (0.3 + 0.2 * (1 - 0.1 * late) * waves) * np.where(np.arange(len(ADA)) < 50, 1, 0.3)
    # Lips that move, and are not pressed on each other throughout.
    coeffs[
        :, [ADA.index(name) for name in ("mouthClose", "lipSeal", "mouthPressLeft", "mouthPressRight")]
    ] = 0
    pose = 0.1 * np.sin(2 * np.pi * (t + draw.uniform(0, 1, 3)))
    return Motion(
        coeffs=coeffs.astype(np.float32), fps=25.0, head="ada", channels=ADA, pose=pose.astype(np.float32)
    )


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Value]]:
    with pytest.MonkeyPatch.context() as patch:
        # The weights of whoever runs the tests do not count.
        patch.setattr(judge_weights, "cache_dir", lambda: tmp_path_factory.mktemp("cache"))
        for judge in judge_weights.PUBLISHED_JUDGES.values():
            patch.delenv(judge.variable, raising=False)
        yield _measured()


def _measured() -> dict[str, Value]:
    head = load_head("ada")
    draw = np.random.default_rng(0)
    # Two bursts in soft speech are its accents.
    loud = np.full(FRAMES, 0.02)
    loud[[14, 15, 16, 39, 40, 41]] = 0.2
    speech = Speech(samples=(np.repeat(loud, 640) * draw.normal(size=640 * FRAMES)).astype(np.float32))
    takes = [Surface(_motion(late), head) for late in (1, 2)]
    names = [name for name, info in METRICS.items() if info.group == "papers" or not info.shown]
    names += ["head_beats", "mtm_ms", "mod_mm"]
    # Pictures take long to draw: one take of them is enough.
    drawn = [name for name in names if METRICS[name].judge]
    others = [name for name in names if name not in drawn]
    found = score_clip(takes, Surface(_motion(0), head), speech, "no phones", metrics=others)
    found |= score_clip(takes[:1], Surface(_motion(0), head), speech, "no phones", metrics=drawn)
    clip = Scored(
        id="clip", emotion=None, takes=2, frames=FRAMES, fps=25.0, values=found, head="ada", vertex_sets={},
        origins=(None, None), has_truth=True, truth=None,
    )  # fmt: skip
    return next(gathered([clip])).values


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
    assert 0 < number["bas@kdtalker-accents"] <= 1
