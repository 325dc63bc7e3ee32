"""Results of a study, as raters download them: anybody may have made the file, so everything is checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from talkcli.engine.errors import InputError
from talkcli.engine.pipelines.score.study.questions import MIDDLE
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import Config, first_mistake

_LARGEST_BYTES = 1 << 22
_MOST_FILES = 10_000

# Clips are named like files, whose names have at most 255 characters.
Name = Annotated[str, Field(min_length=1, max_length=255)]
Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Index = Annotated[int, Field(ge=0, lt=1000)]
Rating = Annotated[int, Field(ge=1, le=5)]


class Study(Config):
    """What the results are of."""

    id: Key
    title: Name
    methods: Annotated[tuple[Name, ...], Field(min_length=2, max_length=8)]
    clips: Annotated[tuple[Name, ...], Field(min_length=1, max_length=500)]
    questions: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


class Answer(Config):
    """The answers of a rater to one step."""

    step: Annotated[int, Field(ge=0, lt=10_000)]
    kind: Literal["pair", "told", "same", "late"]
    clip: Index
    left: Index
    right: Index
    late: Literal["left", "right"] | None
    want: Rating | None
    answers: Annotated[dict[Name, Rating], Field(max_length=20)]
    seconds: Annotated[float, Field(ge=0, le=1e7)]
    plays: Annotated[tuple[Index, Index], Field()]

    def failed(self) -> bool:
        """Return whether the rater failed this check of attention; False for a pair of methods.

        `told` wants the stated answer to every question; `same` none at either end of the scale; `late` that
        the lips of the other side are named as better.
        """
        if self.kind == "told":
            return any(value != self.want for value in self.answers.values())
        if self.kind == "same":
            return any(value in (1, 5) for value in self.answers.values())
        if self.kind == "late":
            value = self.answers.get("lips", MIDDLE)
            return value <= MIDDLE if self.late == "left" else value >= MIDDLE
        return False


class Result(Config):
    """The file of one rater."""

    format: Literal["talk-study-results"]
    version: Literal[1]
    study: Study
    rater: Key
    code: Annotated[str, Field(max_length=60)]
    form: Index
    started: Annotated[str, Field(max_length=40)]
    finished: Annotated[str, Field(max_length=40)]
    answers: Annotated[tuple[Answer, ...], Field(max_length=10_000)]

    @model_validator(mode="after")
    def _fits(self) -> Result:
        study = self.study
        for names in (study.methods, study.clips, study.questions):
            if len(set(names)) < len(names):
                raise ValueError(f"the name {max(names, key=names.count)} occurs twice")
        for answer in self.answers:
            place = f"step {answer.step}"
            if answer.clip >= len(study.clips) or max(answer.left, answer.right) >= len(study.methods):
                raise ValueError(f"{place} names a clip or a method that the study does not have")
            if (answer.left == answer.right) != (answer.kind in ("same", "late")):
                raise ValueError(f"{place} is of the kind {answer.kind}, and its two methods do not fit that")
            if set(answer.answers) != set(study.questions):
                raise ValueError(f"{place} does not answer the questions of the study")
            if (answer.kind == "told") != (answer.want is not None):
                raise ValueError(f"{place} has a wanted answer and is no such check, or the other way round")
            if (answer.kind == "late") != (answer.late is not None):
                raise ValueError(f"{place} has a late side and is no such check, or the other way round")
        if len({answer.step for answer in self.answers}) < len(self.answers):
            raise ValueError("a step is answered twice")
        return self


def read_results(paths: Sequence[Path]) -> list[Result]:
    """Return the results of one study, in the order of `paths`; folders stand for their *.json files.

    Raises InputError for a file that is no result of a study, of several studies, and for a rater whose
    results are given twice.
    """
    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    if not files:
        raise InputError("There are no results (*.json).", hint="Give the files that raters downloaded.")
    if len(files) > _MOST_FILES:
        raise InputError(f"There are {len(files)} results; talk reads at most {_MOST_FILES}.")
    results: list[Result] = []
    seen: dict[str, Path] = {}
    for file in files:
        result = _read(file)
        if result.study != (results[0].study if results else result.study):
            raise InputError(f"{file} is of another study than {files[0]}.")
        if result.rater in seen:
            raise InputError(
                f"{seen[result.rater]} and {file} are of the same rater {result.rater}.",
                hint="Give each rater's file once.",
            )
        seen[result.rater] = file
        results.append(result)
    return results


def _read(path: Path) -> Result:
    try:
        document = parse_json(read_text(path, largest=_LARGEST_BYTES), longest=_LARGEST_BYTES)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict) or document.get("format") != "talk-study-results":
        raise InputError(
            f"{path} is no result of a study: its format is not talk-study-results.",
            hint="Give the files that raters downloaded from the page of talk score study; before each "
            "report of talk score comes `scores`.",
        )
    try:
        return Result.model_validate(document)
    except ValidationError as error:
        raise InputError(f"{path} is no valid result of a study: {first_mistake(error)}.") from error
