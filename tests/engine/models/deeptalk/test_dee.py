"""The emotion embedding, released and small, and how it is drawn from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import hear
from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.device import seeded
from talkcli.engine.errors import UsageError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.types import EMOTIONS, Emotion

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "parameters"

SIZES = {
    "audio_width": 16,
    "audio_layers": 1,
    "motion_width": 24,
    "motion_layers": 1,
    "heads": 2,
    "feedforward": 16,
    "embedding": 8,
}
SMALL = DeeConfig(
    speech=LogMelConfig(num_mels=20),
    expression=CoefficientsConfig(),
    window=60,
    fixed_window=True,
    pooling="statistics",
    classifier=True,
    anchors=True,
    log_variance_start=-4.0,
    **SIZES,
)
# The released network, narrow.
NARROW = DeeConfig(
    speech=Emotion2vecConfig(
        width=8, channels=8, prenet=1, depth=3, heads=2, feedforward=8, positions=1, position_groups=2,
        frozen_blocks=2,
    ),
    expression=FerConfig(hidden=(6, 5), feature_layer=1),
    **SIZES,
)  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Dee:
    torch.manual_seed(0)
    return Dee(SMALL).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def narrow() -> Dee:
    torch.manual_seed(0)
    return Dee(NARROW).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def released() -> Dee:
    with torch.device("meta"):
        return Dee(DeeConfig())


def _noise(frames: int, batch: int = 1) -> torch.Tensor:
    return 0.1 * torch.randn(batch, 640 * frames, generator=seeded(frames))


# Sizes


def _layer(width: int) -> int:
    """Numbers in a transformer layer of the published network."""
    attention = 3 * width**2 + 3 * width + width**2 + width
    return attention + 2 * 2048 * width + 2048 + width + 4 * width


def test_released_count(released: Dee) -> None:
    """The published file, less what is never used: templates, position tables and a pre-training decoder."""
    decoder = (384 * 48 * 7 + 384) + 3 * (384 * 24 * 7 + 384) + (768 * 384 + 768)
    templates = 3 * _layer(768) + 3 * _layer(512)
    positions = 500 * 768 + 250 * 512
    fer = 1_379_535
    expected = 168_022_158 - decoder - templates - positions + fer
    assert sum(value.numel() for value in released.state_dict().values()) == expected


def test_released_names_are_frozen(released: Dee) -> None:
    names = [f"{name} {tuple(value.shape)}" for name, value in released.state_dict().items()]
    assert sorted(names) == (GOLDEN / "dee-released.txt").read_text(encoding="utf-8").splitlines()


def test_small_names_are_those_of_the_embedded_model(small: Dee) -> None:
    assert sorted(small.state_dict()) == (GOLDEN / "dee.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("samples", "steps"), [(20_480, 63), (32_000, 99), (160_000, 499)])
def test_released_shapes(narrow: Dee, samples: int, steps: int) -> None:
    sound = hear(narrow.ears, 0.1 * torch.randn(1, samples, generator=seeded(0)))
    assert narrow.audio_stem(sound).shape == (1, steps, 16)
    seen: list[int] = []
    handle = narrow.audio_encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[1]))
    speech = narrow.embed_speech(sound)
    handle.remove()
    assert seen == [steps]
    assert speech.mean.shape == speech.log_variance.shape == (1, 8)


def test_paper_width_is_projected_to(released: Dee) -> None:
    with torch.device("meta"):
        paper = Dee(DeeConfig(audio_width=128, motion_width=128))
    assert not list(released.audio_stem.project.parameters())
    assert paper.audio_stem.project.weight.shape == (128, 768)
    assert paper.motion_stem.weight.shape == (128, 128)


# What it hears and sees


@pytest.mark.parametrize("which", ["small", "narrow"])
def test_both_sides_share_a_sphere(which: str, request: pytest.FixtureRequest) -> None:
    dee: Dee = request.getfixturevalue(which)
    speech = dee.embed_speech(hear(dee.ears, _noise(30, batch=2)))
    motion = dee.embed_motion(torch.randn(2, 30, 53, generator=seeded(0)))
    for side in (speech, motion):
        assert side.mean.norm(dim=-1) == pytest.approx(torch.ones(2))
        assert side.log_variance.shape == (2, 8)


def test_what_was_kept_of_the_frozen_part_says_the_same(narrow: Dee) -> None:
    samples = _noise(40)
    trunk = narrow.audio_stem.encoder.trunk(samples)
    kept, fresh = narrow.embed_speech({"emotion2vec": trunk}), narrow.embed_speech(hear(narrow.ears, samples))
    assert torch.equal(kept.mean, fresh.mean)
    assert torch.equal(kept.log_variance, fresh.log_variance)


def test_every_window_of_kept_tokens_begins_with_the_extra_ones(narrow: Dee) -> None:
    dee = Dee(NARROW.model_copy(update={"window": 20})).eval()
    dee.load_state_dict(narrow.state_dict())
    extra = NARROW.speech.extra_tokens
    trunk = torch.randn(1, extra + 80, 8, generator=seeded(0))
    parts = [trunk[:, extra + start : extra + start + 40] for start in (0, 40)]
    halves = torch.cat([torch.cat([trunk[:, :extra], part], dim=1) for part in parts])
    two = dee.embed_speech({"emotion2vec": halves})
    assert torch.allclose(
        dee.embed_speech({"emotion2vec": trunk}).log_variance[0], two.log_variance.mean(0), atol=1e-6
    )


def test_a_face_is_seen_through_fer(narrow: Dee) -> None:
    coeffs = torch.randn(1, 20, 53, generator=seeded(0))
    expected = narrow.motion_encoder(narrow.motion_stem(narrow.fer.features(coeffs)))
    assert torch.allclose(narrow.embed_motion(coeffs).mean, expected.mean, atol=1e-6)


def _published_layers(transformer: nn.Module) -> nn.TransformerEncoder:
    """The same layers as torch's module: post-norm, ReLU."""
    width = transformer.layers[0].project_out.out_features
    layer = nn.TransformerEncoderLayer(width, 2, 16, 0.1, "relu", batch_first=True)
    theirs = nn.TransformerEncoder(layer, len(transformer.layers), enable_nested_tensor=False)
    for ours, published in zip(transformer.layers, theirs.layers, strict=True):
        published.self_attn.in_proj_weight, published.self_attn.in_proj_bias = ours.project_in.parameters()
        published.self_attn.out_proj.weight, published.self_attn.out_proj.bias = ours.project_out.parameters()
        published.linear1, published.linear2 = ours.expand, ours.contract
        published.norm1, published.norm2 = ours.norm_attention, ours.norm_feedforward
    return theirs.eval()


