"""EMOTE: conditions, lengths, windows, what is random; and FLINT as a prior."""

from __future__ import annotations

import itertools

import pytest
import torch
from pydantic import ValidationError

from talkcli.engine.models.emote.emote_config import LABELS, EmoteConfig, condition
from talkcli.engine.models.emote.flint import Flint
from talkcli.engine.types import EMOTIONS, Emotion
from tests.engine.models.emote.tiny_emote import TINY_FLINT, tiny_config, tiny_emote


def voice(samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(1))


def test_levels_become_the_intensities_of_mead() -> None:
    # MEAD's three levels as talk keeps them, rounded and not, and what lies between.
    for level, intensity in (
        (0.0, 0), (1 / 3, 0), (0.333, 0), (0.334, 0), (0.5, 1), (2 / 3, 1), (0.667, 1), (0.7, 2), (1.0, 2),
    ):  # fmt: skip
        assert condition(Emotion(label="angry", level=level)) == (LABELS.index("angry"), intensity)
        assert condition(Emotion(label="neutral", level=level)) == (0, 0)
    assert condition(Emotion(label="calm", level=1.0)) == (0, 0)
    # Every other label has a place of its own.
    places = [condition(Emotion(label=label))[0] for label in EMOTIONS if label != "calm"]
    assert sorted(places) == list(range(8))
    # AffectNet's order.
    assert LABELS == ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")


@pytest.mark.parametrize("samples", [0, 1, 399, 640, 641, 5120, 5121])
def test_a_frame_for_every_640_samples_begun(samples: int) -> None:
    made = tiny_emote().generate(voice(samples))
    assert made.shape == (1, max(-(-samples // 640), 1), 53)
    assert made.isfinite().all()


def test_label_intensity_and_person_matter() -> None:
    model, sound = tiny_emote(), voice(6400)
    told = [Emotion(label="sad", level=0.3), Emotion(label="sad", level=1.0), Emotion(label="happy")]
    made = [model.generate(sound, emotion=emotion, speaker=1) for emotion in told]
    made += [model.generate(sound, speaker=speaker) for speaker in (0, 1)]
    for one, other in itertools.combinations(made, 2):
        assert (one - other).abs().max() > 1e-4
    assert torch.equal(model.generate(sound), model.generate(sound, emotion=Emotion(), speaker=0))


def test_rows_of_a_batch_have_their_own_conditions() -> None:
    model = tiny_emote()
    rows = model.styles(torch.tensor([2, 3]), torch.tensor([0.3, 1.0]), torch.tensor([2, -1]))
    happy, sad = (LABELS.index(label) for label in ("happy", "sad"))
    weight, bias = model.style.weight, model.style.bias
    # A person below 0 is none.
    wanted = [bias + weight[:, [happy, 8 + 0, 11 + 2]].sum(1), bias + weight[:, [sad, 8 + 2]].sum(1)]
    torch.testing.assert_close(rows, torch.stack(wanted))


def test_only_noise_on_the_latents_is_random() -> None:
    model, sound = tiny_emote(), voice(6400)

    def take(sigma: float, seed: int) -> torch.Tensor:
        return model.generate(sound, sigma=sigma, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(take(0.0, 0), take(0.0, 1))
    assert torch.equal(take(0.5, 3), take(0.5, 3))
    still, near, far = take(0.0, 0), take(0.1, 4), take(1.0, 4)
    assert 1e-4 < (near - still).abs().mean() < (far - still).abs().mean()


def test_long_speech_is_made_in_windows_that_fade() -> None:
    config = tiny_config(window=64, overlap=16)
    model, sound = tiny_emote(config), voice(640 * 100)
    made = model.generate(sound)
    assert made.shape == (1, 100, 53)
    content = [
        model.content({"waveform": sound[:, 640 * at : 640 * end, None]}) for at, end in ((0, 64), (48, 100))
    ]
    first = torch.tensor([0])
    with torch.inference_mode():
        style = model.style_of(first, first, first)
        one, two = (model.decode(part.features, style) for part in content)
    torch.testing.assert_close(made[:, :48], one[:, :48])
    torch.testing.assert_close(made[:, 64:], two[:, 16:])
    assert tiny_emote(tiny_config()).generate(sound).shape == (1, 100, 53)


def test_the_prior_stays_as_it_is_in_training() -> None:
    model = tiny_emote().train()
    before = {name: value.clone() for name, value in model.prior.state_dict().items()}
    assert not any(module.training for module in model.prior.modules())
    made = model({"waveform": voice(5120)[..., None]}, model.style_of(*(torch.tensor([1]),) * 3))
    made.square().mean().backward()
    assert all(value.grad is None for value in model.prior.parameters())
    assert model.style.weight.grad is not None and model.style.weight.grad.abs().sum() > 0
    assert all(torch.equal(value, before[name]) for name, value in model.prior.state_dict().items())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"window": 1201}, "no multiples of the 8"),
        ({"overlap": 20}, "no multiples of the 8"),
        ({"window": 64, "overlap": 40}, "more than half"),
        ({"identity": 1, "speakers": ("a", "b")}, "no room for 2"),
        ({"heads": 7}, "heads"),
    ],
)
def test_settings_that_make_no_model(how: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EmoteConfig.model_validate(how)


def test_flint_draws_in_training_and_takes_means_in_evaluation() -> None:
    torch.manual_seed(0)
    model = Flint(TINY_FLINT, 53)
    torch.nn.init.normal_(model.decoder.projection.weight)
    motion = torch.randn(2, 16, 53)
    model.train()
    assert not torch.equal(model(motion).coeffs, model(motion).coeffs)
    model.eval()
    assert torch.equal(model(motion).coeffs, model(motion).coeffs)
    drawn = model(motion, torch.Generator().manual_seed(0)).coeffs
    assert not torch.equal(drawn, model(motion).coeffs)
    assert model(motion).coeffs.shape == motion.shape
    with pytest.raises(ValueError, match="not a multiple of 8"):
        model(motion[:, :15])
