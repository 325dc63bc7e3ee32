"""The same mishaps in every set whose motion and sound are two files: each costs its clip and says why."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.artalk import artalk_sources
from talkcli.engine.prepare.adapters.beat2 import beat2_sources
from talkcli.engine.prepare.adapters.biwi import biwi_sources
from talkcli.engine.prepare.adapters.diffposetalk import diffposetalk_sources
from talkcli.engine.prepare.adapters.emote import emote_sources
from talkcli.engine.prepare.adapters.folder import BareMotion, folder_sources
from talkcli.engine.prepare.adapters.vocaset import vocaset_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Reporter, Silent
from tests.engine.prepare.adapters.vertex_trees import moving, template, write_files, write_pickle

SECONDS = 1.2


class Clip(NamedTuple):
    """One clip on the disk, and how its set is read."""

    motion: Path
    sound: Path
    sources: Callable[[Path, Reporter], list[Source]]


def still(frames: int, columns: int) -> np.ndarray:
    return np.full((frames, columns), 0.1, np.float32)


def artalk(root: Path) -> Clip:
    (root / "motions").mkdir()
    np.save(root / "motions/a.npy", still(30, 106))
    return Clip(root / "motions/a.npy", root / "audios/a.wav", artalk_sources)


def beat2(root: Path) -> Clip:
    (root / "smplxflame_30").mkdir()
    path = root / "smplxflame_30/2_scott_0_103_103.npz"
    np.savez(path, poses=still(36, 165), expressions=still(36, 100), mocap_frame_rate=30)
    (root / "train_test_split.csv").write_text("id,type\n2_scott_0_103_103,train\n")
    return Clip(path, root / "wave16k/2_scott_0_103_103.wav", beat2_sources)


def biwi(root: Path) -> Clip:
    at_rest = template(23_370, 0)
    write_files(root, "F2_e01", moving(at_rest, 30), 25)
    write_pickle(root / "templates.pkl", {"F2": at_rest}, None)
    return Clip(root / "vertices_npy/F2_e01.npy", root / "wav/F2_e01.wav", biwi_sources)


def diffposetalk(root: Path) -> Clip:
    path = root / "FLAME_coeffs/TH001/000.npz"
    path.parent.mkdir(parents=True)
    np.savez(path, exp=still(30, 50), pose=still(30, 6), shape=still(30, 100))
    return Clip(path, root / "audio/TH001/000.flac", diffposetalk_sources)


def emote(root: Path) -> Clip:
    clip = "angry/level_1/001"
    path = root / f"mead_25fps/processed/reconstructions/v1/M003/front/{clip}/shape_pose_cam.hdf5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        for name, columns in {"exp": 100, "jaw": 3, "global_pose": 3}.items():
            file[name] = still(30, columns)[None]
    # Without any sound nothing is made.
    other = root / "audio/M003/angry/level_1/002.wav"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"")
    return Clip(path, root / f"audio/M003/{clip}.wav", emote_sources)


def folder(root: Path) -> Clip:
    np.save(root / "a.npy", still(30, 53))
    return Clip(root / "a.npy", root / "a.wav", own_sources)


def own_sources(root: Path, reporter: Reporter) -> list[Source]:
    return folder_sources(root, BareMotion(fps=25.0, layout="flame-53"), "mine", reporter)


def vocaset(root: Path) -> Clip:
    stem, at_rest = "FaceTalk_170728_03272_TA_sentence01", template(5023, 0)
    write_files(root, stem, moving(at_rest, 72), 60)
    write_pickle(root / "templates.pkl", {"FaceTalk_170728_03272_TA": at_rest}, None)
    return Clip(root / f"vertices_npy/{stem}.npy", root / f"wav/{stem}.wav", vocaset_sources)


SETS: Mapping[str, Callable[[Path], Clip]] = {
    "artalk": artalk,
    "beat2": beat2,
    "biwi": biwi,
    "diffposetalk": diffposetalk,
    "emote": emote,
    "folder": folder,
    "vocaset": vocaset,
}


def heard(seconds: float, channels: int = 2, rate_hz: int = 44_100) -> bytes:
    """A tone, on the first channel alone."""
    tone = 0.5 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate_hz)) / rate_hz)
    samples = np.zeros((len(tone), channels))
    samples[:, 0] = tone
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("name", SETS)
def test_mishaps_of_a_clip(tmp_path: Path, name: str) -> None:
    root = tmp_path / "in"
    root.mkdir()
    clip = SETS[name](root)
    clip.sound.parent.mkdir(parents=True, exist_ok=True)
    motion = clip.motion.read_bytes()

    def made(sound: bytes, moves: bytes = motion) -> str | float:
        """Why there is no clip, or how loud it is."""
        clip.sound.write_bytes(sound)
        clip.motion.write_bytes(moves)
        try:
            built = build(clip.sources(root, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
        except InputError as error:
            # Nothing at all could be made.
            return error.problem
        assert len(built.entries) == 1
        samples, rate_hz = soundfile.read(tmp_path / "out" / built.entries[0].files["audio"][0])
        assert (rate_hz, samples.ndim) == (16_000, 1)
        assert len(samples) == pytest.approx(SECONDS * 16_000, abs=640)
        return float(np.abs(samples[1600:-1600]).max())

    # Stereo at any rate is one channel, as loud as the one that speaks: the other is silent.
    assert made(heard(SECONDS)) == pytest.approx(0.5, abs=0.01)
    for reason, words in (
        (made(b""), "empty|0 bytes"),
        (made(heard(SECONDS), b""), "empty|0 bytes|not an npz"),
        (made(heard(SECONDS), motion[: len(motion) // 2]), "no |holds|damaged|not a readable"),
        (made(heard(SECONDS + 0.5)), "1.70 s"),
        (made(heard(SECONDS - 0.5)), "0.70 s"),
        (made(b"version https://git-lfs.github.com/spec/v1\n"), "cannot be|no sound|not "),
    ):
        assert isinstance(reason, str) and "bug in talk" not in reason, words
        assert re.search(words, reason), (words, reason)
