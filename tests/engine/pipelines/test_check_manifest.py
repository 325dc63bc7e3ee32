"""Every way in which a data set can be broken or doubtful is found, and nothing in the debug corpus is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, read_manifest, write_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.files import sha256
from talkcli.engine.pipelines.check_manifest import Check, check_manifest, measure_manifest
from talkcli.engine.pipelines.preprocess import preprocess_debug
from talkcli.engine.types import Silent
from tests.engine.fakes import Told


@pytest.fixture(scope="module")
def debug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("debug")
    preprocess_debug(folder, reporter=Silent())
    return folder


@pytest.fixture
def folder(debug: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(debug, tmp_path / "copy"))


def check(folder: Path) -> Check:
    return check_manifest(folder, Silent(), num_workers=0)


def found(folder: Path) -> set[tuple[str | None, str]]:
    return {(finding.clip, finding.kind) for finding in check(folder).findings}


def sign_again(folder: Path, clip: str, **changes: object) -> None:
    """Give the manifest the hashes of the files that are there now."""
    entries = []
    for entry in read_manifest(folder):
        if entry.id == clip:
            paths = {kind: folder / name for kind, (name, _) in entry.files.items()}
            digests = Digests(**{kind: sha256(path) for kind, path in paths.items()})
            entry = Entry(**entry.model_dump() | {"sha256": digests} | changes)  # noqa: PLW2901
        entries.append(entry)
    write_manifest(folder / "manifest.jsonl", entries)


def change_motion(folder: Path, clip: str, **changes: object) -> None:
    path = folder / "motion" / f"{clip}.npz"
    motion, meta = read_motion(path)
    motion = replace(motion, **changes)  # type: ignore[arg-type]
    write_motion(path, motion, meta)
    sign_again(folder, clip, num_frames=len(motion.coeffs))


def coeffs(folder: Path, clip: str) -> np.ndarray:
    return read_motion(folder / "motion" / f"{clip}.npz")[0].coeffs.copy()


def test_the_debug_corpus_is_whole_and_in_time(debug: Path) -> None:
    result = check(debug)
    assert result.findings == ()
    assert result.num_clips == len(result.lags) == 12
    assert all(abs(lag.ms) <= 40 and lag.r > 0.6 for lag in result.lags.values())


def test_a_missing_file(folder: Path) -> None:
    (folder / "audio" / "low-sad.flac").unlink()
    assert found(folder) == {("low-sad", "missing")}


def test_a_file_that_leads_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    path = folder / "audio" / "low-sad.flac"
    path.rename(tmp_path / "elsewhere.flac")
    path.symlink_to(tmp_path / "elsewhere.flac")
    assert found(folder) == {("low-sad", "missing")}


def test_one_changed_byte(folder: Path) -> None:
    path = folder / "motion" / "low-sad.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert found(folder) == {("low-sad", "changed")}


def test_swapped_files(folder: Path) -> None:
    one, other = folder / "audio" / "low-sad.flac", folder / "audio" / "high-angry.flac"
    one.rename(folder / "third")
    other.rename(one)
    (folder / "third").rename(other)
    assert found(folder) == {("low-sad", "changed"), ("high-angry", "changed")}


@pytest.mark.parametrize("name", ["motion/low-sad.npz", "audio/low-sad.flac", "phones/low-sad.TextGrid"])
def test_a_truncated_file_the_manifest_was_signed_for(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-200])
    sign_again(folder, "low-sad")
    assert found(folder) == {("low-sad", "unreadable")}


def test_values_that_are_no_numbers(folder: Path) -> None:
    values = coeffs(folder, "low-sad")
    values[3, 3] = np.nan
    change_motion(folder, "low-sad", coeffs=values)
    assert found(folder) == {("low-sad", "unreadable")}


def test_an_empty_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text("")
    with pytest.raises(InputError, match="lists no clips"):
        check(tmp_path)
    with pytest.raises(InputError, match="lists no clips"):
        measure_manifest(tmp_path, Silent(), num_workers=0)


def test_sound_longer_than_motion_by_more_than_a_quarter_second(folder: Path) -> None:
    for clip, frames in (("low-sad", 5), ("low-happy", 8)):
        change_motion(folder, clip, coeffs=coeffs(folder, clip)[:-frames])
    assert found(folder) == {("low-happy", "duration")}


def test_a_rate_that_is_not_the_manifests(folder: Path) -> None:
    sign_again(folder, "low-sad", fps=30.0)
    assert found(folder) == {("low-sad", "fps")}


def test_frames_that_are_not_the_manifests(folder: Path) -> None:
    sign_again(folder, "low-sad", num_frames=3)
    assert found(folder) == {("low-sad", "frames")}


def write_scan(folder: Path, clip: str, vertices: np.ndarray, neutral: np.ndarray, *, sound: bool) -> None:
    """Put a clip of vertices, with the sound of low-sad or none, into the manifest."""
    (folder / "mesh" / "neutral").mkdir(parents=True, exist_ok=True)
    mesh = MeshFiles(vertices=f"mesh/{clip}.npy", neutral=f"mesh/neutral/{clip}.npy", topology="flame")
    np.save(folder / mesh.vertices, vertices.astype(np.float32))
    np.save(folder / mesh.neutral, neutral.astype(np.float32))
    entries = read_manifest(folder)
    audio = next(entry.audio for entry in entries if entry.id == "low-sad") if sound else None
    digests = {"audio": audio, "vertices": mesh.vertices, "neutral": mesh.neutral}
    entry = Entry(
        id=clip, audio=audio, mesh=mesh, fps=25.0, num_frames=len(vertices), speaker="low", emotion="sad",
        intensity=1.0, split="train", licence="CC0-1.0", sex="female",
        sha256=Digests(**{kind: sha256(folder / name) for kind, name in digests.items() if name}),
    )  # fmt: skip
    write_manifest(folder / "manifest.jsonl", [*entries, entry])


def scanned(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices as long as the sound of low-sad, and their subject at rest, 0.2 m tall."""
    frames = round(soundfile.info(folder / "audio" / "low-sad.flac").duration * 25)
    neutral = np.random.default_rng(0).uniform(0, 0.2, (30, 3))
    neutral[:2, 1] = 0, 0.2
    return neutral + np.zeros((frames, 1, 1)), neutral


