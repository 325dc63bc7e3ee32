"""The worst clips of every metric, as small videos and curves of the mouth over the sound.

Axis names: `frames`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.envelope import envelope
from talkcli.engine.errors import TalkError
from talkcli.engine.face.surface import Surface
from talkcli.engine.files import temporary_folder
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.pipelines.score.sources import Sources
from talkcli.engine.pipelines.score.vertex_sets import read_vertex_sets
from talkcli.engine.pipelines.score.work import Setting, clip_surfaces
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.render.video import write_video
from talkcli.engine.types import Reporter, Silent, Speech

# Number of clips that a metric shows.
NUM_WORST = 3
# Side of the videos in pixels; longest part of a clip in seconds; largest number of clips on a page.
_SIDE, _LONGEST_S, _MOST_CLIPS = 192, 12.0, 30


@dataclass(frozen=True, kw_only=True)
class ShownClip:
    """A clip to look at: its first take."""

    seconds: Float[np.ndarray, "frames"]
    """Time of each frame in seconds."""
    opening_mm: Float[np.ndarray, "frames"]
    """Lip gap in millimetres."""
    true_mm: Float[np.ndarray, "frames"] | None
    """Lip gap of the true motion; None without one."""
    loudness: Float[np.ndarray, "frames"] | None
    """Envelope of the sound; None without one."""
    video: bytes
    """The motion as an mp4 file, with its sound."""
    is_cut: bool
    """Whether only the beginning is shown."""


def worst_clips(report: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """Return the ids and values of the worst clips of each metric of a report of `score_motions`, the worst
    first.

    For a metric that is neither better high nor low they are the clips farthest from the median. Metrics
    without values of single clips, or with the same value for all, are left out, and so are clips that are as
    good as the best.
    """
    found = {}
    for name in report["overall"]:
        values = [(clip["id"], clip["metrics"][name]["value"]) for clip in report["clips"]]
        known = [(id_, value) for id_, value in values if value is not None]
        if not known or (len(known) > 1 and len({value for _, value in known}) == 1):
            continue
        median = float(np.median([value for _, value in known]))
        # Sorted is stable: clips that are equally bad stay in the report's order.
        badness = [_badness(value, name, median) for _, value in known]
        ranked = sorted(range(len(known)), key=badness.__getitem__, reverse=True)
        worse = [index for index in ranked if badness[index] > min(badness)] or ranked
        found[name] = [known[index] for index in worse[:NUM_WORST]]
    return found


def _badness(value: float, metric: str, median: float) -> float:
    """Return a number that is larger for a worse value of a metric."""
    better = METRICS[metric].better
    if better is None:
        return abs(value - median)
    return {"lower": value, "higher": -value, "near zero": abs(value)}[better]


def shown_clips(
    report: Mapping[str, Any], sources: Sources, generation: Generation, reporter: Reporter
) -> dict[str, ShownClip | str]:
    """Read or animate the worst clips of a report again and draw them; a clip that fails has a reason.

    The worst of every metric come first, then the second ones; there are at most 30.

    Args:
        report: Report of `score_motions`.
        sources: Files that were scored.
        generation: Performer and its settings; not used when there are predictions.
        reporter: Receiver of progress.
    """
    worst = worst_clips(report).values()
    ranked = [found[rank][0] for rank in range(NUM_WORST) for found in worst if rank < len(found)]
    wanted = list(dict.fromkeys(ranked))[:_MOST_CLIPS]
    cases = {case.id: case for case in sources.gather(Silent()).cases}
    cases = {id_: cases[id_] for id_ in wanted}
    phones = find_phones(list(cases.values()), Silent())
    setting = Setting(
        generation=None if sources.predictions or sources.videos else generation,
        head_name=sources.head_name,
        reference="not measured here",
        vertex_sets=None if sources.vertex_sets is None else read_vertex_sets(sources.vertex_sets),
    )
    found: dict[str, ShownClip | str] = {}
    for done, case in enumerate(cases.values(), start=1):
        try:
            clip = clip_surfaces(setting, case, phones[case.id], Silent())
            found[case.id] = _shown(clip.takes[0], clip.true, clip.speech)
        except TalkError as error:
            found[case.id] = error.problem
        reporter.progress("drawing the worst clips", done, len(cases))
    return found


def _shown(take: Surface, true: Surface | None, speech: Speech | None) -> ShownClip:
    count = min(take.num_frames, max(1, round(_LONGEST_S * take.fps)))
    return ShownClip(
        seconds=(np.arange(count) + 0.5) / take.fps,
        opening_mm=Measured(take).gap_mm()[:count],
        true_mm=None if true is None else Measured(true).gap_mm()[:count],
        loudness=None if speech is None else envelope(speech, count, take.fps),
        video=_video(take, count, speech),
        is_cut=count < take.num_frames,
    )


def _video(surface: Surface, num_frames: int, speech: Speech | None) -> bytes:
    turned = Surface(surface.motion, surface.topology, turned=True)
    scene = studio_scene(surface.topology)
    with (
        temporary_folder() as folder,
        contextlib.closing(open_renderer("software", scene, _SIDE, _SIDE)) as drawer,
        contextlib.closing(pictures(turned, drawer)) as frames,
    ):
        path = folder / "clip.mp4"
        write_video(
            path,
            islice(frames, num_frames),
            num_frames=num_frames,
            fps=surface.fps,
            size=(_SIDE, _SIDE),
            speech=speech,
            metadata={},
            reporter=Silent(),
        )
        return path.read_bytes()
