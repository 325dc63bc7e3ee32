"""Who performs, and how large a model is, as the score tells them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.align import by_energy
from talkcli.engine.checkpoints.model_file import Meta, load_model, num_values, save_model
from talkcli.engine.pipelines.score import generation
from talkcli.engine.pipelines.score.generation import Generation, performances
from talkcli.engine.types import Motion, Silent, Speech
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW
from tests.engine.pipelines.test_animate import saved


@pytest.mark.parametrize(("asked", "name", "by_default"), [(None, "M003", True), ("A", "A", False)])
def test_the_report_names_who_performs(
    tmp_path: Path, asked: str | None, name: str, by_default: bool
) -> None:
    config = NARROW.model_copy(update={"speakers": ("A", "M003"), "nobody": False})
    model = saved(tmp_path / "model.safetensors", config)
    report = Generation(model_name=str(model), actor=asked).described(Silent())
    assert (report["actor"], report["actor_by_default"]) == (name, by_default)


def test_a_degradation_changes_what_the_performer_hears() -> None:
    rng = np.random.default_rng(0)
    speech = Speech(samples=(0.1 * rng.standard_normal(16_000)).astype(np.float32))
    phones = by_energy(speech)
    clean, soft = (
        performances(Generation(model_name="rules", degrade=kind), speech, phones, Silent())[0].values
        for kind in (None, "telephone")
    )
    assert clean.shape == soft.shape
    assert not np.allclose(clean, soft)


def test_layers_move_the_head() -> None:
    rng = np.random.default_rng(0)
    speech = Speech(samples=(0.1 * rng.standard_normal(32_000)).astype(np.float32))
    still, moved = (
        performances(Generation(model_name="rules", layers=layers), speech, by_energy(speech), Silent())[0]
        for layers in (False, True)
    )
    assert isinstance(still, Motion) and isinstance(moved, Motion)
    assert still.pose is None
    assert moved.pose is not None and np.ptp(moved.pose) > 0


@pytest.mark.parametrize(
    ("clips", "wanted", "workers"), [(31, None, 0), (32, None, 2), (99, None, 4), (1, 3, 3)]
)
def test_a_process_is_started_for_many_clips(
    clips: int, wanted: int | None, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "usable_cores", lambda: 8)
    assert Generation(model_name="rules").workers(clips, wanted) == workers


def test_numbers_are_counted_however_they_are_stored(tmp_path: Path) -> None:
    whole, half = saved(tmp_path / "whole.safetensors", NARROW), tmp_path / "half.safetensors"
    model, header = load_model(whole)
    meta = Meta(**{name: getattr(header, name) for name in Meta.model_fields})
    save_model(half, model, meta=meta, storage="float16")
    assert half.stat().st_size < whole.stat().st_size
    assert (
        num_values(half) == num_values(whole) == sum(value.numel() for value in model.state_dict().values())
    )
