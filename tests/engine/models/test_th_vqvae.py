"""The motion prior."""

import pytest
import torch

from talkcli.engine.models.th_vqvae import ThVqvae, ThVqvaeConfig

SMALL = ThVqvaeConfig(width=16, heads=2, feedforward=16, decoder_feedforward=16, codes=12)


@pytest.mark.parametrize("frames", [4, 32, 100])
def test_lengths(frames: int) -> None:
    torch.manual_seed(0)
    coded = ThVqvae(SMALL).eval()(torch.randn(2, frames, 53))
    assert coded.coeffs.shape == (2, frames, 53)
    assert coded.top.shape == (2, frames // 4)
    assert coded.bottom.shape == (2, frames // 2)


def test_other_lengths_must_be_padded_first() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        ThVqvae(SMALL)(torch.randn(1, 30, 53))


def test_codes_decode_to_what_was_reconstructed() -> None:
    torch.manual_seed(0)
    model = ThVqvae(SMALL).eval()
    coded = model(torch.randn(1, 16, 53))
    top, bottom = model.quantizer_top.codebook[coded.top], model.quantizer_bottom.codebook[coded.bottom]
    assert torch.allclose(model.decode(top, bottom), coded.coeffs, atol=1e-5)


def test_released_size() -> None:
    # The release stores 3,033,145 numbers: besides weights 98,816 in running sums and counts of codes,
    # 1,540 of batch normalisation, and 147,840 of a layer whose output is thrown away.
    model = ThVqvae(ThVqvaeConfig())
    codebooks = model.quantizer_top.codebook.numel() + model.quantizer_bottom.codebook.numel()
    weights = sum(value.numel() for value in model.parameters())
    assert weights + codebooks == 3_033_145 - 98_816 - 1_540 - 147_840
