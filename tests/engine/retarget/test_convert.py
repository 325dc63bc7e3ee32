"""Motion between heads: what is kept of lips and lids, beside what a plain mapping keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import talkcli as talk
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.face.flame import FlameHead
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.face.surface import Surface
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.retarget.convert import found_mapping, known_source, retarget
from talkcli.engine.retarget.goals import goals
from talkcli.engine.retarget.kept import Kept, kept
from talkcli.engine.types import Motion, Silent, VertexMotion
from talkcli.engine.video.rig import Rig
from tests.engine.retarget.flame_like import flame_like
from tests.engine.retarget.linear_abe import linear_abe

HELLO = Path(__file__).resolve().parents[3] / "examples" / "hello.wav"


@pytest.fixture(scope="module")
def ada() -> AdaHead:
    head = load_head("ada")
    assert isinstance(head, AdaHead)
    return head


@pytest.fixture(scope="module")
def performed() -> list[Motion]:
    """Three takes of the model."""
    talker = talk.load()
    motions = [talker.animate(HELLO, seed=seed) for seed in range(3)]
    return [motion for motion in motions if isinstance(motion, Motion)]


@pytest.fixture(scope="module")
def like_flame(ada: AdaHead) -> FlameHead:
    return flame_like(ada)


@pytest.fixture(scope="module")
def linear() -> ShapeRig:
    return linear_abe()


def assert_kept(found: Kept | None, *, lips_mm: float) -> None:
    assert found is not None
    assert found.lips_mm < lips_mm < found.at_rest_lips_mm
    assert found.closures.total > 20
    assert found.closures.count >= 0.95 * found.closures.total
    assert found.false_closures.total > 60
    assert found.false_closures.count <= 0.02 * found.false_closures.total
    assert found.blinks.count >= 0.95 * found.blinks.total
    assert found.false_blinks.count == 0


def lips_rms_mm(ada: AdaHead, first: np.ndarray, second: np.ndarray) -> float:
    chosen = torch.from_numpy(ada.regions["lips"])
    with torch.inference_mode():
        apart = ada(torch.from_numpy(first), only=chosen) - ada(torch.from_numpy(second), only=chosen)
    return float(apart.square().sum(-1).mean().sqrt() * 1000)


def test_ada_to_arkit_and_back(ada: AdaHead, performed: list[Motion]) -> None:
    for motion in performed:
        found = retarget(Surface(motion, ada), None, Silent())
        assert found.motion.channels == ARKIT
        assert found.motion.coeffs.min() >= 0
        assert found.motion.coeffs.max() <= 1
        back = known_source(found.motion)
        assert isinstance(back, Motion)
        assert back.channels == ADA
        assert lips_rms_mm(ada, motion.coeffs, back.coeffs) < 0.05
        assert_kept(found.kept, lips_mm=0.05)


def test_a_capture_to_arkit_and_back(ada: AdaHead, shared_data: Path) -> None:
    take = read_take(next(iter(sorted((shared_data / "arkit_csv").glob("*.csv"))))).motion
    found = retarget(Surface(take, ada), None, Silent())
    back = known_source(found.motion)
    assert isinstance(back, Motion)
    assert lips_rms_mm(ada, take.coeffs, back.coeffs) < 0.05


def test_a_linear_rig_closes_where_ada_closes_and_names_alone_do_not(
    ada: AdaHead, performed: list[Motion], linear: ShapeRig
) -> None:
    motion = performed[0]
    found = retarget(Surface(motion, ada), linear, Silent())
    assert found.how == "landmarks beside names"
    assert_kept(found.kept, lips_mm=0.35)
    curves = arkit_curves(motion.coeffs, motion.channels)
    plain = np.stack([curves[name] for name in ARKIT], axis=1)
    rig, source = Rig(linear), Rig(ada)
    wanted = goals(source.points(motion.coeffs), source.rest, rig.rest)
    by_names = kept(wanted, rig.points(plain))
    assert by_names.closures.count < 0.8 * by_names.closures.total
    assert found.kept is not None
    assert found.kept.lips_mm < 0.6 * by_names.lips_mm

    back = retarget(Surface(found.motion, linear), ada, Silent())
    assert_kept(back.kept, lips_mm=0.3)
    assert lips_rms_mm(ada, motion.coeffs[:, :53], back.motion.coeffs) < 0.3


def test_shapes_without_names_follow_landmarks(
    ada: AdaHead, performed: list[Motion], linear: ShapeRig
) -> None:
    nameless = ShapeRig(
        name="nameless",
        channels=tuple(f"shape {index}" for index in range(len(ARKIT))),
        template=linear.template * 1.3,
        deltas=linear.deltas * 1.3,
        marks=linear.landmark_vertices,
    )
    found = retarget(Surface(performed[0], ada), nameless, Silent())
    assert found.how == "landmarks"
    assert_kept(found.kept, lips_mm=0.5)
    assert found.motion.coeffs.min() >= 0


def test_flame_and_back_to_every_head(ada: AdaHead, performed: list[Motion], like_flame: FlameHead) -> None:
    found = retarget(Surface(performed[1], ada), like_flame, Silent())
    assert found.motion.head == "flame"
    assert_kept(found.kept, lips_mm=0.8)
    surface = Surface(found.motion, like_flame)
    for target in (ada, None):
        assert_kept(retarget(surface, target, Silent()).kept, lips_mm=0.5)
    vertices = VertexMotion(
        vertices=surface.vertices(), neutral=like_flame.template, fps=surface.fps, topology="flame"
    )
    given = retarget(Surface(vertices, like_flame), ada, Silent())
    assert_kept(given.kept, lips_mm=0.5)


def test_smoothing_opens_no_closure_of_one_frame(ada: AdaHead, linear: ShapeRig) -> None:
    coeffs = np.zeros((21, len(ADA)), np.float32)
    coeffs[:, ADA.index("jawPitch")] = 0.12
    coeffs[10, ADA.index("lipSeal")] = 1.0
    motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
    found = retarget(Surface(motion, ada), linear, Silent()).kept
    assert found is not None
    assert (found.closures.count, found.closures.total) == (1, 1)
    assert (found.false_closures.count, found.false_closures.total) == (0, 20)


def test_heads_of_one_kind_share_their_numbers(ada: AdaHead, performed: list[Motion]) -> None:
    found = retarget(Surface(performed[0], ada), load_head("abe"), Silent())
    np.testing.assert_array_equal(found.motion.coeffs, performed[0].coeffs)
    assert found.how == "names"


def test_the_mapping_that_is_found_names_what_belongs_together(ada: AdaHead, linear: ShapeRig) -> None:
    renamed = ShapeRig(
        name="renamed",
        channels=tuple(name.replace("Left", "_L").replace("Right", "_R") for name in ARKIT),
        template=linear.template,
        deltas=linear.deltas,
        marks=linear.landmark_vertices,
    )
    found = found_mapping(ada, renamed, "a test")
    smile = found.weights[found.targets.index("mouthSmile_L")]
    assert found.sources[int(smile.argmax())] == "mouthSmileLeft"
    assert smile.max() > 0.8
    jaw = found.weights[found.targets.index("jawOpen"), found.sources.index("jawPitch")]
    assert jaw == pytest.approx(1 / 0.42, rel=0.15)


def test_a_lost_closure_is_counted(ada: AdaHead) -> None:
    """The measure itself: lips held open by 2 mm touch nowhere."""
    rig = Rig(ada)
    still = np.repeat(rig.rest[None], 8, axis=0)
    wanted = goals(still, rig.rest, rig.rest)
    opened = still.copy()
    opened[:, [65, 66, 67], 1] -= 2e-3
    found = kept(wanted, opened)
    assert (found.closures.count, found.closures.total) == (0, 8)
    assert kept(wanted, still).closures.count == 8
    swapped = kept(goals(opened, rig.rest, rig.rest), still)
    assert (swapped.false_closures.count, swapped.false_closures.total) == (8, 8)
    assert found.lips_mm == pytest.approx(2 * np.sqrt(3 / 20), rel=1e-3)


def test_size_does_not_matter(ada: AdaHead, linear: ShapeRig) -> None:
    rig = Rig(ada)
    moved = rig.points(np.eye(1, 53, ADA.index("jawPitch"), dtype=np.float32) * 0.2)
    wanted = goals(moved, rig.rest, 2 * rig.rest)
    assert wanted.scale == pytest.approx(2, rel=1e-6)
    np.testing.assert_allclose(wanted.points, 2 * moved, atol=1e-7)
    assert replace(wanted, scale=1.0).scale == 1.0
