from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.envelope import envelope
from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.metrics.catalogue import METRICS, chosen_metrics, shown_metrics
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.pipelines.score.thresholds import Threshold
from talkcli.engine.types import Motion, Silent, Speech
from tests.engine.face import flame_twin as twin
from tests.engine.fakes import Told
from tests.report_schema import faults

Scorer = Callable[..., dict[str, Any]]


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small head with masks and landmarks, so that the tests need no real one."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "head"
    folder.mkdir()
    twin.write_flame(folder / "generic_model.pkl", twin.flame_arrays())
    masks = {"lips": [15, 16, 17], "eye_region": [20, 21], "forehead": [22], "nose": [23, 24]}
    twin.python2_pickle(folder / "FLAME_masks.pkl", {name: np.array(index) for name, index in masks.items()})
    draw = np.random.default_rng(0)
    embedding = {
        "full_lmk_faces_idx": draw.integers(0, twin.NUM_FACES, (1, 68)),
        "full_lmk_bary_coords": draw.dirichlet(np.ones(3), (1, 68)),
    }
    np.save(folder / "landmark_embedding.npy", np.array(embedding, dtype=object), allow_pickle=True)
    return folder / "generic_model.pkl"


@pytest.fixture
def score(head: Path) -> Scorer:
    def run(*predictions: Path, reporter: Silent | None = None, **options: Any) -> dict[str, Any]:
        defaults: dict[str, Any] = {
            "truth": None,
            "audio": None,
            "dataset": None,
            "head_name": str(head),
        }
        report = score_motions(
            predictions,
            **(defaults | {"thresholds": ()} | options),
            generation=Generation(),
            reporter=reporter or Silent(),
        )
        assert faults(json.loads(json.dumps(report, allow_nan=False))) == []
        return report

    return run


def moving(path: Path, seed: int = 0, frames: int = 50, fps: float = 25.0) -> Path:
    coeffs = np.random.default_rng(seed).normal(0, 0.3, (frames, 53)).astype(np.float32)
    write_motion(path, Motion(coeffs=coeffs, fps=fps, head="flame", channels=FLAME))
    return path


def speaking(path: Path, seconds: float = 2.0) -> Path:
    draw = np.random.default_rng(0)
    samples = draw.normal(0, 0.1, int(seconds * 16_000)) * np.repeat(draw.random(int(seconds * 25)), 640)
    write_wav(path, Speech(samples=samples.astype(np.float32)))
    return path


def test_a_motion_equals_itself(tmp_path: Path, score: Scorer) -> None:
    path = moving(tmp_path / "a.npz")
    report = score(path, truth=path)
    for name in ("lve_mm", "lve_m2", "eve_mm", "eve_m2", "mve_mm", "fdd_m2"):
        assert report["overall"][name]["value"] == 0, name
    assert report["overall"]["jump_mm"]["value"] > 0
    assert report["vertex_sets"] == {
        "all": 40, "inner lips": 6, "lips": 3, "eyes+forehead": 3, "upper_face": 5, "coefficients": 53,
        "mouth corners": 2, "middle of the lips": 2, "lower_lip": None, "face": 5, "landmarks": 68,
    }  # fmt: skip
    json.dumps(report, allow_nan=False)


def test_what_cannot_be_computed_has_a_reason_and_no_value(tmp_path: Path, score: Scorer) -> None:
    report = score(moving(tmp_path / "a.npz"))
    assert list(report["overall"]) == shown_metrics()
    for name in shown_metrics():
        info = METRICS[name]
        found = report["overall"][name]
        # The motion does not say how the head turns, and its channels have no names of ARKit.
        named = name in ("head_speed_deg_s", "brow_sd", "asymmetry", "blinks_per_min")
        known = info.needs == "motion" and not named
        assert (found["value"] is None) == (not known), name
        assert (found["reason"] is None) == known, name
    assert "sound" in report["overall"]["sync_r"]["reason"]
    assert "true motion" in report["overall"]["lve_mm"]["reason"]
    assert "two takes" in report["overall"]["diversity_mm"]["reason"]


