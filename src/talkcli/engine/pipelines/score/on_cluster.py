"""Clips as the workers of a cluster read them: from absolute paths, which all machines see.

Workers may have another working directory. Each keeps the motion that it makes in its own cache.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from talkcli.engine.face.heads import HEADS
from talkcli.engine.methods import SHIPPED
from talkcli.engine.performers.rules import RULES
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
    audio, film = (None if path is None else path.absolute() for path in (case.audio, case.film))
    takes, videos = (tuple(path.absolute() for path in paths) for paths in (case.takes, case.videos))
    here = replace(case, takes=takes, videos=videos, film=film, truth=truth, audio=audio, words=words)
    return replace(job, case=here)


def inputs_of(setting: Setting, job: Job) -> list[Path]:
    """Return files that every worker must be able to read: those of one clip, and the model's if it has a
    path.
    """
    case = absolute_job(job).case
    truth = None if case.truth is None else case.truth.path
    paths = [*case.takes, *case.videos, case.film, case.audio, truth]
    return [*(path for path in paths if path is not None), *_model_files(setting.generation)]


def _model_files(generation: Generation | None) -> list[Path]:
    name = None if generation is None else _absolute_name(generation.model_name)
    return [Path(name)] if name is not None and Path(name).is_absolute() else []


def _absolute_name(name: str) -> str:
    """Return the absolute path of a file or folder; a name of talk's own stays as it is."""
    own = name in SHIPPED or name == RULES or name in HEADS
    return name if own or not Path(name).exists() else str(Path(name).absolute())
