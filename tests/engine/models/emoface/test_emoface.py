"""EmoFace: branches that see only their own encoder, a map in between, and the same frames one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.ear import hear
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.errors import InputError
from talkcli.engine.models.emoface.emoface import Conditions, EmoFace, Heard, fused
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.types import NOBODY
from tests.engine.models.emoface.tiny_emoface import EAR, ENCODER, tiny


def _speech(frames: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, frames * 640, generator=torch.Generator().manual_seed(seed))


def _told(model: EmoFace, speaker: int = 1, level: float = 0.5) -> Conditions:
    return model.conditions(torch.tensor([speaker]), torch.tensor([level]))


def _naive(model: EmoFace, heard: Heard, told: Conditions) -> Tensor:
    """All frames again for every frame, from whole sequences of fused motion."""
    frames = heard.content.shape[1]
    given = torch.zeros(1, 1, model.neutral.numel())
    weight, _ = model.weights(heard)
    for frame in range(frames):
        part = Heard(heard.content[:, : frame + 1], heard.emotion[:, : frame + 1])
        emotion = model.emotion_motion(part, given, told)
        content = model.content_motion(part, given, told)
        made = fused(emotion, content, weight[:, : frame + 1])
        given = torch.cat([given[:, :1], made], dim=1)
    return given[:, 1:]


@pytest.mark.parametrize(
    "settings", [{}, {"mesh_attention": False}, {"unit_m": 0.001}, {"layers": 2}, {"components": 20}]
)
@torch.inference_mode()
def test_frame_by_frame_is_the_naive_loop(settings: dict[str, float]) -> None:
    model = tiny(**settings)
    heard, told = model.listen(hear(model.ears, _speech(60))), _told(model)
    made, wanted = model.perform(heard, told), _naive(model, heard, told)
    assert wanted.abs().max() > 1e-4 * model.config.unit_m
    assert (made - wanted).abs().max() < 1e-5
    # Each frame follows from the one before: without movement at the start the rest differs.
    assert not torch.allclose(model.perform(heard, told, torch.ones(1, 126)), made)


@torch.inference_mode()
def test_speech_of_any_length() -> None:
    model = tiny(window=40, overlap=10, remember=20)
    for samples in (1, 640, 641, 640 * 130 + 5):
        made = model.generate(_speech(200)[:, :samples])
        assert made.shape == (1, -(-samples // 640), 126)
        assert made.isfinite().all()


@torch.inference_mode()
def test_a_frame_costs_the_same_wherever_it_stands() -> None:
    model = tiny(remember=20)
    heard = model.listen(hear(model.ears, _speech(120)))
    past = model.content.start(heard.content)
    for _ in range(120):
        model.content.step(torch.zeros(1, 126), _told(model).content, past)
    assert past.layers[0].keys.shape[2] == 20
    _, pasts = model.weights(heard)
    assert [each.shape[1] for each in pasts] == [2, 2]


def test_no_branch_sees_the_other_encoder() -> None:
    model = tiny()
    heard, told = model.listen(hear(model.ears, _speech(10))), _told(model)
    before = torch.zeros(1, 10, 126)
    for make, own, other in (
        (model.content_motion, model.hear_content, model.hear_emotion),
        (model.emotion_motion, model.hear_emotion, model.hear_content),
    ):
        model.zero_grad()
        make(heard, before, told).square().sum().backward(retain_graph=True)
        assert all(value.grad is None or not value.grad.any() for value in other.parameters())
        assert any(value.grad is not None and value.grad.any() for value in own.parameters())
    model.zero_grad()
    model.weights(heard)[0].sum().backward()
    for encoder in (model.hear_content, model.hear_emotion):
        assert any(value.grad is not None and value.grad.any() for value in encoder.parameters())


@torch.inference_mode()
def test_the_map_depends_on_place_and_sound_together() -> None:
    model = tiny()
    weight, _ = model.weights(model.listen(hear(model.ears, _speech(30))))
    assert weight.shape == (1, 30, 42)
    assert ((weight > 0) & (weight < 1)).all()
    odds = weight.logit()[0]
    mixed = odds - odds.mean(0) - odds.mean(1, keepdim=True) + odds.mean()
    assert odds.std(0).mean() > 1e-3
    assert odds.std(1).mean() > 1e-3
    assert mixed.abs().max() > 1e-3


@torch.inference_mode()
def test_a_weight_of_one_is_the_emotion_branch() -> None:
    emotion, content = torch.ones(1, 1, 6), torch.zeros(1, 1, 6)
    made = fused(emotion, content, torch.tensor([[[1.0, 0.25]]]))
    assert made.tolist() == [[[1, 1, 1, 0.25, 0.25, 0.25]]]


@torch.inference_mode()
def test_level_and_style_reach_the_branches_that_may_know_them() -> None:
    model = tiny()
    soft, loud = _told(model, level=0.0), _told(model, level=1.0)
    assert torch.equal(soft.content, loud.content)
    assert not torch.equal(soft.emotion, loud.emotion)
    half = _told(model, level=0.5).emotion
    torch.testing.assert_close(half, (soft.emotion + loud.emotion) / 2)
    assert not torch.equal(_told(model, 0).content, _told(model, NOBODY).content)


@torch.inference_mode()
def test_the_emotion_may_come_from_another_voice() -> None:
    model = tiny()
    own = model.generate(_speech(20))
    other = model.generate(_speech(20), emotion_samples=_speech(31, seed=1))
    assert own.shape == other.shape
    assert not torch.allclose(own, other)
    torch.testing.assert_close(own, model.generate(_speech(20), emotion_samples=_speech(20)))


def test_an_untrained_model_rests() -> None:
    model = tiny(moves=False)
    with torch.inference_mode():
        assert torch.equal(model.generate(_speech(3))[0, 0], model.neutral.flatten())


def test_damaged_spirals_are_refused() -> None:
    model = tiny()
    model.spirals[3, 1] = 4000
    with pytest.raises(InputError, match="name vertices that its mesh does not have"):
        model.generate(_speech(3))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"width": 24}, "no multiple of 16"),
        ({"speakers": ("a", "b"), "identity": 1}, "has no room for 2 speakers"),
        (
            {"emotion": ENCODER.model_copy(update={"ear": EAR.model_copy(update={"num_mels": 9})})},
            "different",
        ),
        ({"overlap": 300}, "more than half of window"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        EmoFaceConfig(**{"content": ENCODER, "emotion": ENCODER, **settings})


@torch.inference_mode()
def test_stored_features_reach_the_encoder_that_made_them() -> None:
    encoder = Wav2vec2Config(
        width=32, layers=1, heads=2, feedforward=32, channels=16, position_kernel=8, position_groups=2,
        frozen="convolutions",
    )  # fmt: skip
    model = tiny(content=encoder, emotion=encoder)
    samples = _speech(12)
    heard = model.listen({"waveform": samples[..., None]})
    stored = {
        f"wav2vec2:{name}.encoder": getattr(model, name).encoder.trunk(samples)
        for name in ("hear_content", "hear_emotion")
    }
    for one, other in zip(heard, model.listen(stored), strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(heard.content, heard.emotion)
