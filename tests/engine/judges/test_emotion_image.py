"""The judge of emotion in pictures: sizes, batches, and that it learns to tell two faces apart."""

from __future__ import annotations

import numpy as np
import torch

from talkcli.engine.judges.emotion_image import EmotionImage, EmotionImageConfig, features
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.emotion_image import EmotionImageObjective, EmotionImageObjectiveConfig
from talkcli.engine.types import EMOTIONS
from tests.engine.fakes import LinearHead

TINY = EmotionImageConfig(widths=(8, 16), features=8)


def judge() -> EmotionImage:
    torch.manual_seed(0)
    return EmotionImage(TINY)


def test_features_do_not_depend_on_batches() -> None:
    model = judge().eval()
    pictures = np.random.default_rng(0).integers(0, 256, (70, 64, 64, 3), dtype=np.uint8)
    whole = features(model, pictures)
    assert whole.shape == (70, 8)
    np.testing.assert_allclose(whole[66:], features(model, pictures[66:]), rtol=1e-4, atol=1e-5)
    assert features(model, pictures[:0]).shape == (0, 8)
    logits = model(torch.rand(2, 3, 64, 64))
    assert logits.shape == (2, len(EMOTIONS))


def test_learns_two_faces() -> None:
    objective = EmotionImageObjective(judge().train(), EmotionImageObjectiveConfig(), LinearHead())
    emotion = torch.arange(8) % 2
    motion = torch.zeros(8, 4, 53)
    motion[emotion == 1] = 3.0
    batch = Batch(
        sound={}, motion=motion, emotion=emotion, level=torch.ones(8),
        speaker=torch.zeros(8, dtype=torch.long), phones=torch.full((8, 8), -1),
    )  # fmt: skip
    optimiser = torch.optim.Adam(objective.model.parameters(), lr=5e-3)
    with torch.no_grad():
        before = objective.validate([batch])
    for _ in range(30):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    with torch.no_grad():
        after = objective.validate([batch])
    assert after["score"] < 0.5 * before["score"]
    assert after["recall"] == 1
