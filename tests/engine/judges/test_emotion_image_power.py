"""What the judge of emotion that comes with talk sees on today's head, in speech that is in no training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import talkcli as talk
from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.train.objectives.emotion_image import EmotionImageObjective, EmotionImageObjectiveConfig
from talkcli.engine.types import EMOTIONS

WORDS = (
    "Hello. My name is Ada. I am a face that was made from nothing but code, "
    "and every word you hear moves my lips."
)
ACTED = ("happy", "sad", "angry", "fear", "disgust", "surprise")


@pytest.fixture(scope="module")
def named() -> dict[str, str]:
    """The emotion that the judge names most often in eight frames of each performance by rules."""
    model, _ = own_judge("emotion_image")
    objective = EmotionImageObjective(model, EmotionImageObjectiveConfig(), load_head("ada"))
    talker = talk.load("rules", text=WORDS)
    found = {}
    for emotion in ACTED:
        motion = talker.animate("examples/hello.wav", emotion=emotion)
        frames = np.linspace(0, motion.num_frames - 1, 8).astype(int)
        coeffs = torch.from_numpy(motion.coeffs[frames, : len(ADA)])
        with torch.inference_mode():
            votes = model(objective.pictures(coeffs)).argmax(-1)
        found[emotion] = EMOTIONS[int(votes.mode().values)]
    return found


def test_it_names_the_emotions_that_are_performed(named: dict[str, str]) -> None:
    """A judge that learned from another head names one or two of six."""
    assert sum(named[emotion] == emotion for emotion in ACTED) >= 5, named
