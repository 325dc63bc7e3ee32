"""Disturbances of log-mel windows: what each does, and that what is off draws nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.train.disturbance import Disturbance, DisturbanceConfig, disturb, draw_disturbance

NOTHING = {"warp": 0.0, "tilt": 0.0, "shift": 0.0, "floor": -1.0, "bands": (), "hops": ()}


def _disturbed(window: torch.Tensor, **how: object) -> torch.Tensor:
    changed = window.clone()
    disturb(changed, Disturbance(**{**NOTHING, **how}))
    return changed


def _window() -> torch.Tensor:
    """Forty hops of 64 bands, the first ten at the floor."""
    bands = torch.rand(40, 64, generator=torch.Generator().manual_seed(0)) - 0.5
    bands[:10] = -1
    return bands


def test_what_is_off_draws_nothing() -> None:
    used, fresh = np.random.default_rng(0), np.random.default_rng(0)
    drawn = draw_disturbance(used, DisturbanceConfig(), 64, 256)
    assert used.random() == fresh.random()
    assert torch.equal(_disturbed(_window(), **vars(drawn)), _window())


def test_what_is_new_leaves_tilt_and_first_masks_as_they_were() -> None:
    old = {"tilt": 0.1, "mask_bands": 8, "mask_hops": 20}
    few = draw_disturbance(np.random.default_rng(0), DisturbanceConfig(**old), 64, 256)
    many = draw_disturbance(
        np.random.default_rng(0),
        DisturbanceConfig(**old, masks=3, warp=0.1, shift=0.1, floor=-0.5),
        64,
        256,
    )
    assert (many.tilt, many.bands[0], many.hops[0]) == (few.tilt, few.bands[0], few.hops[0])
    assert len(many.bands) == len(many.hops) == 3
    assert 0 < abs(many.warp) <= 0.1
    assert 0 < abs(many.shift) <= 0.1
    assert -1 < many.floor <= -0.5


@pytest.mark.parametrize("warp", [-0.1, 0.1])
def test_warping_moves_low_bands_in_proportion_and_high_ones_alike(warp: float) -> None:
    places = torch.arange(64.0).expand(3, -1)
    moved = _disturbed(places, warp=warp)[0] - places[0]
    torch.testing.assert_close(moved[10], torch.tensor(10 * warp))
    torch.testing.assert_close(moved[30:58], moved[30].expand(28))
    assert moved[30].item() == pytest.approx(0.32 * 63 * warp, abs=0.01)
    assert (moved[63] == 0) == (warp > 0), "nothing lies above the last band"


def test_warping_by_a_factor_is_that_factor_in_hertz() -> None:
    """A tone 8 % higher looks like the tone warped."""
    ear = LogMel(LogMelConfig(num_mels=64, prosody=False))
    time_s = torch.arange(4_800) / 16_000
    for hz in (500.0, 2000.0, 4500.0):
        low, high = (ear(0.1 * torch.sin(2 * torch.pi * f * time_s)[None])[0, 5:25] for f in (hz, 1.08 * hz))
        warped = _disturbed(low, warp=1 / 1.08 - 1)
        assert (warped - high).abs().mean() < 0.5 * (low - high).abs().mean()


def test_a_shift_spares_the_floor() -> None:
    bands = _window()
    for shift in (-0.15, 0.15):
        changed = _disturbed(bands, shift=shift)
        assert (changed[:10] == -1).all()
        torch.testing.assert_close(changed[10:], bands[10:] + shift)


def test_a_floor_hides_what_lies_under_it() -> None:
    changed = _disturbed(_window(), floor=-0.2)
    torch.testing.assert_close(changed, _window().clamp_min(-0.2))


def test_every_mask_silences() -> None:
    changed = _disturbed(
        _window(), bands=(slice(0, 3), slice(20, 22)), hops=(slice(15, 17), slice(30, 31)), floor=-0.9
    )
    silent = changed == -1
    assert silent[:, [0, 1, 2, 20, 21]].all()
    assert silent[[15, 16, 30]].all()
    assert silent.sum() == 40 * 5 + 3 * 59
