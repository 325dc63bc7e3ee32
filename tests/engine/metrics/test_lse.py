"""LSE: the golden numbers of the public script, an independent form of it, and a known shift."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from talkcli.engine.metrics.lse import lse


@pytest.mark.parametrize("shift", [15, 10])
def test_golden(shift: int) -> None:
    times, columns = np.arange(30)[:, None], np.arange(16)
    video = np.sin(0.7 * times + 0.11 * columns)
    audio = np.sin(0.7 * (times - 2) + 0.11 * columns) + 0.05 * np.cos(0.3 * times * columns)
    found = lse(video, audio, shift)
    assert found.offset == -2
    assert found.distance == pytest.approx(0.351186504313, rel=1e-9)
    assert found.confidence == pytest.approx(3.13211895848, rel=1e-9)


def test_equals_torch() -> None:
    """The lines of the script, with torch's own distance and median."""
    rng = np.random.default_rng(0)
    video, audio = rng.standard_normal((2, 40, 6))
    padded = F.pad(torch.from_numpy(audio), (0, 0, 15, 15))
    each = [
        F.pairwise_distance(torch.from_numpy(video[[at]]).expand(31, -1), padded[at : at + 31])
        for at in range(40)
    ]
    means = torch.stack(each, 1).mean(1)
    least, best = means.min(0)
    assert lse(video, audio) == pytest.approx((15 - int(best), float(least), float(means.median() - least)))


@pytest.mark.parametrize("late", [-8, -3, -1, 0, 1, 3, 8])
def test_known_shift(late: int) -> None:
    """Sound that comes `late` frames after the pictures has the offset -late."""
    features = np.random.default_rng(1).standard_normal((80, 8))
    found = lse(features[20:60], features[20 - late : 60 - late])
    assert found.offset == -late
    # Windows beyond the clip are zeros, so that only the others fit.
    assert (found.distance < 1e-5) == (late == 0)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        lse(np.zeros((0, 2)), np.zeros((0, 2)))
