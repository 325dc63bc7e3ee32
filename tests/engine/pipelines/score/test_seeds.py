"""Several seeds in one report: means, deviations between seeds, and the numbers of each seed alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import UsageError
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.motions import score_motions
from talkcli.engine.pipelines.score.seeds import over_seeds
from talkcli.engine.pipelines.score.thresholds import Threshold
from talkcli.engine.types import Silent, Speech
from tests.engine.fakes import Told
from tests.report_schema import faults

METRICS = ["diversity_l2", "gap_mean_mm", "sync_r"]
GENERATION = Generation(sigma=0.5, takes=2, seed=4)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    draw = np.random.default_rng(0)
    for name in ("a", "b"):
        samples = draw.normal(0, 0.1, 16_000) * np.repeat(draw.random(25), 640)
        write_wav(folder / f"{name}.wav", Speech(samples=samples.astype(np.float32)))
    return folder


def score(sounds: Path, generation: Generation, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"truth": None, "dataset": None, "head_name": None, "thresholds": ()}
    given |= {"reporter": Silent()} | options
    report = score_motions([], audio=sounds, generation=generation, metrics=METRICS, **given)
    assert faults(json.loads(json.dumps(report, allow_nan=False))) == []
    return report


def test_each_seed_has_the_numbers_of_a_score_of_its_own(sounds: Path, tmp_path: Path) -> None:
    found = score(sounds, GENERATION, num_seeds=2, num_workers=0, keep=True, cache=tmp_path)
    kept = sorted(tmp_path.iterdir())
    alone = [
        score(sounds, Generation(sigma=0.5, takes=2, seed=seed), num_workers=0, keep=True, cache=tmp_path)
        for seed in (4, 5)
    ]
    # 2 seeds, 2 clips, 2 takes: the scores of one seed find all of their motion.
    assert len(kept) == 8 and sorted(tmp_path.iterdir()) == kept
    assert found["generation"]["seeds"] == [4, 5]
    assert [one["seed"] for one in found["seeds"]] == [4, 5]
    for one, wanted in zip(found["seeds"], alone, strict=True):
        assert one["overall"] == wanted["overall"]
        assert [clip["metrics"] for clip in one["clips"]] == [clip["metrics"] for clip in wanted["clips"]]
    for name in METRICS:
        entry, values = found["overall"][name], [each["overall"][name]["value"] for each in alone]
        assert values[0] != values[1]
        assert entry["between_seeds"]["values"] == values
        assert entry["value"] == pytest.approx(sum(values) / 2)
        assert entry["between_seeds"]["sd"] == pytest.approx(abs(values[0] - values[1]) / np.sqrt(2))
        clips = [each["metrics"][name]["value"] for each in found["clips"]]
        assert entry["spread"]["sd"] == pytest.approx(np.std(clips, ddof=1))


def test_processes_do_not_matter_and_thresholds_hold_for_the_mean(sounds: Path) -> None:
    found = score(sounds, GENERATION, num_seeds=2, num_workers=0)
    low, high = sorted(found["overall"]["gap_mean_mm"]["between_seeds"]["values"])
    limit = Threshold(metric="gap_mean_mm", limit=(low + 3 * high) / 4, fails_if=">")
    again = score(sounds, GENERATION, num_seeds=2, num_workers=2, thresholds=[limit])
    assert again["missed"] == []
    assert {**again, "thresholds": []} == {**found, "thresholds": []}


def test_one_seed_has_no_seeds(sounds: Path) -> None:
    found = score(sounds, GENERATION, num_workers=0)
    assert "seeds" not in found and "seeds" not in found["generation"]
    assert "between_seeds" not in found["overall"]["sync_r"]


def test_the_last_seed_has_a_limit() -> None:
    with pytest.raises(UsageError, match="last seed"):
        Generation(seed=2**32 - 2).with_seeds(3)
    assert [each.seed for each in Generation(seed=2**32 - 2).with_seeds(2)] == [2**32 - 2, 2**32 - 1]


def _of_one(value: float | None) -> dict[str, Any]:
    reason = None if value is not None else "dead mouth"
    entry = {"value": value, "reason": reason}
    overall = {"mtm_ms": entry | {"over_clips": "clip mean", "clips": 1}}
    clip = {"id": "a", "emotion": "sad", "metrics": {"mtm_ms": entry}}
    return {"overall": overall, "emotions": {"sad": overall}, "clips": [clip]}


def test_a_seed_without_a_value_is_left_out() -> None:
    found = over_seeds([0, 1, 2], [_of_one(2.0), _of_one(None), _of_one(5.0)])
    for entry in (found["overall"]["mtm_ms"], found["emotions"]["sad"]["mtm_ms"]):
        assert (entry["value"], entry["reason"]) == (3.5, None)
        assert entry["between_seeds"]["values"] == [2.0, None, 5.0]
    assert found["clips"][0]["metrics"]["mtm_ms"] == {"value": 3.5, "reason": None}
    none = over_seeds([0, 1], [_of_one(None)] * 2)["overall"]["mtm_ms"]
    assert (none["value"], none["reason"], none["between_seeds"]["sd"]) == (None, "dead mouth", None)


def test_seeds_of_motion_without_chance_get_a_note(sounds: Path) -> None:
    told = Told()
    found = score(sounds, Generation(), num_seeds=2, num_workers=0, reporter=told)
    assert told.noted("all seeds give the same motion")
    assert found["overall"]["sync_r"]["between_seeds"]["sd"] == 0
    told = Told()
    score(sounds, GENERATION, num_seeds=2, num_workers=0, reporter=told)
    assert not told.noted("all seeds")


@pytest.mark.parametrize(("model", "draws"), [("emoface", False), ("embedded", True), ("rules", True)])
def test_layers_draw_over_coefficients_alone(model: str, draws: bool) -> None:
    assert Generation(model_name=model, layers=True).draws() == draws


def test_layers_change_nothing_about_vertices(sounds: Path) -> None:
    told, vertices = Told(), Generation(model_name="emoface", layers=True)
    found = score(sounds, vertices, num_seeds=2, num_workers=0, reporter=told)
    assert told.noted("all seeds give the same motion")
    assert found["overall"]["gap_mean_mm"]["between_seeds"]["sd"] == 0
