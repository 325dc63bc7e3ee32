"""FID's Inception: number of weights, sizes between blocks, its pools, and its loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.checkpoints.published_judges import load_inception
from talkcli.engine.errors import InputError
from talkcli.engine.judges.inception import Inception, features

# Channels and side after each block.
SIZES = {
    "Mixed_5b": (256, 35), "Mixed_5c": (288, 35), "Mixed_5d": (288, 35), "Mixed_6a": (768, 17),
    "Mixed_6b": (768, 17), "Mixed_6c": (768, 17), "Mixed_6d": (768, 17), "Mixed_6e": (768, 17),
    "Mixed_7a": (1280, 8), "Mixed_7b": (2048, 8), "Mixed_7c": (2048, 8),
}  # fmt: skip


@pytest.fixture(scope="module")
def network() -> Inception:
    torch.manual_seed(0)
    return Inception()


def test_number_of_weights(network: Inception) -> None:
    """Keras' InceptionV3 without its top has 21,768,352 trained weights, and no scales of normalisation."""
    weights = {name: value.numel() for name, value in network.named_parameters()}
    top = sum(count for name, count in weights.items() if name.startswith("fc."))
    scales = sum(count for name, count in weights.items() if name.endswith("bn.weight"))
    assert top == 2048 * 1008 + 1008
    assert scales == 17_216
    assert sum(weights.values()) - top - scales == 21_768_352
    assert len([name for name in weights if name.endswith("conv.weight")]) == 94


def test_sizes(network: Inception) -> None:
    seen: dict[str, tuple[int, int]] = {}
    hooks = [
        getattr(network, name).register_forward_hook(
            lambda _module, _given, out, name=name: seen.update({name: (out.shape[1], out.shape[2])})
        )
        for name in SIZES
    ]
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 48)).shape == (1, 2048)
    for hook in hooks:
        hook.remove()
    assert seen == SIZES


def test_pools(network: Inception) -> None:
    """Means leave the padding out, and the last block takes the largest value."""
    x = torch.rand(1, 2048, 8, 8, generator=torch.Generator().manual_seed(0))
    mean = F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1) * 9
    count = F.avg_pool2d(F.pad(torch.ones_like(x), (1, 1, 1, 1)), 3, 1) * 9

    def last(block: str, pooled: Tensor) -> Tensor:
        return getattr(network, block).branch_pool(pooled)

    with torch.inference_mode():
        made = network.Mixed_7c(x)[:, -192:]
        torch.testing.assert_close(made, last("Mixed_7c", F.max_pool2d(x, 3, 1, 1)))
        narrow, few = x[:, :1280], (mean / count)[:, :1280]
        torch.testing.assert_close(network.Mixed_7b(narrow)[:, -192:], last("Mixed_7b", few))


def test_pictures_from_minus_one_to_one(network: Inception) -> None:
    """Bytes become -1 to 1 after a bilinear resize to 299."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    first: list[Tensor] = []
    hook = network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _module, given: first.append(given[0]))
    assert features(network, pictures).shape == (2, 2048)
    hook.remove()
    bytes_ = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    wanted = F.interpolate(bytes_, (299, 299), mode="bilinear", align_corners=False) / 127.5 - 1
    torch.testing.assert_close(first[0], wanted, atol=1e-4, rtol=1e-4)
    assert features(network, pictures[:0]).shape == (0, 2048)


def test_loads_without_counters(tmp_path: Path, network: Inception) -> None:
    state = {name: value for name, value in network.state_dict().items() if "num_batches" not in name}
    path = tmp_path / "pt_inception.pth"
    torch.save(state, path)
    loaded = load_inception(path)
    assert torch.equal(loaded.fc.weight, network.fc.weight)
    del state["Mixed_7c.branch_pool.conv.weight"]
    torch.save(state | {"AuxLogits.fc.bias": torch.zeros(3)}, path)
    with pytest.raises(InputError, match=r"missing Mixed_7c\.branch_pool\.conv\.weight; unknown AuxLogits"):
        load_inception(path)
