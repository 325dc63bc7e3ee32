"""FACEGOOD's pairs become motion for ada that follows its sound, and what is damaged is left out in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.envelope import frame_levels
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD
from talkcli.engine.prepare.adapters.facegood import facegood_sources, read_curves, whole_facegood_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import SAMPLES_PER_FRAME, Motion, Silent, Speech
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told

_NUM_CURVES = 116
_NAMES = ["jaw_thrust_c", "mouth_stretch_c", "mouth_pucker_l", "mouth_pucker_r", "cheek_UP"]
_MAP = """arkit,facegood,status
"jawOpen","","mouth_stretch_c"
"mouthPucker","","max(mouth_pucker_l,mouth_pucker_r)"
"cheekSquintLeft","","cheek_up"
"tongueOut","",""
"""


def _curves(seconds: float) -> np.ndarray:
    curves = np.zeros((round(seconds * 30), _NUM_CURVES))
    curves[:, 1] = 0.4 + 0.4 * np.sin(np.arange(len(curves)) / 5)
    curves[:, 2:4] = 0.1, 0.3
    return curves


def _pair(folder: Path, name: str, seconds: float, rate: int = 16_000, channels: int = 1) -> None:
    samples = np.random.default_rng(0).normal(scale=0.1, size=(round(seconds * rate), channels))
    soundfile.write(folder / f"{name}.wav", samples, rate)
    np.save(folder / f"bs_value_{name}.npy", _curves(seconds))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As published: names and map beside the pairs."""
    folder = tmp_path / "facegood"
    folder.mkdir()
    names = [*_NAMES, *(f"tongue_Rot_{index}X" for index in range(_NUM_CURVES - len(_NAMES)))]
    (folder / "bs_names.txt").write_text("\n".join(names) + "\n")
    (folder / "arkit_map.csv").write_text(_MAP)
    _pair(folder, "1114_2_01", 20.0)
    _pair(folder, "1114_3_15", 5.0, rate=44_100, channels=2)
    return folder


def test_curves_go_to_the_channels_of_their_names(root: Path) -> None:
    motion = read_curves(root / "bs_value_1114_3_15.npy", 5.0)
    assert (motion.head, motion.fps, len(motion.coeffs)) == ("ada", 25.0, 125)
    expected = JAW_OPEN_RAD * _curves(5.0)[:, 1]
    assert motion.coeffs[:, ADA.index("jawPitch")].max() == pytest.approx(expected.max(), abs=0.01)
    np.testing.assert_allclose(motion.coeffs[:, ADA.index("mouthPucker")], 0.3, rtol=1e-6)
    assert not motion.coeffs[:, ADA.index("tongueOut")].any()


def test_recordings_are_cut_into_clips(root: Path) -> None:
    told = Told()
    sources = whole_facegood_sources(root, told)
    assert [source.id for source in sources] == [
        "facegood/1114_2_01-00", "facegood/1114_2_01-01", "facegood/1114_3_15-00",
    ]  # fmt: skip
    assert {(source.speaker, source.split, source.licence) for source in sources} == {
        ("facegood", "train", "MIT")
    }
    assert told.notes == ["Found: 2 recordings of FACEGOOD, cut into 3 clips."]
    assert told.warnings == []


def test_what_is_damaged_is_left_out_and_the_rest_is_made(root: Path, tmp_path: Path) -> None:
    for name in ("empty", "deaf", "narrow", "slow", "alone", "wild"):
        shutil.copy(root / "1114_3_15.wav", root / f"{name}.wav")
    shutil.copy(root / "bs_value_1114_3_15.npy", root / "bs_value_deaf.npy")
    (root / "deaf.wav").write_bytes(b"")
    (root / "bs_value_empty.npy").write_bytes(b"")
    np.save(root / "bs_value_narrow.npy", _curves(5.0)[:, :100])
    np.save(root / "bs_value_slow.npy", _curves(4.0))
    np.save(root / "bs_value_wild.npy", _curves(5.0) * 100)
    np.save(root / "bs_value_lonely.npy", _curves(5.0))
    told = Told()
    built = build(whole_facegood_sources(root, told), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert len(built.entries) == 3
    reasons = {item.id: item.reason for item in built.dropped}
    for name, said in {
        "deaf": "0 bytes",
        "empty": "0 bytes",
        "narrow": "(150, 100), bs_names.txt names 116",
        "slow": "24.0 fps, not 30",
        "wild": "curves go from 0 to 1",
    }.items():
        assert said in reasons.pop(f"facegood/{name}-00")
    assert reasons == {}
    assert told.warnings == [
        "Left out 2 files without curves or without sound beside them: alone.wav, bs_value_lonely.npy."
    ]


def test_a_folder_without_pairs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no bs_value_NAME"):
        whole_facegood_sources(tmp_path, Silent())
    assert facegood_sources(tmp_path) == []


@pytest.mark.parametrize("name", ["bs_value_1114_3_15.npy", "bs_names.txt", "arkit_map.csv"])
def test_damaged_files_are_refused_or_plausible(root: Path, name: str) -> None:
    path = root / name

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_curves(root / "bs_value_1114_3_15.npy", 5.0)

    def plausible(motion: object) -> bool:
        return isinstance(motion, Motion) and bool(np.abs(motion.coeffs).max() <= 1.05)

    assert survives(read, path.read_bytes(), plausible=plausible) > 40


@pytest.mark.data
@pytest.mark.parametrize("name", ["1114_2_01", "1114_2_02", "1114_2_03", "1114_2_04", "1114_3_15"])
def test_real_jaws_follow_the_log_energy(shared_data: Path, name: str) -> None:
    """The clips of each pair end to end; log energy with a floor of -100 dBFS, frame by frame, no lag."""
    sources = facegood_sources(shared_data / "paired" / "facegood")
    parts = [source.recipe.make(source) for source in sources if source.id.startswith(f"facegood/{name}-")]
    speech = Speech(samples=np.concatenate([part.speech.samples for part in parts]))
    jaw = np.concatenate([part.motion.coeffs[:, ADA.index("jawPitch")] for part in parts])
    assert abs(len(speech.samples) / SAMPLES_PER_FRAME - len(jaw)) <= 1
    energy = np.log(np.square(frame_levels(speech, len(jaw), 25.0)) + 1e-10)
    assert np.corrcoef(jaw, energy)[0, 1] >= 0.6
