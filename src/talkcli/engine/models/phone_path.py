"""From the phone encoder's probabilities to phones with times: the most probable path (Viterbi 1967).

Axis names: `steps` (50 Hz), `phones` = 40, as in `SYMBOLS`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from talkcli.engine.models.phones import STEP_HZ, SYMBOLS
from talkcli.engine.types import Alignment, Phone

# Cost of a change from one phone to another, in nats. Of 0.5 to 6, the one with which the phones of eight
# sentences of LJSpeech agree best with those of the aligner.
_CHANGE = 1.0
# Probability below which none is told from another.
_LEAST = 1e-8
# What `Alignment.method` says of them.
METHOD = "heard"


def phones_heard(shares: Float[np.ndarray, "steps phones"], duration_s: float) -> Alignment:
    """Return the phones of the most probable path, without gaps from 0 to `duration_s`.

    A path costs the negative logarithm of the probability of its phone in each step, and a constant for each
    change of the phone.
    """
    if not len(shares):
        return Alignment((), METHOD)
    logs = np.log(np.maximum(shares, _LEAST))
    # Row of the best step before, for every step but the first; -1 stays with its own phone.
    came = np.full(logs.shape, -1, np.int16)
    score = logs[0].astype(np.float64)
    for step in range(1, len(logs)):
        best = int(score.argmax())
        changed = score[best] - _CHANGE > score
        came[step, changed] = best
        score = np.where(changed, score[best] - _CHANGE, score) + logs[step]
    path = np.empty(len(logs), np.int64)
    path[-1] = score.argmax()
    for step in range(len(logs) - 1, 0, -1):
        before = came[step, path[step]]
        path[step - 1] = path[step] if before < 0 else before
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    times_s = [*(starts / STEP_HZ).tolist(), duration_s]
    phones = (
        Phone(SYMBOLS[path[first]], min(start_s, duration_s), min(end_s, duration_s))
        for first, (start_s, end_s) in zip(starts, pairwise(times_s), strict=True)
    )
    return Alignment(tuple(phone for phone in phones if phone.end_s > phone.start_s), METHOD)
