"""Means over real motion of the metrics that are divided by them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import only_learned
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
    """Return the mean over real motions of each metric that needs a reference, by the metric's name.

    Each motion lies on the head called `head_name` if that has its channels, else on its own head or mesh.
    Motions that are too short or do not move are left out.

    Args:
        given: Motion file, or a folder with motion files at any depth.
        head_name: Name of a head; None for each motion's own.
        reporter: Receiver of notes on motions that are left out, and of progress.

    Raises:
        InputError: When no motion is left.
        AssetError: When a topology lacks a region.
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
        motion = only_learned(read_any_motion(path)[0])
        take = Measured(Surface(motion, topology(motion)))
        try:
            found.append([measure(take) for measure in rows.values()])
        except UndefinedMetricError as error:
            reporter.note(f"{path} is left out of the reference: {error}.")
        reporter.progress("reading the reference", index + 1, len(paths))
    if not found:
        raise InputError(f"{given} holds no motion (*.npz) to compare jerk with.")
    return dict(zip(rows, np.mean(found, axis=0).tolist(), strict=True))
