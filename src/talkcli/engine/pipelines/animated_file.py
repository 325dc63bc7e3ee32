"""One speech file of many: animated by whichever process gets it, or kept from an earlier run.

A fault of the file becomes a `Failure`. A fault of the machine, of the model or of the options raises an
error, because every later file would meet it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkcli.engine.code_digest import code_digest
from talkcli.engine.errors import InputError, TalkError
from talkcli.engine.exports.formats import FORMATS, PLOT, SHEET, take_path
from talkcli.engine.files import sha256
from talkcli.engine.methods import METHODS
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.performers.open import open_performer
from talkcli.engine.performers.performer import Performer
from talkcli.engine.performers.rules import RULES
from talkcli.engine.pipelines.animate import NAMING, animate_file, files_read
from talkcli.engine.types import Silent

# Outputs that options ask for, whatever their suffix.
PICTURES = {"plot": PLOT, "contact_sheet": SHEET}


@dataclass(frozen=True, kw_only=True)
class Animated:
    """A speech file that is done, a line of the run's journal."""

    id: str
    """Name of the outputs without an ending."""
    fingerprint: str
    """Hash of the sound, the options and the code that made them."""
    outputs: Mapping[str, str]
    """Hash of each output that runs with these options made, by its path below the folder of the run."""
    report: Mapping[str, Any]
    """What `animate_file` returned for them, without the outputs."""

    def document(self) -> dict[str, Any]:
        """See `Line`."""
        return dict(vars(self))

    @classmethod
    def of(cls, document: dict[str, Any]) -> Animated:
        """Return the record of a document. Raises TypeError or AttributeError for any other."""
        made = cls(**document)
        if not (isinstance(made.id, str) and isinstance(made.report, dict)):
            raise TypeError("no record")
        if not all(isinstance(text, str) for both in made.outputs.items() for text in both):
            raise TypeError("no outputs")
        return made


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a speech file could not be animated."""

    problem: str
    hint: str | None = None
    exit_code: int = TalkError.exit_code


@dataclass(frozen=True, kw_only=True)
class Job:
    """A speech file and what is to be made of it."""

    id: str
    speech: Path
    outputs: Mapping[str, Path]
    """Outputs by what they are: suffixes, and keys of `PICTURES`."""
    earlier: Animated | None
    """Record that an earlier run left."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What all files of a run have in common."""

    options: Mapping[str, Any]
    """Arguments of `animate_file`."""
    digest: str
    """Hash of them, of the files that they name, and of the code."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a file, and the warnings on the way."""

    result: Animated | Failure
    warnings: tuple[str, ...] = ()
    kept: bool = False
    """Whether an earlier run had made everything."""


