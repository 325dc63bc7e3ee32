"""How jerky real motion is: what jerk is compared with."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.jerk import jerkiness
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.surface import Surface
from talkcli.engine.types import MODEL_FPS, Reporter


def reference_jerk(given: Path, head: Head, reporter: Reporter) -> dict[str, float]:
    """Mean jerkiness over the motions in `given`, a motion file or a folder with such in any depth, by
    vertex set; motions that are too short or stand still are left out.

    Every motion moves `head` where it speaks its channels, else the head it names. Raises InputError when
    nothing is left, AssetError where a head lacks a region.
    """
    paths = sorted(given.rglob("*.npz")) if given.is_dir() else [given]
    sets = [info.vertices for info in METRICS.values() if info.needs == "reference"]
    named = cache(load_head)
    found = []
    for index, path in enumerate(paths):
        motion, _ = read_motion(path)
        own = head if motion.channels == head.channels else named(motion.head)
        surface = Surface(own, motion).at(float(MODEL_FPS))
        try:
            found.append([jerkiness(surface.part(name)) for name in sets])
        except UndefinedMetricError as error:
            reporter.note(f"{path} is left out of the reference: {error}.")
        reporter.progress("reading the reference", index + 1, len(paths))
    if not found:
        raise InputError(f"{given} holds no motion (*.npz) to compare jerk with.")
    return dict(zip(sets, np.mean(found, axis=0).tolist(), strict=True))
