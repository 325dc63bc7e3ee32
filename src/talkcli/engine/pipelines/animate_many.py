"""Animation of many speech files into one folder, by worker processes or a cluster.

A file is done when the journal lists it: the run adds one line per speech file after its outputs are written,
with a fingerprint of everything that they depend on and a hash of each. A second run makes only what is
missing or no longer whole, and what has another fingerprint.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from talkcli.engine.cluster import map_on_cluster
from talkcli.engine.cores import usable_cores
from talkcli.engine.data.journal import Journal
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct, check_output, format_named, format_of
from talkcli.engine.out_folder import check_apart, claim
from talkcli.engine.performers.rules import RULES, words_file
from talkcli.engine.pipelines.animate import NAMING, files_read, prepare
from talkcli.engine.pipelines.animated_file import (
    PICTURES,
    Animated,
    Answer,
    Failure,
    Job,
    Told,
    animate_one,
    names_of,
    options_digest,
)
from talkcli.engine.prepare.adapters.sounds import SOUNDS
from talkcli.engine.prepare.names import files_below
from talkcli.engine.render.background import background_file
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter
from talkcli.engine.workers import CRASHED, map_isolated

# Each worker holds the model in memory.
_MOST_WORKERS = 4
# Name of a folder of frames, in a folder that is named as the speech: the latter may have a dot in its name.
_FRAMES = "frames"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to write for every speech file, and who does it."""

    formats: Sequence[str]
    """Names of formats, as `format_named` takes them."""
    plot: str | None = None
    """How the names of plots end, after that of the speech and a dot; None for no plots."""
    contact_sheet: str | None = None
    """How the names of contact sheets end; None for none."""
    num_workers: int | None = None
    """Number of worker processes; 0 works in this one, None chooses."""
    cluster: str | None = None
    """Address of a Dask scheduler whose workers do it instead."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The result of a run: a record or a failure for every speech file, in their order."""

    files: tuple[tuple[Path, Animated | Failure], ...]
    out_dir: Path
    kept: frozenset[str] = field(default_factory=frozenset)
    """Ids of the files of which an earlier run had made everything."""


def animate_files(
    speech: Sequence[Path], out_dir: Path, plan: Plan, reporter: Reporter, **options: Any
) -> Run:
    """Animate every speech file of `speech` into the folder `out_dir`.

    A file that cannot be animated does not stop the others. The outputs of `DIR/a/b.wav` for a folder DIR are
    called a/b.SUFFIX, those of a file b.SUFFIX.

    Args:
        speech: Speech files, and folders of them at any depth.
        out_dir: Folder to write.
        plan: What to write, and who does it.
        reporter: Receiver of notes, warnings and progress.
        options: The arguments of `animate_file` that do not name the speech, the outputs or who does it.

    Raises:
        UsageError: For options that do not fit, and for two files whose outputs would have the same name.
        InputError: For a folder without speech, and when another run writes to `out_dir`.
        TalkError: For a model or a head that cannot be loaded.
        OSError: When the disk fails.
    """
    named = _named(speech, out_dir)
    outputs = {name: _outputs(out_dir, name, plan) for name in named}
    _check(named, outputs, options, reporter)
    told = Told(options=options, digest=options_digest(options))
    folder = out_dir
    if plan.cluster is not None:
        # Machines of a cluster have another working directory.
        folder = out_dir.absolute()
        outputs = {name: _outputs(folder, name, plan) for name in named}
        told = replace(told, options=_absolute(options))
    done: dict[str, Animated | Failure] = {}
    kept: set[str] = set()
    warned: set[str] = set()
    with claim(out_dir), Journal.open(out_dir / "journal.jsonl", Animated.of) as journal:
        jobs = [
            Job(
                id=name,
                speech=path if plan.cluster is None else path.absolute(),
                outputs=outputs[name],
                earlier=journal.records.get(name),
            )
            for name, path in named.items()
        ]
        with contextlib.closing(_results(jobs, folder, told, plan)) as results:
            for job, answered in results:
                answer = answered or Answer(result=Failure(problem=f"{job.speech}: {CRASHED}."))
                result = answer.result
                # What is true of all files is said once.
                for text in [text for text in answer.warnings if text not in warned]:
                    warned.add(text)
                    reporter.warn(f"{job.id}: {text}")
                if isinstance(result, Failure):
                    reporter.warn(f"left out {job.id}: {result.problem}")
                elif answer.kept:
                    kept.add(job.id)
                else:
                    journal.add(result)
                done[job.id] = result if isinstance(result, Failure) else _asked(result, folder, job, told)
                reporter.progress("animating", len(done), len(jobs))
    files = tuple((path, done[name]) for name, path in named.items())
    return Run(files=files, out_dir=out_dir, kept=frozenset(kept))