def test_vertices_are_looked_at(folder: Path) -> None:
    vertices, neutral = scanned(folder)
    far, damaged = vertices.copy(), vertices.copy()
    far[3, 3, 0], damaged[4, 4, 1] = 1, np.nan
    write_scan(folder, "fine", vertices, neutral, sound=True)
    write_scan(folder, "deaf", vertices, neutral, sound=False)
    write_scan(folder, "short", vertices[:20], neutral, sound=True)
    write_scan(folder, "far", far, neutral, sound=True)
    write_scan(folder, "damaged", damaged, neutral, sound=True)
    write_scan(folder, "other", vertices, neutral[:20], sound=True)
    write_scan(folder, "millimetres", vertices * 1000, neutral * 1000, sound=True)
    assert found(folder) == {
        ("short", "duration"), ("far", "unreadable"), ("damaged", "unreadable"), ("other", "unreadable"),
        ("millimetres", "range"),
    }  # fmt: skip
    measured = measure_manifest(folder, Silent(), num_workers=0)
    assert {label: item.clips for label, item in measured.groups["contents"].items()} == {
        "sound, motion and phones": 12, "sound and vertices": 6, "vertices": 1,
    }  # fmt: skip
    assert {label: item.clips for label, item in measured.groups["sexes"].items()} == {
        "not stated": 12, "female": 7,
    }  # fmt: skip
    assert set(measured.unread) == {"far", "damaged", "other"}


def test_sound_alone_is_a_clip(folder: Path) -> None:
    entry = read_manifest(folder)[0]
    alone = Entry(
        id="voice", audio=entry.audio, speaker="someone", emotion="neutral", intensity=0.0, split="test",
        licence="CC0-1.0", sha256=Digests(audio=entry.sha256.audio),
    )  # fmt: skip
    write_manifest(folder / "manifest.jsonl", [alone])
    assert check(folder).findings == ()
    measured = measure_manifest(folder, Silent(), num_workers=0)
    assert measured.hours * 3600 == pytest.approx(soundfile.info(folder / entry.audio).duration)
    assert list(measured.groups["contents"]) == ["sound"]
    assert list(measured.groups["rates"]) == ["none"]


