"""3D-RAVDESS: a tracker's coefficients, or films, become filtered motion at 30 fps in EmoFace's split."""

from __future__ import annotations

import pickle
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.prepare.adapters.filmed import FilmedFile, HowToLook
from talkcli.engine.prepare.adapters.ravdess3d import Build, BuiltClip, ravdess3d_sources
from talkcli.engine.prepare.build import Built, Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.emoca_codes import CodedFilm
from talkcli.engine.prepare.ravdess_names import ACTORS, expected_performances
from talkcli.engine.types import Silent
from tests.engine.face import flame_twin
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree

COEFFICIENTS = Build(form="coefficients")
RNG = np.random.default_rng(4)
FRAMES = 45


@pytest.fixture(autouse=True)
def _own_flame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "flame").mkdir()
    flame_twin.write_flame(tmp_path / "flame" / "generic_model.pkl", flame_twin.flame_arrays())
    monkeypatch.setenv("TALK_FLAME", str(tmp_path / "flame"))


def tracked(frames: int = FRAMES) -> dict[str, np.ndarray]:
    """Return what EMOCA gives of a face whose expression and jaw swing, with noise, and whose head turns."""
    time = np.arange(frames)[:, None] / 30
    expression = np.sin(2 * np.pi * 1.5 * time) * RNG.uniform(-1, 1, 50) + 0.2 * RNG.normal(size=(frames, 50))
    jaw = [0.1, 0, 0] * (1 - np.cos(2 * np.pi * 3 * time)) + 0.01 * RNG.normal(size=(frames, 3))
    head = np.tile([0.1, 0.4, 0.0], (frames, 1))
    return {
        "exp": expression.astype(np.float32),
        "pose": np.concatenate([head, jaw], axis=1).astype(np.float32),
        "shape": np.zeros((frames, 100), np.float32),
    }


def save_sound(path: Path, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * RNG.standard_normal(round(seconds * 16_000)), 16_000)


def save_codes(folder: Path, codes: dict[str, np.ndarray], numbers: list[int]) -> None:
    """Write a folder for each picture, as EMOCA's demo does."""
    for row, number in enumerate(numbers):
        picture = folder / "EMOCA_v2" / f"{number:06d}_000"
        picture.mkdir(parents=True)
        for name, values in codes.items():
            np.save(picture / f"{name}.npy", values[row])


def made(root: Path, out: Path, cleanup: Cleanup | None = None, **options: Any) -> Built:
    plan = Plan(num_workers=0, cleanup=cleanup or Cleanup())
    return build(ravdess3d_sources(root, Silent(), **options), out, Silent(), plan)


def test_vertices_of_the_users_flame(tmp_path: Path) -> None:
    root, codes = tmp_path / "root", tracked()
    save_sound(root / "Actor_21" / "03-01-05-02-01-01-21.wav", 1.5)
    np.savez(root / "Actor_21" / "01-01-05-02-01-01-21.npz", **codes)
    built = made(root, tmp_path / "out")
    (entry,) = built.entries
    assert (entry.id, entry.speaker, entry.split) == (
        "ravdess3d/01-01-05-02-01-01-21",
        "ravdess-21",
        "val",
    )
    assert (entry.emotion, entry.intensity, entry.sex, entry.fps) == ("angry", 1.0, "male", 30.0)
    assert (entry.motion, entry.num_frames, entry.licence) == (None, FRAMES, "CC-BY-NC-SA-4.0")
    assert entry.mesh is not None and entry.mesh.topology == "flame"
    assert str(entry.origin) == "fitted to film"
    head = load_head("flame")
    vertices = np.load(tmp_path / "out" / entry.mesh.vertices)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / entry.mesh.neutral), head.template)
    assert (
        "vertices at 30 fps, Kalman-filtered forward (6 Hz)"
        in (tmp_path / "out" / "report.jsonl").read_text()
    )
    assert vertices.shape == (FRAMES, len(head.template), 3)
    # The same coefficients, asked for as such, give these vertices: without the rotation of the head.
    made(root, tmp_path / "coeffs", build=COEFFICIENTS)
    motion, _ = read_motion(tmp_path / "coeffs" / "motion" / f"{entry.id}.npz")
    assert (motion.pose, motion.head, motion.fps) == (None, "flame", 30.0)
    np.testing.assert_allclose(vertices, head(torch_of(motion.coeffs)).numpy(), atol=1e-6)