def test_encoders_are_the_published_ones(narrow: Dee) -> None:
    """Sheet of the released code, written down once more with torch's modules."""
    encoder, x = narrow.motion_encoder, torch.randn(2, 9, 24, generator=seeded(0))
    place, rate = torch.arange(9)[:, None], 10_000 ** (-torch.arange(0, 24, 2) / 24)
    code = torch.zeros(9, 24)
    code[:, 0::2], code[:, 1::2] = (place * rate).sin(), (place * rate).cos()
    shared = _published_layers(encoder.transformer)(x + code)
    pooled = []
    for head in (encoder.mean, encoder.log_variance):
        y = head.project(_published_layers(head.transformer)(shared))
        weights = head.pool.weights(9)
        assert weights.sum().item() == pytest.approx(1)
        pooled.append((y.sort(dim=1, descending=True).values * weights[:, None]).sum(1))
    expected = pooled[0] / (pooled[0].square().sum(-1, keepdim=True).sqrt() + 1e-8)
    made = encoder(x)
    assert torch.allclose(made.mean, expected, atol=1e-5)
    assert torch.allclose(made.log_variance, pooled[1], atol=1e-5)


# Length


def test_short_input_is_seen_as_long_as_it_is(narrow: Dee) -> None:
    short = torch.randn(1, 10, 53, generator=seeded(0))
    held = torch.cat([short, short[:, -1:].expand(-1, 10, -1)], dim=1)
    assert not torch.allclose(narrow.embed_motion(short).mean, narrow.embed_motion(held).mean, atol=1e-3)


def test_short_input_holds_its_end_in_a_fixed_window(small: Dee) -> None:
    short = torch.randn(1, 10, 53, generator=seeded(0))
    held = torch.cat([short, short[:, -1:].expand(-1, SMALL.window - 10, -1)], dim=1)
    assert torch.equal(small.embed_motion(short).mean, small.embed_motion(held).mean)


