"""Metrics of networks: what they hand to the judge, what they say without one, and that they work once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.checkpoints import judge_weights
from talkcli.engine.checkpoints.judge_weights import own_judge, published_file, published_judge
from talkcli.engine.checkpoints.model_file import Meta, save_model
from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import CHANNELS
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.judges import sync, sync_image, syncnet
from talkcli.engine.judges.emotion_image import EmotionImage, EmotionImageConfig
from talkcli.engine.judges.ffd import FfdConfig, FfdVae
from talkcli.engine.judges.sync_image import SyncImageConfig, SyncImageJudge
from talkcli.engine.metrics import emo_fid, ffd, fid, lse_measures
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.judged_metrics import JUDGED_METRICS
from talkcli.engine.metrics.lse import lse
from talkcli.engine.metrics.take import compared
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Motion, Speech
from tests.engine.judges.syncnets import random_state

ADA = CHANNELS["ada"]
META = Meta(head="ada", channels=ADA, fps=25, trained_on="a test", licence="CC0-1.0")


@pytest.fixture(autouse=True)
def _no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    for judge in judge_weights.PUBLISHED_JUDGES.values():
        monkeypatch.delenv(judge.variable, raising=False)


def take(frames: int = 40, fps: float = 25.0) -> Measured:
    coeffs = np.zeros((frames, len(ADA)), np.float32)
    coeffs[:, ADA.index("jawPitch")] = 0.15 * (1 + np.sin(0.9 * np.arange(frames) * 25 / fps))
    return Measured(Surface(Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA), load_head("ada")))


def speech(frames: int = 40) -> Speech:
    return Speech(samples=np.random.default_rng(0).uniform(-0.3, 0.3, 640 * frames).astype(np.float32))


def test_ours_compares_lip_curves_with_sound() -> None:
    judge, _ = own_judge("sync")
    one, sound = take(), speech()
    found = lse(*sync.features(judge, one.lip_curves(), sound))
    assert lse_measures.measure_distance(one, sound) == found.distance
    assert lse_measures.measure_confidence(one, sound) == found.confidence
    assert lse_measures.measure_offset(one, sound) == found.offset
    assert 0 < found.distance < 2


def test_ours_compares_pictures_of_mouths_with_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = SyncImageJudge(SyncImageConfig(widths=(8, 8))).eval()
    monkeypatch.setattr(
        lse_measures, "own_judge", lambda name: (judge if name == "sync_image" else None, META)
    )
    fast, one, sound = take(20, 50.0), take(10), speech(10)
    found = lse(*sync_image.features(judge, one.mouths(sync_image.SIDE), sound))
    assert lse_measures.measure_pictures_distance(one, sound) == found.distance
    assert lse_measures.measure_pictures_confidence(one, sound) == found.confidence
    assert lse_measures.measure_pictures_offset(one, sound) == found.offset
    # At 50 fps the judge gets every other frame, and the frames between are no longer windows.
    assert lse_measures.measure_pictures_distance(fast, sound) == pytest.approx(found.distance, abs=0.05)
    with pytest.raises(UndefinedMetricError, match="4 frames are too few"):
        lse_measures.measure_pictures_distance(take(4), speech(4))


def test_ours_resamples_to_25_fps() -> None:
    fast, slow = take(80, 50.0), take(40)
    assert lse_measures.by_our_judge(fast, speech()).distance == pytest.approx(
        lse_measures.by_our_judge(slow, speech()).distance, abs=0.05
    )


def test_too_short_for_a_window() -> None:
    with pytest.raises(UndefinedMetricError, match="4 frames are too few"):
        lse_measures.measure_distance(take(4), speech(4))


def test_the_metrics_of_a_take_share_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []

    def features(
        network: object, pictures: Iterator[np.ndarray], sound: Speech
    ) -> tuple[np.ndarray, np.ndarray]:
        (block,) = pictures
        passes.append(len(block))
        assert block.shape == (7, 224, 224, 3)
        assert block.std() > 10
        return np.eye(7), np.eye(7)

    monkeypatch.setattr(lse_measures, "published_judge", lambda name: None)
    monkeypatch.setattr(syncnet, "features", features)
    one, sound = take(7), speech(7)
    assert lse_measures.measure_syncnet_offset(one, sound) == 0
    assert lse_measures.measure_syncnet_distance(one, sound) == pytest.approx(0, abs=1e-5)
    assert lse_measures.measure_syncnet_confidence(one, sound) > 0.9
    assert passes == [7]
    lse_measures.measure_syncnet_distance(one, speech(7))
    assert passes == [7, 7]


def test_without_weights_the_reason_says_what_to_get() -> None:
    calls = (
        partial(lse_measures.measure_syncnet_distance, take(7), speech(7)),
        partial(fid.measure, [take(7)], take(7)),
    )
    for call in calls:
        with pytest.raises(AssetError) as caught:
            call()
        assert "and set TALK_" in caught.value.problem


def test_the_users_weights_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert published_file("syncnet") is None
    path = tmp_path / "cache" / "syncnet_v2.model"
    path.parent.mkdir()
    torch.save(random_state(), path)
    assert published_file("syncnet") == path
    other = tmp_path / "other" / "syncnet_v2.model"
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())
    monkeypatch.setenv("TALK_SYNCNET", str(other.parent))
    assert published_file("syncnet") == other
    assert published_judge("syncnet") is published_judge("syncnet")


def test_ffd_takes_the_latents_of_both() -> None:
    found = ffd.measure([take(40)], take(83))
    assert (found.made.shape, found.true.shape) == ((5, 128), (10, 128))
    assert np.allclose(found.made[:4], found.true[:4], atol=1e-5)


def test_the_truth_of_several_takes_is_measured_once() -> None:
    seen: list[object] = []

    def features(motion: Any) -> np.ndarray:
        seen.append(motion)
        return np.full((motion.num_frames, 2), motion.num_frames)

    one, other, true = take(3), take(4), take(2)
    found = compared(features, [one, other], true)
    assert seen == [one, other, true]
    assert found.made[:, 0].tolist() == [3, 3, 3, 4, 4, 4, 4]
    assert found.true[:, 0].tolist() == [2, 2]


def test_ffd_knows_its_coefficients_only() -> None:
    one = take(16)
    one.channel_names = lambda: ("jawOpen",)  # type: ignore[method-assign]
    with pytest.raises(UndefinedMetricError, match="coefficients of ada only"):
        ffd.measure([one], take(16))


def test_emo_fid_takes_the_features_of_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = EmotionImage(EmotionImageConfig(widths=(8,), features=6)).eval()
    monkeypatch.setattr(emo_fid, "own_judge", lambda name: (judge, META))
    found = emo_fid.measure([take(3)], take(2))
    assert (found.made.shape, found.true.shape) == ((3, 6), (2, 6))
    assert np.allclose(found.made[:2], found.true, atol=1e-5)


def test_a_judge_of_the_user_goes_before_ours(tmp_path: Path) -> None:
    theirs = FfdVae(FfdConfig(width=16, heads=4, feedforward=16), len(ADA))
    (tmp_path / "cache").mkdir()
    save_model(tmp_path / "cache" / "judge-ffd.safetensors", theirs, meta=META)
    judge, header = own_judge("ffd")
    assert judge.config.width == 16
    assert header.trained_on == "a test"


def test_without_our_judge_the_reason_says_how_to_train_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge_weights, "WEIGHTS_DIR", tmp_path)
    with pytest.raises(AssetError, match="talk train-judge MANIFEST --recipe sync"):
        lse_measures.measure_distance(take(), speech())


def test_cells_say_who_judged() -> None:
    assert all(info.judge for info in JUDGED_METRICS.values())
    for name in ("lse_d", "lse_c", "lse_offset", "lse_d@pictures", "ffd", "emo_fid"):
        assert METRICS[name].judge == "our judge, not comparable with the papers"
