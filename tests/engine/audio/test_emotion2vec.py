"""emotion2vec: equal to a plain reading of the published description, frozen where it says so."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from talkcli.engine.audio.emotion2vec import Emotion2vec, Emotion2vecConfig
from talkcli.engine.nn.alibi import distance_bias, slopes

TINY = Emotion2vecConfig(
    width=48, prenet=2, depth=3, heads=12, feedforward=56, channels=16, position_kernel=5, position_groups=4,
    positions=2, extra_tokens=3, frozen_blocks=1,
)  # fmt: skip
TWELVE_SLOPES = [2.0**-n for n in range(1, 9)] + [0.707107, 0.353553, 0.176777, 0.088388]


def filled(config: Emotion2vecConfig = TINY) -> Emotion2vec:
    """Random weights of a size at which every part is heard."""
    torch.manual_seed(0)
    model = Emotion2vec(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            nn.init.normal_(parameter, std=0.25)
            if ("norm" in name and "weight" in name) or ".2.1.weight" in name or "alibi" in name:
                nn.init.uniform_(parameter, 0.5, 1.5)
    return model.eval()


class Naive:
    """One row at a time, with loops, from the published description and the tensors by their names."""

    def __init__(self, config: Emotion2vecConfig, tensors: dict[str, Tensor]) -> None:
        self.config = config
        self.tensors = {name: tensor.double() for name, tensor in tensors.items()}

    def norm(self, row: Tensor, name: str | None) -> Tensor:
        centred = row - row.mean()
        scaled = centred / math.sqrt(float((centred**2).mean()) + 1e-5)
        return scaled if name is None else scaled * self.get(f"{name}.weight") + self.get(f"{name}.bias")

    def get(self, name: str) -> Tensor:
        return self.tensors[name]

    def linear(self, row: Tensor, name: str) -> Tensor:
        return self.get(f"{name}.weight") @ row + self.get(f"{name}.bias")

    def gelu(self, row: Tensor) -> Tensor:
        return 0.5 * row * (1 + torch.erf(row / math.sqrt(2)))

    def convolutions(self, samples: Tensor) -> Tensor:
        audio = "modality_encoders.AUDIO."
        steps = self.norm(samples.double(), None)[:, None]
        for layer, stride in enumerate((5, 2, 2, 2, 2, 2, 2)):
            name = f"{audio}local_encoder.conv_layers.{layer}"
            weight = self.get(f"{name}.0.weight")
            kernel = weight.shape[2]
            rows = []
            for at in range(0, len(steps) - kernel + 1, stride):
                row = sum(weight[:, :, k] @ steps[at + k] for k in range(kernel))
                rows.append(self.gelu(self.norm(row, f"{name}.2.1")))
            steps = torch.stack(rows)
        rows = [self.norm(row, f"{audio}project_features.1") for row in steps]
        return torch.stack([self.linear(row, f"{audio}project_features.2") for row in rows])

    def positions(self, steps: Tensor) -> Tensor:
        half, groups = self.config.position_kernel // 2, self.config.position_groups
        size = self.config.width // groups
        for layer in range(1, self.config.positions + 1):
            name = f"modality_encoders.AUDIO.relative_positional_encoder.{layer}.0"
            weight, bias = self.get(f"{name}.weight"), self.get(f"{name}.bias")
            rows = []
            for at in range(len(steps)):
                row = bias.clone()
                for out in range(self.config.width):
                    group = out // size
                    for k in range(self.config.position_kernel):
                        source = at + k - half
                        if 0 <= source < len(steps):
                            inputs = steps[source, group * size : (group + 1) * size]
                            row[out] += weight[out, :, k] @ inputs
                rows.append(self.gelu(self.norm(row, None)))
            steps = torch.stack(rows)
        return steps

    def bias(self, head: int, i: int, j: int) -> float:
        extra = self.config.extra_tokens
        if i < extra or j < extra:
            return 0.0
        scale = float(self.get("modality_encoders.AUDIO.alibi_scale")[0, 0, head, 0, 0])
        return -TWELVE_SLOPES[head] * abs(i - j) * max(scale, 0.0)

    def block(self, tokens: Tensor, name: str) -> Tensor:
        width, heads = self.config.width, self.config.heads
        size = width // heads
        qkv = [self.linear(row, f"{name}.attn.qkv") for row in tokens]
        rows = []
        for i in range(len(tokens)):
            mixed = []
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                query = qkv[i][:width][part] * size**-0.5
                scores = [
                    float(query @ row[width : 2 * width][part]) + self.bias(head, i, j)
                    for j, row in enumerate(qkv)
                ]
                shares = torch.tensor([math.exp(score - max(scores)) for score in scores]).double()
                shares = shares / shares.sum()
                mixed.append(
                    sum(share * row[2 * width :][part] for share, row in zip(shares, qkv, strict=True))
                )
            attended = self.linear(torch.cat(mixed), f"{name}.attn.proj")
            after = self.norm(tokens[i] + attended, f"{name}.norm1")
            inside = self.gelu(self.linear(after, f"{name}.mlp.fc1"))
            rows.append(self.norm(after + self.linear(inside, f"{name}.mlp.fc2"), f"{name}.norm2"))
        return torch.stack(rows)

    def __call__(self, samples: Tensor) -> Tensor:
        audio = "modality_encoders.AUDIO"
        steps = self.convolutions(samples)
        steps = steps + self.positions(steps)
        tokens = torch.cat([self.get(f"{audio}.extra_tokens")[0], steps])
        tokens = torch.stack([self.norm(row, f"{audio}.context_encoder.norm") for row in tokens])
        for index in range(self.config.prenet):
            tokens = self.block(tokens, f"{audio}.context_encoder.blocks.{index}")
        for index in range(self.config.depth):
            tokens = self.block(tokens, f"blocks.{index}")
        return tokens[self.config.extra_tokens :]


def test_features_are_those_of_the_description() -> None:
    ours = filled()
    with torch.no_grad():
        ours.modality_encoders["AUDIO"].alibi_scale[0, 0, 2] = -0.5
    sound = torch.randn(2, 400 + 320 * 7 + 100) * torch.tensor([[0.01], [3.0]]) + 0.1
    naive = Naive(TINY, ours.state_dict())
    with torch.inference_mode():
        found = ours(sound)
        wanted = torch.stack([naive(row) for row in sound]).float()
    assert found.shape == (2, 8, 48)
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_twelve_heads_have_the_published_slopes() -> None:
    assert slopes(12) == pytest.approx(TWELVE_SLOPES, abs=1e-6)
    audio = filled().modality_encoders["AUDIO"]
    with torch.no_grad():
        audio.alibi_scale.fill_(1.0)
        bias = audio.bias(torch.zeros(1, 3 + 6, 48))[0]
    assert bias.shape == (12, 9, 9)
    # The three extra tokens are near to everything.
    assert not bias[:, :3].any()
    assert not bias[:, :, :3].any()
    torch.testing.assert_close(bias[:, 3:, 3:], distance_bias(12, 6))


@pytest.mark.parametrize(
    ("samples", "steps"), [(16_000, 49), (20_480, 63), (32_000, 99), (40_960, 127), (7, 1)]
)
def test_one_step_for_320_samples(samples: int, steps: int) -> None:
    assert Emotion2vec(TINY)(torch.randn(1, samples)).shape == (1, steps, 48)


def test_silence_gives_numbers() -> None:
    assert filled()(torch.zeros(1, 16_000)).isfinite().all()
    assert filled()(torch.zeros(1, 0)).isfinite().all()


def test_loudness_and_neighbours_do_not_matter() -> None:
    ours = filled()
    sound = torch.randn(2, 8_000)
    with torch.inference_mode():
        both = ours(sound * torch.tensor([[1.0], [5.0]]))
        torch.testing.assert_close(both[1:], ours(sound[1:]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("frozen", [0, 1, 3])
def test_forward_is_finish_of_trunk(frozen: int) -> None:
    ours = filled(TINY.model_copy(update={"frozen_blocks": frozen}))
    sound = torch.randn(1, 5_000)
    trunk = ours.trunk(sound)
    assert trunk.shape == (1, 3 + 15, 48)
    assert torch.equal(ours(sound), ours.finish(trunk))


def test_only_the_last_blocks_train_and_the_rest_evaluates() -> None:
    ours = filled().train()
    sound = torch.randn(1, 5_000)
    assert torch.equal(ours.trunk(sound), ours.trunk(sound))
    assert not ours.trunk(sound).requires_grad
    assert not torch.equal(ours(sound), ours(sound))
    ours(sound).square().sum().backward()
    with_gradient = {name for name, parameter in ours.named_parameters() if parameter.grad is not None}
    wanted = {name for name, _ in ours.named_parameters() if name.startswith(("blocks.1.", "blocks.2."))}
    assert with_gradient == wanted
    assert {name for name, parameter in ours.named_parameters() if parameter.requires_grad} == wanted


def test_a_block_that_is_left_out_has_a_gradient_of_zero() -> None:
    ours = filled(TINY.model_copy(update={"layer_drop": 1.0})).train()
    ours(torch.randn(1, 3_000)).sum().backward()
    assert all(p.grad is not None and not p.grad.any() for p in ours.blocks[2].parameters())


def test_the_base_network_has_the_published_size() -> None:
    with torch.device("meta"):
        tensors = Emotion2vec(Emotion2vecConfig()).state_dict()
    # The decoder of pre-training, which is not built: four grouped convolutions and a projection.
    first, other = 384 * (768 // 16) * 7 + 384, 384 * (384 // 16) * 7 + 384
    decoder = first + 3 * other + 768 * 384 + 768
    assert len(tensors) + 2 * 4 + 2 == 193
    assert sum(tensor.numel() for tensor in tensors.values()) + decoder == 93_790_988


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("modality_encoders.AUDIO.extra_tokens", (1, 10, 768)),
        ("modality_encoders.AUDIO.alibi_scale", (1, 1, 12, 1, 1)),
        ("modality_encoders.AUDIO.local_encoder.conv_layers.0.0.weight", (512, 1, 10)),
        ("modality_encoders.AUDIO.local_encoder.conv_layers.6.2.1.bias", (512,)),
        ("modality_encoders.AUDIO.project_features.2.weight", (768, 512)),
        ("modality_encoders.AUDIO.relative_positional_encoder.5.0.weight", (768, 48, 19)),
        ("modality_encoders.AUDIO.context_encoder.norm.weight", (768,)),
        ("modality_encoders.AUDIO.context_encoder.blocks.3.attn.qkv.weight", (2304, 768)),
        ("blocks.7.mlp.fc2.weight", (768, 3072)),
    ],
)
def test_tensors_have_the_published_names(name: str, shape: tuple[int, ...]) -> None:
    with torch.device("meta"):
        assert Emotion2vec(Emotion2vecConfig()).state_dict()[name].shape == shape


def test_bfloat16_stays_close() -> None:
    ours = filled()
    sound = torch.randn(1, 16_000)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = ours(sound)
    with torch.inference_mode():
        wanted = ours(sound)
    assert ((found - wanted).norm() / wanted.norm()).item() < 0.05


@pytest.mark.parametrize(("field", "value"), [("heads", 5), ("position_groups", 5), ("frozen_blocks", 9)])
def test_sizes_that_do_not_fit_are_named(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=field):
        Emotion2vecConfig(**{field: value})
