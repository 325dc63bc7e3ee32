"""Moods: draws follow calibrated probabilities, and never reverse a clear voice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.errors import InputError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.moods import Mood, Moods, width_of
from talkcli.engine.types import EMOTIONS, Emotion

NEUTRAL, HAPPY, SAD, ANGRY = (EMOTIONS.index(label) for label in ("neutral", "happy", "sad", "angry"))
ROWS = 4000


def chances(**given: float) -> Tensor:
    row = torch.zeros(len(EMOTIONS))
    for label, chance in given.items():
        row[EMOTIONS.index(label)] = chance
    return row.expand(ROWS, -1)


def drawn(likely: Tensor, *, width: float, strength: float = 0.5, seed: int = 0) -> Mood:
    """Draw a mood for every row, with log-variances that give `width` at a sigma of 1."""
    log_variance = torch.full((len(likely), 8), 2 * float(np.log(width)))
    generator = torch.Generator().manual_seed(seed)
    return Moods(8).draw(likely, torch.full((len(likely),), strength), log_variance, 1.0, generator)


def shares(mood: Mood) -> Tensor:
    return torch.bincount(mood.emotion, minlength=len(EMOTIONS)) / len(mood.emotion)


def test_without_sigma_the_likeliest_mood() -> None:
    mood = Moods(8).draw(
        chances(happy=0.6, neutral=0.4),
        torch.full((ROWS,), 1.0),
        torch.zeros(ROWS, 8),
        None,
        torch.Generator(),
    )
    assert (mood.emotion == HAPPY).all()
    assert (mood.strength == 1.0).all()
    quiet = Moods(8).draw(
        chances(happy=0.4, neutral=0.6),
        torch.full((ROWS,), 1.0),
        torch.zeros(ROWS, 8),
        None,
        torch.Generator(),
    )
    assert (quiet.strength == 0.0).all()


def test_moods_are_drawn_as_often_as_they_are_likely() -> None:
    found = shares(drawn(chances(happy=0.6, sad=0.3, angry=0.1), width=1.0))
    assert found[HAPPY] == pytest.approx(2 / 3, abs=0.03)
    assert found[SAD] == pytest.approx(1 / 3, abs=0.03)
    # Only the two likeliest are drawn.
    assert found[ANGRY] == 0


def test_a_clear_voice_is_never_reversed() -> None:
    assert shares(drawn(chances(happy=0.9, sad=0.1), width=2.0))[HAPPY] == 1.0


def test_narrow_draws_keep_the_mood_and_vary_its_strength_less() -> None:
    narrow, wide = (drawn(chances(happy=0.6, sad=0.4), width=width) for width in (0.05, 1.0))
    assert shares(narrow)[HAPPY] > 0.99
    assert 0 < narrow.strength.std() < 0.3 * wide.strength.std()
    assert (wide.strength >= 0.5).all()
    assert (wide.strength <= 1.0).all()


def test_the_width_is_the_formula_of_the_paper() -> None:
    log_variance = torch.full((1, 8), -4.0)
    assert width_of(log_variance, 0.1).item() == pytest.approx(np.exp(-0.2))
    assert (
        width_of(log_variance, 1.0).item() == width_of(log_variance, 0.0).item() == pytest.approx(np.exp(-2))
    )
    assert width_of(log_variance, -100.0).item() == 2.0


def test_calibration_learns_how_often_the_classifier_errs() -> None:
    rng = torch.Generator().manual_seed(1)
    emotion = torch.randint(0, 4, (800,), generator=rng)
    # Right in 70 of 100 clips, and sure of itself each time.
    told = torch.where(torch.rand(800, generator=rng) < 0.7, emotion, (emotion + 1) % 4)
    logits = torch.nn.functional.one_hot(told, len(EMOTIONS)) * 20.0
    moods = Moods(8)
    moods.calibrate(logits, emotion)
    known = torch.zeros(len(EMOTIONS), dtype=torch.bool)
    known[:4] = True
    right = moods.chances(logits, known).gather(1, told[:, None])[told != NEUTRAL].mean()
    assert right.item() == pytest.approx(0.6, abs=0.12)
    # Neutral is the commonest emotion of speech: undecided clips count as neutral.
    undecided = moods.chances(torch.zeros(1, len(EMOTIONS)), known)[0]
    assert undecided.argmax() == NEUTRAL


def dee() -> Dee:
    config = DeeConfig(
        speech=LogMelConfig(num_mels=8), expression=CoefficientsConfig(), audio_width=8, audio_layers=1,
        motion_width=8, motion_layers=1, heads=2, feedforward=8, embedding=8, pooling="statistics",
        classifier=True, anchors=True, moods=True,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Dee(config).eval()
    model.anchors.copy_(torch.eye(len(EMOTIONS), 8))
    return model


def test_takes_lie_between_neutral_and_an_anchor() -> None:
    model, generator = dee(), torch.Generator().manual_seed(0)
    heard = Gaussian(torch.nn.functional.normalize(torch.randn(64, 8), dim=-1), torch.full((64, 8), -1.0))
    felt = model.felt(heard, 0.1, generator)
    neutral = model.anchors[NEUTRAL]
    others = felt - (felt @ neutral)[:, None] * neutral
    # At most one component beside neutral's.
    assert ((others.abs() > 1e-4).sum(-1) <= 1).all()


def test_an_emotion_that_was_asked_for_stays() -> None:
    model = dee()
    asked = Emotion(label="sad", level=0.5)
    heard = Gaussian(model.directed(asked), torch.full((1, 8), -0.5))
    torch.testing.assert_close(model.felt(heard, None, torch.Generator(), asked), model.directed(asked))
    takes = torch.cat([model.felt(heard, 0.1, torch.Generator().manual_seed(k), asked) for k in range(16)])
    assert (takes @ model.anchors[SAD]).std() > 0.01
    assert (takes @ model.anchors[HAPPY]).abs().max() < 1e-5


def test_moods_need_classifier_and_anchors() -> None:
    with pytest.raises(ValidationError, match="moods needs"):
        DeeConfig(moods=True, classifier=True)


def test_weights_that_cannot_be_drawn_from_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="not finite"):
        drawn(chances(happy=float("nan")), width=1.0)
    untrained = Moods(8).chances(torch.zeros(2, len(EMOTIONS)), torch.zeros(len(EMOTIONS), dtype=torch.bool))
    assert untrained.isfinite().all()
