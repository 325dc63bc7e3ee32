"""FID: the Frechet distance of pictures of motion and truth in the features of Inception v3.

Source: Heusel et al. 2017, by the conventions of pytorch-fid. The pictures are those of `Take.pictures`: one
renderer and one crop for every method, never encoded; of videos, crops of their pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from talkcli.engine.checkpoints.judge_weights import published_judge
from talkcli.engine.judges.inception import SIDE, features
from talkcli.engine.metrics.take import Compared, Take, compared, picture_values


def measure(takes: Sequence[Take], true: Take) -> Compared:
    """Return the features of the pictures of all takes, or of their videos, and of the truth.

    Raises AssetError without Inception's weights, and for a topology that cannot be drawn.
    """
    network = published_judge("inception")
    return compared(lambda take: picture_values(take.pictures(SIDE), partial(features, network)), takes, true)
