"""Scores motion against the true motion and against the sound, clip by clip and over all clips.

Axis names: `frames`, `verts`.
Every head is used with its mean identity. What cannot be computed has no value but a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.performer.align import by_energy
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.rules import RULES, Rules
from talkcli.engine.pipelines.sampling import Sampling
from talkcli.engine.pipelines.score_clip import score_clip
from talkcli.engine.pipelines.score_inputs import Case, gather
from talkcli.engine.pipelines.score_overall import Threshold, over_clips
from talkcli.engine.pipelines.score_phones import find_phones
from talkcli.engine.pipelines.score_reference import reference_jerk
from talkcli.engine.pipelines.score_surface import set_sizes
from talkcli.engine.types import Alignment, Motion, Reporter, Speech


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How the model animates where no predictions are given; fields as in `sampling.Sampling`."""

    model_name: str = "embedded"
    device_name: str = "auto"
    sigma: float | None = None
    actor: str | None = None
    takes: int = 1
    seed: int = 0


def score_motions(
    predictions: Sequence[Path],
    *,
    truth: Path | None,
    audio: Path | None,
    dataset: str | None,
    text: Path | None = None,
    reference: Path | None = None,
    head_name: str | None,
    generation: Generation,
    thresholds: Sequence[Threshold],
    reporter: Reporter,
) -> dict[str, Any]:
    """Score every clip; returns a document ready for JSON.

    `head_name` None takes the head the first motion names. Keys of the answer: `head`, `vertex_sets` (sizes),
    `overall` and `clips` (metric -> value or None with a reason), `missed` (thresholds in words).
    Raises TalkError classes for unusable input; a metric that cannot be computed is no error.
    """
    by_rules = not predictions and generation.model_name == RULES
    if by_rules and text is None:
        raise UsageError("--model rules performs words, and there are none.", hint="Add --text.")
    cases = gather(predictions, truth=truth, audio=audio, dataset=dataset, text=text)
    alignments = find_phones(cases, reporter)
    animate = None if predictions or by_rules else _animator(generation)
    head: Head | None = None
    jerk: dict[str, float] | str = "no real motion given with --reference"
    clips = []
    for index, case in enumerate(cases):
        speech = read_speech(case.audio, reporter) if case.audio else None
        if predictions:
            takes = [read_motion(path)[0] for path in case.takes]
        else:
            assert speech is not None
            takes = animate(speech) if animate else _ruled(generation, speech, alignments[case.id], reporter)
        true = read_motion(case.truth)[0] if case.truth else None
        if head is None:
            head = load_head(head_name or takes[0].head)
            if reference is not None:
                jerk = reference_jerk(reference, head, reporter)
        for motion in (*takes, *([true] if true else [])):
            if motion.channels != head.channels:
                raise InputError(
                    f"Clip {case.id}: a motion has the channels of {motion.head}, the head is {head.name}.",
                    hint="Choose the head with --head; motions of different heads cannot be compared.",
                )
        takes, true = _aligned(case, takes, true, reporter)
        values = score_clip(head, takes, true, speech, alignments[case.id], jerk)
        clips.append((case, takes, values))
        reporter.progress("scoring", index + 1, len(cases))
    assert head is not None
    overall = {name: over_clips(name, [values[name] for _, _, values in clips]) for name in METRICS}
    return {
        "head": head.name,
        "vertex_sets": set_sizes(head),
        "overall": overall,
        "clips": [
            {
                "id": case.id,
                "takes": len(takes),
                "frames": len(takes[0].coeffs),
                "fps": takes[0].fps,
                "metrics": {
                    name: {"value": item.value, "reason": item.reason} for name, item in values.items()
                },
            }
            for case, takes, values in clips
        ],
        "missed": [text for text in (item.missed(overall) for item in thresholds) if text],
    }


def _animator(generation: Generation) -> Callable[[Speech], list[Motion]]:
    from talkcli.engine.pipelines.animate import Animator

    animator = Animator(generation.model_name, generation.device_name)
    sampling = _sampling(generation)
    return lambda speech: list(animator.motions(speech, sampling))


def _ruled(
    generation: Generation, speech: Speech, phones: Alignment | str, reporter: Reporter
) -> list[Motion]:
    """What the rules make of `phones`; where these are a reason for not knowing them, of the loudness."""
    if isinstance(phones, str):
        reporter.warn(f"A clip is performed by its loudness: {phones}.")
        phones = by_energy(speech)
    return list(Rules(phones, reporter=reporter).motions(speech, _sampling(generation)))


def _sampling(generation: Generation) -> Sampling:
    return Sampling(
        sigma=generation.sigma, actor=generation.actor, takes=generation.takes, seed=generation.seed
    )


def _aligned(
    case: Case, takes: list[Motion], true: Motion | None, reporter: Reporter
) -> tuple[list[Motion], Motion | None]:
    """All motions of a clip at one rate (the truth's, else the first take's) and of one length."""
    fps = true.fps if true else takes[0].fps
    if any(not np.isclose(motion.fps, fps) for motion in takes):
        reporter.note(f"{case.id}: resampled to {fps:g} fps.")
        takes = [motion if np.isclose(motion.fps, fps) else resample(motion, fps) for motion in takes]
    lengths = {len(motion.coeffs) for motion in (*takes, *([true] if true else []))}
    if len(lengths) > 1:
        reporter.note(f"{case.id}: cut to {min(lengths)} frames, the longest has {max(lengths)}.")
    return [_cut(motion, min(lengths)) for motion in takes], _cut(true, min(lengths)) if true else None


def _cut(motion: Motion, num_frames: int) -> Motion:
    return Motion(
        coeffs=motion.coeffs[:num_frames], fps=motion.fps, head=motion.head, channels=motion.channels
    )