def test_long_input_is_averaged_over_windows(small: Dee) -> None:
    window = torch.randn(2, SMALL.window, 53, generator=seeded(0))
    once, often = small.embed_motion(window), small.embed_motion(window.repeat(1, 40, 1))
    assert torch.allclose(once.mean, often.mean, atol=1e-5)
    assert torch.allclose(once.log_variance, often.log_variance, atol=1e-5)
    two = small.embed_motion(torch.cat([window[:1], window[1:]], dim=1))
    assert torch.allclose(two.log_variance[0], once.log_variance.mean(0), atol=1e-5)


def test_long_speech_is_averaged_over_windows(narrow: Dee) -> None:
    samples = _noise(250, batch=2)
    both = narrow.embed_speech(hear(narrow.ears, samples))
    joined = narrow.embed_speech(hear(narrow.ears, torch.cat([samples[:1], samples[1:]], dim=1)))
    assert torch.allclose(joined.log_variance[0], both.log_variance.mean(0), atol=1e-5)
    assert torch.allclose(joined.mean[0], F.normalize(both.mean.mean(0), dim=0), atol=1e-5)


def test_windows_at_once_are_bounded(small: Dee) -> None:
    seen: list[int] = []
    handle = small.motion_encoder.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[0]))
    small.embed_motion(torch.zeros(1, 60 * 40, 53))
    handle.remove()
    assert sum(seen) == 40
    assert max(seen) * SMALL.window <= 1024


def test_the_released_demo_hears_the_first_ten_seconds() -> None:
    torch.manual_seed(0)
    dee = Dee(NARROW.model_copy(update={"long": "first"})).eval()
    samples = _noise(300)
    heard = dee.audio_stem(hear(dee.ears, samples))
    expected = dee.audio_encoder(heard[:, :500])
    assert torch.equal(dee.embed_speech(hear(dee.ears, samples)).mean, expected.mean)
    coeffs = torch.randn(1, 300, 53, generator=seeded(0))
    assert torch.equal(dee.embed_motion(coeffs).mean, dee.embed_motion(coeffs[:, :250]).mean)


# Training


def test_gradients_reach_what_trains_and_nothing_else() -> None:
    torch.manual_seed(0)
    dee = Dee(NARROW).train()
    speech = dee.embed_speech(hear(dee.ears, _noise(8)))
    coeffs = torch.randn(1, 8, 53, generator=seeded(0), requires_grad=True)
    motion = dee.embed_motion(coeffs)
    sum(part.square().sum() for part in (*speech, *motion)).backward()
    reached = {name for name, value in dee.named_parameters() if value.grad is not None}
    similarity = {"similarity_scale", "similarity_shift"}
    assert reached | similarity == {name for name, value in dee.named_parameters() if value.requires_grad}
    prefix = "audio_stem.encoder."
    assert {name.split(".")[3] for name in reached if name.startswith(prefix)} == {"2"}
    assert not any(name.startswith("fer.") for name in reached)
    # A generator's loss looks through the frozen classifier.
    assert coeffs.grad is not None
    assert coeffs.grad.abs().max() > 0


def test_fer_stays_as_it_was_trained() -> None:
    dee = Dee(NARROW).train()
    assert dee.motion_encoder.training
    assert not any(module.training for module in dee.fer.modules())


def test_a_held_sample_is_no_sound() -> None:
    with pytest.raises(ValidationError, match="fixed_window needs log-mel"):
        DeeConfig(fixed_window=True)


@pytest.mark.parametrize(("start", "expected"), [(-4.0, -4.0), (None, 0.0)])
def test_where_log_variances_begin(start: float | None, expected: float) -> None:
    torch.manual_seed(0)
    dee = Dee(SMALL.model_copy(update={"log_variance_start": start}))
    bias = dee.audio_encoder.log_variance.project.bias
    assert bias.mean().item() == pytest.approx(expected, abs=0.2)


# Directing


def _shown(emotions: dict[str, torch.Tensor]) -> Dee:
    """A model that was shown motion of these means."""
    torch.manual_seed(0)
    dee = Dee(SMALL)
    labels = torch.tensor([EMOTIONS.index(label) for label in emotions])
    dee.move_anchors(torch.stack(list(emotions.values())), labels)
    return dee