def _asked(result: Animated, folder: Path, job: Job, told: Told) -> Animated:
    """Return the record with the outputs that this run asked for, and the sound beside them."""
    takes = told.options["sampling"].takes
    asked: dict[str, None] = {}
    for kind, out in job.outputs.items():
        for name in names_of(folder, out, takes):
            row = PICTURES.get(kind) or format_of(out)
            asked[name] = None
            if row.sound_beside:
                asked[Path(name).with_suffix(".wav").as_posix()] = None
    kept = {name: digest for name, digest in result.outputs.items() if name in asked}
    return replace(result, outputs=kept)


def _absolute(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `animate_file` with absolute paths of the files that they name."""
    # Not at the top: scoring loads much that an animation does without.
    from talkcli.engine.pipelines.score.on_cluster import absolute_name

    made = dict(options)
    model, text, head, shot = (made[key] for key in ("model_name", "text", "head_name", "shot"))
    made["model_name"] = absolute_name(model)
    if model == RULES and text and (words := words_file(text)) is not None:
        made["text"] = str(words.absolute())
    if made["emotion_from"] is not None:
        made["emotion_from"] = made["emotion_from"].absolute()
    if head is not None:
        made["head_name"] = absolute_name(head)
    if (picture := background_file(shot.background)) is not None:
        made["shot"] = replace(shot, background=str(picture.absolute()))
    made["template"] = tuple(str(Path(name).absolute()) for name in made["template"])
    return made


def _named(speech: Sequence[Path], out_dir: Path) -> dict[str, Path]:
    """Return the speech files by their ids, which are the names of their outputs without an ending."""
    found: dict[str, Path] = {}
    for given in speech:
        for name, path in _files(given, out_dir):
            if name in found:
                raise UsageError(
                    f"The outputs of {found[name]} and of {path} would both be called {name}.",
                    hint="Animate the folder that holds both, or give one of them another name.",
                )
            found[name] = path
    return found


def _files(given: Path, out_dir: Path) -> Iterator[tuple[str, Path]]:
    if str(given) == "-":
        raise UsageError("Speech is not read from stdin.", hint="Write it to a file first: cat > speech.wav")
    if not given.is_dir():
        yield given.stem, given
        return
    check_apart(given, out_dir, name="out_dir")
    below = files_below(given, SOUNDS)
    if not below:
        raise InputError(
            f"{given} holds no speech.", hint=f"Sound files end in {', '.join(SOUNDS[:-1])} or {SOUNDS[-1]}."
        )
    for path in below:
        yield path.relative_to(given).with_suffix("").as_posix(), path


def _outputs(out_dir: Path, name: str, plan: Plan) -> dict[str, Path]:
    """Return the outputs of a file by what they are: suffixes, and the options for pictures."""
    made = {}
    for wanted in plan.formats:
        suffix = format_named(wanted)
        made[suffix] = out_dir / f"{name}{suffix}" if suffix else out_dir / name / _FRAMES
    for option, ending in (("plot", plan.plot), ("contact_sheet", plan.contact_sheet)):
        if ending is not None:
            if "/" in ending or ending.startswith("."):
                raise UsageError(
                    f"{parameter(option, ending)} is no end of a file's name.",
                    hint=f"With `out_dir` it follows that of the speech: `{option}=x.png` makes NAME.x.png.",
                )
            made[option] = out_dir / f"{name}.{ending}"
    return made


def _check(
    named: Mapping[str, Path],
    outputs: Mapping[str, Mapping[str, Path]],
    options: Mapping[str, Any],
    reporter: Reporter,
) -> None:
    """Check what does not depend on the speech before any worker starts."""
    for name, path in named.items():
        if any(part.startswith(".") for part in Path(name).parts):
            raise UsageError(f"{path}: outputs named as this file would be hidden.", hint="Rename it.")
    every = [out for each in outputs.values() for out in each.values()]
    read = files_read(*(options[key] for key in NAMING))
    check_distinct(every, [*named.values(), *read])
    rows = [
        [(out, PICTURES.get(kind) or format_of(out)) for kind, out in each.items()]
        for each in outputs.values()
    ]
    for out, row in (both for each in rows for both in each):
        check_output(out, row, shot=options["shot"], overwrite=True)
    keys = (
        "sampling", "controls", "emotion_from", "model_name", "head_name", "fps", "shot", "renderer",
        "template", "topology",
    )  # fmt: skip
    prepare(rows[0], reporter=reporter, **{key: options[key] for key in keys})


def _results(
    jobs: Sequence[Job], out_dir: Path, told: Told, plan: Plan
) -> Generator[tuple[Job, Answer | None]]:
    work = partial(animate_one, out_dir, told)
    if plan.cluster is not None:
        return map_on_cluster(work, jobs, plan.cluster, out_dir, [jobs[0].speech])
    workers = min(usable_cores(), _MOST_WORKERS) if plan.num_workers is None else plan.num_workers
    return map_isolated(work, jobs, min(workers, len(jobs)))
