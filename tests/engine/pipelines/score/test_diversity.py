"""Table 3: one row for every setting, one value or reason for every column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import UsageError
from talkcli.engine.metrics.diversity import diversity_l2
from talkcli.engine.performers.deeptalk import DeepTalkControls, DeepTalkPerformer
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.score import diversity as score_table
from talkcli.engine.pipelines.score.motions import Generation
from talkcli.engine.types import SPEECH_RATE_HZ, Silent, Speech
from tests.engine.fakes import performed
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW
from tests.engine.pipelines.test_animate import saved
from tests.report_schema import faults


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The table of a tiny generator on two clips, where there is no FLAME file."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)
    model = saved(tmp_path / "flame.safetensors", NARROW)
    sounds = tmp_path / "sounds"
    for seed, name in enumerate(("a", "b")):
        noise = np.random.default_rng(seed).normal(0, 0.1, 2 * SPEECH_RATE_HZ).astype(np.float32)
        write_wav(sounds / f"{name}.wav", Speech(samples=noise))

    def run(**options: Any) -> dict[str, Any]:
        generation = Generation(model_name=str(model), device_name="cpu", **({"takes": 3} | options))
        return score_table.diversity_table(
            audio=sounds, dataset=None, head_name=None, generation=generation, reporter=Silent()
        )

    return run


def test_rows_are_those_of_the_paper_and_values_are_what_takes_give(table: Any, tmp_path: Path) -> None:
    report = table(seed=5)
    assert faults(json.loads(json.dumps(report, allow_nan=False))) == []
    assert report["clips"] == ["a", "b"]
    assert [row["sigma"] for row in report["rows"]] == [None, 1, 0.1, -2, -4, None, None, None]
    assert [row["tau_top"] for row in report["rows"]] == [0, 0, 0, 0, 0, 0.1, 0.5, 1]
    # Neither emotion nor codes are drawn: every take is the same.
    assert report["rows"][0]["diversity_l2"]["value"] == 0
    assert all(row["diversity_l2"]["value"] > 0 for row in report["rows"][1:])

    performer = open_model(str(tmp_path / "flame.safetensors"), "cpu")
    by_hand = []
    for seed in (0, 1):
        noise = np.random.default_rng(seed).normal(0, 0.1, 2 * SPEECH_RATE_HZ).astype(np.float32)
        takes = performed(performer, Speech(samples=noise), sigma=0.1, takes=3, seed=5)
        by_hand.append(diversity_l2([motion.coeffs for motion in takes]))
    # The files hold 16 bits.
    assert report["rows"][2]["diversity_l2"]["value"] == pytest.approx(np.mean(by_hand), rel=0.05)


def test_the_codes_that_takes_use_are_counted(table: Any, tmp_path: Path) -> None:
    report = table(seed=5)
    performer = open_model(str(tmp_path / "flame.safetensors"), "cpu")
    assert isinstance(performer, DeepTalkPerformer)
    drawn: list[Any] = []
    for seed in (0, 1):
        noise = np.random.default_rng(seed).normal(0, 0.1, 2 * SPEECH_RATE_HZ).astype(np.float32)
        speech = Speech(samples=noise)
        heard = performer.listen(speech)
        # The last row: temperatures of 1.
        controls = DeepTalkControls(tau_top=1.0, tau_bottom=1.0)
        list(performer.takes(heard, speech, Sampling(takes=3, seed=5), controls, drawn))
    assert len(drawn) == 6
    found = report["rows"][-1]["codes"]
    assert list(found) == ["top", "bottom"]
    for level, (name, entry) in enumerate(found.items()):
        codes = np.concatenate([window[level].numpy().ravel() for take in drawn for window in take])
        _, counts = np.unique(codes, return_counts=True)
        shares = counts / len(codes)
        size = performer.model.prior.levels[level].outputs
        assert entry["num_codes"] == size, name
        # The files of the table's sounds hold 16 bits, so that a draw may differ.
        assert entry["used"] == pytest.approx(len(counts) / size, abs=2 / size)
        assert entry["perplexity"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=0.1)
        first = report["rows"][0]["codes"][name]
        assert first["perplexity"] < entry["perplexity"] <= entry["used"] * size + 1e-9


def test_what_cannot_be_measured_has_a_reason(table: Any) -> None:
    row = table()["rows"][3]
    for name, word in (("diversity_mm", "FLAME"), ("sync_r", "FLAME"), ("lse_d", "FLAME")):
        assert row[name]["value"] is None
        assert word in row[name]["reason"]


def test_one_take_has_no_diversity(table: Any) -> None:
    with pytest.raises(UsageError, match="`takes=1`"):
        table(takes=1)


def test_the_embedded_model_is_measured_in_every_column(tmp_path: Path) -> None:
    loudness = np.abs(np.sin(np.arange(2 * SPEECH_RATE_HZ) / 4000))
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * SPEECH_RATE_HZ) * loudness
    write_wav(tmp_path / "a.wav", Speech(samples=noise.astype(np.float32)))
    report = score_table.diversity_table(
        audio=tmp_path / "a.wav", dataset=None, head_name=None,
        generation=Generation(device_name="cpu", takes=2),
        reporter=Silent(),
    )  # fmt: skip
    assert report["head"] == "ada" and {"smooth", "limit_lips"} <= set(report["layers"])
    for row in report["rows"]:
        assert -1 <= row["sync_r"]["value"] <= 1
    drawn = report["rows"][2]
    assert drawn["diversity_mm"]["value"] > 0.01
    assert drawn["diversity_l2"]["value"] > 0.1
