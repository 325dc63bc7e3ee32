from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.flame_file import FlameArrays, read_flame
from talkcli.engine.face.flame_fit import FlameFitter
from tests.engine.face import flame_twin as twin


@pytest.fixture
def raw() -> dict[str, np.ndarray]:
    """A subject of its own: the template and some identity."""
    arrays = twin.flame_arrays()
    arrays["v_template"] = arrays["v_template"] + arrays["shapedirs"][..., :300] @ np.random.default_rng(
        1
    ).normal(0, 0.3, 300)
    return arrays


@pytest.fixture
def model(tmp_path: Path, raw: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> FlameArrays:
    """The mean head, as its users have it."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    twin.write_flame(tmp_path / "generic_model.pkl", raw | {"v_template": twin.flame_arrays()["v_template"]})
    return read_flame(tmp_path / "generic_model.pkl")


def spoken(frames: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    coeffs = draw.normal(0, 1, (frames, 53))
    coeffs[:, 50:] = draw.normal(0, 0.2, (frames, 3))
    return coeffs


def test_coefficients_come_back(model: FlameArrays, raw: dict[str, np.ndarray]) -> None:
    """The other way by the textbook: a round trip within a tenth of a millimetre."""
    coeffs = spoken(70)
    vertices = np.stack([twin.skin(raw, row) for row in coeffs]).astype(np.float32)
    fitted = FlameFitter(model, raw["v_template"].astype(np.float32)).fit(vertices)
    assert fitted.coeffs.dtype == np.float32
    again = np.stack([twin.skin(raw, row) for row in fitted.coeffs.astype(np.float64)])
    assert np.linalg.norm(again - vertices, axis=2).max() < 1e-4
    assert fitted.error_m.max() < 1e-4
    np.testing.assert_allclose(
        fitted.error_m, np.linalg.norm(again - vertices, axis=2).mean(axis=1), atol=1e-6
    )
    np.testing.assert_allclose(fitted.coeffs, coeffs, atol=0.02)


def test_a_wide_open_jaw(model: FlameArrays, raw: dict[str, np.ndarray]) -> None:
    coeffs = np.zeros((3, 53))
    coeffs[1, 50:], coeffs[2, 50:] = (0.7, 0, 0), (0.5, 0.2, -0.1)
    vertices = np.stack([twin.skin(raw, row) for row in coeffs]).astype(np.float32)
    fitted = FlameFitter(model, raw["v_template"].astype(np.float32)).fit(vertices)
    np.testing.assert_allclose(fitted.coeffs, coeffs, atol=0.01)


def test_noise_is_not_explained_by_large_coefficients(model: FlameArrays, raw: dict[str, np.ndarray]) -> None:
    draw = np.random.default_rng(2)
    rest = raw["v_template"].astype(np.float32)
    # Directions that hardly move a vertex would be blown up.
    faint = replace(model, expressions=model.expressions * np.float32(1e-4))
    vertices = rest + draw.normal(0, 2e-4, (5, *rest.shape)).astype(np.float32)
    fitted = FlameFitter(faint, rest).fit(vertices)
    assert np.abs(fitted.coeffs).max() < 1
    assert 1e-4 < fitted.error_m.min() <= fitted.error_m.max() < 5e-4


def test_blocks_and_single_frames_agree(model: FlameArrays, raw: dict[str, np.ndarray]) -> None:
    vertices = np.stack([twin.skin(raw, row) for row in spoken(66)]).astype(np.float32)
    fitter = FlameFitter(model, raw["v_template"].astype(np.float32))
    whole = fitter.fit(vertices)
    alone = fitter.fit(vertices[65:])
    np.testing.assert_allclose(whole.coeffs[65:], alone.coeffs, atol=1e-4)


def test_another_topology_is_refused(model: FlameArrays) -> None:
    with pytest.raises(InputError, match="has 40 vertices, the recording 41"):
        FlameFitter(model, np.zeros((41, 3), np.float32))
