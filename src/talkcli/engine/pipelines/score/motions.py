"""Scores of motion against the true motion and against the sound, for every clip and over all clips.

Every head has its mean identity (the average face). A metric that cannot be computed has a reason instead of
a value.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from talkcli.engine.cluster import map_on_cluster
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.surface import topology_of
from talkcli.engine.metrics.catalogue import METRICS, shown_metrics
from talkcli.engine.origin import said, tally, truth_of
from talkcli.engine.pipelines.score.gathered import gathered
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.inputs import gather
from talkcli.engine.pipelines.score.on_cluster import absolute_job, absolute_setting, inputs_of
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.pipelines.score.reference import reference_means
from talkcli.engine.pipelines.score.schema import SCHEMA
from talkcli.engine.pipelines.score.seeds import over_seeds
from talkcli.engine.pipelines.score.thresholds import Threshold, verdict
from talkcli.engine.pipelines.score.vertex_sets import read_vertex_sets
from talkcli.engine.pipelines.score.videos import HEAD, check_extra, scored_of
from talkcli.engine.pipelines.score.work import Job, Outcome, Scored, Setting, score_case
from talkcli.engine.types import EMOTIONS, Reporter
from talkcli.engine.version import __version__
from talkcli.engine.workers import CRASHED, map_isolated


def score_motions(
    predictions: Sequence[Path],
    *,
    truth: Path | None,
    audio: Path | None,
    dataset: str | None,
    split: str = "test",
    text: Path | None = None,
    reference: Path | None = None,
    head_name: str | None,
    generation: Generation,
    thresholds: Sequence[Threshold],
    reporter: Reporter,
    num_workers: int | None = None,
    metrics: Sequence[str] | None = None,
    limit: int | None = None,
    keep: bool = False,
    cache: Path | None = None,
    vertex_sets: Path | None = None,
    videos: Path | None = None,
    films: Path | None = None,
    failed: dict[str, TalkError] | None = None,
    num_seeds: int = 1,
    cluster: str | None = None,
) -> dict[str, Any]:
    """Score every clip; the result is the same whatever the number of workers.

    Args:
        predictions: Motion files or folders of them; empty for motion that `generation` makes.
        truth: True motion, as for `gather`.
        audio: Sound, as for `gather`.
        dataset: Name or path of a prepared data set.
        split: Split of the data set.
        text: Words or phones, as for `gather`.
        reference: Real motion for the metrics that are divided by their mean over it.
        head_name: Head of the surfaces; None for the head or mesh that each motion names.
        generation: Performer and its settings.
        thresholds: Limits on metrics over all clips.
        reporter: Receiver of notes, warnings and progress.
        num_workers: Number of worker processes; 0 works in this process. None works in this process when
            there are predictions, else `Generation.workers` chooses the number.
        metrics: Names of the metrics (`chosen_metrics`); None for those that are measured by default. Those
            of `thresholds` are measured too.
        limit: Largest number of clips, as for `gather`.
        keep: Whether motion that a model makes is kept in a cache, and read from there.
        cache: Folder of this cache; None for that of the user's cache.
        vertex_sets: File of the regions of meshes that talk does not know (`read_vertex_sets`).
        videos: Videos that somebody made of the clips, as for `gather`, in place of predictions.
        films: Real films of these clips, as for `gather`.
        failed: Receiver of the error of each clip that has one, by the clip's id: the score then looks at all
            clips before it raises the first error. None raises it at once.
        num_seeds: Number of seeds, from that of `generation` on: every clip is animated with each of them.
        cluster: Address of a Dask scheduler whose workers score the clips instead of worker processes.

    Returns:
        A document ready for JSON: `schema` (its version); `talk` (version); `dataset` (name, manifest
        and split, or None); `limit` (or None); `generation` (the performer and its settings,
        or None); `motion` and `truth` (their origins, with numbers of clips); `head`; `vertex_sets` (sizes);
        `videos` (what a score of videos says of them, or None); `overall` (metric -> value or reason);
        `emotions` (label -> the same); `clips` (metric -> value or reason);
        `thresholds` and `missed` (`verdict`). With several seeds `over_seeds` describes the values.

    Raises:
        TalkError: For unusable input. A metric that cannot be computed is no error, nor is a video that
            cannot be measured: its metrics have the reason in place of a value.
    """
    if videos is not None:
        check_extra()
    animates = not predictions and videos is None
    if animates and generation.by_rules and text is None and dataset is None:
        raise UsageError("`model=rules` needs the words of the speech.", hint="Add `text` or `dataset`.")
    chosen = gather(
        predictions,
        truth=truth,
        audio=audio,
        dataset=dataset,
        split=split,
        text=text,
        limit=limit,
        videos=videos,
        films=films,
        reporter=reporter,
    )
    cases = chosen.cases
    speakers = {entry.id: entry.speaker for entry in chosen.entries}
    described = generation.described(reporter) if animates else None
    # Loading the head here finds a missing file before any work.
    if videos is not None:
        load_head(head_name or HEAD)
    elif not animates:
        topology_of(read_any_motion(cases[0].takes[0])[0], head_name)
    elif head_name is not None or not generation.makes_vertices():
        load_head(head_name or generation.head_name())
    generations = generation.with_seeds(num_seeds) if animates else [generation]
    if len(generations) > 1 and not generation.draws():
        reporter.note("Nothing is drawn at random here, so that all seeds give the same motion.")
    if described is not None and keep:
        generations = [each.cached(cache, described | {"seed": each.seed}) for each in generations]
    setting = Setting(
        generation=None,
        head_name=head_name,
        reference=_means(reference, head_name, reporter),
        metrics=_with_thresholds(metrics, thresholds),
        vertex_sets=None if vertex_sets is None else read_vertex_sets(vertex_sets),
    )
    phones = find_phones(cases, reporter)
    settings = [replace(setting, generation=each) for each in generations] if animates else [setting]
    jobs = [
        Job(case=case, phones=phones[case.id], seed=index) for index in range(len(settings)) for case in cases
    ]
    workers = generation.workers(len(jobs), num_workers if animates or num_workers else 0)
    by_seed = [
        list(gathered(clip for _, clip in found))
        for _, found in groupby(
            _in_order(settings, jobs, workers, cluster, reporter, failed), key=itemgetter(0)
        )
    ]
    if generations[0].cache is not None:
        generations[0].cache.trim()
    clips = by_seed[0]
    # A video that cannot be scored has no surface, and says nothing of the head.
    shown = next((clip for clip in clips if clip.unusable is None), clips[0])
    values = [_values(found, speakers, of_videos=videos is not None) for found in by_seed]
    if animates and num_seeds > 1:
        values[0] = over_seeds([each.seed for each in generations], values)
        described = {**(described or {}), "seeds": [each.seed for each in generations]}
    return {
        "schema": SCHEMA,
        "talk": __version__,
        "dataset": chosen.described,
        "limit": limit,
        "generation": described,
        "motion": tally(origin for clip in clips for origin in clip.origins),
        "truth": truth_of(clip.truth for clip in clips if clip.has_truth),
        "videos": None if videos is None else _videos(videos, films, clips),
        "head": shown.head,
        "vertex_sets": shown.vertex_sets,
        **values[0],
        **verdict(thresholds, values[0]["overall"]),
    }


def _with_thresholds(metrics: Sequence[str] | None, thresholds: Sequence[Threshold]) -> list[str]:
    """Return the metrics to measure, in the catalogue's order: those asked for, and those with a limit."""
    wanted = {*(shown_metrics() if metrics is None else metrics), *(item.metric for item in thresholds)}
    return [name for name in METRICS if name in wanted]


