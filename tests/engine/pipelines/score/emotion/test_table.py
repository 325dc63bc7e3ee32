"""The table of emotion: every measure has a value or a reason, and values are what counting gives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.checkpoints.model_file import Meta, save_model
from talkcli.engine.data.manifest import read_manifest, write_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.pipelines.score.emotion.table import EmotionInputs, emotion_table
from talkcli.engine.pipelines.score.emotion.takes import _is_plain
from talkcli.engine.pipelines.score.motions import Generation
from talkcli.engine.pipelines.score.thresholds import Threshold
from talkcli.engine.types import EMOTIONS, Motion, Silent
from tests.engine.fakes import write_corpus
from tests.engine.models.deeptalk.tiny_deeptalk import SMALL
from tests.report_schema import faults

META = Meta(head="ada", channels=ADA, fps=25, trained_on="nothing", licence="MIT")
# Neutral, calm, happy, by a speaker each; then the same once more.
TESTED = ("clip009", "clip010", "clip011", "clip018", "clip019", "clip020")
DIRECTABLE = SMALL.model_copy(
    update={"dee": SMALL.dee.model_copy(update={"classifier": True, "anchors": True})}
)


def saved(path: Path, *, anchors: bool = True) -> Path:
    """A generator with random weights in which the emotion matters, and with anchors of three emotions."""
    torch.manual_seed(0)
    model = DeepTalk(DIRECTABLE)
    model.emotion.weight.data *= 30
    if anchors:
        model.dee.anchors[:3] = torch.nn.functional.normalize(torch.randn(3, SMALL.dee.embedding), dim=-1)
    save_model(path, model, meta=META)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fake clips as the data set `fake`, six of them for testing, and a model."""
    folder = tmp_path_factory.mktemp("data")
    manifest = write_corpus(folder / "fake", clips=27)
    entries = [
        entry.model_copy(update={"split": "test" if entry.id in TESTED else "train"})
        for entry in read_manifest(manifest)
    ]
    write_manifest(manifest, entries)
    saved(folder / "model.safetensors")
    return folder


def table(
    data: Path, model: Path | None = None, thresholds: tuple[Threshold, ...] = (), **inputs: Any
) -> dict[str, Any]:
    """The table of `inputs`, by default of the data set `fake`; whatever it says has the right form."""
    report = emotion_table(
        EmotionInputs(**(inputs or {"dataset": "fake"})),
        generation=Generation(model_name=str(model or data / "model.safetensors"), device_name="cpu"),
        thresholds=thresholds,
        reporter=Silent(),
    )
    assert faults(json.loads(json.dumps(report, allow_nan=False))) == []
    assert list(report["measures"]) == list(EMOTION_MEASURES)
    for row in report["measures"].values():
        assert (row["value"] is None) == (row["reason"] is not None)
    return report


