"""Clips that a Dask cluster scores have the numbers of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.pipelines.score.motions import score_motions
from talkcli.engine.pipelines.score.on_cluster import absolute_setting, inputs_of
from talkcli.engine.pipelines.score.words import Words
from talkcli.engine.pipelines.score.work import Job, Setting
from talkcli.engine.types import Motion, Silent, Speech
from tests.engine.test_cluster import two_workers

pytest.importorskip("distributed")
# Dask's own, of its own parts.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:dask"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tornado"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with two_workers() as address:
        yield address


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        samples = draw.normal(0, 0.1, 16_000) * np.repeat(draw.random(25), 640)
        write_wav(tmp_path / f"{name}.wav", Speech(samples=samples.astype(np.float32)))
        coeffs = draw.uniform(0, 0.3, (25, len(ADA))).astype(np.float32)
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        write_motion(tmp_path / f"{name}.npz", motion)
    return tmp_path


def score(predictions: list[Path], folder: Path, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"dataset": None, "head_name": None, "thresholds": ()}
    metrics = ["lve_mm", "ffd", "sync_r", "gap_mean_mm"]
    return score_motions(
        predictions, truth=folder, audio=folder, metrics=metrics, reporter=Silent(), **(given | options)
    )


def test_the_same_numbers_as_on_this_machine(
    clips: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The workers have another working directory.
    monkeypatch.chdir(clips)
    for predictions, seeds in (([], 2), ([Path()], 1)):
        options = {"generation": Generation(sigma=0.5), "num_seeds": seeds}
        here = score(predictions, Path(), num_workers=0, **options)
        assert here["overall"]["lve_mm"]["value"] is not None
        there = score(predictions, Path(), cluster=address, **options)
        assert there == here


def test_names_of_talks_own_stay_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("faceformer", "ada", "runs"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    usual = Setting(generation=Generation(model_name="faceformer"), head_name="ada", reference="none given")
    kept = absolute_setting(usual)
    assert kept.generation is not None
    assert (kept.generation.model_name, kept.head_name) == ("faceformer", "ada")
    moved = absolute_setting(replace(usual, generation=Generation(model_name="runs")))
    assert moved.generation is not None
    assert moved.generation.model_name == str(tmp_path / "runs")


def test_workers_must_see_the_files_of_model_and_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "mine.safetensors", "person.npz", "a.TextGrid"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    # The phones are read on this machine, and come with the job.
    words = Words(phones=Path("a.TextGrid"))
    job = Job(case=Case(id="a", audio=Path("a.wav"), words=words), phones="unknown")
    own = Setting(
        generation=Generation(model_name="mine.safetensors"), head_name="person.npz", reference="none given"
    )
    assert inputs_of(own, job) == [tmp_path / name for name in ("a.wav", "mine.safetensors", "person.npz")]
    talks = replace(own, generation=Generation(), head_name="ada")
    assert inputs_of(talks, job) == [tmp_path / "a.wav"]


def test_a_clips_error_is_the_callers(clips: Path, address: str) -> None:
    (clips / "b.wav").write_bytes(b"damaged")
    failed: dict[str, Any] = {}
    with pytest.raises(InputError, match=r"b\.wav"):
        score([], clips, cluster=address, generation=Generation(), failed=failed)
    assert list(failed) == ["b"]
