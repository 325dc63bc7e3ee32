from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from talkcli.engine.types import (
    EMOTIONS,
    SAMPLES_PER_FRAME,
    Config,
    Emotion,
    Motion,
    Reporter,
    Silent,
    Speech,
)


def test_durations_are_seconds() -> None:
    assert Speech(samples=np.zeros(8000, np.float32)).duration_s == 0.5
    coeffs = np.zeros((30, 2), np.float32)
    assert Motion(coeffs=coeffs, fps=60.0, head="h", channels=("a", "b")).duration_s == 0.5


def test_a_frame_holds_whole_samples() -> None:
    assert SAMPLES_PER_FRAME == 640


def test_motion_needs_a_name_for_every_column() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Motion(coeffs=np.zeros((3, 2), np.float32), fps=25.0, head="h", channels=("a",))


def test_records_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Speech(samples=np.zeros(1, np.float32)).rate_hz = 1  # type: ignore[misc]


def test_emotions_are_one_vocabulary() -> None:
    assert Emotion().label == "neutral"
    assert len(set(EMOTIONS)) == 9
    with pytest.raises(ValueError, match="joyful"):
        Emotion(label="joyful")


def test_silent_is_a_reporter() -> None:
    assert isinstance(Silent(), Reporter)


def test_configs_are_strict_and_frozen() -> None:
    class Example(Config):
        size: int = 1

    with pytest.raises(ValidationError):
        Example.model_validate({"sise": 2})
    with pytest.raises(ValidationError):
        Example().size = 2  # type: ignore[misc]
