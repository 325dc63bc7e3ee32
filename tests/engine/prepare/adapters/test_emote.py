"""A small 3D-MEAD on disk in its HDF5 and hickle forms, with MEAD's sound where EMOTE's tools put it."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile

from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.adapters.emote import emote_sources, read_reconstruction
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.flame_motion import MOST_EXPRESSION
from talkcli.engine.prepare.mead_splits import SPLIT_OF_ACTOR
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason

FRAMES = 30
V0, V1 = "EMICA_mead_mp_lr_mse_15", "EMICA-MEAD_flame2020"
EMOTIONS = ("angry", "contempt", "disgusted", "fear", "happy", "neutral", "sad", "surprised")


def content(*, num_expression: int = 100, hickle: bool = False, **changed: np.ndarray | None) -> bytes:
    """Arrays as the sheet has them; expression falls along its columns so that a wrong one shows."""
    columns = np.linspace(0.5, -0.5, num_expression)
    arrays: dict[str, np.ndarray | None] = {
        "shape": np.full((1, FRAMES, 300 if num_expression == 100 else 100), 0.4),
        "exp": np.tile(columns, (1, FRAMES, 1)),
        "jaw": np.full((1, FRAMES, 3), 0.3),
        "global_pose": np.full((1, FRAMES, 3), 0.2),
        "cam": np.full((1, FRAMES, 3), 5.0),
        **changed,
    }
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        group = root.create_group("data") if hickle else root
        for name, values in arrays.items():
            if values is not None:
                group.create_dataset(f'"{name}"' if hickle else name, data=np.asarray(values, np.float32))
    return file.getvalue()


def write_clip(
    root: Path, clip: str, *, rec: str = V1, name: str = "shape_pose_cam.hdf5", **options: object
) -> Path:
    """`clip` is ACTOR/front/EMOTION/level_N/NNN."""
    path = root / "mead_25fps/processed/reconstructions" / rec / clip / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(**options))  # type: ignore[arg-type]
    return path


def write_sound(root: Path, clip: str, seconds: float = FRAMES / 25) -> None:
    actor, *_, emotion, level, number = clip.split("/")
    path = root / f"mead_25fps/original_data/{actor}/audio/{emotion}/{level}/{number}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * np.sin(np.arange(round(seconds * 16000)) / 10), 16000)


@pytest.mark.parametrize(
    "root", ["", "mead_25fps", "mead_25fps/processed", "mead_25fps/processed/reconstructions"]
)
@pytest.mark.parametrize(
    ("rec", "name", "options"),
    [
        (V0, "shape_pose_cam.hdf5", {"num_expression": 50}),
        (V1, "shape_pose_cam.hdf5", {}),
        (V0, "shape_pose_cam.pkl", {"num_expression": 50, "hickle": True}),
    ],
)
def test_forms(tmp_path: Path, rec: str, name: str, options: dict[str, object], root: str) -> None:
    write_clip(tmp_path, "M003/front/angry/level_3/001", rec=rec, name=name, **options)
    write_sound(tmp_path, "M003/front/angry/level_3/001")
    told = Told()
    audio = None if root in ("", "mead_25fps") else tmp_path / "mead_25fps/original_data"
    sources = emote_sources(tmp_path / root, told, audio=audio)
    build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    (clip,) = load_clips(tmp_path / "out", "train", Silent())
    assert (clip.id, clip.speaker, clip.emotion.label, clip.emotion.level) == (
        "emote/M003_angry_3_001", "mead-M003", "angry", 1.0,
    )  # fmt: skip
    assert clip.motion.channels == FLAME
    assert clip.motion.fps == 25
    width = 50 if rec == V0 else 100
    np.testing.assert_allclose(clip.motion.coeffs[0, :50], np.linspace(0.5, -0.5, width)[:50], atol=1e-6)
    np.testing.assert_allclose(clip.motion.coeffs[:, 50:], 0.3, atol=1e-6)
    assert len(clip.speech.samples) == FRAMES * 640
    motion, _ = read_motion(tmp_path / "out/motion/emote/M003_angry_3_001.npz")
    assert motion.pose is not None
    np.testing.assert_allclose(motion.pose, 0.2, atol=1e-6)
    assert told.noted("the first 50 are kept") and told.noted("MEAD has 47 actors in DEEPTalk's split, ")


def test_labels_splits_and_what_is_missing(tmp_path: Path) -> None:
    clips = [
        f"{actor}/front/neutral/level_1/001" for actor in SPLIT_OF_ACTOR if actor not in ("W040", "W021")
    ]
    clips += [f"M003/front/{e}/level_{n}/002" for e in EMOTIONS for n in (1, 2, 3) if e != "neutral"]
    # The one actor whose folder has another in it, and one whom no split has.
    clips += ["W021/1/front/neutral/level_1/001", "M001/front/happy/level_1/001"]
    for clip in clips:
        write_clip(tmp_path, clip)
        write_sound(tmp_path, clip)
    write_clip(tmp_path, "M003/left_30/angry/level_1/001")
    write_clip(tmp_path, "M003/front/angry/level_4/001")
    write_clip(tmp_path, "M003/front/neutral/level_2/001")
    write_clip(tmp_path, "M003/front/furious/level_1/001")
    write_clip(tmp_path, "W009/front/sad/level_1/007")
    told = Told()
    sources = emote_sources(tmp_path, told)
    usable = [source for source in sources if not source.id.endswith("007")]
    assert Counter(source.split for source in usable) == {"train": 32 + 21, "val": 7, "test": 7}
    assert [reason(source) for source in sources if source not in usable] == [
        "There is no sound of W009, sad, level 1, 007."
    ]
    assert Counter(source.emotion.label for source in usable if source.speaker == "mead-M003") == {
        "neutral": 1, "angry": 3, "contempt": 3, "disgust": 3, "fear": 3, "happy": 3, "sad": 3, "surprise": 3,
    }  # fmt: skip
    assert {source.sex for source in usable if source.speaker == "mead-W021"} == {"female"}
    assert [source.id for source in sources] == sorted(source.id for source in sources)
    assert told.warned("Left out 3 files that MEAD does not have")
    assert told.warned("Left out 1 clip seen from another side than the front: ")
    assert told.warned("Left out 1 actor who is in no split: M001 (1 clip).")
    assert told.warned("Missing: 1 of 47 actors: W040.")
    # Of 22 emotions and levels M003 has all, W009 neutral and a sad one, 44 others neutral alone.
    assert told.warned(f"Missing: {20 + 44 * 21} emotions and levels of actors who are there: M005 happy 1")


def test_one_of_several_reconstructions(tmp_path: Path) -> None:
    for rec in (V0, V1):
        write_clip(tmp_path, "M003/front/angry/level_1/001", rec=rec)
    write_sound(tmp_path, "M003/front/angry/level_1/001")
    with pytest.raises(
        InputError, match="2 reconstructions: EMICA-MEAD_flame2020, EMICA_mead_mp_lr_mse_15"
    ) as error:
        emote_sources(tmp_path, Silent())
    assert "`reconstruction=EMICA-MEAD_flame2020`" in (error.value.hint or "")
    (source,) = emote_sources(tmp_path, Silent(), reconstruction=V0)
    assert V0 in str(source.recipe)
    with pytest.raises(InputError, match=r"does not hold the reconstruction v3 .found: EMICA-MEAD"):
        emote_sources(tmp_path, Silent(), reconstruction="v3")


def test_sound_of_films_comes_after_sound(tmp_path: Path) -> None:
    write_clip(tmp_path, "M003/front/angry/level_1/001")
    film = tmp_path / "mead_25fps/resampled_videos/M003/video/front/angry/level_1/001.mp4"
    side = tmp_path / "mead_25fps/resampled_videos/M003/video/left_30/angry/level_1/001.mp4"
    extracted = tmp_path / "mead_25fps/processed/audio/M003/front/angry/level_1/001.wav"
    for path in (side, film, extracted):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
        if path != side:
            (source,) = emote_sources(tmp_path, Silent())
            assert source.recipe.inputs[1] == path


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        emote_sources(tmp_path / "nowhere", Silent())
    with pytest.raises(InputError, match="does not hold a reconstruction"):
        emote_sources(tmp_path, Silent())
    write_clip(tmp_path, "M003/front/angry/level_1/001")
    with pytest.raises(InputError, match="no sound of MEAD") as error:
        emote_sources(tmp_path, Silent())
    assert "`audio=FOLDER`" in (error.value.hint or "")


def test_broken_clips_go_to_quarantine(tmp_path: Path) -> None:
    broken: dict[str, tuple[dict[str, object], str]] = {
        "001": ({"jaw": None}, "holds no jaw"),
        "002": ({"exp": np.zeros((1, FRAMES, 40))}, "expression is (30, 40)"),
        "003": ({"jaw": np.zeros((1, FRAMES - 1, 3))}, "jaw has 29 frames, expression 30"),
        "004": ({"exp": np.zeros((FRAMES, 50))}, "the shape is (30, 50)"),
        "005": ({"exp": np.full((1, FRAMES, 50), 40.0)}, "reaches 40"),
        "006": ({"jaw": np.full((1, FRAMES, 3), np.nan)}, "not finite"),
        "007": ({"exp": np.zeros((1, 0, 50)), "jaw": np.zeros((1, 0, 3))}, "(0, 50)"),
    }
    for number, (changed, _) in broken.items():
        write_clip(tmp_path, f"M003/front/angry/level_1/{number}", **changed)
    write_clip(tmp_path, "M003/front/angry/level_1/008").write_bytes(b"")
    write_clip(tmp_path, "M003/front/angry/level_1/009", name="shape_pose_cam.pkl").write_bytes(b"\x80\x04N.")
    for number in range(1, 12):
        clip = f"M003/front/angry/level_1/{number:03d}"
        write_sound(tmp_path, clip, 2.0 if number == 10 else FRAMES / 25)
        if number > 9:
            write_clip(tmp_path, clip)
    built = build(emote_sources(tmp_path, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [entry.id for entry in built.entries] == ["emote/M003_angry_1_011"]
    reasons = {item.id[-3:]: item.reason for item in built.dropped}
    told = {number: told for number, (_, told) in broken.items()}
    told |= {
        "008": "empty file",
        "009": "a pickle, which is not opened",
        "010": "Sound has 2.00 s, motion 1.20 s",
    }
    assert reasons.keys() == told.keys()
    for number, part in told.items():
        assert part in reasons[number], reasons[number]


@pytest.mark.parametrize("hickle", [False, True])
def test_mutations(tmp_path: Path, hickle: bool) -> None:
    path = tmp_path / "shape_pose_cam.hdf5"

    def read(mutant: bytes) -> Motion:
        path.write_bytes(mutant)
        return read_reconstruction(path)

    def plausible(motion: object) -> bool:
        return (
            isinstance(motion, Motion)
            and motion.coeffs.shape[1] == 53
            and 0 < len(motion.coeffs) <= FRAMES
            and bool((np.abs(motion.coeffs) <= MOST_EXPRESSION).all())
        )

    assert survives(read, content(hickle=hickle), plausible=plausible) > 50
