"""Measures of lips by phone, on tracks whose values are known; 25 fps, so that frame k is at 40 k + 20 ms."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.bilabial_closure import bilabial_closure
from talkcli.engine.metrics.false_closure import false_closure
from talkcli.engine.metrics.labiodental_contact import contact, labiodental_contact
from talkcli.engine.metrics.openness_order import OPENNESS, openness_order
from talkcli.engine.metrics.phone_frames import at_middles, between
from talkcli.engine.metrics.rounding import rounding_mm
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Alignment, Phone

FPS = 25.0


def saying(*phones: tuple[str, float]) -> Alignment:
    """Phones one after the other, each with its length in milliseconds."""
    made, at = [], 0.0
    for symbol, length in phones:
        made.append(Phone(symbol, at / 1000, (at + length) / 1000))
        at += length
    return Alignment(tuple(made), "aligned")


def track(length: int, **at: float) -> np.ndarray:
    """5 mm everywhere, but `f3=0.5` is 0.5 mm in frame 3."""
    values = np.full(length, 5.0)
    for name, value in at.items():
        values[int(name[1:])] = value
    return values


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [(0.1, 0.2, [2, 3, 4]), (0.101, 0.139, []), (-1.0, 0.02, [0]), (0.3, 9.0, [7, 8, 9]), (5.0, 9.0, [])],
)
def test_frames_between_two_times(start: float, end: float, frames: list[int]) -> None:
    assert list(range(10)[between(start, end, 10, FPS)]) == frames


def test_closures_are_counted_within_a_frame_of_the_phone() -> None:
    said = saying(("AA", 200), ("B", 40), ("AA", 200), ("M", 40), ("IY", 200), ("P", 40), ("S", 200))
    # B is from 200 to 240 ms, frames 4 to 6 within 40 ms of it; M from 440 to 480; P from 680 to 720.
    assert bilabial_closure(track(23), said, FPS) == (0.0, 3)
    assert bilabial_closure(track(23, f4=0.99, f12=0.0, f17=0.2), said, FPS) == (1.0, 3)
    assert bilabial_closure(track(23, f3=0.0, f13=0.0, f17=1.0), said, FPS) == (0.0, 3)
    assert bilabial_closure(track(23, f5=0.5), said, FPS)[0] == pytest.approx(1 / 3)


def test_phones_beyond_the_motion_do_not_count() -> None:
    said = saying(("B", 100), ("AA", 900), ("P", 100))
    assert bilabial_closure(track(12, f1=0.0), said, FPS) == (1.0, 1)
    with pytest.raises(UndefinedMetricError, match="no phone"):
        bilabial_closure(track(12), saying(("AA", 400)), FPS)


def test_closures_at_another_rate() -> None:
    said = saying(("AA", 200), ("B", 40), ("AA", 200))
    gap = np.full(60 * 44 // 100, 5.0)
    # At 60 fps frame 9 is at 158 ms, two milliseconds too early, frame 10 at 175 ms.
    gap[9] = 0
    assert bilabial_closure(gap, said, 60.0) == (0.0, 1)
    gap[10] = 0
    assert bilabial_closure(gap, said, 60.0) == (1.0, 1)


def test_false_closures_are_those_inside_of_long_vowels() -> None:
    said = saying(("S", 100), ("AA", 160), ("T", 40), ("IH", 80), ("K", 20), ("OW", 200))
    # Inside: AA from 120 to 240 ms; IH is not longer than 80 ms; OW from 420 to 580 ms.
    assert false_closure(track(15), said, FPS) == (0.0, 2)
    assert false_closure(track(15, f3=0.5), said, FPS) == (0.5, 2)
    assert false_closure(track(15, f2=0.5, f8=0.0, f9=0.0), said, FPS) == (0.0, 2)
    assert false_closure(track(15, f5=0.9, f13=0.9), said, FPS) == (1.0, 2)
    with pytest.raises(UndefinedMetricError, match="80 ms"):
        false_closure(track(15), saying(("IH", 80), ("S", 300)), FPS)


def test_next_to_a_closure_vowels_may_be_closed_for_longer() -> None:
    said = saying(("B", 80), ("AA", 160), ("T", 60))
    # AA begins at 80 ms: frame 2, at 100 ms, still belongs to B; frame 3, at 140 ms, does not.
    assert false_closure(track(8, f2=0.0), said, FPS) == (0.0, 1)
    assert false_closure(track(8, f3=0.0), said, FPS) == (1.0, 1)
    # Nothing is left inside of a short vowel between two closures.
    with pytest.raises(UndefinedMetricError):
        false_closure(track(8), saying(("B", 80), ("AA", 82), ("M", 60)), FPS)


# Teeth 30 mm wide whose edge is at 0, and a lip before them, 10 mm in front and 3 mm lower at rest.
TEETH = np.array([(x, y, 0.0) for x in np.linspace(-15, 15, 31) for y in (0.0, 4.0, 8.0)])
LIP = np.array([(x, y, 10.0) for x in np.linspace(-10, 10, 21) for y in (-3.0, -6.0)])


def lip(up: float, back: float) -> np.ndarray:
    return LIP + np.array((0.0, up, -back))


def test_the_lower_lip_must_be_high_and_near() -> None:
    frames = np.stack([lip(0, 0), lip(4, 0), lip(4, 3), lip(4, 5), lip(2, 8), lip(3, 8)])
    assert contact(frames, LIP, TEETH).tolist() == [False, False, False, True, False, True]
    # The unit does not matter.
    assert contact(frames / 1000, LIP / 1000, TEETH / 1000).tolist() == contact(frames, LIP, TEETH).tolist()


def test_contacts_are_counted_in_f_and_v() -> None:
    said = saying(("AA", 200), ("F", 80), ("AA", 200), ("V", 80), ("P", 200))
    frames = np.repeat(LIP[None], 19, axis=0)
    frames[6] = lip(4, 6)
    assert labiodental_contact(frames, LIP, TEETH, said, FPS) == (0.5, 2)
    with pytest.raises(UndefinedMetricError, match="no phone"):
        labiodental_contact(frames, LIP, TEETH, saying(("P", 200)), FPS)
    with pytest.raises(UndefinedMetricError, match="before the incisors"):
        contact(frames + 100, LIP + 100, TEETH)


def test_values_at_the_middles_of_phones() -> None:
    said = saying(("AA", 80), ("S", 40), ("AA", 120), ("IY", 800))
    found = at_middles(np.arange(8.0), said, ("AA", "S", "IY"), FPS)
    # Middles at 40, 100 and 180 ms; that of IY lies beyond the last frame.
    assert found["AA"] == pytest.approx([0.5, 4.0])
    assert found["S"] == pytest.approx([2.0])
    assert found["IY"] == []


def test_openness_is_a_rank_correlation_of_class_means() -> None:
    # AA's mean is the largest though its first value is not.
    openings = {"AA": [3.0, 21.0], "AE": [10.0], "EH": [8.0], "IH": [6.0], "S": [2.0]}
    assert openness_order(openings) == 1
    assert openness_order(dict(zip(OPENNESS, ([n] for n in (1.0, 2.0, 3.0, 4.0, 5.0)), strict=True))) == -1
    # One swap of neighbours costs 0.1, Spearman's 6 * 2 / (5 * 24).
    assert openness_order({**openings, "IH": [9.0]}) == pytest.approx(0.9)
    with pytest.raises(UndefinedMetricError, match="ih, s"):
        openness_order({"AA": [1.0], "AE": [1.0], "EH": [2.0], "IH": []})
    with pytest.raises(UndefinedMetricError, match="alike"):
        openness_order({symbol: [2.0] for symbol in OPENNESS})


def test_rounding_takes_all_round_phones_together() -> None:
    widths = {"IY": [60.0, 62.0], "UW": [40.0], "OW": [50.0, 54.0], "W": []}
    assert rounding_mm(widths) == pytest.approx(61 - 48)
    assert rounding_mm({"IY": [50.0], "W": [52.0]}) == pytest.approx(-2)
    with pytest.raises(UndefinedMetricError):
        rounding_mm({"IY": [], "W": [52.0]})
    with pytest.raises(UndefinedMetricError):
        rounding_mm({"IY": [50.0]})
