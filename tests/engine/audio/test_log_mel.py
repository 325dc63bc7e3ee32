"""The front-end: alignment with frames, loudness, silence, pitch."""

import pytest
import torch

from talkcli.engine.audio import log_mel
from talkcli.engine.audio.log_mel import HOP, HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ

LOG_MEL = LogMel(LogMelConfig())


def _tone(hz: float, seconds: float = 1.0) -> torch.Tensor:
    time_s = torch.arange(int(seconds * SPEECH_RATE_HZ)) / SPEECH_RATE_HZ
    return sum(torch.sin(2 * torch.pi * hz * part * time_s) / part for part in range(1, 8))[None] * 0.1


@pytest.mark.parametrize("frames", [1, 4, 33])
def test_four_hops_a_frame(frames: int) -> None:
    assert LOG_MEL(torch.randn(2, frames * SAMPLES_PER_FRAME)).shape == (2, frames * HOPS_PER_FRAME, 83)


def test_a_click_shows_where_it_is() -> None:
    samples = torch.zeros(1, 100 * HOP)
    samples[0, 40 * HOP + HOP // 2] = 1.0
    energy = LOG_MEL(samples)[0, :, -1]
    assert energy.argmax().item() == 40
    # A 25 ms window sees 7.5 ms beyond either side of its hop.
    assert (energy > -1).nonzero().flatten().tolist() == [39, 40, 41]


def test_loudness_does_not_matter() -> None:
    samples = _tone(150)
    assert torch.allclose(LOG_MEL(samples), LOG_MEL(samples * 0.1), atol=0.02)


def test_silence_is_the_floor_and_adding_some_changes_nothing_else() -> None:
    assert (LOG_MEL(torch.zeros(1, 16_000))[..., :80] == -1).all()
    samples = _tone(150)
    longer = torch.cat([samples, torch.zeros(1, 8_000)], dim=1)
    inner = slice(0, 95)
    assert torch.allclose(LOG_MEL(samples)[:, inner], LOG_MEL(longer)[:, inner], atol=0.02)


def test_pitch_in_octaves_around_the_median() -> None:
    pitch = LOG_MEL(torch.cat([_tone(110), _tone(110), _tone(220)], dim=1))[0, :, 80]
    assert pitch[20:180].abs().max() < 0.03
    assert pitch[220:280] == pytest.approx(torch.ones(60), abs=0.05)


def test_noise_is_unvoiced() -> None:
    generator = torch.Generator().manual_seed(0)
    features = LOG_MEL(0.1 * torch.randn(1, 16_000, generator=generator))[0]
    assert features[:, 81].mean() < 0.4
    assert LOG_MEL(_tone(150))[0, 5:95, 81].mean() > 0.9


def test_long_input_is_worked_on_in_blocks_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = torch.cat([_tone(150), _tone(200), 0.1 * torch.randn(1, 16_000)], dim=1)
    whole = LOG_MEL(samples)
    monkeypatch.setattr(log_mel, "_BLOCK", 70)
    assert torch.allclose(LOG_MEL(samples), whole, atol=1e-5)


@pytest.mark.parametrize("prosody", [True, False])
def test_stretches_are_cut_from_the_whole(monkeypatch: pytest.MonkeyPatch, prosody: bool) -> None:
    monkeypatch.setattr(log_mel, "_BLOCK", 70)
    ear = LogMel(LogMelConfig(prosody=prosody))
    # The end falls inside a hop; what is asked for beyond it is silence.
    samples = torch.cat([_tone(150), _tone(200), 0.1 * torch.randn(1, 15_900)], dim=1)
    hops = 310
    whole = ear(torch.nn.functional.pad(samples, (0, hops * HOP - samples.shape[1])))
    seen = ear.overview(samples, hops)
    stretches = [ear.stretch(samples, first, min(first + 33, hops), seen) for first in range(0, hops, 33)]
    assert torch.allclose(torch.cat(stretches, dim=1), whole, atol=1e-5)
