"""Numbers of frames that published models make of a length of sound.

Source: FaceFormer's and CodeTalker's released code (facts sheet of the baselines, its corrections). Steps are
outputs of the convolutions of wav2vec 2.0, 50 a second.
"""

from __future__ import annotations

from talkcli.engine.audio.strided import num_steps


def resampled_frames(samples: int, fps: int) -> int:
    """Return the number of frames to which FaceFormer resamples the steps of `samples` (16 kHz).

    It is computed in floating point, as published: at 30 fps, 205 steps and some other numbers give one frame
    less than whole numbers would.
    """
    return int(num_steps(samples) / 50.0 * fps)


def paired_frames(samples: int) -> int:
    """Return the number of frames of two steps each in `samples` (BIWI, 25 fps); an odd step is dropped."""
    return num_steps(samples) // 2
