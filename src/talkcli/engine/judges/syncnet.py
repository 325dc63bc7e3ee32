"""SyncNet v2: two towers that tell whether a mouth and a piece of speech belong together.

Axis names: `windows` (five frames of 25 fps, one window per frame), `rows` = `columns` = 224, `cepstra` = 13,
`ticks` = 20 (100 Hz), `features` = 1024. Source: Chung & Zisserman 2016, in the second version of the public
script SyncNetModel.py; the tensors have its names. Wav2Lip scores with the same network and the same file.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from talkcli.engine.audio.mfcc import TICK_HZ, as_int16, mfcc
from talkcli.engine.types import MODEL_FPS, Speech

# Side in pixels of the pictures, and length of a window in frames and in ticks of sound.
SIDE = 224
WINDOW_FRAMES = 5
TICKS_PER_FRAME = TICK_HZ // MODEL_FPS
_WINDOW_TICKS = WINDOW_FRAMES * TICKS_PER_FRAME
# Number of windows that go through a tower at once, as in the public script.
_BATCH = 20


class SyncNet(nn.Module):
    """The two towers: 13 631 616 parameters. The network is frozen and stays in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv2d(1, 64, 3, padding=1),
            nn.MaxPool2d(1, stride=1),
            *_conv2d(64, 192, 3, padding=1),
            nn.MaxPool2d(3, stride=(1, 2)),
            *_conv2d(192, 384, 3, padding=1),
            *_conv2d(384, 256, 3, padding=1),
            *_conv2d(256, 256, 3, padding=1),
            nn.MaxPool2d(3, stride=2),
            *_conv2d(256, 512, (5, 4)),
        )
        self.netfcaud = _connected()
        self.netcnnlip = nn.Sequential(
            *_conv3d(3, 96, (5, 7, 7), stride=(1, 2, 2)),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_conv3d(96, 256, (1, 5, 5), stride=(1, 2, 2), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            *_conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            *_conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_conv3d(256, 512, (1, 6, 6)),
        )
        self.netfclip = _connected()
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> SyncNet:
        """Stay in evaluation mode and ignore `mode`."""
        del mode
        super().train(False)
        return self

    def hear(self, sound: Float[Tensor, "windows 1 13 20"]) -> Float[Tensor, "windows 1024"]:
        """Return the features of windows of MFCC, cepstra by ticks."""
        return self.netfcaud(self.netcnnaud(sound).flatten(1))

    def see(self, seen: Float[Tensor, "windows 3 5 224 224"]) -> Float[Tensor, "windows 1024"]:
        """Return the features of windows of pictures: blue, green, red (in this order) from 0 to 255."""
        return self.netfclip(self.netcnnlip(seen).flatten(1))


@torch.inference_mode()
def features(
    network: SyncNet, pictures: Iterable[UInt8[np.ndarray, "_ 224 224 3"]], speech: Speech
) -> tuple[Float[np.ndarray, "windows 1024"], Float[np.ndarray, "windows 1024"]]:
    """Return the features of pictures and of sound for every window that both fill.

    As in SyncNetInstance.py, window i covers the frames i to i + 4 and the ticks 4 i to 4 i + 19; the shorter
    of the two inputs ends the clip, and the last full window is left out.

    Args:
        network: SyncNet with weights.
        pictures: Frames of 25 fps in blocks, red, green, blue.
        speech: Sound of 16 kHz, which begins with the first frame.

    Raises:
        ValueError: When there is no window.
    """
    cepstra = torch.from_numpy(mfcc(as_int16(speech.samples)).T.astype(np.float32))
    sounding = len(speech.samples) * MODEL_FPS // speech.rate_hz
    seen, heard, frames, done = [], [], 0, 0
    kept = np.zeros((0, SIDE, SIDE, 3), np.uint8)
    for block in pictures:
        frames += len(block)
        kept = np.concatenate([kept, block])
        while (some := min(len(kept) - WINDOW_FRAMES, sounding - WINDOW_FRAMES - done, _BATCH)) > 0:
            # The public script reads pictures with OpenCV, whose order is blue, green, red.
            bgr = torch.from_numpy(np.ascontiguousarray(kept[: some + WINDOW_FRAMES - 1, ..., ::-1]))
            stack = bgr.float().permute(3, 0, 1, 2).unfold(1, WINDOW_FRAMES, 1)
            seen.append(network.see(stack.permute(1, 0, 4, 2, 3)))
            ticks = [index * TICKS_PER_FRAME for index in range(done, done + some)]
            windows = torch.stack([cepstra[None, :, at : at + _WINDOW_TICKS] for at in ticks])
            heard.append(network.hear(windows))
            kept, done = kept[some:], done + some
        if 0 < done >= sounding - WINDOW_FRAMES:
            break
    if done == 0:
        few = min(frames, sounding)
        raise ValueError(f"{few} frames are too few: SyncNet needs more than {WINDOW_FRAMES}")
    return torch.cat(seen).numpy(), torch.cat(heard).numpy()


def _conv2d(
    before: int, after: int, kernel: int | tuple[int, int], *, padding: int = 0
) -> tuple[nn.Module, nn.Module, nn.Module]:
    return nn.Conv2d(before, after, kernel, padding=padding), nn.BatchNorm2d(after), nn.ReLU()


def _conv3d(
    before: int,
    after: int,
    kernel: tuple[int, int, int],
    *,
    stride: tuple[int, int, int] = (1, 1, 1),
    padding: tuple[int, int, int] = (0, 0, 0),
) -> tuple[nn.Module, nn.Module, nn.Module]:
    conv = nn.Conv3d(before, after, kernel, stride=stride, padding=padding)
    return conv, nn.BatchNorm3d(after), nn.ReLU()


def _connected() -> nn.Sequential:
    """Return the two layers that end a tower."""
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))
