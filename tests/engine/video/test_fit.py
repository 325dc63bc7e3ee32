"""Landmarks back to the coefficients that made them, and on real faces what meets in the picture meets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.flame import FlameHead
from talkcli.engine.face.flame_file import DECA_LANDMARKS_FILE
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.topology import lip_opening_mm
from talkcli.engine.types import Silent
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.fit import Fit, FitConfig, fit_head
from talkcli.engine.video.identity import eye_opening, lip_gap
from talkcli.engine.video.pictures import open_film
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.tracker import follow_face
from tests.engine.face import flame_twin as twin
from tests.engine.video.actors import acted, bump, filmed, nodding, speech


@pytest.fixture(scope="module")
def ada() -> AdaHead:
    head = load_head("ada")
    assert isinstance(head, AdaHead)
    return head


@pytest.fixture(scope="module")
def played(ada: AdaHead) -> tuple[np.ndarray, Fit]:
    """A person of another shape and size, turning the head while speaking, and the fit of it."""
    truth = speech(ada)
    track = filmed(ada, truth, turns_rad=nodding(len(truth)), shape_m=2e-3, stretch=(1.06, 0.96, 1.03))
    return truth, fit_head(track, ada)


def column(coeffs: np.ndarray, name: str) -> np.ndarray:
    return coeffs[:, ADA.index(name)]


def opening(head: AdaHead, coeffs: np.ndarray) -> np.ndarray:
    return lip_opening_mm(torch.from_numpy(Rig(head).points(coeffs)[:, :NUM_IBUG])).numpy()


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("jawPitch", 0.03), ("mouthSmileLeft", 0.15), ("mouthSmileRight", 0.15), ("mouthFunnel", 0.15),
        ("mouthPucker", 0.2), ("browInnerUp", 0.2),
        # MediaPipe's lids never quite meet, so the fit takes nearly shut eyes for shut.
        ("eyeBlinkLeft", 0.3), ("eyeBlinkRight", 0.3),
    ],
)  # fmt: skip
def test_what_was_acted_comes_back(played: tuple[np.ndarray, Fit], name: str, tolerance: float) -> None:
    truth, fit = played
    apart = np.abs(column(fit.motion.coeffs, name) - column(truth, name))
    assert np.percentile(apart, 95) < tolerance
    assert apart.mean() < tolerance / 3


def test_nothing_else_moves_much(ada: AdaHead, played: tuple[np.ndarray, Fit]) -> None:
    truth, fit = played
    still = (truth == 0).all(axis=0) & np.array([not name.startswith("eyeLook") for name in ADA])
    assert np.abs(fit.motion.coeffs[:, still]).max() < 0.3
    for name in ("tongueOut", "cheekPuff", "cheekSquintLeft", "jawForward", "mouthClose"):
        assert (column(fit.motion.coeffs, name) == 0).all()


def test_a_glance_is_followed(played: tuple[np.ndarray, Fit]) -> None:
    truth, fit = played
    look = column(fit.motion.coeffs, "eyeLookOutLeft") - column(fit.motion.coeffs, "eyeLookInLeft")
    assert np.corrcoef(look, column(truth, "eyeLookOutLeft"))[0, 1] > 0.95


def test_the_shape_of_the_person_is_no_expression(played: tuple[np.ndarray, Fit]) -> None:
    truth, fit = played
    at_rest = (truth == 0).all(axis=1)
    gaze = np.array([name.startswith("eyeLook") for name in ADA])
    assert at_rest.sum() > 10
    assert np.abs(fit.motion.coeffs[at_rest][:, ~gaze]).mean(axis=0).max() < 0.08


def test_lips_close_where_they_closed_and_only_there(ada: AdaHead, played: tuple[np.ndarray, Fit]) -> None:
    truth, fit = played
    acted_mm, found_mm = opening(ada, truth), opening(ada, fit.motion.coeffs)
    assert (acted_mm < 0.01).sum() > 20
    assert found_mm[acted_mm < 0.01].max() < 0.4
    assert np.abs(found_mm - acted_mm).max() < 1.0
    # The contact between two open vowels lasts three frames.
    assert acted_mm[46] > 4
    assert found_mm[50] < 0.4


def test_pose_and_measures(played: tuple[np.ndarray, Fit]) -> None:
    _, fit = played
    turns = nodding(100)
    assert fit.motion.pose is not None
    moved = np.degrees((fit.motion.pose - fit.motion.pose[0]) - (turns - turns[0]))
    assert np.abs(moved).mean() < 0.5
    assert np.abs(np.degrees(fit.motion.pose - turns)).mean() < 3.0
    assert fit.error.shape == (100,)
    assert np.median(fit.error) < 0.01
    assert fit.projected.shape == fit.measured.shape == (100, 51, 2)
    assert np.abs(fit.projected - fit.measured).mean() < 1.0
    assert fit.known.all()
    assert fit.motion.channels == ADA
    assert fit.motion.coeffs.dtype == np.float32


def test_the_bent_head_lies_over_the_face(ada: AdaHead, played: tuple[np.ndarray, Fit]) -> None:
    _, fit = played
    vertices = fit.vertices_in_picture(20)
    assert vertices.shape == ada.template.shape
    marks = vertices[ada.landmark_vertices[17:], :2]
    assert np.median(np.linalg.norm(marks - fit.measured[20], axis=1)) < 3.0
    # Nearer is smaller: the tip of the nose lies before the ears.
    assert vertices[ada.landmark_vertices[30], 2] < vertices[ada.landmark_vertices[0], 2] - 20


def test_noise_on_a_still_face_does_not_twitch(ada: AdaHead) -> None:
    track = filmed(ada, np.zeros((40, 53), np.float32), noise_px=0.15, shape_m=2e-3)
    coeffs = fit_head(track, ada).motion.coeffs
    assert np.abs(np.diff(coeffs, axis=0)).max() < 0.15
    assert opening(ada, coeffs).max() < 0.7


def test_a_mouth_that_never_closes_is_still_open(ada: AdaHead) -> None:
    jaw = 0.1 + 0.08 * np.sin(np.arange(50) / 4.0)
    truth = acted(ada, {"jawPitch": jaw})
    coeffs = fit_head(filmed(ada, truth, shape_m=1e-3), ada).motion.coeffs
    assert np.abs(column(coeffs, "jawPitch") - jaw).mean() < 0.03
    assert opening(ada, coeffs).min() > 0.5


def test_gaps_cuts_and_doubt(ada: AdaHead) -> None:
    truth = speech(ada)
    track = filmed(ada, truth, turns_rad=nodding(100))
    seen = track.seen.copy()
    seen[20:24] = False  # 160 ms, bridged
    seen[60:70] = False
    landmarks = track.landmarks.copy()
    landmarks[~seen] = np.nan
    gone = replace(track, landmarks=landmarks, seen=seen, confidence=seen.astype(np.float32), cuts=(80,))
    fit = fit_head(gone, ada)
    np.testing.assert_array_equal(fit.known, seen | (np.arange(100) < 50))
    assert np.isnan(fit.error[~seen]).all()
    assert np.isfinite(fit.error[seen]).all()
    assert fit.motion.pose is not None
    assert np.isfinite(fit.motion.coeffs).all()
    assert np.isfinite(fit.motion.pose).all()
    assert np.abs(column(fit.motion.coeffs, "jawPitch") - column(truth, "jawPitch"))[20:24].max() < 0.05
    assert np.degrees(np.abs(fit.motion.pose - nodding(100))[20:24]).max() < 2.0


def test_a_cut_is_not_smoothed_over(ada: AdaHead) -> None:
    truth = acted(ada, {"browInnerUp": np.repeat([0.0, 0.8, 0.0], 12)})
    track = filmed(ada, truth)
    with_cuts = fit_head(replace(track, cuts=(12, 24)), ada).motion.coeffs
    without = fit_head(track, ada).motion.coeffs
    true = column(truth, "browInnerUp")
    apart = [np.abs(column(coeffs, "browInnerUp") - true)[10:14].max() for coeffs in (with_cuts, without)]
    assert apart[0] < apart[1]


def test_a_long_clip_is_the_same_in_blocks(ada: AdaHead, monkeypatch: pytest.MonkeyPatch) -> None:
    track = filmed(ada, speech(ada, 60))
    whole = fit_head(track, ada).motion.coeffs
    monkeypatch.setattr("talkcli.engine.video.fit._BLOCK_FRAMES", 30)
    pieces = fit_head(track, ada).motion.coeffs
    assert np.abs(whole - pieces).mean() < 2e-3
    assert np.abs(whole - pieces)[:, ADA.index("jawPitch")].max() < 0.01


def test_a_turned_face_is_led_by_the_side_that_is_seen(ada: AdaHead) -> None:
    blinks = bump(60, 30, 4)
    truth = acted(ada, {"eyeBlinkLeft": blinks, "eyeBlinkRight": blinks, "jawPitch": 0.15 * bump(60, 45, 9)})
    track = filmed(ada, truth, turns_rad=np.tile([0.0, 0.9, 0.0], (60, 1)))
    # The left eye is behind the nose; what the tracker says of it is wrong.
    wrong = track.landmarks.copy()
    for upper, lower in at.LID_PAIRS["Left"]:
        wrong[:, at.MESH_OF_IBUG[upper]] = wrong[:, at.MESH_OF_IBUG[upper]][:1]
        wrong[:, at.MESH_OF_IBUG[lower]] = wrong[:, at.MESH_OF_IBUG[lower]][:1]
    coeffs = fit_head(replace(track, landmarks=wrong), ada).motion.coeffs
    assert column(coeffs, "eyeBlinkLeft")[30] > 0.8
    assert np.abs(column(coeffs, "jawPitch") - column(truth, "jawPitch")).max() < 0.05


def test_a_known_person_keeps_a_lasting_expression(ada: AdaHead) -> None:
    neutral = fit_head(filmed(ada, speech(ada, 60), shape_m=2e-3, seed=4), ada)
    lasting = acted(ada, {"mouthSmileLeft": np.full(20, 0.7), "mouthSmileRight": np.full(20, 0.7)})
    # The same seed is the same person.
    smiling = filmed(ada, lasting, shape_m=2e-3, seed=4)
    alone = column(fit_head(smiling, ada).motion.coeffs, "mouthSmileLeft")
    known = column(fit_head(smiling, ada, person=neutral.identity).motion.coeffs, "mouthSmileLeft")
    assert alone.mean() < 0.2
    assert known.mean() > 0.45


def test_any_rate(ada: AdaHead) -> None:
    truth = speech(ada, 80)
    fit = fit_head(filmed(ada, truth, fps=59.94), ada)
    assert fit.motion.fps == 59.94
    assert np.abs(column(fit.motion.coeffs, "jawPitch") - column(truth, "jawPitch")).mean() < 0.01


@pytest.mark.parametrize("frames", [0, 2])
def test_too_few_faces(ada: AdaHead, frames: int) -> None:
    track = filmed(ada, np.zeros((10, 53), np.float32))
    seen = np.arange(10) < frames
    landmarks = np.where(seen[:, None, None], track.landmarks, np.float32(np.nan))
    with pytest.raises(InputError, match=f"seen in {frames} of 10"):
        fit_head(replace(track, landmarks=landmarks, seen=seen), ada)


def test_too_small_a_face(ada: AdaHead) -> None:
    track = filmed(ada, np.zeros((10, 53), np.float32))
    with pytest.raises(InputError, match="pixels apart"):
        fit_head(replace(track, landmarks=track.landmarks * np.float32(0.05)), ada)


class ComponentHead:
    """ada's geometry moved by nameless components, as FLAME's are: mixtures of ada's channels."""

    name = "components"
    channels = FLAME

    def __init__(self, ada: AdaHead) -> None:
        self._ada = ada
        draw = np.random.default_rng(1)
        mixture = np.zeros((53, 53), np.float32)
        mouth = [
            k
            for k, name in enumerate(ADA[:50])
            if name.startswith(("mouth", "brow")) and name != "mouthClose"
        ]
        for row in range(50):
            mixture[row, draw.choice(mouth, 4, replace=False)] = draw.normal(0, 0.25, 4)
        mixture[50:, 50:] = np.eye(3)
        self._mixture = torch.from_numpy(mixture)
        self.template, self.faces, self.parts = ada.template, ada.faces, ada.parts
        self.part_of_face, self.colours = ada.part_of_face, ada.colours
        self.regions: Mapping[str, Int[np.ndarray, "..."]] = ada.regions

    def __call__(
        self, coeffs: Float[torch.Tensor, "frames coeffs"], only: Int[torch.Tensor, "chosen"] | None = None
    ) -> Float[torch.Tensor, "frames chosen 3"]:
        return self._ada(coeffs.float() @ self._mixture, only)

    def landmarks(
        self, vertices: Float[torch.Tensor, "frames verts 3"]
    ) -> Float[torch.Tensor, "frames 68 3"]:
        return self._ada.landmarks(vertices)


