"""SyncNet: its published tensors, its arithmetic against plain functions, its windows, and its loader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.audio.mfcc import as_int16, mfcc
from talkcli.engine.checkpoints.published_judges import load_syncnet
from talkcli.engine.errors import InputError
from talkcli.engine.judges.syncnet import SyncNet, features
from talkcli.engine.types import Speech
from tests.engine.judges.syncnets import published_shapes, random_state


@pytest.fixture(scope="module")
def network() -> SyncNet:
    made = SyncNet()
    made.load_state_dict(random_state())
    return made


def test_published_tensors() -> None:
    with torch.device("meta"):
        network = SyncNet()
    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published_shapes()
    assert len(published_shapes()) == 102
    assert sum(value.numel() for value in network.parameters()) == 13_631_616


def test_arithmetic(network: SyncNet) -> None:
    """Both towers, written out from the sheet of layers."""
    state = network.state_dict()

    def norm(x: Tensor, name: str) -> Tensor:
        return F.batch_norm(
            x, state[f"{name}.running_mean"], state[f"{name}.running_var"],
            state[f"{name}.weight"], state[f"{name}.bias"],
        )  # fmt: skip

    def conv(x: Tensor, tower: str, at: int, **how: object) -> Tensor:
        weight, bias = state[f"{tower}.{at}.weight"], state[f"{tower}.{at}.bias"]
        convolve = F.conv2d if x.ndim == 4 else F.conv3d
        return F.relu(norm(convolve(x, weight, bias, **how), f"{tower}.{at + 1}"))  # type: ignore[operator]

    def last(x: Tensor, tower: str) -> Tensor:
        x = F.linear(x.flatten(1), state[f"{tower}.0.weight"], state[f"{tower}.0.bias"])
        return F.linear(F.relu(norm(x, f"{tower}.1")), state[f"{tower}.3.weight"], state[f"{tower}.3.bias"])

    sound = torch.randn(2, 1, 13, 20, generator=torch.Generator().manual_seed(1))
    x = conv(sound, "netcnnaud", 0, padding=1)
    x = F.max_pool2d(conv(x, "netcnnaud", 4, padding=1), 3, (1, 2))
    for at in (8, 11, 14):
        x = conv(x, "netcnnaud", at, padding=1)
    x = conv(F.max_pool2d(x, 3, 2), "netcnnaud", 18)
    assert x.shape == (2, 512, 1, 1)
    torch.testing.assert_close(network.hear(sound), last(x, "netfcaud"))

    seen = 255 * torch.rand(1, 3, 5, 224, 224, generator=torch.Generator().manual_seed(2))
    x = F.max_pool3d(conv(seen, "netcnnlip", 0, stride=(1, 2, 2)), (1, 3, 3), (1, 2, 2))
    assert x.shape == (1, 96, 1, 54, 54)
    x = conv(x, "netcnnlip", 4, stride=(1, 2, 2), padding=(0, 1, 1))
    x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for at in (8, 11, 14):
        x = conv(x, "netcnnlip", at, padding=(0, 1, 1))
    x = conv(F.max_pool3d(x, (1, 3, 3), (1, 2, 2)), "netcnnlip", 18)
    torch.testing.assert_close(network.see(seen), last(x, "netfclip"))


def test_windows(network: SyncNet) -> None:
    """Window i holds frames i to i + 4 and ticks 4 i to 4 i + 19; the last one is left out."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (28, 224, 224, 3), dtype=np.uint8)
    speech = Speech(samples=rng.uniform(-0.5, 0.5, 640 * 27 + 100).astype(np.float32))
    seen, heard = features(network, np.split(pictures, (1, 4, 8)), speech)
    assert seen.shape == heard.shape == (27 - 5, 1024)
    cepstra = torch.from_numpy(mfcc(as_int16(speech.samples))).float()
    for window in (0, 19, 20, 21):
        stack = torch.from_numpy(pictures[window : window + 5, ..., ::-1].copy()).float()
        own = network.see(stack.permute(3, 0, 1, 2)[None])
        np.testing.assert_allclose(seen[window], own[0].numpy(), rtol=1e-3, atol=1e-3)
        own = network.hear(cepstra[4 * window : 4 * window + 20].T[None, None])
        np.testing.assert_allclose(heard[window], own[0].numpy(), rtol=1e-3, atol=1e-3)


def test_too_short(network: SyncNet) -> None:
    with pytest.raises(ValueError, match="5 frames are too few"):
        features(network, [np.zeros((9, 224, 224, 3), np.uint8)], Speech(samples=np.zeros(3200, np.float32)))


def test_stays_in_evaluation_mode(network: SyncNet) -> None:
    assert not network.train().netcnnaud[1].training
    assert not any(value.requires_grad for value in network.parameters())


@pytest.mark.parametrize("old", [False, True])
def test_loads_both_formats(tmp_path: Path, old: bool) -> None:
    """Files of either format of PyTorch; an old one lacks the counters."""
    state = random_state()
    if old:
        state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "syncnet_v2.model", _use_new_zipfile_serialization=not old)
    network = load_syncnet(tmp_path / "syncnet_v2.model")
    assert all(torch.equal(network.state_dict()[name], value) for name, value in state.items())


def test_refuses_others(tmp_path: Path) -> None:
    state = random_state()
    del state["netfclip.3.bias"]
    state["netcnnaud.18.weight"] = state["netcnnaud.18.weight"][:, :, :4]
    torch.save(state | {"more": torch.zeros(1)}, tmp_path / "other.model")
    with pytest.raises(InputError) as caught:
        load_syncnet(tmp_path / "other.model")
    for part in (
        "not hold SyncNet v2",
        "missing netfclip.3.bias",
        "unknown more",
        "of (512, 256, 5, 4)",
    ):
        assert part in caught.value.problem
    with pytest.raises(InputError, match="no weight file"):
        load_syncnet(tmp_path / "none.model")
