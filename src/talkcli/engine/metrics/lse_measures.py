"""LSE-D, LSE-C and offset of a take: by our judges, of lip curves and of mouths, and by SyncNet on faces.

A distance has the unit of the judge's features, so those of two judges cannot be compared. See `lse.py` for
the score and its source. Axis names: `windows`, `features`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float

from talkcli.engine.checkpoints.judge_weights import own_judge, published_judge
from talkcli.engine.judges import sync, sync_image, syncnet
from talkcli.engine.metrics.lse import Lse, lse
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS, Speech

Features = Float[np.ndarray, "windows features"]
_Score = Callable[[Take, Speech], Lse]


def _once(score: _Score) -> _Score:
    """Keep the scores of each take while it lives, so that the metrics of one judge share its work."""
    kept: WeakKeyDictionary[Take, tuple[Speech, Lse]] = WeakKeyDictionary()

    @wraps(score)
    def scored(take: Take, speech: Speech) -> Lse:
        known = kept.get(take)
        if known is None or known[0] is not speech:
            known = kept[take] = (speech, score(take, speech))
        return known[1]

    return scored


@_once
def by_our_judge(take: Take, speech: Speech) -> Lse:
    """Score a take by our sync judge.

    Raises UndefinedMetricError for a take that is too short, AssetError without landmarks.
    """
    judge, _ = own_judge("sync")
    return _scored(lambda: sync.features(judge, take.at(float(MODEL_FPS)).lip_curves(), speech))


@_once
def by_our_judge_of_pictures(take: Take, speech: Speech) -> Lse:
    """Score a take by our sync judge that sees mouths.

    Raises UndefinedMetricError for a take that is too short, AssetError for a topology that cannot be drawn.
    """
    judge, _ = own_judge("sync_image")
    mouths = take.at(float(MODEL_FPS)).mouths(sync_image.SIDE)
    return _scored(lambda: sync_image.features(judge, mouths, speech))


@_once
def by_syncnet(take: Take, speech: Speech) -> Lse:
    """Score a take by SyncNet v2.

    Raises UndefinedMetricError for a take that is too short, AssetError without SyncNet's weights, and for a
    topology that cannot be drawn.
    """
    network = published_judge("syncnet")
    pictures = take.at(float(MODEL_FPS)).pictures(syncnet.SIDE)
    return _scored(lambda: syncnet.features(network, pictures, speech))


def measure_distance(take: Take, speech: Speech) -> float:
    """Measure LSE-D by our judge."""
    return by_our_judge(take, speech).distance


def measure_confidence(take: Take, speech: Speech) -> float:
    """Measure LSE-C by our judge."""
    return by_our_judge(take, speech).confidence


def measure_offset(take: Take, speech: Speech) -> float:
    """Measure the offset by our judge, in frames of 25 fps."""
    return float(by_our_judge(take, speech).offset)


def measure_pictures_distance(take: Take, speech: Speech) -> float:
    """Measure LSE-D by our judge of pictures."""
    return by_our_judge_of_pictures(take, speech).distance


def measure_pictures_confidence(take: Take, speech: Speech) -> float:
    """Measure LSE-C by our judge of pictures."""
    return by_our_judge_of_pictures(take, speech).confidence


def measure_pictures_offset(take: Take, speech: Speech) -> float:
    """Measure the offset by our judge of pictures, in frames of 25 fps."""
    return float(by_our_judge_of_pictures(take, speech).offset)


def measure_syncnet_distance(take: Take, speech: Speech) -> float:
    """Measure LSE-D by SyncNet."""
    return by_syncnet(take, speech).distance


def measure_syncnet_confidence(take: Take, speech: Speech) -> float:
    """Measure LSE-C by SyncNet."""
    return by_syncnet(take, speech).confidence


def measure_syncnet_offset(take: Take, speech: Speech) -> float:
    """Measure the offset by SyncNet, in frames of 25 fps."""
    return float(by_syncnet(take, speech).offset)


def _scored(features: Callable[[], tuple[Features, Features]]) -> Lse:
    try:
        return lse(*features())
    except ValueError as error:
        raise UndefinedMetricError(str(error)) from error
