"""Vertices for drawing are those of the head's own call, whatever moves it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import JAW, TONGUE
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.render.pictures import vertices_by_frame
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.render.shapes import BallHead

FRAMES = 60
# Places of up to 0.2 m in float32, added up in another order.
ROUNDING_M = 2e-7


@pytest.fixture(scope="module")
def head() -> AdaHead:
    return load_head("ada")  # type: ignore[return-value]


def _motion(head: AdaHead, kind: str, more: tuple[str, ...] = TONGUE) -> Motion:
    rng = np.random.default_rng(0)
    channels = (*head.channels, *more)
    coeffs = rng.uniform(-0.3, 1.3, (FRAMES, len(channels)))
    if kind == "few":
        coeffs *= rng.random(coeffs.shape) < 0.2
    if kind == "alone":
        coeffs = np.eye(len(channels))
    jaw = [head.channels.index(name) for name in JAW]
    coeffs[:, jaw] *= 0.4
    pose = rng.normal(0, 0.3, (len(coeffs), 3))
    # Rotations by next to nothing have a formula of their own.
    pose[:2] = [[0, 0, 0], [3e-4, -2e-4, 1e-4]]
    return Motion(
        coeffs=coeffs.astype(np.float32),
        fps=25.0,
        head=head.name,
        channels=channels,
        pose=pose.astype(np.float32),
    )


@pytest.mark.parametrize("more", [(), TONGUE])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["many", "few", "alone"])
def test_frames_are_those_of_the_head(head: AdaHead, kind: str, turned: bool, more: tuple[str, ...]) -> None:
    surface = Surface(_motion(head, kind, more), head, turned=turned)
    at = vertices_by_frame(surface)
    assert at is not None
    wanted = surface.vertices()
    for frame in range(surface.num_frames):
        np.testing.assert_allclose(at(frame), wanted[frame], atol=ROUNDING_M, rtol=0)


def test_the_lips_of_an_open_jaw_are_sealed_as_the_head_seals_them(head: AdaHead) -> None:
    coeffs = np.zeros((5, len(head.channels)), np.float32)
    coeffs[:, head.channels.index("jawPitch")] = [0.0, 0.01, 0.1, 0.3, 0.4]
    for name in ("mouthClose", "lipSeal"):
        sealed = coeffs.copy()
        sealed[:, head.channels.index(name)] = 0.6
        surface = Surface(Motion(coeffs=sealed, fps=25.0, head="ada", channels=head.channels), head)
        at = vertices_by_frame(surface)
        assert at is not None
        made = np.stack([at(frame) for frame in range(5)])
        np.testing.assert_allclose(made, surface.vertices(), atol=ROUNDING_M, rtol=0)


def test_threads_change_nothing(head: AdaHead) -> None:
    at = vertices_by_frame(Surface(_motion(head, "many"), head, turned=True))
    assert at is not None
    alone = [at(frame).tobytes() for frame in range(FRAMES)]
    with ThreadPoolExecutor(4) as pool:
        assert [vertices.tobytes() for vertices in pool.map(at, range(FRAMES))] == alone


def test_given_vertices_are_taken_and_other_heads_are_left_to_torch() -> None:
    ball = BallHead()
    given = VertexMotion(
        vertices=np.stack([ball.template, 2 * ball.template]),
        neutral=ball.template,
        fps=25.0,
        topology="ball",
    )
    at = vertices_by_frame(Surface(given, ball))
    assert at is not None
    np.testing.assert_array_equal(at(1), 2 * ball.template)
    still = Motion(coeffs=np.zeros((1, 2), np.float32), fps=25.0, head="ball", channels=ball.channels)
    assert vertices_by_frame(Surface(still, ball)) is None