def _axis(index: int) -> torch.Tensor:
    return F.one_hot(torch.tensor(index), 8).float()


def test_directions_lie_between_neutral_and_the_label() -> None:
    dee = _shown({"neutral": _axis(0), "happy": _axis(3)})
    assert torch.equal(dee.directed(Emotion(label="happy")), _axis(3)[None])
    assert torch.equal(dee.directed(Emotion(label="happy", level=0.0)), _axis(0)[None])
    faint, half = (dee.directed(Emotion(label="happy", level=level))[0] for level in (0.01, 0.5))
    assert half[3] > faint[3] > 0.5
    assert faint[0] > half[0] > 0
    assert half.norm() == pytest.approx(1.0)
    middle = dee.towards(torch.tensor([EMOTIONS.index("happy")]), torch.tensor([0.5]))
    assert middle[0, [0, 3]].tolist() == pytest.approx([0.5**0.5] * 2)


def test_anchors_follow_the_motion_of_their_label() -> None:
    dee = _shown({"neutral": _axis(0), "happy": _axis(3)})
    before = dee.anchors.clone()
    happy = torch.full((2,), EMOTIONS.index("happy"))
    for _ in range(300):
        dee.move_anchors(torch.stack([_axis(4), _axis(5)]), happy)
    anchor = dee.anchors[EMOTIONS.index("happy")]
    assert anchor.norm().item() == pytest.approx(1)
    assert anchor[[4, 5]].tolist() == pytest.approx([0.5**0.5] * 2, abs=0.02)
    others = [EMOTIONS.index(label) for label in EMOTIONS if label != "happy"]
    assert torch.equal(dee.anchors[others], before[others])


def test_what_was_never_shown_cannot_be_asked_for(narrow: Dee) -> None:
    dee = _shown({"neutral": _axis(0), "happy": _axis(3)})
    with pytest.raises(UsageError, match="without contempt motion") as caught:
        dee.directed(Emotion(label="contempt"))
    assert caught.value.hint == "It knows neutral, happy."
    with pytest.raises(UsageError, match="cannot perform happy"):
        _shown({"happy": _axis(3)}).directed(Emotion(label="happy"))
    with pytest.raises(UsageError) as caught:
        narrow.directed(Emotion())
    assert "`emotion_from`" in str(caught.value.hint)


# Drawing


def test_sigma() -> None:
    mean = F.normalize(torch.randn(1, 8, generator=seeded(0)), dim=-1)
    gaussian = Gaussian(mean.expand(4000, 8), torch.full((4000, 8), -4.0))
    assert torch.equal(gaussian.sample(None, seeded(1)), gaussian.mean)
    one = gaussian.sample(1.0, seeded(1))
    assert torch.equal(one, gaussian.sample(0.0, seeded(1)))
    assert one.norm(dim=-1) == pytest.approx(torch.ones(4000))
    # exp(-2) of noise per dimension at 1; smaller and negative factors of a negative logarithm spread wider.
    cosines = [(gaussian.sample(sigma, seeded(2)) @ mean.T).mean().item() for sigma in (1.0, 0.1, -1.0)]
    assert cosines[0] > 0.9
    assert 0.5 > cosines[1] > cosines[2]


def test_any_sigma_gives_a_direction() -> None:
    mean = F.normalize(torch.randn(1, 8, generator=seeded(0)), dim=-1)
    gaussian = Gaussian(mean, torch.full((1, 8), -5.0))
    for sigma in (-1000.0, -40.0, 1000.0):
        assert gaussian.sample(sigma, seeded(1)).norm().item() == pytest.approx(1)


def test_draws_stay_between_the_anchors() -> None:
    torch.manual_seed(0)
    dee = Dee(SMALL).eval().requires_grad_(False)
    assert dee.span is None
    emotions = torch.tensor([EMOTIONS.index(label) for label in ("neutral", "happy")])
    dee.move_anchors(torch.stack([_axis(1), _axis(4)]), emotions)
    assert dee.span is not None
    assert dee.span.shape == (2, 8)
    gaussian = Gaussian(_axis(1)[None], torch.full((1, 8), -2.0))
    drawn = gaussian.sample(1.0, seeded(0, torch.device("cpu")), within=dee.span)
    assert drawn[0, [0, 2, 3, 5, 6, 7]].abs().max() < 1e-6
    assert drawn[0, 4].abs() > 0.01
    assert drawn.norm() == pytest.approx(1.0)
    assert torch.equal(gaussian.sample(None, seeded(0, torch.device("cpu")), within=dee.span), gaussian.mean)


