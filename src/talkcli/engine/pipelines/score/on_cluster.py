"""Clips as the workers of a cluster read them: from absolute paths, which all machines see.

Workers may have another working directory. Each keeps the motion that it makes in its own cache.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.work import Job, Setting


def absolute_setting(setting: Setting) -> Setting:
    """Return the setting with absolute paths of the model, the head and the cache, where these are files."""
    made = setting.generation
    if made is not None:
        kept = made.cache and replace(made.cache, folder=made.cache.folder.absolute())
        made = replace(made, model_name=_absolute_name(made.model_name), cache=kept)
    head = setting.head_name
    return replace(setting, generation=made, head_name=None if head is None else _absolute_name(head))


def absolute_job(job: Job) -> Job:
    """Return the work on a clip with absolute paths of all files."""
    case = job.case
    truth, words = case.truth, case.words
    if truth is not None:
        folder = None if truth.folder is None else truth.folder.absolute()
        truth = replace(truth, path=truth.path.absolute(), folder=folder)
    if words is not None and words.phones is not None:
        words = replace(words, phones=words.phones.absolute())
    audio = None if case.audio is None else case.audio.absolute()
    takes = tuple(path.absolute() for path in case.takes)
    return replace(job, case=replace(case, takes=takes, truth=truth, audio=audio, words=words))


def inputs_of(setting: Setting, job: Job) -> list[Path]:
    """Return files that every worker must be able to read: those of one clip, and the model's if it has a
    path.
    """
    case = absolute_job(job).case
    paths = [*case.takes, case.audio, None if case.truth is None else case.truth.path]
    return [*(path for path in paths if path is not None), *_model_files(setting.generation)]


def _model_files(generation: Generation | None) -> list[Path]:
    path = None if generation is None else Path(generation.model_name)
    return [path.absolute()] if path is not None and path.exists() else []


def _absolute_name(name: str) -> str:
    """Return the absolute path of a file or folder; a name of talk's own stays as it is."""
    return str(Path(name).absolute()) if Path(name).exists() else name
