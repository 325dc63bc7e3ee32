"""Windows of long speech: they cover everything, fade into one another, and hear what the whole would."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from talkcli.engine.audio.ear import Ear, Waveform, hear
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.device import seeded
from talkcli.engine.models.windows import Stretches, cross_fade, spans, starts
from talkcli.engine.types import SAMPLES_PER_FRAME

WINDOW, OVERLAP = 500, 76


@pytest.mark.parametrize("frames", [4, OVERLAP, WINDOW, WINDOW + 4, 3 * WINDOW])
def test_windows_cover_everything_once(frames: int) -> None:
    windows = spans(frames, WINDOW, OVERLAP)
    assert windows[0][0] == 0
    assert windows[-1][1] == frames
    for (_, end), (start, _) in pairwise(windows):
        assert end - start == OVERLAP
    assert all((end - start) % 4 == 0 and end - start <= WINDOW for start, end in windows)
    # Pieces of one signal fade into that signal.
    signal = torch.randn(1, frames, 2, generator=seeded(0))
    joined = cross_fade((signal[:, start:end] for start, end in windows), frames, OVERLAP)
    assert torch.allclose(joined, signal, atol=1e-6)


def test_a_fade_goes_from_one_window_to_the_next() -> None:
    faded = cross_fade([torch.zeros(1, 6, 1), torch.ones(1, 6, 1)], 9, 3)[0, :, 0]
    assert faded.tolist() == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]


@pytest.mark.parametrize(("total", "wanted"), [(3, [0]), (10, [0]), (11, [0, 1]), (25, [0, 7, 15])])
def test_even_windows_reach_both_ends(total: int, wanted: list[int]) -> None:
    assert starts(total, 10) == wanted


@pytest.mark.parametrize("window", [8, 1000])
def test_stretches_are_parts_of_the_whole(window: int) -> None:
    """Heard at once or piece by piece, with the end of the samples inside a frame and silence after it."""
    ears: dict[str, Ear] = {"log_mel": LogMel(LogMelConfig(num_mels=20)), "waveform": Waveform()}
    frames = 50
    samples = 0.1 * torch.randn(2, 47 * SAMPLES_PER_FRAME - 99, generator=seeded(0))
    # Only the middle is loud: a stretch alone would be measured against another level.
    samples[:, 10_000:20_000] *= 5
    whole = hear(ears, torch.nn.functional.pad(samples, (0, frames * SAMPLES_PER_FRAME - samples.shape[1])))
    stretches = Stretches(ears, samples, frames=frames, window=window)
    for first, last in ((0, 4), (3, 20), (44, 50)):
        part = stretches(first, last)
        for name, ear in ears.items():
            steps = slice(first * ear.steps_per_frame, last * ear.steps_per_frame)
            assert torch.allclose(part[name], whole[name][:, steps], atol=1e-5), name
    assert torch.allclose(stretches.steps("log_mel", 5, 18), whole["log_mel"][:, 5:18], atol=1e-5)
