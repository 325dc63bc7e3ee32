"""Emo-FID: the Frechet distance of pictures of motion and truth in the features of a judge of emotion.

DEEPTalk's authors say that the judge is trained on AffectNet, and do not name it. Ours is
`judges/emotion_image.py`, and sees the pictures of `Take.drawn` with which it was trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.judges.emotion_image import SIDE, features
from talkcli.engine.metrics.take import Compared, Take, compared, picture_values
from talkcli.engine.metrics.undefined import UndefinedMetricError


def measure(takes: Sequence[Take], true: Take) -> Compared:
    """Return the features of the pictures of all takes, and of the truth.

    Raises UndefinedMetricError for coefficients of another head, AssetError for vertices.
    """
    judge, header = own_judge("emotion_image")
    if any(take.channel_names() != header.channels for take in takes):
        raise UndefinedMetricError(f"our judge has seen pictures of {header.head} only")
    return compared(lambda take: picture_values(take.drawn(SIDE), partial(features, judge)), takes, true)