def test_pictures_have_neither_steps_nor_time(folder: Path) -> None:
    values = coeffs(folder, "low-sad")
    values[:, ADA.index("browInnerUp")] = np.arange(len(values)) % 2
    change_motion(folder, "low-sad", coeffs=values)
    assert found(folder) == {("low-sad", "jump")}
    sign_again(folder, "low-sad", still=True)
    assert found(folder) == set()
    measured = measure_manifest(folder, Silent(), num_workers=0)
    assert measured.num_pictures == len(values)
    assert measured.groups["emotions"]["sad"].seconds < measured.groups["emotions"]["happy"].seconds * 0.8
    assert "sound, pictures and phones" in measured.groups["contents"]


def test_channels_of_the_tongue_are_those_of_ada(folder: Path) -> None:
    values = coeffs(folder, "low-sad")
    wider = np.concatenate([values, np.zeros((len(values), 3), np.float32)], axis=1)
    change_motion(folder, "low-sad", coeffs=wider, channels=ADA + TONGUE)
    assert found(folder) == set()


def test_channels_that_are_not_the_heads_and_two_heads_in_one_set(folder: Path) -> None:
    change_motion(folder, "low-sad", channels=ADA[::-1])
    assert ("low-sad", "channels") in found(folder)
    change_motion(folder, "low-sad", channels=ADA, head="other")
    assert found(folder) == {(None, "head")}


def test_a_speaker_in_two_splits_is_a_warning(folder: Path) -> None:
    sign_again(folder, "low-sad", split="test")
    result = check(folder)
    assert [(finding.kind, finding.text) for finding in result.findings] == [
        ("split", "Speaker low is in test and train.")
    ]
    assert result.broken == ()


@pytest.mark.parametrize(("frames", "warned"), [(2, False), (3, True), (-3, True), (6, True)])
def test_motion_late_by_more_than_two_frames(folder: Path, frames: int, warned: bool) -> None:
    clip = "low-happy"
    change_motion(folder, clip, coeffs=np.roll(coeffs(folder, clip), frames, axis=0))
    result = check(folder)
    assert result.lags[clip].ms == pytest.approx(40 * frames, abs=20)
    assert [(finding.clip, finding.kind) for finding in result.findings] == (
        [(clip, "lag")] if warned else []
    )
    assert result.broken == ()


def test_statistics_of_the_debug_corpus(debug: Path) -> None:
    found = measure_manifest(debug, Silent(), num_workers=0)
    assert found.num_clips == 12
    splits = found.groups["splits"]
    assert (splits["train"].clips, splits["train"].speakers) == (8, 2)
    assert (splits["val"].clips, splits["val"].speakers) == (4, 1)
    assert {label: item.clips for label, item in found.groups["emotions"].items()} == dict.fromkeys(
        ("neutral", "happy", "sad", "angry"), 3
    )
    assert list(found.groups["licences"]) == ["CC0-1.0"]
    seconds = sum(soundfile.info(path).duration for path in (debug / "audio").iterdir())
    assert found.hours * 3600 == pytest.approx(seconds, abs=0.01)
    assert sum(item.seconds for item in splits.values()) == pytest.approx(seconds, abs=0.01)
    assert found.duration_s is not None
    assert found.loudness_dbfs is not None
    assert found.loudness_dbfs.least < found.loudness_dbfs.median < found.loudness_dbfs.greatest < 0
    assert found.unread == {}


def test_statistics_leave_out_what_cannot_be_read(folder: Path) -> None:
    (folder / "audio" / "low-sad.flac").unlink()
    warnings = Told()
    found = measure_manifest(folder, warnings, num_workers=0)
    assert list(found.unread) == ["low-sad"]
    assert len(warnings.warnings) == 1
    assert found.groups["emotions"]["sad"].clips == 3
    assert found.groups["emotions"]["sad"].seconds < found.groups["emotions"]["happy"].seconds * 0.8


def test_silence_has_no_loudness_and_still_lips_no_lag(folder: Path) -> None:
    path = folder / "audio" / "low-sad.flac"
    soundfile.write(path, np.zeros(soundfile.info(path).frames), 16_000)
    sign_again(folder, "low-sad")
    values = coeffs(folder, "low-happy")
    values[:] = 0
    change_motion(folder, "low-happy", coeffs=values)
    assert not {"low-sad", "low-happy"} & set(check(folder).lags)
    loudness = measure_manifest(folder, Silent(), num_workers=0).loudness_dbfs
    assert loudness is not None
    assert np.isfinite(loudness.least)
