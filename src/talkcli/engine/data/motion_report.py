"""Implausible values of a clip: coefficients out of range, steps too large, a mouth that lags.

Axis names: `frames`, `coeffs`.
Thresholds of our own, per frame whatever the rate: recorded and performed faces stay below them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.data.lag import MOST_LAG_MS, lag
from talkcli.engine.face.channels import JAW, is_share
from talkcli.engine.types import MODEL_FPS, Motion, Speech
from talkcli.engine.wording import counted, some

# FLAME's expression coefficients are in standard deviations.
LARGEST_EXPRESSION = 5.0
LARGEST_EXPRESSION_STEP = 3.0
# Named channels go from 0 to 1; capture systems overshoot by a little.
LARGEST_EXCESS = 0.05
LARGEST_NAMED_STEP = 0.8
LARGEST_JAW_RAD = 0.8
LARGEST_JAW_STEP_RAD = 0.2
# Lips that meet each other or the teeth do so within a frame, and so do lids at 25 fps, which are no longer
# wide open then either.
_SUDDEN = ("lipSeal", "mouthRollLower", "eyeBlink", "eyeWide")
# What an oddity is called in a report, and in a sentence.
ODDITIES: Mapping[str, str] = {
    "range": "values that no face takes",
    "jump": "steps that no face makes",
    "lag": f"a mouth more than {MOST_LAG_MS:.0f} ms early or late",
    "words": "no words found",
    "unread": "pictures that cannot be read and were left out",
    "video": "something to know of the video",
    "clipped": "values beyond 0 and 1 that were clipped",
    "gap": "takes that were cut at stretches without a face",
    "rate": "a rate that the sound's length settled",
    "count": "a number of columns that is not theirs",
}


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """Clips of one kind of oddity; `text` is that of the first."""

    kind: str
    clips: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return (
            f"{ODDITIES[self.kind].capitalize()} in {some(self.clips)}; the first: {self.text.rstrip('.')}."
        )


def report(speech: Speech | None, motion: Motion | None, *, still: bool = False) -> dict[str, float | str]:
    """Return what report.jsonl says of a clip: `out_of_range` (share of frames), `largest_step` (1: the
    largest plausible), `lag_frames` with `lag_error_frames` (of 25 fps) and `lag_r`; and a sentence under
    each key of `ODDITIES` that applies. A `still` clip has no steps and no lag; what cannot be measured is
    left out.
    """
    if motion is None:
        return {}
    values: dict[str, float | str] = {"out_of_range": _rounded((_excess(motion) > 0).any(axis=1).mean())}
    texts = {"range": out_of_range(motion)}
    if not still and len(motion.coeffs) > 1:
        values["largest_step"] = _rounded(_steps(motion).max())
        texts["jump"] = jumps(motion)
    found = None if still or speech is None else lag(speech, motion)
    if found is not None:
        frame_ms = 1000 / MODEL_FPS
        values |= {
            "lag_frames": _rounded(found.ms / frame_ms),
            "lag_error_frames": _rounded(found.error_ms / frame_ms),
            "lag_r": _rounded(found.r),
        }
        texts["lag"] = str(found) if found.is_wrong else None
    return values | {kind: text for kind, text in texts.items() if text is not None}


def oddities(reports: Iterable[tuple[str, Mapping[str, object]]]) -> list[Oddity]:
    """Return the kinds of oddities of clips, given with their ids, in the order of `ODDITIES`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for clip, said in reports:
        for kind in ODDITIES.keys() & said.keys():
            found.setdefault(kind, []).append((clip, str(said[kind])))
    return [
        Oddity(kind=kind, clips=tuple(clip for clip, _ in found[kind]), text=found[kind][0][1])
        for kind in ODDITIES
        if kind in found
    ]


def out_of_range(motion: Motion) -> str | None:
    """Return the value furthest outside of what its channel may hold, in words; None when all are inside."""
    excess = _excess(motion)
    share = (excess > 0).any(axis=1).mean()
    if share == 0:
        return None
    frame, channel = np.unravel_index(np.argmax(excess), excess.shape)
    value = motion.coeffs[frame, channel]
    return f"{motion.channels[channel]} is {value:.3g} in frame {frame}; {100 * share:.1f} % of the frames."


def jumps(motion: Motion) -> str | None:
    """Return the largest step from one frame to the next that is too large, in words; None when there is
    none.
    """
    if len(motion.coeffs) < 2:
        return None
    ratio = _steps(motion)
    if ratio.max() <= 1:
        return None
    frame, channel = np.unravel_index(np.argmax(ratio), ratio.shape)
    step = motion.coeffs[frame + 1, channel] - motion.coeffs[frame, channel]
    count = int((ratio > 1).any(axis=1).sum())
    return (
        f"{motion.channels[channel]} moves by {step:+.3g} after frame {frame}; {counted(count, 'such step')}."
    )


def _excess(motion: Motion) -> Float[np.ndarray, "frames coeffs"]:
    """Return how far values lie outside of their channel's range, in units of the range's upper end."""
    largest = _by_channel(motion, LARGEST_EXPRESSION, LARGEST_JAW_RAD, 1 + LARGEST_EXCESS)
    lowest = np.where([is_share(name) for name in motion.channels], -LARGEST_EXCESS, -largest)
    values = motion.coeffs.astype(np.float64)
    return np.maximum(np.maximum(values - largest, lowest - values), 0) / largest


def _steps(motion: Motion) -> Float[np.ndarray, "steps coeffs"]:
    """Return steps from one frame to the next, in units of the largest plausible one."""
    limits = _by_channel(motion, LARGEST_EXPRESSION_STEP, LARGEST_JAW_STEP_RAD, LARGEST_NAMED_STEP)
    limits = np.where([name.startswith(_SUDDEN) for name in motion.channels], np.inf, limits)
    return np.abs(np.diff(motion.coeffs.astype(np.float64), axis=0)) / limits


def _by_channel(motion: Motion, expression: float, jaw: float, named: float) -> Float[np.ndarray, "coeffs"]:
    return np.array(
        [jaw if name in JAW else named if is_share(name) else expression for name in motion.channels]
    )


def _rounded(value: np.floating | float) -> float:
    return round(float(value), 4)
