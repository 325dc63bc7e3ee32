"""Lip curves: 0 at rest, blind to size, place and turn, and each sees what its name says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.lip_curves import LIP_CURVES, lip_curves
from talkcli.engine.face.rotation import rotation_matrices


@pytest.fixture(scope="module")
def ada() -> AdaHead:
    return AdaHead.load()


def curves(ada: AdaHead, **channels: float) -> dict[str, float]:
    """The curves of a face with the given channels."""
    coeffs = torch.zeros(1, len(ada.channels))
    for name, value in channels.items():
        coeffs[0, ada.channels.index(name)] = value
    rest = ada.landmarks(torch.from_numpy(ada.template)[None])[0]
    found = lip_curves(ada.landmarks(ada(coeffs)), rest)
    return dict(zip(LIP_CURVES, found[0].tolist(), strict=True))


def marks() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 68, 3, generator=generator), torch.randn(68, 3, generator=generator)


def test_rest_is_zero(ada: AdaHead) -> None:
    assert all(value == 0 for value in curves(ada).values())


def test_blind_to_size_place_and_turn() -> None:
    moved, rest = marks()
    turn = rotation_matrices(torch.tensor([[0.3, -0.5, 1.1]]))[0]

    def other(points: Tensor) -> Tensor:
        return 0.01 * points @ turn.T + torch.tensor([0.2, 0.1, -0.4])

    expected = lip_curves(moved, rest)
    torch.testing.assert_close(lip_curves(other(moved), other(rest)), expected, rtol=1e-3, atol=1e-3)


def test_open_jaw(ada: AdaHead) -> None:
    found = curves(ada, jawPitch=0.3)
    assert found["inner gap"] > 0.2
    assert found["chin drop"] > 0.1
    assert abs(found["upper lip"]) < 0.05


def test_pucker_and_smile(ada: AdaHead) -> None:
    pucker = curves(ada, mouthPucker=1.0)
    smile = curves(ada, mouthSmileLeft=1.0, mouthSmileRight=1.0)
    assert pucker["outer width"] < -0.1 < 0.05 < smile["outer width"]
    assert pucker["upper lip forward"] > 0.02
    assert smile["corners forward"] < pucker["corners forward"]


def test_known_distances() -> None:
    """Only the landmarks that a curve names move it."""
    rest = torch.zeros(68, 3)
    rest[48], rest[54] = torch.tensor([-0.5, 0, 0]), torch.tensor([0.5, 0, 0])
    rest[36], rest[45] = torch.tensor([-1.0, 2, 0]), torch.tensor([1.0, 2, 0])
    rest[27], rest[33] = torch.tensor([0.0, 2, 0]), torch.tensor([0.0, 1, 0])
    moved = rest[None].clone()
    moved[0, 57] = torch.tensor([0.0, -0.3, 0.4])
    found = dict(zip(LIP_CURVES, lip_curves(moved, rest)[0].tolist(), strict=True))
    assert found["outer gap"] == pytest.approx(0.5)
    assert found["lower lip"] == pytest.approx(0.5)
    assert found["lower lip forward"] == pytest.approx(0.4)
    assert {name for name, value in found.items() if not math.isclose(value, 0, abs_tol=1e-6)} == {
        "outer gap", "lower lip", "lower lip forward",
    }  # fmt: skip
