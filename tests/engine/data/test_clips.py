"""Clips come out at the model's rates, of equal length, and only from the files the manifest was written
for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.textgrid import write_alignment
from talkcli.engine.data.clips import fit_length, load_clips
from talkcli.engine.data.manifest import Digests, Entry, write_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.files import sha256
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, SILENCE, Alignment, Motion, Phone, Silent


def write_clip(
    folder: Path, name: str = "a", *, fps: float = 50.0, seconds: float = 1.0, split: str = "train"
) -> Entry:
    """A tone and a ramp of the jaw, at rates other than the model's."""
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(44_100 * seconds)) / 44_100
    soundfile.write(folder / f"{name}.wav", 0.3 * np.sin(2 * np.pi * 200 * time), 44_100)
    coeffs = np.zeros((round(fps * seconds), len(ADA)), np.float32)
    coeffs[:, ADA.index("jawPitch")] = np.linspace(0, 0.2, len(coeffs))
    write_motion(folder / f"{name}.npz", Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA))
    return Entry(
        id=name,
        audio=f"{name}.wav",
        motion=f"{name}.npz",
        fps=fps,
        speaker="s",
        emotion="sad",
        intensity=0.5,
        split=split,  # type: ignore[arg-type]
        sha256=Digests(audio=sha256(folder / f"{name}.wav"), motion=sha256(folder / f"{name}.npz")),
        licence="MIT",
    )


def test_rates_lengths_and_labels(tmp_path: Path) -> None:
    entries = [write_clip(tmp_path, "a"), write_clip(tmp_path, "b", fps=30.0, seconds=1.3, split="val")]
    write_manifest(tmp_path / "manifest.jsonl", entries)
    clips = load_clips(tmp_path / "manifest.jsonl", None, Silent())
    assert [clip.id for clip in clips] == ["a", "b"]
    for clip, seconds in zip(clips, (1.0, 1.3), strict=True):
        assert clip.motion.fps == MODEL_FPS
        assert abs(len(clip.motion.coeffs) - seconds * MODEL_FPS) <= 1
        assert len(clip.speech.samples) == len(clip.motion.coeffs) * SAMPLES_PER_FRAME
        assert clip.emotion.label == "sad"
    jaw = clips[0].motion.coeffs[:, ADA.index("jawPitch")]
    np.testing.assert_allclose(jaw, np.linspace(0, 0.2, len(jaw)), atol=0.01)
    assert [clip.id for clip in load_clips(tmp_path, "val", Silent())] == ["b"]
    with pytest.raises(InputError, match="no clips in the split test; it has train, val"):
        load_clips(tmp_path, "test", Silent())


def test_networks_get_no_channels_of_the_tongue(tmp_path: Path) -> None:
    plain, entry = write_clip(tmp_path, "a"), write_clip(tmp_path, "b")
    motion, _ = read_motion(tmp_path / "b.npz")
    coeffs = np.concatenate([motion.coeffs, np.ones((len(motion.coeffs), 3), np.float32)], axis=1)
    write_motion(tmp_path / "b.npz", replace(motion, coeffs=coeffs, channels=ADA + TONGUE))
    signed = entry.sha256.model_copy(update={"motion": sha256(tmp_path / "b.npz")})
    write_manifest(tmp_path / "manifest.jsonl", [plain, entry.model_copy(update={"sha256": signed})])
    without, with_tongue = load_clips(tmp_path, None, Silent())
    assert with_tongue.motion.space == without.motion.space
    np.testing.assert_array_equal(with_tongue.motion.coeffs, without.motion.coeffs)


def test_phones_come_along_where_they_are_known(tmp_path: Path) -> None:
    with_phones, without = write_clip(tmp_path, "a"), write_clip(tmp_path, "b")
    spoken = Alignment((Phone("B", 0.0, 0.1), Phone("AA", 0.1, 0.5), Phone(SILENCE, 0.5, 1.0)), "aligned")
    write_alignment(tmp_path / "a.TextGrid", spoken)
    signed = with_phones.sha256.model_copy(update={"phones": sha256(tmp_path / "a.TextGrid")})
    with_phones = with_phones.model_copy(update={"phones": "a.TextGrid", "sha256": signed})
    write_manifest(tmp_path / "manifest.jsonl", [with_phones, without])
    assert [clip.alignment for clip in load_clips(tmp_path, None, Silent())] == [spoken, None]
    # Without sound as well, and never phones of another clip.
    assert load_clips(tmp_path, None, Silent(), sound=False)[0].alignment == spoken
    (tmp_path / "a.TextGrid").write_text("other")
    with pytest.raises(InputError, match=r"Clip a.*not the file"):
        load_clips(tmp_path, None, Silent())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "a.wav").unlink(), "Clip a.*missing"),
        (lambda folder: (folder / "a.npz").write_bytes(b"other"), "Clip a.*not the file"),
    ],
)
def test_missing_and_changed_files_are_named(tmp_path: Path, damage: object, words: str) -> None:
    write_manifest(tmp_path / "manifest.jsonl", [write_clip(tmp_path)])
    damage(tmp_path)  # type: ignore[operator]
    with pytest.raises(InputError, match=words):
        load_clips(tmp_path, None, Silent())


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    entry = write_clip(folder)
    (folder / "a.wav").rename(tmp_path / "outside.wav")
    (folder / "a.wav").symlink_to(tmp_path / "outside.wav")
    write_manifest(folder / "manifest.jsonl", [entry])
    with pytest.raises(InputError, match=r"Clip a.*leads out"):
        load_clips(folder, None, Silent())


def test_a_wrong_rate_in_the_manifest_is_an_error(tmp_path: Path) -> None:
    entry = write_clip(tmp_path).model_copy(update={"fps": 25.0})
    write_manifest(tmp_path / "manifest.jsonl", [entry])
    with pytest.raises(InputError, match="Clip a: the manifest says"):
        load_clips(tmp_path, None, Silent())


def test_fit_length_cuts_and_continues_with_silence() -> None:
    samples = np.ones(5, np.float32)
    assert fit_length(samples, 3).tolist() == [1, 1, 1]
    assert fit_length(samples, 7).tolist() == [1, 1, 1, 1, 1, 0, 0]