def options_digest(options: Mapping[str, Any]) -> str:
    """Return a hash of the options of `animate_file`, of the files that they name, and of the code that acts
    on them. The folders of these files do not count.
    """
    model = options["model_name"]
    named = files_read(*(options[key] for key in NAMING))
    if model != RULES:
        named.append(weights_of(model))
    files = [path for path in named if path is not None]
    described = repr(sorted(options.items()))
    for path in files:
        described = described.replace(str(path), path.name)
    # Rows name code in strings, which no import shows.
    rows = [*FORMATS.values(), *PICTURES.values(), *METHODS.values()]
    named_in = {
        value.partition(":")[0]
        for row in rows
        for value in vars(row).values()
        if isinstance(value, str) and value.startswith("talkcli.")
    }
    parts = [described, code_digest(__name__, *sorted(named_in)), *map(sha256, files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def animate_one(out_dir: Path, told: Told, job: Job) -> Answer:
    """Make the outputs of a job that are missing, damaged or made with other options.

    Args:
        out_dir: Folder of the run.
        told: Options of the run.
        job: Speech file, its outputs, and what an earlier run made of it.

    Raises:
        OSError: The machine is to blame and not the file.
        TalkError: The options or the model are.
    """
    heard = _current.heard = _Heard()
    try:
        fingerprint = _fingerprint(told, job.speech)
        earlier = job.earlier if job.earlier and job.earlier.fingerprint == fingerprint else None
        made = {}
        if earlier is not None:
            made = {name: digest for name, digest in earlier.outputs.items() if _is(out_dir, name, digest)}
        takes = told.options["sampling"].takes
        missing = {
            kind: out
            for kind, out in job.outputs.items()
            if any(name not in made for name in names_of(out_dir, out, takes))
        }
    except InputError as error:
        return Answer(result=_failure(error))
    if not missing:
        assert earlier is not None
        return Answer(result=earlier, kept=True)
    performer = _opened(told)
    pictures: dict[str, Any] = {kind: missing.get(kind) for kind in PICTURES}
    try:
        report = animate_file(
            job.speech,
            [out for kind, out in missing.items() if kind not in PICTURES],
            **told.options,
            **pictures,
            performer=performer,
            reporter=heard,
            overwrite=True,
        )
    except MemoryError:
        result: Animated | Failure = Failure(problem=f"{job.speech} takes more memory than the machine has.")
    except OSError:
        raise
    except TalkError as error:
        # Other classes blame what all files have in common.
        if type(error) not in (InputError, TalkError):
            raise
        result = _failure(error)
    except Exception as error:  # noqa: BLE001  a bug that one file meets must not cost the others
        result = Failure(problem=f"a bug in talk: {type(error).__name__}: {error}")
    else:
        written = [Path(out) for out in report.pop("outputs")]
        made |= {out.relative_to(out_dir).as_posix(): _digest_of(out) for out in written}
        if earlier is not None:
            report = _merged(earlier.report, report)
        result = Animated(id=job.id, fingerprint=fingerprint, outputs=made, report=report)
    return Answer(result=result, warnings=tuple(heard.warnings))


def names_of(out_dir: Path, out: Path, takes: int) -> list[str]:
    """Return the paths below `out_dir` of an output for every take."""
    paths = dict.fromkeys(take_path(out, take, takes) for take in range(takes))
    return [path.relative_to(out_dir).as_posix() for path in paths]


def _merged(earlier: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of a file of which runs with the same options made one output after another."""
    measured = {**earlier.get("measured", {}), **report.get("measured", {})}
    return {**earlier, **report, **({"measured": measured} if measured else {})}


class _Heard(Silent):
    """Reporter that keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class _Current(Silent):
    """Reporter of the performer, which outlives a file: passes warnings on to that of the file under work."""

    heard: Silent = Silent()

    def warn(self, text: str) -> None:
        self.heard.warn(text)


_current = _Current()
# The performer of this process, with the digest of its options: a process of a cluster outlives a run.
_kept: list[tuple[str, Performer]] = []


def _opened(told: Told) -> Performer:
    """Return the performer of the options, loaded once in a process."""
    from talkcli.engine.face.template import read_template

    if not _kept or _kept[0][0] != told.digest:
        options = told.options
        performer = open_performer(
            options["model_name"],
            options["device_name"],
            precision=options["precision"],
            layers=options["layers"],
            text=options["text"],
            reporter=_current,
            template=read_template(options["template"], options["topology"], Silent()),
        )
        _kept[:] = [(told.digest, performer)]
    return _kept[0][1]


def _fingerprint(told: Told, speech: Path) -> str:
    """Raises InputError for a file that cannot be read."""
    try:
        sound = sha256(speech)
    except FileNotFoundError as error:
        raise InputError(f"{speech} does not exist.", hint="Check the spelling and the folder.") from error
    except OSError as error:
        raise InputError(f"{speech} cannot be read ({error.strerror}).") from error
    return hashlib.sha256(f"{told.digest}\n{sound}".encode()).hexdigest()


def _is(out_dir: Path, name: str, digest: str) -> bool:
    """Return whether an output is there and unchanged; one outside of the folder is none of ours."""
    path = out_dir / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.exists():
        return False
    return _digest_of(path) == digest


def _digest_of(path: Path) -> str:
    """Return the hash of a file, or of the names and the contents of the files in a folder."""
    if not path.is_dir():
        return sha256(path)
    lines = [f"{file.name} {sha256(file)}" for file in sorted(path.iterdir()) if file.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _failure(error: TalkError) -> Failure:
    return Failure(problem=error.problem, hint=error.hint, exit_code=error.exit_code)