def _means(reference: Path | None, head_name: str | None, reporter: Reporter) -> dict[str, float] | str:
    if reference is None:
        return "no real motion given with `reference`"
    return reference_means(reference, head_name, reporter)


def _in_order(
    settings: Sequence[Setting],
    jobs: Sequence[Job],
    workers: int,
    cluster: str | None,
    reporter: Reporter,
    failed: dict[str, TalkError] | None,
) -> Iterator[tuple[int, Scored]]:
    """Yield the seed's index and every clip in the order of `jobs`, whichever process finishes first.

    Args:
        settings: Settings that all clips share, one for each seed.
        jobs: Clips, all of the first seed before those of the next.
        workers: Number of worker processes; 0 works in this process.
        cluster: Address of a Dask scheduler whose workers do it instead.
        reporter: Receiver of the clips' notes and warnings, in the same order, and of progress.
        failed: Receiver of the clips' errors, as for `score_motions`.

    Raises:
        TalkError: The error of the first clip, in this order, that has one.
    """
    position = {(job.seed, job.case.id): index for index, job in enumerate(jobs)}
    told: set[tuple[str, str]] = set()
    waiting: dict[int, Outcome] = {}
    due = 0
    if cluster is None:
        work = map_isolated(partial(score_case, settings), jobs, workers)
    else:
        apart = partial(score_case, [absolute_setting(setting) for setting in settings])
        work = map_on_cluster(
            apart, [absolute_job(job) for job in jobs], cluster, None, inputs_of(settings[0], jobs[0])
        )
    with contextlib.closing(work):
        for done, (job, outcome) in enumerate(work, start=1):
            crashed = Outcome(scored=InputError(f"Clip {job.case.id}: {CRASHED}."), said=())
            waiting[position[job.seed, job.case.id]] = outcome or crashed
            reporter.progress("scoring", done, len(jobs))
            while due in waiting:
                ready = waiting.pop(due)
                # Every seed says the same of a clip's files.
                for kind, text in dict.fromkeys(ready.said):
                    if (kind, text) not in told:
                        (reporter.warn if kind == "warn" else reporter.note)(text)
                told.update(ready.said)
                if not isinstance(ready.scored, TalkError):
                    yield jobs[due].seed, ready.scored
                elif failed is None:
                    raise ready.scored
                else:
                    failed.setdefault(jobs[due].case.id, ready.scored)
                due += 1
    if failed:
        raise next(iter(failed.values()))


