"""Precision and chance of closures, on tracks whose values are known; 25 fps, frame k at 40 k + 20 ms."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.bilabial_closure import bilabial_closure
from talkcli.engine.metrics.closure_precision import closure_chance, closure_precision
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import SILENCE
from tests.engine.metrics.test_phone_measures import FPS, saying, track

# B is from 400 to 440 ms; silence from 1000 to 1200 ms.
SAID = saying(("AA", 400), ("B", 40), ("S", 560), (SILENCE, 200), ("IY", 400))


def test_a_closure_belongs_to_a_phone_that_closes() -> None:
    # Frame 10 is B; frames 17 and 18 are one closure in S; 26 lies in the silence; 35 in IY.
    gap = track(40, f10=0.5, f17=0.0, f18=0.9, f26=0.0, f35=0.2)
    assert closure_precision(gap, SAID, FPS) == (0.5, 4)
    assert closure_precision(track(40, f9=0.5), SAID, FPS) == (1.0, 1)
    assert closure_precision(track(40, f7=0.5), SAID, FPS) == (0.0, 1)
    # Behind the last phone nobody speaks.
    assert closure_precision(track(50, f45=0.0), SAID, FPS) == (1.0, 1)
    with pytest.raises(UndefinedMetricError, match="closure"):
        closure_precision(track(40), SAID, FPS)


def test_a_mouth_that_is_always_closed_has_full_recall_and_full_chance() -> None:
    shut = np.zeros(40)
    assert bilabial_closure(shut, SAID, FPS)[0] == 1.0
    assert closure_chance(shut, SAID, FPS)[0] == 1.0
    assert closure_chance(track(40), SAID, FPS)[0] == 0.0


def test_chance_is_the_share_of_windows_with_a_closed_frame() -> None:
    share, count = closure_chance(track(40, f20=0.0), SAID, FPS)
    # Windows lie from 0 to 360, 480 to 960 and 1240 to 1600 ms and start every 10 ms; some hold no middle of
    # a frame. Frame 20, at 820 ms, lies in those that start from 760 to 820 ms.
    assert share == pytest.approx(7 / count)
    assert closure_chance(track(40, f10=0.0, f27=0.0), SAID, FPS) == (0.0, count)
    with pytest.raises(UndefinedMetricError, match="window"):
        closure_chance(track(3), saying(("B", 120)), FPS)
