"""A data set prepared on the way to its score."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from talkcli.engine.errors import UsageError
from talkcli.engine.pipelines.prepared_sets import data_folder
from talkcli.engine.pipelines.preprocess import DATA_SETS, preprocess
from talkcli.engine.prepare.build import Plan
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, parameter

# Data sets that need options of their own, or whose clips have no motion or are no films.
_NOT_AT_ONCE = ("affectnet", "folder", "live-link", "video", "voxceleb2")
# Processes, as `talk preprocess` has them by default.
_NUM_WORKERS = 2


def prepare(dataset: str, root: Path, reporter: Reporter, num_workers: int | None = None) -> None:
    """Prepare a data set where `manifest_of` finds it; clips that are there already are kept.

    Args:
        dataset: Name of a data set, or the path of a folder that is called like one.
        root: Folder of the recordings.
        reporter: Receiver of notes, warnings and progress.
        num_workers: Number of worker processes; None for the default.

    Raises:
        UsageError: For a name that is not that of a data set, and for one that needs options of its own.
        TalkError: As `preprocess`.
    """
    is_path = os.sep in dataset or "/" in dataset
    name = Path(dataset).name.lower()
    out = Path(dataset) if is_path else data_folder() / name
    known = [each for each in DATA_SETS if each not in _NOT_AT_ONCE]
    if name not in known:
        where = shlex.quote(str(out))
        raise UsageError(
            f"`prepare` prepares {', '.join(known)}, but {parameter('dataset', dataset)} is none of them.",
            hint=f"Prepare it by itself: talk preprocess {name if name in DATA_SETS else 'NAME'} "
            f"{shlex.quote(str(root))} --out {where}",
        )
    workers = _NUM_WORKERS if num_workers is None else num_workers
    made = preprocess(name, root, out, Plan(num_workers=workers), reporter)
    reporter.note(f"Prepared {counted(made.num_clips, 'clip')} of {name} in {out}.")
    if made.dropped:
        reporter.warn(
            f"{counted(len(made.dropped), 'clip')} of {name} left out: "
            f"{made.manifest.with_name('quarantine.jsonl')} has the reasons."
        )