def _values(clips: Sequence[Scored], speakers: Mapping[str, str], *, of_videos: bool) -> dict[str, Any]:
    """Return the part of a report that has values: over all clips, by emotion, and of every clip."""
    return {
        "overall": _overall(clips, of_videos=of_videos),
        "emotions": _by_emotion(clips, of_videos=of_videos),
        "clips": [_clip(clip, speakers.get(clip.id)) for clip in clips],
    }


def _overall(clips: Sequence[Scored], *, of_videos: bool) -> dict[str, dict[str, Any]]:
    """Return every metric over `clips`; metrics that compare with a truth name the kind of its origin, and
    those of videos what was scored of them.
    """
    truth = truth_of(clip.truth for clip in clips if clip.has_truth)
    found = {}
    for name in clips[0].values:
        found[name] = over_clips(name, [clip.values[name] for clip in clips], of_videos=of_videos)
        if of_videos:
            found[name]["scored"] = scored_of(name, {clip.against for clip in clips if clip.against})
        if "truth" in METRICS[name].needs:
            found[name]["truth"] = None if truth is None else truth["kinds"]
    return found


def _by_emotion(clips: Sequence[Scored], *, of_videos: bool) -> dict[str, dict[str, Any]]:
    """Return `_overall` of the clips of each emotion, in the order of `EMOTIONS`; empty when no emotion is
    known.
    """
    known = [emotion for emotion in EMOTIONS if any(clip.emotion == emotion for clip in clips)]
    return {
        emotion: _overall([clip for clip in clips if clip.emotion == emotion], of_videos=of_videos)
        for emotion in known
    }


def _videos(videos: Path, films: Path | None, clips: Sequence[Scored]) -> dict[str, Any]:
    """Return what a report says of videos: their folder, that of the real films, and the unusable ones."""
    unusable = {clip.id: clip.unusable for clip in clips if clip.unusable is not None}
    return {"folder": str(videos), "films": None if films is None else str(films), "unusable": unusable}


def _clip(clip: Scored, speaker: str | None) -> dict[str, Any]:
    return {
        "id": clip.id,
        "speaker": speaker,
        "emotion": clip.emotion,
        "takes": clip.takes,
        "frames": clip.frames,
        "fps": clip.fps,
        "motion": tally(clip.origins),
        "truth": said(clip.truth) if clip.has_truth else None,
        "metrics": {name: {"value": item.value, "reason": item.reason} for name, item in clip.values.items()},
    }
