"""Which capture makes which channel, the face at rest, gaps, and the lag between the two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, ARKIT, JAW_OPEN_RAD
from talkcli.engine.types import Motion
from talkcli.engine.video.merge import (
    FROM_SCORES,
    check_scored,
    lag_frames,
    merged,
    rest_scores,
    scored_motion,
)

FRAMES, FPS = 100, 25.0


def fitted(**channels: np.ndarray | float) -> Motion:
    coeffs = np.zeros((FRAMES, len(ADA)), np.float32)
    for name, values in channels.items():
        coeffs[:, ADA.index(name)] = values
    pose = np.full((FRAMES, 3), 0.1, np.float32)
    return Motion(coeffs=coeffs, fps=FPS, head="ada", channels=ADA, pose=pose)


def scores(**curves: np.ndarray | float) -> np.ndarray:
    found = np.zeros((FRAMES, len(ARKIT)), np.float32)
    for name, values in curves.items():
        found[:, ARKIT.index(name)] = values
    return found


def column(motion: Motion, name: str) -> np.ndarray:
    return motion.coeffs[:, ADA.index(name)]


def bump(centre: int, width: float = 3.0) -> np.ndarray:
    return np.exp(-0.5 * ((np.arange(FRAMES) - centre) / width) ** 2)


def test_rest_becomes_0_and_1_stays_1() -> None:
    seen = scores(browInnerUp=np.where(np.arange(FRAMES) < 70, 0.3, 1.0), jawOpen=0.5 * bump(50))
    seen[5] = np.nan
    rest = rest_scores(seen)
    assert rest[ARKIT.index("browInnerUp")] == pytest.approx(0.3)
    motion = scored_motion(seen, rest, fitted())
    assert column(motion, "browInnerUp")[:70] == pytest.approx(0, abs=1e-6)
    assert column(motion, "browInnerUp")[70:] == pytest.approx(1)
    assert column(motion, "jawPitch").max() == pytest.approx(0.5 * JAW_OPEN_RAD, rel=0.01)
    assert np.array_equal(motion.pose, fitted().pose)
    # Another film's rest moves the level.
    elsewhere = scored_motion(seen, rest_scores(scores(browInnerUp=0.0)), fitted())
    assert column(elsewhere, "browInnerUp")[0] == pytest.approx(0.3)


def test_a_face_that_is_never_scored_is_an_error() -> None:
    with pytest.raises(InputError, match="in none of 100 pictures"):
        rest_scores(np.full((FRAMES, len(ARKIT)), np.nan, np.float32))


def test_short_gaps_are_bridged_and_long_ones_go_through_rest() -> None:
    seen = scores(mouthPucker=0.8)
    seen[[*range(20, 25), *range(40, 60), 99]] = np.nan
    pucker = column(scored_motion(seen, np.zeros(52), fitted()), "mouthPucker")
    assert pucker[:40] == pytest.approx(0.8)
    assert pucker[43:57] == pytest.approx(0, abs=1e-6)
    assert 0 < pucker[40] < 0.8
    assert pucker[60:99] == pytest.approx(0.8)
    assert pucker[99] < 0.8


def test_each_channel_is_of_the_capture_that_the_table_names() -> None:
    low, high = fitted(**dict.fromkeys(ADA, 0.1)), fitted(**dict.fromkeys(ADA, 0.5))
    both = merged(low, high)
    chosen = {name for name in ADA if column(both, name)[0] == pytest.approx(0.5)}
    assert chosen == {name for name in ADA if name.startswith(tuple(FROM_SCORES))}
    # No row of the table names nothing, and the speaking mouth stays that of the landmarks.
    assert all(any(name.startswith(start) for name in ADA) for start in FROM_SCORES)
    assert not any(name.startswith(("mouth", "jaw", "lip")) for name in chosen)
    assert np.array_equal(both.pose, low.pose)
    assert (column(low, "browInnerUp") == np.float32(0.1)).all()


@pytest.mark.parametrize("late", [0, 2, -3])
def test_the_lag_is_found(late: int) -> None:
    blinks = bump(30) + bump(70, 2)
    one = fitted(eyeBlinkLeft=blinks, eyeBlinkRight=blinks, jawPitch=0.3 * bump(50, 6))
    other = replace(one, coeffs=np.roll(0.6 * one.coeffs, late, axis=0))
    assert lag_frames(one, other) == pytest.approx(late, abs=0.1)


def test_faces_that_do_not_move_tell_no_lag() -> None:
    assert lag_frames(fitted(), fitted(eyeBlinkLeft=bump(50))) is None


def test_a_blink_at_the_very_beginning_tells_no_lag() -> None:
    """It moves in the whole clip, but hardly in the pictures that are compared."""
    blink = (np.arange(FRAMES) < 4).astype(np.float32)
    noise = np.random.default_rng(0).normal(0, 1e-4, (2, FRAMES))
    one, other = (fitted(eyeBlinkLeft=blink + each, eyeBlinkRight=blink + each) for each in noise)
    assert lag_frames(one, other) is None


def test_curves_of_different_movements_or_far_apart_tell_no_lag() -> None:
    one, other = np.random.default_rng(1).uniform(0, 1, (2, FRAMES))
    assert lag_frames(fitted(jawPitch=one), fitted(jawPitch=other)) is None
    assert lag_frames(fitted(jawPitch=bump(45)), fitted(jawPitch=bump(55))) is None


def test_half_the_pictures_without_a_score_are_refused_and_long_gaps_unless_allowed() -> None:
    seen = scores(mouthPucker=0.8)
    seen[::2] = np.nan
    check_scored(seen, FPS, gaps=False)
    seen[1] = np.nan
    with pytest.raises(InputError, match=r"face in 49% of the pictures, 50% are needed"):
        check_scored(seen, FPS, gaps=True)
    seen = scores(mouthPucker=0.8)
    seen[50:] = np.nan
    check_scored(seen, FPS, gaps=True)
    with pytest.raises(InputError, match=r"not find the face in 2\.00-4\.00 s") as caught:
        check_scored(seen, FPS, gaps=False)
    assert "capture=landmarks" in (caught.value.hint or "")
    seen = scores(mouthPucker=0.8)
    seen[10:15] = np.nan
    check_scored(seen, FPS, gaps=False)
