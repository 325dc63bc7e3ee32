"""The lip reader's front-end: its published tensors, its arithmetic, and that it stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig
from tests.engine.judges.lip_readers import NORM, published_shapes, random_state, stand_in_reader


@pytest.mark.parametrize(
    ("activation", "tensors", "parameters"), [("swish", 120, 11_182_784), ("prelu", 136, 11_186_624)]
)
def test_published_tensors(activation: str, tensors: int, parameters: int) -> None:
    with torch.device("meta"):
        reader = LipReader(LipReaderConfig(activation=activation))  # type: ignore[arg-type]
    shapes = {name: tuple(value.shape) for name, value in reader.state_dict().items()}
    assert shapes == published_shapes(prelu=activation == "prelu")
    assert len(shapes) == tensors
    assert sum(value.numel() for value in reader.parameters()) == parameters


def _by_hand(state: dict[str, Tensor], grey: Tensor) -> Tensor:
    """The published forward pass with plain functions."""

    def norm(x: Tensor, name: str) -> Tensor:
        weight, bias, mean, variance = (state[f"{name}.{key}"].view(-1, *[1] * (x.dim() - 2)) for key in NORM)
        return (x - mean) / (variance + 1e-5).sqrt() * weight + bias

    def act(x: Tensor, name: str) -> Tensor:
        return F.prelu(x, state[f"{name}.weight"]) if f"{name}.weight" in state else x * x.sigmoid()

    x = ((grey - 0.421) / 0.165)[:, None]
    x = F.conv3d(x, state["frontend3D.0.weight"], stride=(1, 2, 2), padding=(2, 3, 3))
    x = act(norm(x, "frontend3D.1"), "frontend3D.2")
    x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
    x = x.permute(0, 2, 1, 3, 4).reshape(-1, 64, *x.shape[-2:])
    for layer in range(1, 5):
        for block in (0, 1):
            name, stride = f"trunk.layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            y = F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1)
            y = act(norm(y, f"{name}.bn1"), f"{name}.relu1")
            y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if stride == 2:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=2), f"{name}.downsample.1")
            x = act(y + x, f"{name}.relu2")
    return F.adaptive_avg_pool2d(x, 1).view(*grey.shape[:2], 512)


@pytest.mark.parametrize("activation", ["swish", "prelu"])
def test_features_are_those_of_the_published_forward_pass(activation: str) -> None:
    reader = LipReader(LipReaderConfig(activation=activation))  # type: ignore[arg-type]
    state = random_state(prelu=activation == "prelu")
    reader.load_state_dict(state)
    reader.double()
    state = {name: value.double() for name, value in state.items()}
    grey = torch.rand(2, 3, 88, 88, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(reader(grey), _by_hand(state, grey), rtol=1e-9, atol=1e-9)


def test_it_is_frozen_and_gradients_reach_the_pictures() -> None:
    reader = stand_in_reader()
    reader.train()
    assert not any(module.training for module in reader.modules())
    assert not any(value.requires_grad for value in reader.parameters())
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    grey = torch.rand(1, 2, 88, 88, requires_grad=True)
    reader(grey).square().sum().backward()
    assert grey.grad is not None and grey.grad.abs().sum() > 0
    assert all(torch.equal(value, before[name]) for name, value in reader.state_dict().items())


def test_a_frame_is_seen_with_two_before_and_two_after() -> None:
    reader = stand_in_reader()
    grey = torch.rand(1, 9, 88, 88, generator=torch.Generator().manual_seed(0))
    changed = grey.clone()
    changed[0, 4] = 1 - changed[0, 4]
    apart = (reader(grey) - reader(changed)).abs().amax(-1)[0] > 1e-7
    assert apart.tolist() == [False] * 2 + [True] * 5 + [False] * 2
