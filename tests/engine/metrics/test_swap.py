"""What a swap changes, on gaps and vertices made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.swap import bilabial_mm, closed_mm, opening_mm, swap_ratio, upper_face_mm
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment, Phone

# At 25 fps a b from frame 2 to 4, so that frames 1 to 4 are looked at; open before and after.
B = Alignment((Phone("AA", 0.0, 0.08), Phone("B", 0.08, 0.16), Phone("AA", 0.16, 0.4)), "aligned")
ONE = np.array([9.0, 9, 0.2, 3, 9, 9, 9, 9, 9, 9])
OTHER = np.array([9.0, 9, 3, 0.5, 9, 9, 5, 9, 9, 9])


def test_a_closure_may_come_a_frame_later() -> None:
    assert bilabial_mm(ONE, OTHER, B, 25.0) == pytest.approx(0.3)
    # As frames, the same two closures differ a lot.
    assert closed_mm(ONE, OTHER) == pytest.approx((2.8 + 2.5) / 2)
    assert opening_mm(ONE, OTHER) == pytest.approx((2.8 + 2.5 + 4) / 10)


def test_a_closure_that_is_lost_is_a_change() -> None:
    assert bilabial_mm(ONE, np.full(10, 9.0), B, 25.0) == pytest.approx(8.8)


def test_no_closure_to_look_at() -> None:
    open_mouth = Alignment((Phone("AA", 0.0, 0.4),), "aligned")
    with pytest.raises(UndefinedMetricError, match="p, b or m"):
        bilabial_mm(ONE, OTHER, open_mouth, 25.0)
    with pytest.raises(UndefinedMetricError, match="never close"):
        closed_mm(ONE + 1, OTHER + 1)


def test_vertices_are_metres_and_the_answer_is_millimetres() -> None:
    rest = np.zeros((3, 4, 3), dtype=np.float32)
    moved = rest.copy()
    moved[:, :2] = (0.003, 0.0, 0.004)
    assert upper_face_mm(rest, moved) == pytest.approx(2.5)


def test_the_ratio_is_one_of_means_over_clips_with_a_closure() -> None:
    upper, closure = np.array([1.0, 2.0, 50.0]), np.array([0.1, 0.5, np.nan])
    assert swap_ratio(upper, closure) == pytest.approx(5)
    # As far as the change can be seen, whatever it is.
    assert swap_ratio(upper, np.full(3, 0.01)) == pytest.approx(upper.mean() / 0.01)
    # Closures that stay are not divided by, and no floor takes their place.
    for still in (0.0, 1e-6, 0.0099):
        with pytest.raises(UndefinedMetricError, match=r"under 0\.01 mm"):
            swap_ratio(upper, np.array([still, still, np.nan]))
    with pytest.raises(UndefinedMetricError):
        swap_ratio(upper, np.full(3, np.nan))
