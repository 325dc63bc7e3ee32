"""The generator: lengths, determinism, windows, priors and encoders, and what can be drawn."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from talkcli.engine.audio.ear import hear
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.device import seeded
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.models.deeptalk import choose
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.prior import PriorConfig
from talkcli.engine.models.deeptalk.vae import VaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.nn.alibi import distance_bias, slopes
from talkcli.engine.types import SAMPLES_PER_FRAME
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW, PRIOR, SMALL


def _model(config: DeepTalkConfig) -> DeepTalk:
    torch.manual_seed(0)
    model = DeepTalk(config)
    # Untrained, the style hardly matters; here it shall.
    model.emotion.weight.data *= 30
    return model.eval()


@pytest.fixture(scope="module")
def small() -> DeepTalk:
    return _model(SMALL)


@pytest.fixture(scope="module")
def narrow() -> DeepTalk:
    return _model(NARROW)


@pytest.fixture(params=["small", "narrow"])
def model(request: pytest.FixtureRequest) -> DeepTalk:
    found: DeepTalk = request.getfixturevalue(request.param)
    return found


def _speech(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(1, samples, generator=seeded(seed))


# Lengths


@pytest.mark.parametrize("samples", [1, 639, 640, 641, 20_480, 32_000])
def test_a_frame_for_every_begun_40_ms(model: DeepTalk, samples: int) -> None:
    made = model.generate(_speech(samples), generator=seeded(0))
    assert made.shape == (1, -(-samples // SAMPLES_PER_FRAME), 53)
    assert made.isfinite().all()


@pytest.mark.parametrize(
    ("samples", "frames"),
    # The last two: 29 and 116 whole frames, of which floating point loses one.
    [(1, 4), (640, 4), (20_480, 36), (21_119, 36), (18_560, 32), (74_240, 116)],
)
def test_the_released_demo_always_pads(model: DeepTalk, samples: int, frames: int) -> None:
    made = model.take(model.listen(_speech(samples), always_pad=True), generator=seeded(0))
    assert made.coeffs.shape == (1, frames, 53)
    # What is added is silence.
    padded = torch.nn.functional.pad(_speech(samples), (0, max(frames * SAMPLES_PER_FRAME - samples, 0)))
    same = model.generate(padded[:, : frames * SAMPLES_PER_FRAME], generator=seeded(0))
    assert torch.allclose(made.coeffs, same, atol=1e-5)


@pytest.mark.parametrize(("frames", "windows"), [(249, 1), (250, 1), (251, 2)])
@pytest.mark.parametrize("always_pad", [False, True])
def test_silence_that_completes_a_token_is_no_window_of_emotion(
    narrow: DeepTalk, frames: int, windows: int, always_pad: bool
) -> None:
    heard: list[int] = []
    hook = narrow.dee.audio_encoder.register_forward_pre_hook(lambda _, given: heard.append(len(given[0])))
    narrow.listen(_speech(frames * SAMPLES_PER_FRAME), always_pad=always_pad)
    hook.remove()
    assert sum(heard) == windows


def test_tokens_of_a_training_window(model: DeepTalk) -> None:
    """20,480 samples: 32 frames, 16 fast codes, 8 slow ones."""
    config = model.config.model_copy(update={"window": 1200, "overlap": 76})
    longer = DeepTalk(config).eval()
    heard = longer.listen(_speech(20_480))
    assert heard.windows[0].shape == (1, 32, 8)
    assert [level.shape for level in longer.take(heard, generator=seeded(0)).codes[0]] == [(1, 8), (1, 16)]


# Windows


def test_long_speech_begins_like_its_first_window(model: DeepTalk) -> None:
    config = model.config.model_copy(update={"window": 40, "overlap": 8})
    windowed = DeepTalk(config).eval()
    windowed.load_state_dict(model.state_dict())
    frames = 90
    long = windowed.listen(_speech(frames * SAMPLES_PER_FRAME))
    assert [window.shape[1] for window in long.windows] == [40, 40, 28]
    made = windowed.take(long, generator=seeded(0)).coeffs
    assert made.shape == (1, frames, 53)
    first = windowed.take(
        long._replace(windows=long.windows[:1], frames=40, padded=40), generator=seeded(0)
    ).coeffs
    assert torch.equal(made[:, :32], first[:, :32])


@pytest.mark.parametrize("frames", [88, 86])
def test_long_speech_is_heard_as_in_one_piece(small: DeepTalk, frames: int) -> None:
    """Log-mel features are measured against the loudest of the whole, though nothing holds the whole; the
    silence up to the last token belongs to it.
    """
    samples = _speech(frames * SAMPLES_PER_FRAME)
    samples[:, :30_000] *= 10
    padded = torch.nn.functional.pad(samples, (0, (88 - frames) * SAMPLES_PER_FRAME))
    heard, sound = small.listen(samples), hear(small.ears, padded)
    assert len(heard.windows) == 3
    last = small.content({"log_mel": sound["log_mel"][:, 64 * 4 :]}).features
    assert torch.allclose(heard.windows[2], last, atol=1e-5)
    whole = small.dee.embed_speech(sound)
    for found, wanted in zip(heard.emotion, whole, strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)


def test_a_released_embedding_hears_the_beginning_alone(narrow: DeepTalk) -> None:
    """In the released demo ten seconds; never more than the generator makes in one pass."""
    start, ends = _speech(60 * SAMPLES_PER_FRAME), [_speech(30 * SAMPLES_PER_FRAME, seed) for seed in (1, 2)]
    for long, same in (("first", True), ("average", False)):
        dee = narrow.config.dee.model_copy(update={"long": long, "window": 40})
        model = DeepTalk(narrow.config.model_copy(update={"dee": dee, "window": 40, "overlap": 8})).eval()
        model.load_state_dict(narrow.state_dict())
        one, other = (model.listen(torch.cat([start, end], dim=1)).emotion.mean for end in ends)
        assert torch.equal(one, other) == same


# Draws


def test_the_seed_decides(model: DeepTalk) -> None:
    heard = model.listen(_speech(20_480))

    def make(seed: int, **how: float) -> torch.Tensor:
        return model.take(heard, generator=seeded(seed), **how).coeffs

    assert torch.equal(make(0), make(1))
    for how in ({"sigma": 0.1}, {"tau_top": 1.0}, {"tau_bottom": 1.0}, {"gumbel": True}):
        assert torch.equal(make(3, **how), make(3, **how))
        assert not torch.equal(make(3, **how), make(4, **how))


def test_takes_share_one_listening(model: DeepTalk) -> None:
    heard, generator = model.listen(_speech(20_480)), seeded(5)
    takes = [model.take(heard, sigma=0.1, tau_top=1.0, generator=generator).coeffs for _ in range(2)]
    alone = model.generate(_speech(20_480), sigma=0.1, tau_top=1.0, generator=seeded(5))
    assert torch.equal(takes[0], alone)
    assert not torch.equal(takes[0], takes[1])


def test_codes_are_those_of_the_motion(model: DeepTalk) -> None:
    heard = model.listen(_speech(20_480))
    drawn = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(0))
    # Held entirely, they make the same motion whatever the seed.
    again = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(1), held=drawn.codes)
    assert torch.equal(drawn.coeffs, again.coeffs)


def test_slow_codes_can_be_kept_and_fast_ones_drawn_anew(model: DeepTalk) -> None:
    heard = model.listen(_speech(70 * SAMPLES_PER_FRAME))
    first = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(0))
    other = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(1), held=first.slow)
    for (top, bottom), (same, changed) in zip(first.codes, other.codes, strict=True):
        assert torch.equal(top, same)
        assert not torch.equal(bottom, changed)


def test_the_gain_opens_the_jaw_and_nothing_else() -> None:
    plain, wide = (
        _model(NARROW.model_copy(update={"jaw_gain": gain})).generate(_speech(20_480), generator=seeded(0))
        for gain in (1.0, 1.3)
    )
    jaw = ADA.index("jawPitch")
    assert torch.allclose(wide[..., jaw], 1.3 * plain[..., jaw])
    others = [column for column in range(len(ADA)) if column != jaw]
    assert torch.equal(wide[..., others], plain[..., others])


def test_a_gain_needs_a_jaw() -> None:
    with pytest.raises(UsageError, match="jaw_gain is for 53 coefficients with a jaw, not 60"):
        DeepTalk(NARROW.model_copy(update={"jaw_gain": 1.3}), num_coeffs=60)


def test_gumbel_draws_as_the_released_inference(model: DeepTalk) -> None:
    """The global generator, top first; the temperatures asked for do not matter."""
    heard = model.listen(_speech(20_480))
    made = model.take(heard, tau_top=0.1, gumbel=True, generator=seeded(42))
    torch.manual_seed(42)
    with torch.inference_mode():
        wanted = model(
            heard.windows[0],
            heard.emotion.mean,
            model.identity(torch.tensor([-1])),
            [lambda logits: torch.nn.functional.gumbel_softmax(logits, 1e-4, hard=True)] * 2,
        )
    assert torch.allclose(made.coeffs, wanted.coeffs[:, :32], atol=1e-6)


def test_sigma_none_zero_and_one() -> None:
    """In the released code 0 and 1 scale nothing; samples lie on the sphere."""
    emotion = Gaussian(torch.nn.functional.normalize(torch.randn(1, 6), dim=-1), torch.full((1, 6), -3.0))
    zero, one, more = (emotion.sample(sigma, seeded(0)) for sigma in (0.0, 1.0, 0.1))
    assert torch.equal(zero, one)
    assert torch.equal(emotion.sample(None, seeded(0)), emotion.mean)
    assert one.norm().item() == more.norm().item() == pytest.approx(1)
    # Log-variances are negative: a smaller factor spreads wider.
    assert (more * emotion.mean).sum() < (one * emotion.mean).sum()


def test_emotion_can_come_from_elsewhere_and_speakers_differ(model: DeepTalk) -> None:
    heard = model.listen(_speech(20_480), _speech(30_720, seed=1))
    assert torch.equal(heard.emotion.mean, model.listen(_speech(30_720, seed=1)).emotion.mean)
    assert torch.equal(heard.windows[0], model.listen(_speech(20_480)).windows[0])
    codes = [model.identity(torch.tensor([speaker])) for speaker in (0, 1, -1)]
    assert [code.tolist() for code in codes] == [[[1, 0, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 0, 0]]]


# Parts


@pytest.mark.parametrize("always_pad", [False, True])
@pytest.mark.parametrize("long", ["first", "average"])
@pytest.mark.parametrize("samples", [16_000, 20_001, 27_519])
def test_another_clip_is_heard_without_silence_after_it(samples: int, long: str, always_pad: bool) -> None:
    """As the released model hears it, which normalises over the clip and pads for its own tokens alone."""
    torch.manual_seed(0)
    dee = NARROW.dee.model_copy(update={"long": long})
    narrow = DeepTalk(NARROW.model_copy(update={"dee": dee})).eval()
    draw = torch.Generator().manual_seed(1)
    other = torch.randn(1, samples, generator=draw) + 0.3
    heard = narrow.listen(torch.randn(1, 6400, generator=draw), other, always_pad=always_pad)
    with torch.inference_mode():
        wanted = narrow.dee.embed_speech({"waveform": other[..., None]})
        padded = F.pad(other, (0, -samples % 2560 or 2560))
        silent = narrow.dee.embed_speech({"waveform": padded[..., None]})
    assert torch.equal(heard.emotion.mean, wanted.mean)
    assert torch.equal(heard.emotion.log_variance, wanted.log_variance)
    assert (wanted.mean - silent.mean).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("prior", "codes"),
    [
        (PRIOR, [(2, 8), (2, 16)]),
        (VqvaeConfig(width=8, heads=2, feedforward=8, codes=6), [(2, 8)]),
        (VaeConfig(width=8, heads=2, feedforward=8), []),
    ],
)
def test_every_prior_serves(prior: PriorConfig, codes: list[tuple[int, int]]) -> None:
    model = DeepTalk(NARROW.model_copy(update={"prior": prior})).eval()
    heard = model.listen(_speech(20_480).expand(2, -1))
    made = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(0))
    assert made.coeffs.shape == (2, 32, 53)
    assert [level.shape for level in made.codes[0]] == codes
    # Only a prior of codes has something to draw.
    other = model.take(heard, tau_top=1.0, tau_bottom=1.0, generator=seeded(1))
    assert torch.equal(made.coeffs, other.coeffs) == (not codes)
    assert torch.equal(model.take(heard, generator=seeded(2), held=made.codes).coeffs, made.coeffs)


def test_fast_codes_see_the_slow_ones(model: DeepTalk) -> None:
    heard, identity = model.listen(_speech(20_480)), model.identity(torch.tensor([-1]))
    with torch.inference_mode():
        one, other = (
            model(
                heard.windows[0][:, :32],
                heard.emotion.mean,
                identity,
                [choose.given(torch.full((1, 8), code)), choose.likeliest],
            )
            for code in (0, 1)
        )
    assert torch.equal(one.outputs[0], other.outputs[0])
    assert not torch.allclose(one.outputs[1], other.outputs[1])


def test_content_goes_on_from_cached_features(narrow: DeepTalk) -> None:
    samples = _speech(20_480)
    encoder = narrow.content.encoder
    cached = narrow.content({"wav2vec2": encoder.trunk(samples)}).features
    assert torch.equal(cached, narrow.content(hear(narrow.ears, samples)).features)
    assert cached.shape == (1, 32, 8)


def test_ears_must_agree() -> None:
    content = SMALL.content.model_copy(update={"ear": LogMelConfig(num_mels=24)})
    with pytest.raises(UsageError, match="num_mels=24"):
        DeepTalk(SMALL.model_copy(update={"content": content}))


def test_windows_hold_whole_tokens() -> None:
    with pytest.raises(UsageError, match="multiples of the 4 frames"):
        DeepTalk(SMALL.model_copy(update={"window": 42}))
    with pytest.raises(ValueError, match="more than half"):
        DeepTalkConfig(window=100, overlap=60)


@pytest.mark.parametrize(("frozen", "expected"), [("all", False), ("convolutions", True)])
def test_frozen_parts_stay_in_evaluation(frozen: str, expected: bool) -> None:
    content = NARROW.content.model_copy(update={"frozen": frozen})
    model = DeepTalk(NARROW.model_copy(update={"content": content})).train()
    assert model.features.training
    assert not any(part.training for part in model.dee.modules())
    assert not any(part.training for part in model.prior.modules())
    assert not any(value.requires_grad for part in (model.dee, model.prior) for value in part.parameters())
    transformer = model.content.encoder.model.encoder
    assert transformer.training == expected
    assert all(value.requires_grad == expected for value in transformer.parameters())
    assert not any(
        value.requires_grad for value in model.content.encoder.model.feature_extractor.parameters()
    )


def test_computes_in_bfloat16(model: DeepTalk) -> None:
    samples = _speech(20_480)
    exact = model.listen(samples)
    with torch.autocast("cpu", torch.bfloat16):
        heard = model.listen(samples)
        made = model.take(heard, sigma=0.5, tau_top=1.0, tau_bottom=1.0, generator=seeded(0))
    assert made.coeffs.dtype == torch.float32
    assert made.coeffs.isfinite().all()
    assert torch.allclose(heard.windows[0].float(), exact.windows[0], atol=0.05)
    assert torch.allclose(heard.emotion.mean.float(), exact.emotion.mean, atol=0.05)


# The released sizes


def test_attention_falls_off_with_distance_and_by_the_second() -> None:
    assert slopes(8) == [2.0**-power for power in range(1, 9)]
    assert slopes(4) == [2.0**-power for power in (2, 4, 6, 8)]
    bias = distance_bias(8, 50, period=25)
    assert (bias[:, 0, :25] == 0).all()
    assert (bias[:, 0, 25:] == -torch.tensor(slopes(8))[:, None]).all()


def _count(module: torch.nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def test_released_sizes() -> None:
    """All but the encoders, which have tests of their own."""
    dee = NARROW.dee.model_copy(update={"embedding": 128})
    model = DeepTalk(DeepTalkConfig(dee=dee, content=NARROW.content))
    assert [_count(predictor) for predictor in model.predictors] == [2_571_776, 2_539_008]
    assert _count(model.features) == 395_776
    assert _count(model.narrow) == 32_896
    assert _count(model.emotion) == 16_512
    assert _count(model.style) == 20_608
