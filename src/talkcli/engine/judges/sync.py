"""Our judge of synchrony: two towers, of lip curves and of speech, whose features are near where both fit.

Axis names: `batch`, `frames` (25 fps), `hops` (100 Hz, four per frame), `curves` (`LIP_CURVES`), `windows` =
`frames` - `window` + 1, `features`. It stands in for SyncNet (Chung & Zisserman 2016) where its weights are
missing, and has its form: a window of five frames and of the same 20 hops of sound. It sees lip curves in
place of pictures, so that it judges any motion whose topology has landmarks. Features have length 1, so a
distance lies between 0 and 2, and distances of features that do not belong together are about 1.4.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.face.lip_curves import LIP_CURVES
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import SAMPLES_PER_FRAME, Config, Layers, Speech, Width


class SyncConfig(Config):
    """Sizes of the judge; the defaults are those of the one that comes with talk."""

    ear: LogMelConfig = LogMelConfig(num_mels=40, prosody=False)
    """The log-mel features that it hears."""
    width: Width = 192
    """Channels inside the towers."""
    layers: Layers = 2
    """Convolutions over three frames in a tower: each makes the window two frames longer."""
    features: Width = 64
    """Number of features."""

    @property
    def window(self) -> int:
        """The number of frames in a window."""
        return 2 * self.layers + 1


class SyncJudge(nn.Module):
    """The two towers."""

    method = "sync"

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.config = config
        self.ear = LogMel(config.ear)
        self.curve_scale = Standardise(len(LIP_CURVES))
        self.seeing = _tower(len(LIP_CURVES), config)
        self.hearing = _tower(HOPS_PER_FRAME * self.ear.num_channels, config)
        # Logarithm of the factor on cosines in the training's softmax.
        self.sharpness = nn.Parameter(torch.tensor(2.0))

    @property
    def ears(self) -> dict[str, Ear]:
        return {"log_mel": self.ear}

    def see(self, curves: Float[Tensor, "batch frames curves"]) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of lip curves."""
        return _through(self.seeing, self.curve_scale(curves))

    def hear(self, sound: Sound) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of the log-mel features in `sound`."""
        hops = sound["log_mel"]
        return _through(self.hearing, hops.reshape(len(hops), -1, HOPS_PER_FRAME * hops.shape[2]))


@torch.inference_mode()
def features(
    judge: SyncJudge, curves: Float[np.ndarray, "frames curves"], speech: Speech
) -> tuple[Float[np.ndarray, "windows features"], Float[np.ndarray, "windows features"]]:
    """Return the features of lips and of sound for every window that both fill.

    Args:
        judge: Judge with weights.
        curves: Lip curves at 25 fps.
        speech: Sound of 16 kHz, which begins with the first frame.

    Raises:
        ValueError: When there is no window.
    """
    frames = min(len(curves), len(speech.samples) // SAMPLES_PER_FRAME)
    if frames < judge.config.window:
        raise ValueError(f"{frames} frames are too few for a window of {judge.config.window}")
    samples = torch.from_numpy(speech.samples[: frames * SAMPLES_PER_FRAME])[None]
    seen = judge.see(torch.from_numpy(curves[:frames].astype(np.float32))[None])
    return seen[0].numpy(), judge.hear({"log_mel": judge.ear(samples)})[0].numpy()


def _tower(channels: int, config: SyncConfig) -> nn.Sequential:
    width = config.width
    layers: list[nn.Module] = [nn.Conv1d(channels, width, 1), nn.GELU()]
    for _ in range(config.layers):
        layers += [nn.Conv1d(width, width, 3), nn.GELU()]
    return nn.Sequential(*layers, nn.Conv1d(width, config.features, 1))


def _through(
    tower: nn.Sequential, x: Float[Tensor, "batch frames channels"]
) -> Float[Tensor, "batch windows features"]:
    return F.normalize(tower(x.transpose(1, 2)).transpose(1, 2), dim=-1)
