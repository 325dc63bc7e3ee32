"""Features of clips become moments: of every emotion and of all clips, and no clip keeps its features."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.frechet_pool import ComparedMoments, distance
from talkcli.engine.metrics.take import Compared
from talkcli.engine.pipelines.score.clip import Value
from talkcli.engine.pipelines.score.gathered import gathered
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.work import Scored

FEATURES = 4


def clip(number: int, emotion: str | None, *, known: bool = True) -> Scored:
    rng = np.random.default_rng(number)
    found = Compared(rng.standard_normal((6, FEATURES)), 1 + rng.standard_normal((7, FEATURES)))
    ffd = Value(value=None, reason="pooled over clips", observations=found)
    return Scored(
        id=f"clip{number}", emotion=emotion, takes=1, frames=10, fps=25.0,
        values={"ffd": ffd if known else Value(value=None, reason="no truth"), "lse_d": Value(value=1.0)},
        head="ada", vertex_sets={}, origins=(None,), has_truth=True, truth=None,
    )  # fmt: skip


def whole(clips: list[Scored]) -> float:
    total = ComparedMoments.empty(FEATURES)
    for each in clips:
        assert isinstance(each.values["ffd"].observations, Compared)
        total.add(each.values["ffd"].observations)
    return distance(total)


def test_values_of_all_and_of_each_emotion() -> None:
    clips = [clip(number, ("happy", "sad")[number % 2]) for number in range(9)]
    found = list(gathered(clips))
    assert not any(isinstance(each.values["ffd"].observations, Compared) for each in found)
    assert sum(each.values["ffd"].observations is not None for each in found) == 2
    assert found[3].values["lse_d"].value == 1.0
    for chosen in (range(9), range(0, 9, 2), range(1, 9, 2)):
        entry = over_clips("ffd", [found[number].values["ffd"] for number in chosen])
        assert entry["value"] == pytest.approx(whole([clips[number] for number in chosen]), rel=1e-9)
        assert entry["clips"] == len(chosen)
        assert entry["reason"] is None


def test_clips_without_features_stay_as_they_are() -> None:
    clips = [clip(0, None, known=False), clip(1, None), clip(2, None)]
    found = list(gathered(iter(clips)))
    assert found[0] is clips[0]
    assert over_clips("ffd", [each.values["ffd"] for each in found])["clips"] == 2
    assert over_clips("ffd", [found[0].values["ffd"]])["reason"] == "no truth"


def test_too_few_items_have_a_reason() -> None:
    few = clip(0, None)
    found = few.values["ffd"].observations
    assert isinstance(found, Compared)
    few.values["ffd"] = Value(value=None, observations=Compared(found.made[:3], found.true))
    entry = over_clips("ffd", [next(gathered([few])).values["ffd"]])
    assert entry["value"] is None
    assert "needs more than 4 items" in entry["reason"]