def test_a_head_of_components(ada: AdaHead) -> None:
    head = ComponentHead(ada)
    track = filmed(ada, speech(ada), turns_rad=nodding(100), shape_m=2e-3)
    fit = fit_head(track, head)
    assert fit.motion.channels == FLAME
    assert fit.motion.head == "flame"
    wanted = opening(ada, speech(ada))
    found = lip_opening_mm(torch.from_numpy(Rig(head).points(fit.motion.coeffs)[:, :NUM_IBUG])).numpy()
    assert np.corrcoef(wanted, found)[0, 1] > 0.98
    assert found[wanted < 0.01].max() < 0.8
    assert np.median(fit.error) < 0.02


def test_flame_runs(tmp_path: Path, ada: AdaHead, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin's shape is no face: only that everything is asked of FLAME as FLAME answers it."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    twin.write_flame(tmp_path / "generic_model.pkl", twin.flame_arrays())
    draw = np.random.default_rng(2)
    np.save(
        tmp_path / DECA_LANDMARKS_FILE,
        np.array(
            {
                "full_lmk_faces_idx": draw.integers(0, twin.NUM_FACES, (1, 68)),
                "full_lmk_bary_coords": draw.dirichlet(np.ones(3), (1, 68)),
            },
            dtype=object,
        ),
        allow_pickle=True,
    )
    head = FlameHead.load(tmp_path / "generic_model.pkl")
    fit = fit_head(filmed(ada, speech(ada, 20)), head)
    assert fit.motion.channels == FLAME
    assert fit.motion.coeffs.shape == (20, 53)
    assert np.isfinite(fit.motion.coeffs).all()
    assert fit.vertices_in_picture(0).shape == (twin.NUM_VERTS, 3)


def test_points_are_the_heads_landmarks(ada: AdaHead) -> None:
    coeffs = speech(ada)[20:24]
    with torch.no_grad():
        marks = ada.landmarks(ada(torch.from_numpy(coeffs))).numpy()
    points = Rig(ada).points(coeffs)
    np.testing.assert_allclose(points[:, :NUM_IBUG], marks, atol=1e-6)
    # Irises: right then left, in the middle of the eyes.
    middles = ada.tables["eye_centres"][[1, 0], 0]
    np.testing.assert_allclose(points[0, NUM_IBUG:, 0], middles, atol=2e-3)


@pytest.mark.data
def test_a_real_clip(shared_data: Path, ada: AdaHead) -> None:
    pytest.importorskip("mediapipe")
    film = open_film(shared_data / "video" / "grid" / "bbaf2n.mpg")
    track = follow_face(film, "only", Silent()).track
    fit = fit_head(track, ada)
    assert np.median(fit.error) < 0.02
    points = at.ibug_points(track.landmarks.astype(np.float64) * [1.0, -1.0, -1.0])
    wide = np.linalg.norm(points[:, 36] - points[:, 45], axis=-1)
    gap, found_mm = lip_gap(points) / wide, opening(ada, fit.motion.coeffs)
    assert np.corrcoef(gap, found_mm)[0, 1] > 0.98
    # "Bin blue": the lips meet in frames 21 to 24 and 27 to 31 (of 75).
    assert found_mm[[22, 23, 28, 29]].max() < 0.4
    assert found_mm[gap > 0.02].min() > 0.5
    shut = eye_opening(points).max(axis=1) < 0.1
    blink = column(fit.motion.coeffs, "eyeBlinkLeft")
    assert shut.sum() >= 3
    assert blink[shut].min() > 0.9
    assert np.median(blink) < 0.1


def test_the_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValueError, match="passess"):
        FitConfig(passess=3)  # type: ignore[call-arg]


def test_a_wink_is_one_eye_and_a_blink_is_two(ada: AdaHead) -> None:
    once = bump(50, 25, 6)
    truth = acted(ada, {"eyeBlinkLeft": once})
    wink = fit_head(filmed(ada, truth), ada).motion.coeffs
    assert column(wink, "eyeBlinkLeft")[25] > 0.9
    assert column(wink, "eyeBlinkRight").max() < 0.2
    uneven = acted(ada, {"eyeBlinkLeft": 0.5 * once, "eyeBlinkRight": 0.3 * once})
    blink = fit_head(filmed(ada, uneven), ada).motion.coeffs
    assert abs(column(blink, "eyeBlinkLeft")[25] - column(blink, "eyeBlinkRight")[25]) < 0.1
