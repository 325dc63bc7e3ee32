"""Motion of ada from ARKit's scores of a face, alone or channel by channel beside the fit to its landmarks.

Axis names: `frames`, `scores` = 52, in the order of `ARKIT`, `coeffs` = 53, in the order of `ADA`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.face.savitzky_golay import savitzky_golay
from talkcli.engine.types import Motion
from talkcli.engine.video.stretch import LONGEST_GAP_S
from talkcli.engine.wording import counted

Capture = Literal["landmarks", "arkit", "both"]


@dataclass(frozen=True, kw_only=True)
class FromScores:
    """Channels that `both` takes from the scores."""

    reason: str
    """What was measured (docs/methods/video.md has the numbers)."""
    through_lids: bool
    """Whether the score means the same while the lids are down; if not, it is bridged there."""


# The choice of `both`: channels by the beginning of their name. The landmark fit makes all others:
#   mouth, jaw, lips    the scores do not close the lips, and hardly round, stretch or lower them
#   eyeBlink            both move together, but where the lids meet the score is about 0.6
#   eyeLook             the scores tremble four to twelve times as much, and look down in every blink
#   browDown            on frowning faces the fit shows the frown, and the score stays near 0
#   cheeks, nose        neither capture moves them
FROM_SCORES: Mapping[str, FromScores] = {
    "browInnerUp": FromScores(
        reason="The fit raises brows little, and rather with blinks; the score is three times as large on "
        "raised brows, and hardly follows blinks.",
        through_lids=True,
    ),
    "browOuterUp": FromScores(reason="As for browInnerUp; five times as large.", through_lids=True),
    "eyeSquint": FromScores(
        reason="The fit leaves it at 0. The score rises in every blink, where an iPhone's falls, so that "
        "only open eyes count.",
        through_lids=False,
    ),
    "eyeWide": FromScores(
        reason="The fit hardly moves it. On wide eyes the score is five times as large, and 0 in blinks.",
        through_lids=False,
    ),
}
# Percentile of a person's scores over a film that is the score at rest.
_REST_PERCENTILE = 20
# Smallest eyeBlink at which the lids are down for `through_lids`.
_LIDS_DOWN = 0.15
# Channels by which the lag is measured, since both captures follow them well.
_TIMED = ("eyeBlinkLeft", "eyeBlinkRight", "jawPitch")
# Greatest lag that is looked for, in seconds.
_MOST_LAG_S = 0.2
# Smallest standard deviation of a channel that can tell a lag, in its own unit.
_LEAST_MOVED = 0.01
# Smallest correlation at which two curves show the same movement.
_LEAST_R = 0.3
# Smallest share of the pictures in which the networks must find the face.
_LEAST_SCORED = 0.5


def rest_scores(scores: Float[np.ndarray, "frames 52"]) -> Float[np.ndarray, "52"]:
    """Return a person's scores at rest: a low percentile over a film, preferably a neutral one.

    The scores of a face at rest differ from 0, and from person to person: `eyeSquint` by up to 0.5.

    Raises:
        InputError: No frame of `scores` shows the face.
    """
    seen = np.isfinite(scores).all(axis=1)
    if not seen.any():
        raise InputError(
            f"The networks of the bundle find the face in none of {counted(len(scores), 'picture')}.",
            hint="Choose `capture=landmarks`.",
        )
    rest: np.ndarray = np.percentile(scores[seen], _REST_PERCENTILE, axis=0)
    return rest


def check_scored(scores: Float[np.ndarray, "frames 52"], fps: float, *, gaps: bool) -> None:
    """Refuse `scores` with too few frames of the face.

    Args:
        scores: Scores of each frame; NaN in frames without the face.
        fps: Frames per second.
        gaps: Whether gaps of more than 0.2 s may be, in which the face would go to rest.

    Raises:
        InputError: Less than half of the frames show the face, or there is a longer gap and `gaps` is False.
    """
    seen = np.isfinite(scores).all(axis=1)
    hint = "Choose `capture=landmarks`."
    if seen.mean() < _LEAST_SCORED:
        raise InputError(
            f"The networks of the bundle find the face in {seen.mean():.0%} of the pictures, "
            f"{_LEAST_SCORED:.0%} are needed.",
            hint=hint,
        )
    edges = np.array([-1, *np.flatnonzero(seen), len(seen)])
    widest = int(np.diff(edges).argmax())
    first, last = int(edges[widest]) + 1, int(edges[widest + 1])
    if not gaps and last - first > round(LONGEST_GAP_S * fps):
        raise InputError(
            f"The networks of the bundle do not find the face in {first / fps:.2f}-{last / fps:.2f} s of the "
            f"pictures; at most {LONGEST_GAP_S:g} s can be bridged.",
            hint="Choose `capture=landmarks`, or `stretch=longest`, with which the face goes to rest there.",
        )


def scored_motion(
    scores: Float[np.ndarray, "frames 52"], rest: Float[np.ndarray, "52"], fitted: Motion
) -> Motion:
    """Return the motion of ada that has all its channels from `scores`, with the pose of `fitted`.

    Args:
        scores: Scores of each frame; NaN in frames without the face. Gaps of up to 0.2 s are bridged; in
            longer ones the face goes to rest within 0.1 s and comes back likewise.
        rest: Scores of the person at rest, which become 0; 1 stays 1.
        fitted: Motion of ada that was fitted to the same frames.
    """
    shares = ((scores - rest) / (1 - rest).clip(min=1e-3)).clip(0.0, 1.0)
    shares = _bridged(shares, np.isfinite(shares).all(axis=1), round(LONGEST_GAP_S * fitted.fps))
    curves = dict(zip(ARKIT, shares.T, strict=True))
    return replace(fitted, coeffs=ada_coeffs(curves, len(scores)).astype(np.float32))


def merged(fitted: Motion, scored: Motion) -> Motion:
    """Return `fitted` with the channels of `FROM_SCORES` from `scored`, both of ada and of the same frames.

    Those channels are smoothed, since each picture is scored by itself.
    """
    coeffs = fitted.coeffs.copy()
    for column, name in enumerate(ADA):
        choice = next((row for start, row in FROM_SCORES.items() if name.startswith(start)), None)
        if choice is None:
            continue
        values = scored.coeffs[:, column]
        if not choice.through_lids:
            lid = "eyeBlinkRight" if name.endswith("Right") else "eyeBlinkLeft"
            values = _where_lids_are_up(values, fitted.coeffs[:, ADA.index(lid)])
        coeffs[:, column] = savitzky_golay(values[:, None])[:, 0].clip(0.0, 1.0)
    return replace(fitted, coeffs=coeffs)


def _where_lids_are_up(
    values: Float[np.ndarray, "frames"], blink: Float[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames"]:
    """Return `values` of the frames with the lids up, interpolated between them; unchanged without any."""
    up = np.flatnonzero(blink < _LIDS_DOWN)
    frames = np.arange(len(values))
    return np.interp(frames, up, values[up]).astype(np.float32) if len(up) else values


def lag_frames(fitted: Motion, scored: Motion) -> float | None:
    """Return by how many frames `scored` is later than `fitted`, at the best correlation within 0.2 s.

    Blinks and the jaw count. None where neither moves, where they do not move together, or where their
    correlation still rises at the end of the 0.2 s.
    """
    most = round(_MOST_LAG_S * fitted.fps)
    if fitted.num_frames <= 4 * most:
        return None
    columns = [ADA.index(name) for name in _TIMED]
    one = fitted.coeffs[most:-most, columns]
    lags = np.arange(-most, most + 1)
    windows = [scored.coeffs[most + lag : scored.num_frames - most + lag, columns] for lag in lags]
    # Whatever moves only at the ends of the clip leaves some windows without any movement.
    moving = np.min([window.std(axis=0) for window in (one, *windows)], axis=0) > _LEAST_MOVED
    if not moving.any():
        return None
    r = np.array([_correlation(one[:, moving], window[:, moving]) for window in windows])
    best = int(r.argmax())
    if best in (0, len(lags) - 1) or r[best] < _LEAST_R:
        return None
    # The top of the parabola through the best lag and its neighbours.
    before, top, after = r[best - 1 : best + 2]
    return float(lags[best] + 0.5 * (before - after) / (before - 2 * top + after))


def _correlation(one: Float[np.ndarray, "frames moving"], other: Float[np.ndarray, "frames moving"]) -> float:
    """Return the mean of the channels' correlations."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    norms = np.linalg.norm(one, axis=0) * np.linalg.norm(other, axis=0)
    return float(((one * other).sum(axis=0) / norms.clip(min=1e-12)).mean())


def _bridged(
    shares: Float[np.ndarray, "frames scores"], seen: Bool[np.ndarray, "frames"], longest: int
) -> Float[np.ndarray, "frames scores"]:
    """Return `shares` with the frames between those `seen` interpolated: over gaps of more than `longest`
    frames, and at the ends, through rest.
    """
    known = np.flatnonzero(seen)
    ramp = longest / 2
    ends = [-1 - longest, *known, len(seen) + longest]
    rests = [
        at
        for before, after in pairwise(ends)
        if after - before - 1 > longest
        for at in (before + ramp, after - ramp)
    ]
    at = np.concatenate([known, rests])
    order = np.argsort(at, kind="stable")
    frames = np.arange(len(seen))
    values = np.concatenate([shares[known], np.zeros((len(rests), shares.shape[1]))])[order]
    return np.stack([np.interp(frames, at[order], column) for column in values.T], axis=-1)