def test_only_the_chosen_metrics_are_measured_and_those_with_a_limit(tmp_path: Path, score: Scorer) -> None:
    path = moving(tmp_path / "a.npz")
    true = moving(tmp_path / "b.npz", 1)
    limit = Threshold(metric="mve@facediffuser", limit=1.0, fails_if="<")
    report = score(path, truth=true, metrics=chosen_metrics(["lve@codetalker", "lve_m2"]), thresholds=[limit])
    assert list(report["overall"]) == ["lve_m2", "lve@codetalker", "mve@facediffuser"]
    assert report["overall"]["lve@codetalker"]["value"] == report["overall"]["lve_m2"]["value"] > 0
    assert report["overall"]["lve@codetalker"]["truth"] == "unknown"
    assert report["vertex_sets"] == {"lips": 3, "all": 40}
    assert report["missed"]


def test_a_set_with_repeats_counts_vertices_as_often_as_they_are_listed(
    tmp_path: Path, score: Scorer
) -> None:
    masks = {"lips": np.array([15, 16, 16, 17, 16])}
    twin.python2_pickle(tmp_path / "head" / "FLAME_masks.pkl", masks)
    report = score(moving(tmp_path / "a.npz"), metrics=["lip_intensity@perceptual3d", "jump_mm"])
    assert report["vertex_sets"] == {"lips": 3, "lips with repeats": 5}
    assert report["overall"]["lip_intensity@perceptual3d"]["value"] > 0


def test_a_head_without_masks_costs_only_what_needs_them(tmp_path: Path, head: Path, score: Scorer) -> None:
    (head.parent / "FLAME_masks.pkl").unlink()
    (head.parent / "landmark_embedding.npy").unlink()
    path = moving(tmp_path / "a.npz")
    report = score(path, truth=moving(tmp_path / "b.npz", 1), audio=speaking(tmp_path / "a.wav"))
    assert report["overall"]["mve_mm"]["value"] > 0
    assert "FLAME_masks.pkl" in report["overall"]["lve_mm"]["reason"]
    assert "landmark" in report["overall"]["sync_r"]["reason"]
    assert report["vertex_sets"]["lips"] is None


def test_folders_are_matched_by_name_and_takes_are_grouped(tmp_path: Path, score: Scorer) -> None:
    for seed, name in enumerate(("x.take01", "x.take02", "y")):
        moving(tmp_path / "pred" / f"{name}.npz", seed)
    moving(tmp_path / "true" / "x.npz", 5)
    speaking(tmp_path / "sound" / "x.wav")
    speaking(tmp_path / "sound" / "y.wav")
    report = score(tmp_path / "pred", truth=tmp_path / "true", audio=tmp_path / "sound")
    by_id = {clip["id"]: clip for clip in report["clips"]}
    assert [(id_, clip["takes"]) for id_, clip in by_id.items()] == [("x", 2), ("y", 1)]
    assert by_id["x"]["metrics"]["diversity_mm"]["value"] > 0
    assert by_id["y"]["metrics"]["lve_mm"]["value"] is None
    assert -1 <= by_id["y"]["metrics"]["sync_r"]["value"] <= 1
    # Only x has a true motion, so the mean is its value alone.
    assert report["overall"]["lve_mm"]["clips"] == 1
    assert report["overall"]["lve_mm"]["value"] == by_id["x"]["metrics"]["lve_mm"]["value"]


def test_takes_are_averaged(tmp_path: Path, score: Scorer) -> None:
    true = moving(tmp_path / "true.npz", 9)
    single = []
    for take in (1, 2):
        path = moving(tmp_path / "pred" / f"x.take0{take}.npz", take)
        single.append(score(path, truth=true)["overall"]["lve_mm"]["value"])
    both = score(tmp_path / "pred", truth=true)["overall"]["lve_mm"]["value"]
    assert both == pytest.approx(np.mean(single))


def test_clips_are_summed_up_by_frames_clips_and_extremes(tmp_path: Path, score: Scorer) -> None:
    for seed, (name, frames) in enumerate((("a", 30), ("b", 90), ("c", 60))):
        moving(tmp_path / "pred" / f"{name}.npz", seed, frames)
        moving(tmp_path / "true" / f"{name}.npz", seed + 10, frames)
    report = score(tmp_path / "pred", truth=tmp_path / "true")

    def values(name: str) -> list[float]:
        return [clip["metrics"][name]["value"] for clip in report["clips"]]

    overall = report["overall"]
    assert overall["lve_mm"]["value"] == pytest.approx(np.average(values("lve_mm"), weights=[30, 90, 60]))
    assert overall["fdd_m2"]["value"] == pytest.approx(np.mean(values("fdd_m2")))
    assert overall["jump_mm"]["value"] == max(values("jump_mm"))


