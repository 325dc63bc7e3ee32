"""SpiralConv3D: the published numbers for one frame, a causal neighbourhood for more, the same in blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.face.spirals import spirals
from talkcli.engine.nn.spiral_conv import SpiralConv3d
from tests.engine.face.meshes import icosphere
from tests.engine.probe_rule import drawn, filled


@pytest.fixture
def probe(shared_data: Path) -> dict[str, Any]:
    """Numbers of the published code."""
    file = shared_data.parent / "facts" / "probes" / "spiral.probe.json"
    if not file.is_file():
        pytest.skip("the numbers of the published code are not here")
    return json.loads(file.read_text())


def _table(length: int, dilation: int = 1) -> Tensor:
    return torch.from_numpy(spirals(*icosphere(2), length=length, dilation=dilation))


def _naive(layer: SpiralConv3d, features: Tensor, table: Tensor) -> Tensor:
    """The definition, vertex by vertex and frame by frame."""
    batch, frames, verts, _ = features.shape
    made = torch.empty(batch, frames, verts, layer.layer.out_features)
    for frame in range(frames):
        for vertex in range(verts):
            rows = [
                features[:, max(frame - back, 0), table[vertex]].flatten(1)
                for back in range(layer.span - 1, -1, -1)
            ]
            made[:, frame, vertex] = layer.layer(torch.cat(rows, dim=1))
    return made


@pytest.mark.parametrize("dilation", [1, 2])
def test_one_frame_is_the_published_convolution(probe: dict[str, Any], dilation: int) -> None:
    layer = SpiralConv3d(4, 6, length=9, span=1)
    layer.load_state_dict(
        {name: filled(name, tuple(value.shape)) for name, value in layer.state_dict().items()}
    )
    features = torch.from_numpy(drawn("spiral_x", 2 * 162 * 4)).float().view(2, 1, 162, 4)
    wanted = probe[f"spiralconv_dil{dilation}_float32"]["output"]
    with torch.no_grad():
        made = layer(features, _table(9, dilation))[:, 0]
    assert list(made.shape) == wanted["shape"]
    np.testing.assert_allclose(made.flatten()[wanted["idx"]], wanted["val"], atol=2e-6)


def test_a_frame_sees_its_spirals_in_the_last_frames() -> None:
    torch.manual_seed(0)
    layer = SpiralConv3d(2, 3, length=5, span=3)
    features = torch.randn(2, 4, 162, 2)
    with torch.no_grad():
        made = layer(features, _table(5))
        torch.testing.assert_close(made, _naive(layer, features, _table(5)), atol=1e-5, rtol=1e-5)
        later = features.clone()
        later[:, 3] += 1
        assert torch.equal(layer(later, _table(5))[:, :3], made[:, :3])
        assert not torch.equal(layer(later, _table(5))[:, 3], made[:, 3])


@pytest.mark.parametrize("block", [1, 20_000])
def test_blocks_change_neither_values_nor_gradients(block: int) -> None:
    torch.manual_seed(0)
    whole = SpiralConv3d(3, 4, length=9, span=4).double()
    parts = SpiralConv3d(3, 4, length=9, span=4, block=block).double()
    parts.load_state_dict(whole.state_dict())
    inputs = torch.randn(2, 11, 162, 3).double()
    made = []
    for layer in (whole, parts):
        features = inputs.clone().requires_grad_()
        out = layer(features, _table(9, 2))
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        assert features.grad is not None
        made.append([out.detach(), features.grad, *(value.grad for value in layer.parameters())])
    for first, second in zip(*made, strict=True):
        assert first is not None
        assert second is not None
        torch.testing.assert_close(first, second, atol=1e-10, rtol=1e-10)


def test_frames_in_turn_give_what_all_give_at_once() -> None:
    torch.manual_seed(0)
    layer = SpiralConv3d(3, 4, length=9, span=4)
    features, past, made = torch.randn(1, 9, 162, 3), None, []
    with torch.no_grad():
        for piece in features.split([1, 2, 1, 5], dim=1):
            made.append(layer(piece, _table(9), past))
            past = layer.remembered(piece, past)
        torch.testing.assert_close(torch.cat(made, dim=1), layer(features, _table(9)), atol=1e-6, rtol=1e-5)


def test_a_sum_of_sound_and_place_is_cheap_and_the_same() -> None:
    torch.manual_seed(0)
    layer = SpiralConv3d(3, 4, length=9, span=4).double()
    moving, still = torch.randn(2, 9, 3).double(), torch.randn(162, 3).double()
    table, whole = _table(9, 2), moving[:, :, None] + still
    torch.testing.assert_close(layer.of_sum(moving, still, table), layer(whole, table))
    past = layer.remembered(moving[:, :5], None)
    after = layer.of_sum(moving[:, 5:], still, table, past)
    torch.testing.assert_close(after, layer(whole, table)[:, 5:])


def test_what_a_block_keeps_for_its_gradient_is_its_input() -> None:
    """Memory must not grow with the spiral: kept are the features, and not what is gathered of them."""
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        kept[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
        return value

    layer, features = SpiralConv3d(8, 8, length=9, span=5, block=1), torch.randn(1, 20, 162, 8)
    features.requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        layer(features, _table(9))
    gathered = 20 * 162 * 9 * 8 * 4
    # A block of one frame takes the five frames that it sees.
    assert sum(kept.values()) < 0.8 * gathered
