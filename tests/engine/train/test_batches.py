"""Batches: the same for the same step, with sound and motion in step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from talkcli.engine.audio.augment import AugmentConfig
from talkcli.engine.audio.ear import Waveform
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.models.phones import SYMBOLS
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.types import EMOTIONS, Alignment, Phone, Silent
from tests.engine.fakes import ADA, fake_clip

EARS = {"log_mel": LogMel(LogMelConfig(num_mels=20)), "waveform": Waveform()}
JAW = ADA.index("jawPitch")


def _batches(clips: int = 9, frames: int = 40, copies: int = 0, **how: Any) -> Batches:
    config = BatchConfig(**{"size": 6, "frames": 16, **how})
    examples = prepare(
        [fake_clip(index, frames) for index in range(clips)],
        EARS,
        config,
        speakers=("speaker0", "speaker1"),
        copies=copies,
        seed=0,
        reporter=Silent(),
    )
    return Batches(training=examples, validation=examples, config=config, seed=3, ears=EARS)


def _equal(left: Batch, right: Batch) -> bool:
    rest = set(vars(left)) - {"sound", "neutral", "seen"}
    return all(torch.equal(steps, right.sound[name]) for name, steps in left.sound.items()) and all(
        torch.equal(vars(left)[name], vars(right)[name]) for name in rest
    )


def test_offsets_are_the_way_from_each_rows_face_at_rest() -> None:
    batch = _batches().at(0)
    assert batch.neutral is None and torch.equal(batch.offsets, batch.motion)
    rests = torch.arange(36.0).reshape(6, 2, 3)
    away = torch.arange(6 * 4 * 6.0).reshape(6, 4, 6)
    moved = replace(batch, motion=away + rests.flatten(1)[:, None], neutral=rests)
    assert torch.equal(moved.offsets, away)


def test_the_step_decides() -> None:
    batches = _batches(mask_bands=4, mask_hops=8, tilt=0.1)
    assert _equal(batches.at(5), batches.at(5))
    assert not _equal(batches.at(5), batches.at(6))


def test_processes_share_the_rows_of_one_batch() -> None:
    batches = _batches(mask_bands=4, mask_hops=8, tilt=0.1)
    whole = batches.at(5)
    for rank in range(3):
        part = batches.at(5, rank=rank, world=3)
        assert len(part) == 2
        assert _equal(part, whole.rows(2 * rank, 2 * rank + 2))


def test_sound_and_motion_of_a_window_belong_together() -> None:
    batch = _batches(frames=60).at(0)
    assert batch.sound["log_mel"].shape == (6, 64, 23)
    assert batch.sound["waveform"].shape == (6, 16 * 640, 1)
    assert batch.motion.shape == (6, 16, 53)
    energy = batch.sound["log_mel"][:, :, -1].reshape(6, 16, 4).mean(-1).clamp_min(-0.5).flatten()
    jaw = batch.motion[:, :, JAW].flatten()
    assert torch.corrcoef(torch.stack([energy, jaw]))[0, 1] > 0.7


@pytest.mark.parametrize("copies", [0, 2])
def test_copies_stay_in_step(copies: int) -> None:
    batches = _batches(clips=3, frames=80, copies=copies, snr_db=(30.0, 40.0))
    assert len(batches.training) == 3 * (copies + 1)
    for example in batches.training:
        assert example.sound["log_mel"].shape[1] == 4 * len(example.motion)
        energy = example.sound["log_mel"][0, :, -1].reshape(-1, 4).mean(-1).clamp_min(-0.5)
        assert torch.corrcoef(torch.stack([energy, example.motion[:, JAW]]))[0, 1] > 0.7
    lengths = {len(example.motion) for example in batches.training}
    assert (len(lengths) > 1) == (copies > 0)


def test_phones_of_copies_stay_in_step() -> None:
    phones = (Phone("AA", 0.0, 0.8), Phone("S", 0.8, 2.4), Phone("SIL", 2.4, 3.2))
    clip = replace(fake_clip(0, frames=80), alignment=Alignment(phones, "aligned"))
    config = BatchConfig(size=1, frames=16, speed=0.3)
    for example in prepare([clip], {}, config, speakers=(), copies=4, seed=0, reporter=Silent()):
        changes = np.flatnonzero(np.diff(example.phones.numpy())) + 1
        assert changes / len(example.phones) == pytest.approx(np.array([0.25, 0.75]), abs=0.01)


def test_augmented_copies_differ_in_sound_alone() -> None:
    clips = [fake_clip(index, frames=60) for index in range(2)]
    everything = AugmentConfig(pitch=1, reverb=1, noise=1, colour=1, band_limit=1, codec=1, gain=1)
    plain, augmented = (
        prepare(clips, EARS, BatchConfig(size=1, frames=16, augment=how), speakers=(), copies=1, seed=0,
                reporter=Silent())
        for how in (AugmentConfig(), everything)
    )  # fmt: skip
    for copy, (before, after) in enumerate(zip(plain, augmented, strict=True)):
        assert torch.equal(before.motion, after.motion)
        same = torch.equal(before.sound["waveform"], after.sound["waveform"])
        assert same == (copy % 2 == 0), "the clips themselves stay as they are"


def test_masks_wider_than_the_window_silence_at_most_all_of_it() -> None:
    batch = _batches(mask_bands=1000, mask_hops=1000).at(0)
    assert batch.sound["log_mel"].isfinite().all()
    assert (batch.sound["log_mel"][..., :20] == -1).float().mean() > (
        _batches().at(0).sound["log_mel"][..., :20] == -1
    ).float().mean()


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"size": 0}, {"speed": 1.0}, {"mask_hops": -1}])
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        BatchConfig(**wrong)


def test_short_clips_go_on_in_silence() -> None:
    example = _batches(clips=1, frames=10, smooth=False).training[0]
    assert len(example.motion) == 16
    assert torch.equal(example.motion[10:], example.motion[9].expand(6, -1))
    assert (example.sound["log_mel"][0, 44:, :20] == -1).all()


def test_unknown_speakers_are_nobody() -> None:
    speakers = [example.speaker for example in _batches(clips=3).training]
    assert speakers == [0, 1, -1]


def test_balance_draws_rare_emotions_as_often() -> None:
    config = BatchConfig(size=400, frames=16, balance=True)
    clips = [fake_clip(index) for index in (0, 9, 18, 27, 36, 1)]
    examples = prepare(clips, EARS, config, speakers=(), copies=0, seed=0, reporter=Silent())
    batch = Batches(training=examples, validation=examples, config=config, seed=0, ears=EARS).at(0)
    assert (batch.emotion == EMOTIONS.index("calm")).float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_held_out_windows_do_not_overlap_and_are_not_disturbed() -> None:
    batches = _batches(clips=2, frames=40, mask_bands=10, mask_hops=10)
    held_out = batches.held_out()
    assert sum(len(batch) for batch in held_out) == 2 * (40 // 16)
    clean = np.concatenate([example.sound["log_mel"][0, :64].numpy() for example in batches.validation])
    rows = np.concatenate([batch.sound["log_mel"].flatten(0, 1).numpy() for batch in held_out])
    assert all((rows == row).all(1).any() for row in clean)


def test_fewer_frames_are_heard_than_seen() -> None:
    whole, short = (_batches(speech_frames=heard).at(0) for heard in (None, 10))
    assert short.motion.shape == (6, 16, 53)
    assert torch.equal(short.motion, whole.motion)
    for name, steps_per_frame in (("log_mel", 4), ("waveform", 640)):
        assert torch.equal(short.sound[name], whole.sound[name][:, : 10 * steps_per_frame])
    with pytest.raises(ValidationError, match="speech_frames 20 is longer than the window of 16"):
        _batches(speech_frames=20)


def test_only_log_mel_is_disturbed() -> None:
    everything = {"mask_bands": 20, "mask_hops": 30, "masks": 2, "warp": 0.1, "shift": 0.1, "floor": -0.5}
    clean, disturbed = (_batches(**how).at(0) for how in ({}, everything))
    assert torch.equal(clean.sound["waveform"], disturbed.sound["waveform"])
    assert not torch.equal(clean.sound["log_mel"], disturbed.sound["log_mel"])
    # Prosody, the last three channels, stays.
    assert torch.equal(clean.sound["log_mel"][..., 20:], disturbed.sound["log_mel"][..., 20:])


def test_an_epoch_draws_a_window_for_every_clip() -> None:
    assert _batches(clips=9, frames=40).epoch == 9 / 6


@pytest.mark.parametrize("pictures", [1, 3, 40])
def test_each_still_picture_is_seen_first_and_stays_as_it_is(pictures: int) -> None:
    config = BatchConfig(size=8, frames=4)
    coeffs = np.random.default_rng(0).normal(size=(pictures, 53)).astype(np.float32)
    clip = replace(fake_clip(0), speech=None, still=True)
    clip = replace(clip, motion=replace(clip.motion, coeffs=coeffs))
    examples = prepare([clip], {}, config, speakers=(), copies=2, seed=0, reporter=Silent())
    assert len(examples) == 1, "no altered copies"
    batches = Batches(training=examples, validation=examples, config=config, seed=0, ears={})
    firsts = torch.cat([batch.motion[:, 0] for batch in batches.held_out()]).numpy()
    np.testing.assert_array_equal(np.sort(firsts, axis=0), np.sort(coeffs, axis=0))
    assert batches.epoch == pictures / 8
    drawn = torch.cat([batches.at(step).motion[:, 0] for step in range(60)]).numpy()
    assert len(np.unique(drawn, axis=0)) == pictures


def test_motion_is_smoothed_once() -> None:
    clip = fake_clip(0)
    raw, smooth, twice = (
        prepare([each], {}, BatchConfig(size=1, frames=16, smooth=how), speakers=(), copies=0, seed=0,
                reporter=Silent())[0].motion
        for each, how in ((clip, False), (clip, True), (replace(clip, smoothed=True), True))
    )  # fmt: skip
    assert not torch.equal(raw, smooth)
    assert torch.equal(raw, twice)


def test_clips_without_speech_are_silent() -> None:
    clip = replace(fake_clip(0), speech=None)
    config = BatchConfig(size=1, frames=16)
    for example in prepare([clip], EARS, config, speakers=(), copies=1, seed=0, reporter=Silent()):
        assert example.sound["waveform"].abs().max() == 0


def test_phones_follow_the_clip() -> None:
    said = Alignment((Phone("SIL", 0.0, 0.2), Phone("M", 0.2, 0.3), Phone("AA", 0.3, 1.6)), "aligned")
    clip = replace(fake_clip(0), alignment=said)
    config = BatchConfig(size=2, frames=16)
    (example,) = prepare([clip], EARS, config, speakers=(), copies=0, seed=0, reporter=Silent())
    assert [SYMBOLS[index] for index in example.phones[[0, 9, 10, 14, 15, 79]]] == [
        "SIL", "SIL", "M", "M", "AA", "AA",
    ]  # fmt: skip
    assert len(example.phones) == 2 * len(example.motion)
    batches = Batches(training=[example], validation=[example], config=config, seed=3, ears=EARS)
    assert torch.equal(batches.held_out()[0].phones[1], example.phones[32:64])
    assert (_batches().at(0).phones == -1).all()
