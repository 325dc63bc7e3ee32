from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.vertex_motion import between_frames, check_vertices, read_vertices, resample_vertices
from talkcli.engine.types import VertexMotion


def ramp(num_frames: int, fps: float = 60.0) -> VertexMotion:
    """Vertex 0 moves along x by 1 mm a frame, vertex 1 rests; the face is 0.2 m tall."""
    neutral = np.array([[0, 0, 0], [0, 0.2, 0]], np.float32)
    vertices = np.repeat(neutral[None], num_frames, axis=0)
    vertices[:, 0, 0] = 0.001 * np.arange(num_frames)
    return VertexMotion(vertices=vertices, neutral=neutral, fps=fps, topology="test")


@pytest.mark.parametrize(("num_frames", "step"), [(9, 2), (10, 2), (9, 3), (1, 4)])
def test_a_whole_part_of_the_rate_keeps_frames_as_they_are(num_frames: int, step: int) -> None:
    mesh = ramp(num_frames)
    half = resample_vertices(mesh, 60 / step)
    assert half.fps == 60 / step
    np.testing.assert_array_equal(half.vertices, mesh.vertices[::step])


def test_other_rates_are_interpolated_at_the_middle_of_frames() -> None:
    mesh = ramp(60)
    other = resample_vertices(mesh, 25.0)
    assert len(other.vertices) == 25
    middles_s = (np.arange(25) + 0.5) / 25
    np.testing.assert_allclose(other.vertices[:, 0, 0], 0.001 * (middles_s * 60 - 0.5), atol=1e-7)
    np.testing.assert_array_equal(other.vertices[:, 1], mesh.vertices[:25, 1])
    assert len(resample_vertices(mesh, 120.0).vertices) == 120


def test_the_same_rate_is_the_same_motion() -> None:
    mesh = ramp(5)
    assert resample_vertices(mesh, 60.0) is mesh
    with pytest.raises(ValueError, match="not positive"):
        resample_vertices(mesh, 0.0)


def test_between_frames_holds_the_ends() -> None:
    found = between_frames(ramp(3).vertices, np.array([-1.0, 0.25, 1.5, 2.0, 7.0]))
    np.testing.assert_allclose(found[:, 0, 0], [0, 0.00025, 0.0015, 0.002, 0.002], atol=1e-9)


def test_what_cannot_be_a_face() -> None:
    check_vertices(ramp(100))
    with pytest.raises(InputError, match=r"moves 0\.119 from where it rests"):
        check_vertices(ramp(120))
    for value in (np.nan, np.inf, -np.inf):
        mesh = ramp(3)
        mesh.vertices[1, 1, 1] = value
        with pytest.raises(InputError, match="not all finite"):
            check_vertices(mesh)


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3)])
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "f2"])
def test_vertices_of_both_layouts(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    path = tmp_path / "clip.npy"
    np.save(path, np.arange(24).reshape(shape).astype(dtype))
    vertices = read_vertices(path, 2, 4)
    assert (vertices.dtype, vertices.shape) == (np.float32, (4, 2, 3))
    np.testing.assert_array_equal(vertices.ravel(), np.arange(24))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 9), np.float32), r"\(4, 9\), floats of \(frames, 6\)"),
        (np.zeros((4, 3, 2), np.float32), r"\(4, 3, 2\)"),
        (np.zeros(6, np.float32), r"\(6,\)"),
        (np.zeros((4, 6), np.int32), "int32"),
        (np.zeros((5, 6), np.float32), "5 frames, 1 to 4"),
        (np.zeros((0, 6), np.float32), "0 frames"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray, words: str) -> None:
    np.save(tmp_path / "clip.npy", array)
    with pytest.raises(InputError, match=words):
        read_vertices(tmp_path / "clip.npy", 2, 4)
