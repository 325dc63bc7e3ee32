"""FFD: the Frechet distance of motion and truth in the latents of an autoencoder of motion.

Source: DEEPTalk, supplementary material. The autoencoder is ours (`judges/ffd.py`), trained on our corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.judges.ffd import features
from talkcli.engine.metrics.take import Compared, Take, compared
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS


def measure(takes: Sequence[Take], true: Take) -> Compared:
    """Return the latents of all takes, and of the truth.

    Raises UndefinedMetricError for coefficients that the judge does not know, AssetError for vertices.
    """
    return compared(_latents, takes, true)


def _latents(take: Take) -> Float[np.ndarray, "tokens width"]:
    judge, header = own_judge("ffd")
    if take.channel_names() != header.channels:
        raise UndefinedMetricError(f"our judge knows the coefficients of {header.head} only")
    return features(judge, take.at(float(MODEL_FPS)).coeffs().astype(np.float32))