def test_other_rates_and_lengths_are_fitted_to_the_truth_with_a_note(tmp_path: Path, score: Scorer) -> None:
    listener = Told()
    true = moving(tmp_path / "true.npz", frames=50)
    report = score(moving(tmp_path / "a.npz", frames=120, fps=50.0), truth=true, reporter=listener)
    assert report["clips"][0]["fps"] == 25
    assert report["clips"][0]["frames"] == 50
    assert any("resampled to 25 fps" in note for note in listener.notes)
    assert any("cut to 50 frames" in note for note in listener.notes)


def test_motion_of_another_head_is_refused(tmp_path: Path, score: Scorer) -> None:
    channels = tuple(f"c{index}" for index in range(53))
    motion = Motion(coeffs=np.zeros((5, 53), np.float32), fps=25.0, head="other", channels=channels)
    write_motion(tmp_path / "a.npz", motion)
    with pytest.raises(InputError, match="other"):
        score(tmp_path / "a.npz")


def test_what_matches_nothing_is_refused(tmp_path: Path, score: Scorer) -> None:
    path, other = moving(tmp_path / "a" / "x.npz"), moving(tmp_path / "b" / "x.npz")
    moving(tmp_path / "c" / "other.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="nothing to score"):
        score()
    with pytest.raises(InputError, match="both predictions"):
        score(path, other)
    with pytest.raises(InputError, match="no motion files"):
        score(tmp_path / "empty")
    with pytest.raises(InputError, match="no motion file for any"):
        score(path, truth=tmp_path / "c")
    with pytest.raises(InputError, match="does not exist"):
        score(path, truth=tmp_path / "absent.npz")
    with pytest.raises(InputError, match="one file for 2 clips"):
        score(path, tmp_path / "c", truth=path)
    with pytest.raises(UsageError, match="`dataset`"):
        score(path, truth=path, dataset="x")


def write_dataset(folder: Path) -> None:
    lines = []
    for index, split in enumerate(("train", "test", "test")):
        audio, motion = speaking(folder / f"{index}.wav"), moving(folder / f"{index}.npz", index)
        digests = {
            "audio": hashlib.sha256(audio.read_bytes()).hexdigest(),
            "motion": hashlib.sha256(motion.read_bytes()).hexdigest(),
        }
        lines.append(
            {
                "id": f"clip{index}", "audio": audio.name, "motion": motion.name, "fps": 25.0, "speaker": "s",
                "emotion": "happy", "intensity": 1.0, "split": split, "sha256": digests, "licence": "MIT",
            }
        )  # fmt: skip
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_dataset_gives_truth_and_sound_of_its_test_split(
    tmp_path: Path, score: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_DATA", str(tmp_path / "data"))
    with pytest.raises(AssetError, match="not prepared"):
        score(moving(tmp_path / "clip1.npz"), dataset="tiny")
    (tmp_path / "data" / "tiny").mkdir(parents=True)
    write_dataset(tmp_path / "data" / "tiny")
    report = score(moving(tmp_path / "clip1.npz", 1), moving(tmp_path / "clip0.npz", 0), dataset="tiny")
    # clip0 is training material and is left out; clip1 is predicted perfectly.
    assert [clip["id"] for clip in report["clips"]] == ["clip1"]
    assert report["overall"]["lve_mm"]["value"] == 0
    assert report["overall"]["sync_r"]["value"] is not None
    with pytest.raises(InputError, match="test clip"):
        score(moving(tmp_path / "clip9.npz"), dataset="tiny")
    moving(tmp_path / "data" / "tiny" / "2.npz", 7)
    with pytest.raises(InputError, match="hash differs"):
        score(tmp_path / "clip1.npz", dataset="tiny")


def test_a_dataset_of_sound_alone_gives_no_truth(
    tmp_path: Path, score: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_DATA", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    write_dataset(tmp_path / "tiny")
    manifest = tmp_path / "tiny" / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    for line in lines:
        del line["motion"], line["fps"], line["sha256"]["motion"]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = score(moving(tmp_path / "clip1.npz", 1), dataset="tiny")
    assert report["overall"]["lve_mm"]["reason"] == "no true motion given for this clip"
    assert report["overall"]["sync_r"]["value"] is not None


def test_without_predictions_the_model_animates(
    tmp_path: Path, score: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaking(tmp_path / "sound" / "a.wav")
    speaking(tmp_path / "sound" / "b.wav", 3.0)
    (tmp_path / "sound" / "notes.txt").write_text("no sound")
    heard = []

    def perform(generation: Generation, speech: Speech, *_: object) -> list[Motion]:
        heard.append(speech.duration_s)
        coeffs = np.random.default_rng(0).normal(0, 0.3, (round(speech.duration_s * 25), 53))
        motion = Motion(coeffs=coeffs.astype(np.float32), fps=25.0, head="flame", channels=FLAME)
        return [motion]

    monkeypatch.setattr("talkcli.engine.pipelines.score.work.performances", perform)
    report = score(audio=tmp_path / "sound")
    assert heard == [2.0, 3.0]
    assert [clip["id"] for clip in report["clips"]] == ["a", "b"]
    assert report["overall"]["sync_r"]["clips"] == 2


def test_values_beyond_any_face_are_refused(tmp_path: Path, score: Scorer) -> None:
    coeffs = np.zeros((30, 53), np.float32)
    coeffs[::2, :50] = 3e38
    write_motion(tmp_path / "a.npz", Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME))
    with pytest.raises(InputError, match="beyond"):
        score(tmp_path / "a.npz")


def test_the_embedded_head_at_rest_and_speaking(tmp_path: Path) -> None:
    speech = read_speech(speaking(tmp_path / "a.wav", 4.0), Silent())
    samples = speech.samples.copy()
    samples[20_000:40_000] = 0
    write_wav(tmp_path / "a.wav", Speech(samples=samples))
    loudness = envelope(Speech(samples=samples), 100, 25.0)
    coeffs = np.zeros((100, 53), np.float32)
    coeffs[:, ADA.index("jawPitch")] = loudness

    write_motion(tmp_path / "a.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
    report = score_motions(
        [tmp_path / "a.npz"], truth=tmp_path / "a.npz", audio=tmp_path / "a.wav", dataset=None,
        head_name=None, generation=Generation(), thresholds=(), reporter=Silent(),
    )  # fmt: skip
    assert report["head"] == "ada"
    values = {name: found["value"] for name, found in report["overall"].items()}
    assert values["lve_mm"] == values["mve_mm"] == values["fdd_m2"] == 0
    assert values["sync_r"] > 0.9
    assert values["sync_lag_ms"] == 0
    assert values["silence_closed"] > 0.9
    assert 0 < values["jump_mm"] < 50
    assert all(size for size in report["vertex_sets"].values())


def test_thresholds(tmp_path: Path, head: Path) -> None:
    path, true = moving(tmp_path / "a.npz"), moving(tmp_path / "b.npz", 1)

    def missed(text: str, *, is_floor: bool) -> list[str]:
        return list(
            score_motions(
                [path], truth=true, audio=None, dataset=None, head_name=str(head), generation=Generation(),
                thresholds=[Threshold.parse(text, is_floor=is_floor)], reporter=Silent(),
            )["missed"]
        )  # fmt: skip

    assert missed("lve_mm=1e6", is_floor=False) == []
    assert missed("lve_mm=0", is_floor=True) == []
    assert "over 0" in missed("lve_mm=0", is_floor=False)[0]
    assert "under 1e+06" in missed("lve_mm=1e6", is_floor=True)[0]
    # What has no value cannot meet a threshold.
    assert "no value" in missed("sync_r=-1", is_floor=True)[0]


@pytest.mark.parametrize("text", ["lve=1", "lve_mm", "lve_mm=", "lve_mm=x", "lve_mm=nan", "=3", ""])
def test_thresholds_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Threshold.parse(text, is_floor=True)


def test_unknown_metrics_get_the_nearest_name() -> None:
    with pytest.raises(UsageError) as caught:
        Threshold.parse("lve_m=1", is_floor=True)
    assert caught.value.hint is not None and "lve_m" in caught.value.hint