def test_a_draw_is_the_same_under_autocast() -> None:
    gaussian = Gaussian(_axis(1)[None], torch.full((1, 8), -2.0))
    span = torch.eye(8)[:3]
    plain = gaussian.sample(0.5, seeded(0, torch.device("cpu")), within=span)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(gaussian.sample(0.5, seeded(0, torch.device("cpu")), within=span), plain)


# Two encoders of speech side by side


def test_both_encoders_are_heard_and_each_alone_in_training() -> None:
    torch.manual_seed(0)
    model = Dee(SMALL.model_copy(update={"speech_encoder": "both", "fixed_window": False})).eval()
    joint = model.audio_encoder
    sound = hear(model.ears, _noise(50, batch=3))
    hops = sound["log_mel"]
    one = joint.transformer(joint.stem(hops))
    other = joint.functionals(joint.functional_stem(hops))
    both = model.embed_speech(sound)
    assert torch.allclose(both.mean, F.normalize(one.mean + other.mean, dim=-1), atol=1e-6)
    assert torch.allclose(both.log_variance, (one.log_variance + other.log_variance) / 2, atol=1e-6)
    joint.training = True
    seen = joint(hops.repeat(40, 1, 1)).mean.reshape(40, 3, -1)
    alone = [(seen - branch.mean).abs().amax(-1) < 1e-6 for branch in (one, other)]
    assert all(5 < int(rows[:, 0].sum()) < 25 for rows in alone)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"fixed_window": True}, "must not have a fixed_window"),
        ({"speech": {"kind": "log_mel", "num_mels": 20, "prosody": False}}, "needs log-mel features"),
    ],
    ids=["fixed window", "no prosody"],
)
def test_both_encoders_need_prosody_and_no_fixed_window(setting: dict[str, object], said: str) -> None:
    given = SMALL.model_dump() | {"speech_encoder": "both", "fixed_window": False} | setting
    with pytest.raises(ValidationError, match=f"speech_encoder both {said}"):
        DeeConfig.model_validate(given)


# Several encoders of speech


def _ensemble(**changed: object) -> Dee:
    torch.manual_seed(0)
    return Dee(SMALL.model_copy(update={"members": 3, **changed}))


@pytest.mark.parametrize("encoder", ["transformer", "functionals", "both"])
def test_members_are_averaged(encoder: str) -> None:
    model = _ensemble(speech_encoder=encoder, fixed_window=False).eval()
    sound = hear(model.ears, _noise(50, batch=2))
    steps = model.audio_stem(sound["log_mel"])
    each = [member(steps) for member in model.audio_encoder.members]
    heard = model.embed_speech(sound)
    mean = sum(one.mean for one in each)
    assert torch.allclose(heard.mean, F.normalize(mean, dim=-1), atol=1e-6)
    assert torch.allclose(heard.log_variance, sum(one.log_variance for one in each) / 3, atol=1e-6)
    assert not torch.allclose(each[0].mean, each[1].mean, atol=0.01)


def test_in_training_every_row_goes_through_one_member_and_stays_in_its_place() -> None:
    model = _ensemble(dropout=0.0).train()
    steps = model.audio_stem(hear(model.ears, _noise(50, batch=9))["log_mel"])
    for norm in (part for part in model.modules() if isinstance(part, nn.BatchNorm1d)):
        norm.eval()
    seen = model.audio_encoder(steps)
    each = torch.stack([member(steps).mean for member in model.audio_encoder.members])
    same = (each - seen.mean).abs().amax(-1) < 1e-5
    assert same.sum(0).tolist() == [1] * 9
    assert same.sum(1).tolist() == [3] * 3


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_small_batches_train_fewer_members(rows: int) -> None:
    model = _ensemble(speech_encoder="both", fixed_window=False).train()
    hops = hear(model.ears, _noise(50, batch=rows))["log_mel"]
    assert model.audio_encoder(hops).mean.shape == (rows, SMALL.embedding)
