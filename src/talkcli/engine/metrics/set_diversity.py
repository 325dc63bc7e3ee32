"""Diversity of a set of features by random pairs, as in text-to-motion.

Axis names: `items`, `conditions`, `takes`, `features`. Distances are L2, in the unit of the features, whose
space a report must name. Source: HumanML3D's evaluation (Guo et al. 2022, text-to-motion, utils/metrics.py).
Two draws of indices are independent, so that an item can be paired with itself. A draw names any clips of the
set, once their number is known, so that the quartiles of all clips stay in memory: 3 numbers for each
coefficient.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.named import functionals
from talkcli.engine.metrics.take import Observations, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError

# Pairs that the published evaluation draws: of the whole set, and of the takes of a condition.
PAIRS, PAIRS_OF_TAKES = 300, 10
# Number of times that it draws pairs of the whole set.
_REPETITIONS = 20

Features = Float[np.ndarray, "items features"]
Draw = Int[np.ndarray, "pairs"]


def drawn_pairs(num_items: int, num_pairs: int, draw: np.random.RandomState) -> tuple[Draw, Draw]:
    """Return two draws of `num_pairs` indices, each without repeats.

    Raises UndefinedMetricError unless there are more items than pairs, as in the published evaluation.
    """
    if num_items <= num_pairs:
        raise UndefinedMetricError(f"needs more than {num_pairs} items, there are {num_items}")
    first, second = (draw.choice(num_items, num_pairs, replace=False) for _ in range(2))
    return first, second


def set_diversity(features: Features, pairs: tuple[Draw, Draw]) -> float:
    """Return the mean L2 distance of the items that `pairs` names."""
    first, second = pairs
    return float(np.linalg.norm(features[first] - features[second], axis=1).mean())


def multimodality(
    features: Float[np.ndarray, "conditions takes features"], pairs: tuple[Draw, Draw]
) -> float:
    """Return the mean L2 distance of the takes that `pairs` names: the same ones of every condition."""
    first, second = pairs
    return float(np.linalg.norm(features[:, first] - features[:, second], axis=2).mean())


def measure_quartiles(take: Take) -> Observations:
    """Return the quartiles of each coefficient of a take over time, for `pool_diversity`."""
    return _observed([take])


def measure_takes(takes: list[Take]) -> Observations:
    """Return the quartiles of each coefficient over time of all takes of a clip, for `pool_multimodality`."""
    return _observed(takes)


def pool_diversity(observations: Observations) -> float:
    """Return the mean of twenty draws of `set_diversity` (300 pairs, seed 0) over all clips and takes."""
    features = _features(observations)
    draw = np.random.RandomState(0)
    return float(
        np.mean(
            [set_diversity(features, drawn_pairs(len(features), PAIRS, draw)) for _ in range(_REPETITIONS)]
        )
    )


def pool_multimodality(observations: Observations) -> float:
    """Return `multimodality` of the takes of all clips (10 pairs, seed 0).

    Raises UndefinedMetricError unless every clip has one number of takes, more than ten.
    """
    takes = {int(count) for count in observations["takes"]}
    if len(takes) > 1:
        raise UndefinedMetricError("the clips differ in their numbers of takes")
    features = _features(observations)
    count = takes.pop()
    pairs = drawn_pairs(count, PAIRS_OF_TAKES, np.random.RandomState(0))
    return multimodality(features.reshape(-1, count, features.shape[1]), pairs)


def _observed(takes: list[Take]) -> Observations:
    found = [functionals(take.coeffs()) for take in takes]
    return {
        "features": np.concatenate(found).tolist(),
        "length": [float(len(found[0]))],
        "takes": [float(len(takes))],
    }


def _features(observations: Observations) -> Features:
    return np.reshape(observations["features"], (-1, int(observations["length"][0])))