def torch_of(values: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(values)


def test_the_filter_and_what_it_depends_on(tmp_path: Path) -> None:
    root, codes = tmp_path / "root", tracked()
    save_sound(root / "03-01-05-02-01-01-01.wav", 1.5)
    (root / "01-01-05-02-01-01-01.pkl").write_bytes(pickle.dumps({"flame": codes}))
    plain = Build(form="coefficients", kalman=None)
    kept = {}
    for name, settings in {
        "none": plain,
        "forward": COEFFICIENTS,
        "both": Build(form="coefficients", kalman="both"),
        "slow": Build(form="coefficients", kalman_hz=2.0),
    }.items():
        # All go to one folder: another setting makes the clip anew.
        built = made(root, tmp_path / "out", Cleanup(keep_pose=True), build=settings)
        assert (len(built.entries), built.num_kept) == (1, 0), name
        kept[name], _ = read_motion(tmp_path / "out" / str(built.entries[0].motion))
    assert made(root, tmp_path / "out", Cleanup(keep_pose=True), build=settings).num_kept == 1
    np.testing.assert_array_equal(kept["none"].coeffs[:, :50], codes["exp"])
    np.testing.assert_array_equal(kept["none"].coeffs[:, 50:], codes["pose"][:, 3:])
    trembling = {name: np.diff(motion.coeffs, n=2, axis=0).std() for name, motion in kept.items()}
    assert trembling["both"] < trembling["forward"] < trembling["none"]
    assert trembling["slow"] < trembling["forward"]
    for motion in kept.values():
        assert motion.pose is not None
        np.testing.assert_allclose(motion.pose, codes["pose"][:, :3], atol=1e-5)


def test_other_rates(tmp_path: Path) -> None:
    root = tmp_path / "root"
    save_sound(root / "03-01-05-02-01-01-01.wav", 1.5)
    codes = tracked(90)
    np.save(root / "01-01-05-02-01-01-01.npy", np.concatenate([codes["exp"], codes["pose"]], axis=1))
    built = made(root, tmp_path / "out", source_fps=60.0, build=COEFFICIENTS)
    assert [(entry.fps, entry.num_frames) for entry in built.entries] == [(30.0, 45)]
    # The engine's own rate comes after the filter, of vertices too.
    built = made(root, tmp_path / "vertices", Cleanup(fps=25.0), source_fps=60.0)
    assert [(entry.fps, entry.num_frames) for entry in built.entries] == [(25.0, 38)]


def test_folders_of_emocas_pictures(tmp_path: Path) -> None:
    root, codes = tmp_path / "root", tmp_path / "emoca"
    names = {actor: f"01-01-03-01-02-01-{actor:02d}" for actor in (1, 2, 3, 4)}
    for name in names.values():
        save_sound(root / f"03{name[2:]}.wav", 1.5)
    numbers = list(range(1, FRAMES + 1))
    # Of the first two pictures, and of three within, the tracker gave nothing.
    some = [number for number in numbers if number not in (1, 2, 20, 21, 22)]
    save_codes(codes / names[1], tracked(), some)
    # Seven in a row are too many.
    save_codes(codes / names[2], tracked(), [number for number in numbers if not 20 <= number <= 26])
    save_codes(codes / names[3], {"exp": tracked()["exp"]}, numbers)
    save_codes(codes / names[4], {"exp": tracked()["exp"][:, :40], "pose": tracked()["pose"]}, numbers)
    told = Told()
    sources = {source.speaker: source for source in ravdess3d_sources(root, told, codes=codes)}
    assert "no numbered folders with exp.npy and pose.npy" in reason(sources["ravdess-03"])
    assert told.warned("Missing: all of actors 5-24")
    recipe = sources["ravdess-01"].recipe
    assert isinstance(recipe, BuiltClip) and isinstance(recipe.measured, CodedFilm)
    assert recipe.measured.sound == root / f"03{names[1][2:]}.wav"
    built = build(list(sources.values()), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [(entry.speaker, entry.num_frames) for entry in built.entries] == [("ravdess-01", FRAMES)]
    assert str(built.entries[0].origin) == "fitted to film (EMOCA)"
    assert '"bridged_frames": 5' in (tmp_path / "out" / "report.jsonl").read_text()
    reasons = {item.id[-2:]: item.reason for item in built.dropped}
    assert "7 pictures in a row have no codes" in reasons["02"]
    assert "50 and 6 numbers are needed" in reasons["04"]


def test_the_split_of_the_whole_set(tmp_path: Path) -> None:
    root = tmp_path / "root"
    # All of some actors; of the others one performance tells the split.
    for actor in ACTORS:
        for channel in ("01", "02"):
            performances = expected_performances(channel, actor)
            for key in performances if actor > 20 else performances[:1]:
                tree(root, f"Actor_{actor:02d}/03-{key}.wav", f"Actor_{actor:02d}/01-{key}.npz")
    told = Told()
    sources = ravdess3d_sources(root, told)
    assert told.noted("Left out: 195 sung.")
    assert told.warned("Missing: 1180 performances of speech")
    assert Counter(source.split for source in sources) == {"train": 20, "val": 120, "test": 120}
    speakers = {source.speaker for source in sources if source.split != "train"}
    assert speakers == {"ravdess-21", "ravdess-22", "ravdess-23", "ravdess-24"}


def test_odd_trees(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "Actor_01/01-01-03-01-01-01-01.npz",
        "Actor_01/03-01-04-01-01-01-02.wav",
        "Actor_01/01-01-04-01-01-01-02.npz",
        "Actor_01/01-01-09-01-01-01-01.npz",
        "Actor_01/coeffs.npz",
    )
    told = Told()
    sources = {source.id.split("/")[1]: source for source in ravdess3d_sources(tmp_path, told)}
    assert "Neither its sound (03) nor" in reason(sources["01-01-03-01-01-01-01"])
    assert "lies in Actor_01" in reason(sources["01-01-04-01-01-01-02"])
    assert "emotion 09" in reason(sources["01-01-09-01-01-01-01"])
    assert told.warned("coeffs.npz")
    with pytest.raises(InputError, match="no coefficients named like RAVDESS"):
        ravdess3d_sources(tree(tmp_path / "b", "x.npz"), Silent())


def test_settings_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no film is read"):
        ravdess3d_sources(tmp_path, Silent(), how=HowToLook(head="flame"))
    with pytest.raises(UsageError, match="`codes` is for given coefficients"):
        ravdess3d_sources(tmp_path, Silent(), motion="video", codes=tmp_path)
    monkeypatch.delenv("TALK_FLAME")
    tree(tmp_path, "01-01-03-01-01-01-01.npz", "03-01-03-01-01-01-01.wav")
    with pytest.raises(AssetError, match="FLAME model is not here") as caught:
        ravdess3d_sources(tmp_path, Silent())
    assert "`form=coefficients` needs none" in str(caught.value.hint)
    assert len(ravdess3d_sources(tmp_path, Silent(), build=COEFFICIENTS)) == 1


def test_a_damaged_file_is_one_clip_less(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for actor in (1, 2):
        save_sound(root / f"03-01-03-01-01-01-{actor:02d}.wav", 1.5)
    np.savez(root / "01-01-03-01-01-01-01.npz", **tracked())
    codes = tracked()
    codes["exp"][7, 3] = np.nan
    np.savez(root / "01-01-03-01-01-01-02.npz", **codes)
    built = made(root, tmp_path / "out")
    assert [entry.speaker for entry in built.entries] == ["ravdess-01"]
    assert [("not finite numbers" in item.reason) for item in built.dropped] == [True]


def test_films_are_measured(tmp_path: Path) -> None:
    tree(tmp_path, *(f"Actor_03/01-01-0{emotion}-01-01-01-03.mp4" for emotion in (1, 3)))
    sources = ravdess3d_sources(tmp_path, Silent(), motion="video")
    assert [source.id for source in sources] == [f"ravdess3d/01-01-0{n}-01-01-01-03" for n in (1, 3)]
    recipe = sources[1].recipe
    assert isinstance(recipe, BuiltClip) and isinstance(recipe.measured, FilmedFile)
    assert recipe.measured.rest == tmp_path / "Actor_03" / "01-01-01-01-01-01-03.mp4"
    assert recipe.head == "ada"


@pytest.mark.data
@pytest.mark.slow
def test_a_real_film(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    film = shared_data / "video" / "grid" / "lwbsza.mpg"
    name = tmp_path / "root" / "Actor_24" / "01-01-08-01-01-01-24.mp4"
    name.parent.mkdir(parents=True)
    command = [ffmpeg_binary(), "-v", "fatal", "-ss", "1", "-i", film, "-t", "1.2", "-crf", "12", name]
    subprocess.run([*map(str, command)], check=True)
    built = made(tmp_path / "root", tmp_path / "out", motion="video")
    (entry,) = built.entries
    assert (entry.split, entry.emotion, entry.fps, entry.num_frames) == ("test", "surprise", 30.0, 36)
    assert entry.mesh is not None and entry.mesh.topology == "ada"
    moved = np.load(tmp_path / "out" / entry.mesh.vertices) - np.load(tmp_path / "out" / entry.mesh.neutral)
    assert 0.002 < np.abs(moved).max() < 0.05
