"""What real motion gives for the metrics that compare with it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.surface import Surface, topology_of
from talkcli.engine.face.topology import Topology
from talkcli.engine.methods import resolve
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import AnyMotion, Motion, Reporter


def reference_means(given: Path, head_name: str | None, reporter: Reporter) -> dict[str, float]:
    """Return average the metrics that need a reference over real motions, by the metrics' names.

    Motions that are too short or stand still are left out. Every motion lies on the head called `head_name`
    where it has its channels, else on the head or mesh of its own.

    Args:
        given: a motion file, or a folder with such files at any depth.

    Raises:
        InputError: when no motion is left.
        AssetError: where a topology lacks a region.
    """
    paths = sorted(given.rglob("*.npz")) if given.is_dir() else [given]
    rows = {name: resolve(info.measure) for name, info in METRICS.items() if info.needs == "reference"}
    heads = cache(load_head)

    def topology(motion: AnyMotion) -> Topology:
        if not isinstance(motion, Motion):
            return topology_of(motion)
        wanted = None if head_name is None else heads(head_name)
        return wanted if wanted is not None and motion.channels == wanted.channels else heads(motion.head)

    found = []
    for index, path in enumerate(paths):
        motion, _ = read_any_motion(path)
        take = Measured(Surface(motion, topology(motion)))
        try:
            found.append([measure(take) for measure in rows.values()])
        except UndefinedMetricError as error:
            reporter.note(f"{path} is left out of the reference: {error}.")
        reporter.progress("reading the reference", index + 1, len(paths))
    if not found:
        raise InputError(f"{given} holds no motion (*.npz) to compare jerk with.")
    return dict(zip(rows, np.mean(found, axis=0).tolist(), strict=True))
