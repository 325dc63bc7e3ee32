"""The bank of mel bands is torchaudio's, to the bit: networks were trained on it."""

from __future__ import annotations

import warnings

import pytest
import torch
import torchaudio.functional as taf

from talkcli.engine.audio.mel_bank import mel_bank


@pytest.mark.parametrize("num_mels", [1, 20, 80, 128])
@pytest.mark.parametrize(("low_hz", "high_hz"), [(60.0, 7600.0), (0.0, 8000.0), (60.0, 900.0)])
def test_it_is_torchaudios(num_mels: int, low_hz: float, high_hz: float) -> None:
    made = mel_bank(257, low_hz, high_hz, num_mels, 16_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Narrow bands may lie between two bins.
        wanted = taf.melscale_fbanks(257, low_hz, high_hz, num_mels, 16_000, mel_scale="slaney")
    assert torch.equal(made, wanted)
    assert float(made.max()) > 0
