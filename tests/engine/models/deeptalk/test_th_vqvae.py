"""TH-VQVAE against the released model; see test_prior.py for what it shares with the others."""

from __future__ import annotations

import torch

from talkcli.engine.models.deeptalk.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.types import SAMPLES_PER_FRAME


def test_released_window() -> None:
    frames = 20_480 // SAMPLES_PER_FRAME
    with torch.no_grad():
        coded = ThVqvae(ThVqvaeConfig()).eval()(torch.randn(1, frames, 53))
    assert frames == 32
    top, bottom = coded.codes
    assert (bottom.shape, top.shape) == ((1, 16), (1, 8))


def test_released_size() -> None:
    """The official file holds 96 tensors of 3,033,145 numbers. Ours lacks a layer whose output is thrown
    away, and has a scale, and a flag for each codebook, of its own.
    """
    ours = ThVqvae(ThVqvaeConfig()).state_dict()
    own = {name: value for name, value in ours.items() if "motion_scale" in name or "started" in name}
    thrown_away = [384 * 384, 384]  # post_transformer_linear: weight and bias
    assert len(own) == 4
    assert len(ours) - len(own) + len(thrown_away) == 96
    numbers = sum(value.numel() for value in ours.values()) - sum(value.numel() for value in own.values())
    assert numbers + sum(thrown_away) == 3_033_145
    assert ours["quantizer_top.codebook"].shape == (256, 128)
    assert ours["quantizer_bottom.codebook"].shape == (256, 256)


def test_bottom_codes_depend_on_the_top() -> None:
    torch.manual_seed(0)
    model = ThVqvae(ThVqvaeConfig(width=16, heads=2, feedforward=16, decoder_feedforward=16, codes=64)).eval()
    motion = torch.randn(1, 32, 53)
    before = model.encode_targets(motion)
    model.quantizer_top.codebook += 3.0
    after = model.encode_targets(motion)
    assert not torch.equal(before[1], after[1])
