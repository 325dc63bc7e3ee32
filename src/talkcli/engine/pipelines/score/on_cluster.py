"""Clips as the workers of a cluster read them: from absolute paths, which all machines see.

Workers may have another working directory. Each keeps the motion that it makes in its own cache.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from talkcli.engine.face.heads import HEADS
from talkcli.engine.methods import SHIPPED
from talkcli.engine.performers.rules import RULES
from talkcli.engine.pipelines.score.work import Job, Setting


def absolute_setting(setting: Setting) -> Setting:
    """Return the setting with absolute paths of the model, the head and the cache, where these are files."""
    made = setting.generation
    if made is not None:
        kept = made.cache and replace(made.cache, folder=made.cache.folder.absolute())
        made = replace(made, model_name=absolute_name(made.model_name), cache=kept)
    head = setting.head_name
    return replace(setting, generation=made, head_name=None if head is None else absolute_name(head))


def absolute_job(job: Job) -> Job:
    """Return the work on a clip with absolute paths of the files that the work reads: it gets the phones from
    the job, and reads no words.
    """
    case = job.case
    truth = case.truth
    if truth is not None:
        folder = None if truth.folder is None else truth.folder.absolute()
        truth = replace(truth, path=truth.path.absolute(), folder=folder)
    audio, film = (None if path is None else path.absolute() for path in (case.audio, case.film))
    takes, videos = (tuple(path.absolute() for path in paths) for paths in (case.takes, case.videos))
    here = replace(case, takes=takes, videos=videos, film=film, truth=truth, audio=audio)
    return replace(job, case=here)


def inputs_of(setting: Setting, job: Job) -> list[Path]:
    """Return files that every worker must be able to read: those of one clip, and those of the model and of
    the head if they have paths.
    """
    case = absolute_job(job).case
    truth = None if case.truth is None else case.truth.path
    paths = [*case.takes, *case.videos, case.film, case.audio, truth]
    names = (None if setting.generation is None else setting.generation.model_name, setting.head_name)
    shared = [Path(absolute_name(name)) for name in names if name is not None]
    return [*(path for path in paths if path is not None), *(path for path in shared if path.is_absolute())]


def absolute_name(name: str) -> str:
    """Return the absolute path of a file or folder; a name of talk's own stays as it is."""
    own = name in SHIPPED or name == RULES or name in HEADS
    return name if own or not Path(name).exists() else str(Path(name).absolute())
