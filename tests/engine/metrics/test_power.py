"""What metrics tell apart, on generated clips: late lips, still brows, jitter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from talkcli.engine.metrics.fdd import fdd_m2
from talkcli.engine.metrics.jerk import jerkiness
from talkcli.engine.metrics.lip_dtw import lip_dtw_mm
from talkcli.engine.metrics.lve import lve_mm
from talkcli.engine.metrics.mod import mod_mm
from talkcli.engine.metrics.mtm import mtm_frames
from talkcli.engine.metrics.silence_closed import silence_closed
from talkcli.engine.metrics.sync import sync_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.metrics.warping import warping_path
from talkcli.engine.types import Speech

FPS, FRAMES = 25.0, 200
SHIFTS = (0, 1, 3, 8)


def opening(seed: int = 0, slowness: int = 1) -> np.ndarray:
    """Syllables of unequal length and height, in millimetres, with a pause in the middle."""
    draw = np.random.default_rng(seed)
    track = np.zeros(FRAMES + 40)
    at = 3
    while at < len(track) - 12 * slowness:
        length = slowness * int(draw.integers(5, 12))
        if slowness > 1 or not 100 < at < 115:
            track[at : at + length] += draw.uniform(4, 12) * np.hanning(length)
        at += length
    return track


def speech_of(track: np.ndarray) -> Speech:
    """A sound as loud as the mouth is open."""
    draw = np.random.default_rng(1)
    samples = draw.normal(0, 0.02, 640 * len(track)) * np.repeat(track, 640)
    return Speech(samples=samples.astype(np.float32))


def late(track: np.ndarray, frames: int) -> np.ndarray:
    return track[20 - frames : 20 - frames + FRAMES]


@pytest.mark.parametrize("seed", range(3))
def test_later_lips_are_worse_for_timing_and_not_for_the_warped_error(seed: int) -> None:
    track = opening(seed)
    true = late(track, 0)
    speech = speech_of(true)
    # MTM counts extrema up to the neighbouring true ones, so that it sees 8 frames in slow openings only.
    slow = opening(seed, slowness=4)
    timing = [mtm_frames(late(slow, shift), late(slow, 0)) for shift in SHIFTS]
    lags = [sync_correlation(late(track, shift), speech, FPS, 400.0)[1] for shift in SHIFTS]
    found = [sync_correlation(late(track, shift), speech, FPS)[0] for shift in SHIFTS]
    errors = [mod_mm(late(track, shift), true) for shift in SHIFTS]
    warped = [lip_dtw_mm(late(track, shift), true) for shift in SHIFTS]
    assert timing[0] == 0
    assert all(one < other for one, other in pairwise(timing))
    assert lags == [shift * 40.0 for shift in SHIFTS]
    # Within 80 ms a lag of 1 frame is found, and longer ones are not.
    assert found[3] < found[2] < found[0]
    assert errors[0] == 0 < errors[1] < errors[2]
    assert max(warped) < 0.2 * min(errors[1:])


def test_a_flatter_mouth_is_worse_for_the_errors_and_not_for_timing() -> None:
    true = late(opening(), 0)
    flat = 0.5 * true
    assert mtm_frames(flat, true) == 0
    assert mod_mm(flat, true) == pytest.approx(true.mean() / 2)
    assert lip_dtw_mm(flat, true) > 0
    with pytest.raises(UndefinedMetricError):
        mtm_frames(0 * true, true)


def face(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lips that open by `opening`, and brows that move, in metres; and the brows at rest."""
    draw = np.random.default_rng(seed)
    lips = np.zeros((FRAMES, 6, 3))
    lips[:, 3:, 1] = -late(opening(seed), 0)[:, None] / 1e3
    rest = draw.normal(0, 0.02, (5, 3))
    sway = 0.003 * np.sin(0.3 * np.arange(FRAMES)[:, None] + np.arange(5)[None])
    return lips, rest + sway[..., None], rest


def test_still_brows_are_worse_for_fdd_and_not_for_closure() -> None:
    lips, brows, rest = face()
    still = np.repeat(rest[None], FRAMES, axis=0)
    assert fdd_m2(brows, brows, rest) == 0
    half = fdd_m2(rest + 0.5 * (brows - rest), brows, rest)
    assert fdd_m2(still, brows, rest) > half > 0
    gap_mm = -1e3 * lips[:, 3, 1]
    speech = speech_of(gap_mm)
    assert silence_closed(gap_mm, speech, FPS)[0] == pytest.approx(1)
    assert lve_mm(lips, lips) == 0


def test_jitter_is_worse_for_jerk_and_not_for_fdd_or_timing() -> None:
    lips, brows, rest = face()
    draw = np.random.default_rng(3)
    # A tenth of a millimetre, from frame to frame.
    jittery = lips + draw.normal(0, 1e-4, lips.shape)
    jerks = [jerkiness(motion) for motion in (lips, jittery)]
    assert jerks[1] > 1.05 * jerks[0]
    gaps = [1e3 * np.abs(motion[:, 3, 1] - motion[:, 0, 1]) for motion in (lips, jittery)]
    assert mtm_frames(gaps[1], gaps[0]) < 0.3
    shaken = brows + draw.normal(0, 1e-4, brows.shape)
    muted = fdd_m2(np.repeat(rest[None], FRAMES, axis=0), brows, rest)
    assert abs(fdd_m2(shaken, brows, rest)) < 0.02 * muted


def test_the_warping_path_is_the_cheapest_one() -> None:
    draw = np.random.default_rng(0)
    for rows, columns in ((1, 1), (1, 4), (5, 1), (4, 6), (7, 3)):
        costs = draw.random((rows, columns))
        path = warping_path(costs)
        steps = np.diff(path, axis=0)
        assert path[0].tolist() == [0, 0]
        assert path[-1].tolist() == [rows - 1, columns - 1]
        assert np.isin(steps, (0, 1)).all()
        assert (steps.sum(axis=1) > 0).all()
        best = np.full((rows, columns), np.inf)
        for i in range(rows):
            for j in range(columns):
                before = [
                    best[a, b] for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if a >= 0 and b >= 0
                ]
                best[i, j] = costs[i, j] + (min(before) if before else 0)
        assert costs[path[:, 0], path[:, 1]].sum() == pytest.approx(best[-1, -1])


def test_equally_cheap_steps_go_along_both_tracks_first() -> None:
    assert warping_path(np.zeros((3, 3))).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert warping_path(np.zeros((3, 2))).tolist() == [[0, 0], [1, 0], [2, 1]]


def test_a_clip_that_would_fill_the_memory_is_refused() -> None:
    costs = np.broadcast_to(np.zeros(1), (10_000, 10_000))
    with pytest.raises(UndefinedMetricError, match="too long"):
        warping_path(costs)