@pytest.fixture(autouse=True)
def prepared(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_DATA", str(data))


@pytest.fixture(scope="module")
def whole(data: Path) -> dict[str, Any]:
    """All measures of the generator, with a floor that cannot be met."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALK_DATA", str(data))
        return table(data, thresholds=(Threshold(metric="named_true", limit=2.0, fails_if="<"),))


def test_everything_is_measured_and_counts_agree(whole: dict[str, Any]) -> None:
    found = {name: row["value"] for name, row in whole["measures"].items()}
    without = {name for name, value in found.items() if value is None}
    # The fake clips say nothing that could be aligned; a ratio of guesses may have nothing to divide by.
    assert without - {"confident_ratio", "swap_closed_ratio", "swap_opening_ratio"} == {
        "swap_ratio", "swap_bilabial_mm",
    }  # fmt: skip
    # An untrained model hardly moves the lips: no floor takes the place of what it changes in them.
    assert "under 0.01 mm" in whole["measures"]["swap_opening_ratio"]["reason"]
    assert found["swap_opening_mm"] < 0.01
    assert "no words" in whole["measures"]["swap_ratio"]["reason"]
    assert whole["emotions"] == ["neutral", "calm", "happy"]
    assert whole["errors_over"] == "clips"
    # Each emotion of the fake clips raises a channel of its own.
    assert found["named_true"] == 1
    assert whole["measures"]["named_true"]["chance"] == pytest.approx(1 / 3)
    assert found["swap_upper_mm"] > 0
    assert whole["missed"] == ["named_true is 1, under 2"]

    clips = {clip["id"]: clip for clip in whole["clips"]}
    right = [clip["emotion"] == clip["named_generated"] for clip in clips.values()]
    # As many clips of each emotion, so that recall is accuracy.
    assert found["named_generated"] == pytest.approx(np.mean(right))
    counts = np.array(whole["confusion"]["named_directed"])
    assert counts.sum(1).tolist() == [6, 6, 6, *[0] * (len(EMOTIONS) - 3)]
    assert found["named_directed"] == pytest.approx(np.trace(counts) / 18)
    assert {row["clips"] for row in whole["speakers"].values()} == {2}
    # Four takes of each clip; of two out of nine labels a classifier of three finds some.
    assert (24 * found["mood_agreement"]) % 1 == pytest.approx(0, abs=1e-6)
    assert whole["measures"]["neutral_kept"]["clips"] == 2
    assert (8 * found["neutral_kept"]) % 1 == pytest.approx(0, abs=1e-6)


def test_the_same_seed_gives_the_same_table(data: Path, whole: dict[str, Any]) -> None:
    assert table(data)["measures"] == whole["measures"]


@pytest.mark.parametrize(("level", "plain"), [(0.0, True), (0.2, True), (0.3, False)])
def test_a_take_is_plain_without_scowl_and_smile(level: float, plain: bool) -> None:
    coeffs = np.zeros((4, 53), np.float32)
    coeffs[:, [ADA.index("mouthSmileLeft"), ADA.index("mouthSmileRight")]] = level
    assert _is_plain(Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)) is plain
    assert not _is_plain(Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME))


def test_a_model_without_anchors_cannot_be_directed(data: Path, tmp_path: Path) -> None:
    found = table(data, model=saved(tmp_path / "model.safetensors", anchors=False))["measures"]
    assert "neutral" in found["named_directed"]["reason"]
    assert "anchors" in found["anchor_uar"]["reason"]
    assert found["emotion_uar"]["value"] is not None


def test_an_embedding_generates_nothing_and_hears_what_the_generator_hears(
    data: Path, whole: dict[str, Any], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    embedding = DeepTalk(DIRECTABLE).dee
    plain = Dee(DIRECTABLE.dee)
    plain.load_state_dict(embedding.state_dict())
    save_model(tmp_path / "dee.safetensors", plain, meta=META)
    found = table(data, model=tmp_path / "dee.safetensors")["measures"]
    assert "generates nothing" in found["named_generated"]["reason"]
    assert "generates nothing" in found["swap_closed_ratio"]["reason"]
    for name in ("emotion_uar", "motion_uar", "audio_to_motion_choice"):
        assert found[name]["value"] == pytest.approx(whole["measures"][name]["value"])


def test_sounds_with_labels(data: Path, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for name in TESTED[:3]:
        shutil.copy(data / "fake" / f"{name}.wav", sounds)
    with pytest.raises(InputError, match=r"labels\.csv has no row for clip009 and 2 more"):
        table(data, audio=sounds)
    (sounds / "labels.csv").write_text("id,emotion\nclip009,neutral\nclip010,calm\nclip011,happy\n")
    found = table(data, audio=sounds)["measures"]
    assert found["named_generated"]["reason"] == "no true motion to learn from: give `emotions_of`"
    assert found["audio_to_motion_top1"]["reason"] == "no clip has true motion"
    taught = table(data, audio=sounds, emotions_of=data / "fake" / "manifest.jsonl")["measures"]
    assert taught["named_generated"]["value"] is not None
    (sounds / "labels.csv").write_text("id,emotion\nclip009,calm\nclip010,calm\nclip011,calm\n")
    with pytest.raises(InputError, match="The only emotion of 3 clips is calm"):
        table(data, audio=sounds)
