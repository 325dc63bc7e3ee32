"""Errors and spreads of coefficients and of the head's rotation, as papers compare them.

Axis names: `frames`, `codes` (columns of coefficients). Sources: UniLS (PDD and JDD: pose and jaw dynamics
deviation), ProbTalk3D (validation metrics), FaceDiffuser (blendshape script for its rig of 192 controls and
for BEAT's 51 shapes).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import ARKIT, JAW
from talkcli.engine.metrics.take import Take
from talkcli.engine.metrics.undefined import UndefinedMetricError

Codes = Float[np.ndarray, "frames codes"]

# UniLS reports its deviations times this.
_HUNDRED = 100.0
# BEAT's 51 shapes are ARKit's, by the alphabet and without the tongue. FaceDiffuser's script counts these
# columns as mouth and as upper face; neither the jaw's opening nor the brows are among them.
BEAT = tuple(sorted(name for name in ARKIT if name != "tongueOut"))
BEAT_MOUTH = (23, 25, 27, 28, 31, 37, 39, 40, 41, 42, 47, 48)
BEAT_UPPER = (*range(8, 22), 49, 50)
# The same of the rig.
RIG_COLUMNS = 192
RIG_MOUTH = (*range(94, 114), *range(146, 178), *range(183, 192))
RIG_UPPER = tuple(sorted(set(range(RIG_COLUMNS)) - set(RIG_MOUTH)))


def spread_deviation(predicted: Codes, true: Codes) -> float:
    """Return the mean over columns of |std_t(predicted) - std_t(true)|, with n - 1, in the columns' unit.

    It compares how far codes move, never where. Raises UndefinedMetricError for a single frame.
    """
    if len(true) < 2:
        raise UndefinedMetricError("needs two frames or more")
    spreads = [codes.astype(np.float64).std(axis=0, ddof=1) for codes in (predicted, true)]
    return float(np.abs(spreads[0] - spreads[1]).mean())


def variance_distance(predicted: Codes, true: Codes) -> float:
    """Return the L2 distance of the vectors of all columns' variances over time (n - 1)."""
    if len(true) < 2:
        raise UndefinedMetricError("needs two frames or more")
    variances = [codes.astype(np.float64).var(axis=0, ddof=1) for codes in (predicted, true)]
    return float(np.linalg.norm(variances[0] - variances[1]))


def mean_l2(predicted: Codes, true: Codes) -> float:
    """Return the mean over frames of the L2 distance of all columns; it grows with their number."""
    return float(np.linalg.norm(np.subtract(predicted, true, dtype=np.float64), axis=1).mean())


def sum_spread_deviation(predicted: Codes, true: Codes) -> float:
    """Return std_t of the sum of squares over columns of the truth, less that of the prediction.

    The value is signed; the columns are summed before the standard deviation, and nothing is subtracted.
    """
    spreads = [np.square(codes.astype(np.float64)).sum(axis=1).std() for codes in (true, predicted)]
    return float(spreads[0] - spreads[1])


def measure_pdd(take: Take, true: Take) -> float:
    """Measure 100 times the `spread_deviation` of the head's rotation (axis-angle in radians) of a take."""
    return _HUNDRED * spread_deviation(take.pose(), true.pose())


def measure_jdd(take: Take, true: Take) -> float:
    """Measure 100 times the `spread_deviation` of the jaw's pitch in radians of a take."""
    pitches = [motion.channel(JAW[0])[:, None] for motion in (take, true)]
    return _HUNDRED * spread_deviation(*pitches)


def measure_mean_l2(take: Take, true: Take) -> float:
    """Measure `mean_l2` of all coefficients of a take."""
    return mean_l2(take.coeffs(), true.coeffs())


def measure_variance_distance(take: Take, true: Take) -> float:
    """Measure `variance_distance` of all coefficients of a take."""
    return variance_distance(take.coeffs(), true.coeffs())


def measure_beat_error(take: Take, true: Take) -> float:
    """Measure `mean_l2` of BEAT's 51 shapes of a take."""
    return mean_l2(_beat(take), _beat(true))


def measure_beat_mouth(take: Take, true: Take) -> float:
    """Measure `mean_l2` of the mouth's columns of BEAT's shapes of a take."""
    return mean_l2(_beat(take)[:, BEAT_MOUTH], _beat(true)[:, BEAT_MOUTH])


def measure_beat_upper(take: Take, true: Take) -> float:
    """Measure `sum_spread_deviation` of the upper columns of BEAT's shapes of a take."""
    return sum_spread_deviation(_beat(take)[:, BEAT_UPPER], _beat(true)[:, BEAT_UPPER])


def measure_beat_upper_absolute(take: Take, true: Take) -> float:
    """Measure the absolute value of `measure_beat_upper` of a take."""
    return abs(measure_beat_upper(take, true))


def measure_rig_error(take: Take, true: Take) -> float:
    """Measure `mean_l2` of the rig's 192 controls of a take."""
    return mean_l2(_rig(take), _rig(true))


def measure_rig_mouth(take: Take, true: Take) -> float:
    """Measure `mean_l2` of the mouth's controls of the rig of a take."""
    return mean_l2(_rig(take)[:, RIG_MOUTH], _rig(true)[:, RIG_MOUTH])


def measure_rig_upper(take: Take, true: Take) -> float:
    """Measure `sum_spread_deviation` of the upper controls of the rig of a take."""
    return sum_spread_deviation(_rig(take)[:, RIG_UPPER], _rig(true)[:, RIG_UPPER])


def measure_rig_upper_absolute(take: Take, true: Take) -> float:
    """Measure the absolute value of `measure_rig_upper` of a take."""
    return abs(measure_rig_upper(take, true))


def _beat(take: Take) -> Codes:
    return np.stack([take.channel(name) for name in BEAT], axis=1)


def _rig(take: Take) -> Codes:
    codes = take.coeffs()
    if codes.shape[1] != RIG_COLUMNS:
        raise AssetError(f"The motion has {codes.shape[1]} coefficients, not the rig's {RIG_COLUMNS}.")
    return codes
