"""VOCA's windows, its rates, and the logits that stand in."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.models.ctc import CLASSES, GivenLogitsConfig, PhoneLogits, PhoneLogitsConfig, spelt
from talkcli.engine.models.phones import SYMBOLS, PhonesConfig
from talkcli.engine.models.voca import Voca, VocaConfig, windows
from talkcli.engine.pipelines.bench.voca import window_by_window

EAR = LogMelConfig(num_mels=32)
SMALL = LogMelEncoderConfig(ear=EAR, width=32, layers=1, heads=4, feedforward=32)


def published_windows(logits: np.ndarray, seconds: float) -> np.ndarray:
    """The windows of the released code (facts H.7), by numpy."""
    frames = round(seconds * 60)
    at, there = np.arange(frames) / 60, np.arange(len(logits)) / 50
    columns = [np.interp(at, there, column) for column in logits.T]
    places = np.pad(np.stack(columns, axis=1), ((8, 8), (0, 0)))
    return np.stack([places[frame : frame + 16] for frame in range(frames)])


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.37])
def test_windows_are_the_published_ones(seconds: float) -> None:
    logits = np.random.default_rng(0).normal(size=(max(round(seconds * 50), 1), 29))
    ours = windows(torch.from_numpy(logits)[None], 50.0, round(seconds * 60), 60)
    np.testing.assert_allclose(ours[0], published_windows(logits, seconds), atol=1e-12)


def test_windows_of_other_rates_are_about_the_same_moments() -> None:
    # A ramp: every place shows its time.
    logits = (torch.arange(100, dtype=torch.float64) / 50).expand(29, -1).T[None]
    made = windows(logits, 50.0, 50, 25)
    moments = torch.arange(50, dtype=torch.float64)[:, None] / 25 + (torch.arange(16) - 8) / 60
    inside = (moments >= 0) & (moments < 2)
    torch.testing.assert_close(made[0, ..., 3], moments.clamp_max(1.98) * inside)


def given(fps: int = 60) -> Voca:
    torch.manual_seed(0)
    model = Voca(VocaConfig(fps=fps, identity=3), 30)
    model.norm.mean.fill_(0.3)
    model.norm.variance.fill_(2.0)
    return model.eval()


def test_frames_are_those_of_one_window_after_the_other() -> None:
    model, logits = given(), torch.randn(1, 80, 29)
    made = model.generate(torch.zeros(1, 25_600), logits=logits, step_hz=50.0)
    assert made.shape == (1, 96, 30)
    torch.testing.assert_close(made, window_by_window(model, logits, 96), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("samples", "at_25", "at_60"), [(1, 1, 1), (640, 1, 2), (641, 2, 2), (16_000, 25, 60)]
)
def test_number_of_frames(samples: int, at_25: int, at_60: int) -> None:
    assert given(60).frames_of(samples) == at_60
    model = Voca(VocaConfig(motion="coefficients", content=SMALL), 5).eval()
    assert model.generate(torch.randn(1, samples)).shape == (1, at_25, 5)


def test_the_speaker_matters_and_long_speech_is_heard_in_windows() -> None:
    torch.manual_seed(0)
    config = VocaConfig(
        motion="coefficients", content=PhoneLogitsConfig(encoder=PhonesConfig(ear=EAR, width=16))
    )
    model = Voca(config.model_copy(update={"window": 50, "overlap": 10}), 5).eval()
    sound = 0.1 * torch.randn(1, 640 * 130)
    made = model.generate(sound)
    assert made.shape == (1, 130, 5)
    assert not torch.equal(made, model.generate(sound, speaker=1))
    whole = Voca(config, 5).eval()
    whole.load_state_dict(model.state_dict())
    # The first frames of the first window hear the same, as far as the encoder reaches.
    assert (whole.generate(sound)[:, :20] - made[:, :20]).abs().max() < 0.2 * made.std()


def test_settings_that_make_no_model() -> None:
    with pytest.raises(ValueError, match="need given logits"):
        VocaConfig(fps=60, content=SMALL)
    with pytest.raises(ValueError, match="has no room for 2 speakers"):
        VocaConfig(identity=1, speakers=("a", "b"))
    with pytest.raises(ValueError, match="are no vertices"):
        Voca(VocaConfig(), 31)
    assert isinstance(VocaConfig().content, GivenLogitsConfig)


def test_phones_are_spelt() -> None:
    sure = torch.eye(len(SYMBOLS))[None]
    made = spelt(sure)[0].exp()

    def letters(symbol: str) -> dict[str, float]:
        row = made[SYMBOLS.index(symbol)]
        return {
            CLASSES[at]: round(float(row[at]), 3) for at in row.argsort(descending=True) if row[at] > 0.01
        }

    assert letters("B") == {"b": 1.0}
    assert letters("SH") == {"s": 0.5, "h": 0.5}
    assert letters("SIL") == {" ": 0.5, "_": 0.5}
    # A vowel shares nothing with lips.
    assert {"p", "b", "m"}.isdisjoint(letter for symbol in ("AA", "IY", "UW") for letter in letters(symbol))
    assert made.min() >= 0.99e-4


def test_the_phone_encoder_does_not_train() -> None:
    ear = PhoneLogits(PhonesConfig(ear=EAR, width=16, dropout=0.5)).train()
    sound = {"log_mel": ear.ears["log_mel"](torch.randn(1, 6400))}
    one, other = ear(sound), ear(sound)
    assert isinstance(one, Tensor) and torch.equal(one, other) and not one.requires_grad
