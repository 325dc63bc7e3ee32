"""The video-emotion loss: its gradients, and that it tells emotions apart by what talk's judge has learnt."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.judges.emotion_image import as_floats
from talkcli.engine.losses.video_emotion import VideoEmotion
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.types import EMOTIONS


@pytest.fixture(scope="module")
def loss() -> VideoEmotion:
    return VideoEmotion(load_head("ada"), own_judge("emotion_image")[0])


def face(frames: int = 2, **channels: float) -> Tensor:
    coeffs = torch.zeros(1, frames, 53)
    for name, value in channels.items():
        coeffs[..., ADA.index(name)] = value
    return coeffs


HAPPY = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5}
ANGRY = {"browDownLeft": 0.9, "browDownRight": 0.9, "mouthFrownLeft": 0.5, "mouthFrownRight": 0.5}


def test_equal_motions_are_not_apart_and_other_emotions_are(loss: VideoEmotion) -> None:
    happy = loss.features(face(**HAPPY))
    assert loss(face(**HAPPY), happy).item() == pytest.approx(0, abs=1e-6)
    smiling = {**HAPPY, "mouthSmileLeft": 0.7, "jawPitch": 0.05}
    near, far = loss(face(**smiling), happy).item(), loss(face(**ANGRY), happy).item()
    assert 0 < near < 0.3 * far


def test_gradients_reach_every_frame_and_not_the_judge(loss: VideoEmotion) -> None:
    made = face(**ANGRY).requires_grad_()
    wanted = loss.features(face(**HAPPY))
    found = loss(made, wanted)
    found.backward()
    assert made.grad is not None and made.grad.isfinite().all()
    assert (made.grad[0, :, ADA.index("mouthSmileLeft")] != 0).all()
    assert not any(value.requires_grad for value in loss.judge.parameters())
    # The same, rendered again on the way back.
    again = face(**ANGRY).requires_grad_()
    VideoEmotion(loss.head, loss.judge, recompute=True)(again, wanted).backward()
    torch.testing.assert_close(again.grad, made.grad)


def test_a_step_against_the_gradient_looks_more_like_it(loss: VideoEmotion) -> None:
    wanted = loss.features(face(1, **HAPPY))
    made = face(1, **ANGRY).requires_grad_()
    optimiser = torch.optim.Adam([made], 0.03)
    first = loss(made, wanted).item()
    for _ in range(8):
        optimiser.zero_grad()
        loss(made, wanted).backward()
        optimiser.step()
    assert loss(made, wanted).item() < 0.5 * first


def test_the_judge_knows_emotions_in_these_pictures(loss: VideoEmotion) -> None:
    """It has learnt from drawings of another renderer, in which it knows all three."""
    for label, channels in (("neutral", {}), ("happy", HAPPY), ("angry", ANGRY)):
        seen = loss.pictures(face(1, **channels)[0])
        assert EMOTIONS[int(loss.judge(seen).argmax())] == label
        if not channels:
            drawn = open_renderer("software", close_up(loss.head), 64, 64).render(
                loss.head(face(1)[0])[0].numpy()
            )
            torch.testing.assert_close(seen, as_floats(drawn[None]))
