"""What our judges of synchrony share: a tower that hears, and features that are near where both fit.

Axis names: `batch`, `frames` (25 fps), `hops` (100 Hz, four per frame), `windows` = `frames` - `window` + 1,
`features`. The form is SyncNet's (Chung & Zisserman 2016): a window of five frames and of the same 20 hops of
sound. Features have length 1, so a distance lies between 0 and 2, and distances of features that do not
belong together are about 1.4.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.types import SAMPLES_PER_FRAME, Config, Layers, Speech, Width


class TwoTowersConfig(Config):
    """Sizes that every judge of synchrony has; the defaults are those of the judges that come with talk."""

    ear: LogMelConfig = LogMelConfig(num_mels=40, prosody=False)
    """The log-mel features that it hears."""
    width: Width = 192
    """Channels inside a tower over time."""
    layers: Layers = 2
    """Convolutions over three frames in a tower: each makes the window two frames longer."""
    features: Width = 64
    """Number of features."""

    @property
    def window(self) -> int:
        """The number of frames in a window."""
        return 2 * self.layers + 1


class TwoTowers(nn.Module):
    """A judge of synchrony; a derived class sees."""

    def __init__(self, config: TwoTowersConfig) -> None:
        super().__init__()
        self.ear = LogMel(config.ear)
        self.hearing = tower(HOPS_PER_FRAME * self.ear.num_channels, config)
        # Logarithm of the factor on cosines in the training's softmax.
        self.sharpness = nn.Parameter(torch.tensor(2.0))

    @property
    def ears(self) -> dict[str, Ear]:
        return {"log_mel": self.ear}

    def see(self, seen: Float[Tensor, "batch frames ..."]) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of what is seen of a mouth."""
        raise NotImplementedError

    def hear(self, sound: Sound) -> Float[Tensor, "batch windows features"]:
        """Return the features of every window of the log-mel features in `sound`."""
        hops = sound["log_mel"]
        return through(self.hearing, hops.reshape(len(hops), -1, HOPS_PER_FRAME * hops.shape[2]))


def tower(channels: int, config: TwoTowersConfig) -> nn.Sequential:
    """Return a tower of convolutions over time, which reads `channels` numbers a frame."""
    width = config.width
    layers: list[nn.Module] = [nn.Conv1d(channels, width, 1), nn.GELU()]
    for _ in range(config.layers):
        layers += [nn.Conv1d(width, width, 3), nn.GELU()]
    return nn.Sequential(*layers, nn.Conv1d(width, config.features, 1))


def through(
    layers: nn.Sequential, x: Float[Tensor, "batch frames channels"]
) -> Float[Tensor, "batch windows features"]:
    """Return the features, of length 1, that a tower makes of every window."""
    return F.normalize(layers(x.transpose(1, 2)).transpose(1, 2), dim=-1)


def both_fill(frames: int, speech: Speech, window: int) -> int:
    """Return the number of frames that pictures or curves and sound both fill.

    Raises ValueError when there is no window.
    """
    both = min(frames, len(speech.samples) // SAMPLES_PER_FRAME)
    if both < window:
        raise ValueError(f"{both} frames are too few for a window of {window}")
    return both


def heard(judge: TwoTowers, speech: Speech, frames: int) -> Float[np.ndarray, "windows features"]:
    """Return the features of sound of 16 kHz, which begins with the first of `frames` frames."""
    samples = torch.from_numpy(speech.samples[: frames * SAMPLES_PER_FRAME])[None]
    return judge.hear({"log_mel": judge.ear(samples)})[0].numpy()
