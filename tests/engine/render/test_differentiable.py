"""Differentiable pictures against arithmetic, against finite differences and against one another."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.errors import ExtraError
from talkcli.engine.face.heads import load_head
from talkcli.engine.optional import is_installed
from talkcli.engine.render import lit_scene, renderers, torch_raster
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.differentiable import DifferentiableRenderer, Window
from talkcli.engine.render.edge_gradients import beside_edges
from talkcli.engine.render.renderer import Camera, Light, Material, Scene
from talkcli.engine.render.renderers import open_differentiable
from talkcli.engine.render.torch_raster import TorchRenderer
from talkcli.engine.render.visibility import scattered_faces, visible_faces
from tests.engine.render.shapes import flat_scene, sphere

PIXELS = 40


def _open(name: str, scene: Scene) -> DifferentiableRenderer:
    if name == "pytorch3d" and not is_installed("pytorch3d"):
        pytest.skip("pytorch3d is not installed")
    return open_differentiable(scene, PIXELS, PIXELS, prefer_pytorch3d=name == "pytorch3d")


both = pytest.mark.parametrize("name", ["torch", "pytorch3d"])


def _srgb(linear: float) -> float:
    return 1.055 * linear ** (1 / 2.4) - 0.055


def _quad(half: float, *, z: float = 0.0, turn: float = 0.0) -> tuple[Tensor, np.ndarray]:
    angles = turn + np.pi / 4 + np.arange(4) * np.pi / 2
    corners = np.stack([np.cos(angles), np.sin(angles), 0 * angles], 1) * half * math.sqrt(2)
    return torch.tensor(corners + np.array([0, 0, z]), dtype=torch.float32)[None], np.array(
        [[0, 1, 2], [0, 2, 3]]
    )


@both
def test_a_picture_that_can_be_worked_out_by_hand(name: str) -> None:
    """Light, place, window, background, backs and gradients: what either renderer must show."""
    vertices, faces = _quad(0.25)
    colours = np.array([[0.2, 0.4, 0.8]] * 4, np.float32)
    scene = flat_scene(
        faces,
        colours,
        lights=(Light(direction=(math.sqrt(3), 0.0, 1.0), colour=(0.8, 0.8, 0.8)),),
        ambient=(0.1, 0.1, 0.1),
        background=(0.0, 0.5, 0.0),
    )
    renderer = _open(name, scene)
    picture = renderer.render(vertices)
    # One metre is 40 pixels wide: the quad covers the 20 in the middle, its light falls at 60 degrees.
    lit = torch.tensor([_srgb(0.5 * albedo) for albedo in (0.2, 0.4, 0.8)])
    around = torch.tensor([0.0, _srgb(0.5), 0.0])
    expected = around.repeat(1, PIXELS, PIXELS, 1)
    expected[:, 10:30, 10:30] = lit
    torch.testing.assert_close(picture, expected, atol=1e-5, rtol=0)
    places = renderer.project(torch.tensor([[[0.25, 0.25, 0.0], [0.0, -0.1, 0.5]]]))
    torch.testing.assert_close(places, torch.tensor([[[30.0, 10.0], [20.0, 28.0]]]))

    window = Window(corners=torch.tensor([[7.0, 25.0]]), width=9, height=11)
    torch.testing.assert_close(renderer.render(vertices, window), picture[:, 25:36, 7:16])

    backs = renderer.render(vertices[:, [3, 2, 1, 0]])
    assert (backs[0, 20, 20] < 0.5 * lit).all() and (backs[0, 20, 20] > 0).all()
    closed = _open(name, flat_scene(faces, colours, materials=(Material(closed=True),)))
    assert closed.render(vertices)[0, 20, 20].min() > 0
    assert closed.render(vertices[:, [3, 2, 1, 0]]).max() == 0

    # Colours that rise to the right: moving the quad to the right by a metre lowers what stands still.
    ramp = np.linspace([0.1] * 3, [0.5] * 3, 3)[[2, 0, 0, 2]].astype(np.float32)
    graded = _open(name, flat_scene(faces, ramp))
    shift = torch.zeros(1, requires_grad=True)
    seen = graded.render(vertices + shift * torch.tensor([1.0, 0, 0]))[0, 20, 20, 0]
    (slope,) = torch.autograd.grad(seen, shift)
    red = 0.5 * 0.3 * (0.1 + 0.4 * (20.5 - 10) / 20) / 0.3
    curve = 1.055 / 2.4 * red ** (1 / 2.4 - 1)
    assert slope.item() == pytest.approx(-curve * 0.5 * 0.4 / 0.5, rel=1e-2)


def test_gradients_inside_triangles_are_those_of_finite_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    vertices, faces = sphere(rings=10, spokes=16, radius=0.4)
    rng = np.random.default_rng(0)
    colours = rng.uniform(0.1, 0.9, vertices.shape).astype(np.float32)
    scene = flat_scene(faces, colours, ambient=(0.2, 0.3, 0.1))
    renderer = TorchRenderer(scene, PIXELS, PIXELS)
    rest = torch.tensor(vertices + rng.normal(0, 0.01, vertices.shape))[None]
    # What is seen where stays as it is: its changes are the business of edges.
    camera = renderer.scene.view(rest)
    screen = torch.cat([renderer.scene.on_screen(camera), camera[..., 2:]], -1)
    fixed = visible_faces(screen, renderer.scene.faces, renderer.scene.closed, PIXELS, PIXELS)
    monkeypatch.setattr(torch_raster, "visible_faces", lambda *_: fixed)
    edges: list[Tensor] = []
    monkeypatch.setattr(
        lit_scene, "beside_edges", lambda *given: edges.append(beside_edges(*given)) or edges[-1]
    )
    renderer.render(rest)
    inner = (fixed >= 0) & ~edges[0]
    assert inner.sum() > 500

    wanted = torch.tensor(rng.normal(size=(1, PIXELS, PIXELS, 3))) * inner[..., None]
    start = rest.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((renderer.render(start) * wanted).sum(), start)
    step = 1e-6
    for seed in range(4):
        way = torch.tensor(np.random.default_rng(seed).normal(size=rest.shape))
        ahead, behind = ((renderer.render(rest + sign * step * way) * wanted).sum() for sign in (1, -1))
        measured = (ahead - behind) / (2 * step)
        assert (gradient * way).sum().item() == pytest.approx(measured.item(), rel=1e-4)


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_moving_edges_are_felt(turn: float) -> None:
    """A plain square slides over a plain ground: all change is at its edges."""
    square, faces = _quad(0.2, z=0.2, turn=turn)
    ground, _ = _quad(2.0)
    colours = np.repeat([[0.8] * 3, [0.1] * 3], 4, axis=0).astype(np.float32)
    renderer = TorchRenderer(flat_scene(np.concatenate([faces, faces + 4]), colours), PIXELS, PIXELS)
    columns = torch.arange(PIXELS) + 0.5
    weight = (columns / 7).sin()[:, None] + (columns / 9).cos()

    def value(shift: Tensor) -> Tensor:
        moved = square + shift * torch.tensor([1.0, 0.4, 0.0])
        return (renderer.render(torch.cat([moved, ground], 1))[0, ..., 0] * weight).sum()

    # Five pixels to the right and two up, whole ones, since a z-buffer's picture changes in steps.
    shifts = torch.linspace(0, 0.1, 81)
    slopes = []
    for shift in shifts:
        at = shift.clone().requires_grad_()
        slopes.append(torch.autograd.grad(value(at), at)[0])
    risen = (value(shifts[-1]) - value(shifts[0])) / 0.1
    assert torch.stack(slopes).mean().item() == pytest.approx(risen.item(), rel=0.08)
    assert abs(risen) > 5


def test_a_window_that_moves_is_a_scene_that_moves_the_other_way() -> None:
    square, faces = _quad(0.2)
    colours = np.array([[0.1] * 3, [0.5] * 3, [0.8] * 3, [0.3] * 3], np.float32)
    renderer = TorchRenderer(flat_scene(faces, colours), PIXELS, PIXELS)
    weight = torch.randn(1, 20, 20, 3, generator=torch.Generator().manual_seed(0))
    corners = torch.full((1, 2), 10.0, requires_grad=True)
    shift = torch.zeros(3, requires_grad=True)
    picture = renderer.render(square + shift, Window(corners=corners, width=20, height=20))
    by_window, by_scene = torch.autograd.grad((picture * weight).sum(), (corners, shift))
    # At a distance of one metre a pixel is 1/40 m; columns run as x does, rows against y.
    expected = torch.stack([-by_scene[0], by_scene[1]]) / PIXELS
    torch.testing.assert_close(by_window[0], expected, rtol=1e-3, atol=1e-3)


def test_a_window_of_a_head_is_the_crop_of_its_picture() -> None:
    head = load_head("ada")
    renderer = TorchRenderer(close_up(head), 224, 224)
    coeffs = torch.zeros(2, 53)
    coeffs[1, 50] = 0.3
    vertices = head(coeffs)
    full = renderer.render(vertices)
    crop = renderer.render(
        vertices, Window(corners=torch.tensor([[68.0, 106], [60, 120]]), width=88, height=88)
    )
    # Equal but for the last bit, which depends on how many pixels a processor takes at once.
    torch.testing.assert_close(crop[0], full[0, 106:194, 68:156], atol=1e-6, rtol=0)
    torch.testing.assert_close(crop[1], full[1, 120:208, 60:148], atol=1e-6, rtol=0)
    assert full.min() >= 0 and full.max() <= 1


def test_an_open_mouth_shows_dark_inside_and_bright_teeth() -> None:
    head = load_head("ada")
    renderer = TorchRenderer(close_up(head), 224, 224)
    coeffs = torch.zeros(2, 53)
    coeffs[1, 50] = 0.3
    vertices = head(coeffs)
    marks = renderer.project(head.landmarks(vertices))
    closed, opened = renderer.render(vertices)[..., 1]
    left, right = (int(marks[1, i, 0]) + side for i, side in ((60, 3), (64, -3)))
    upper, lower = (int(marks[1, i, 1]) + side for i, side in ((62, 1), (66, -1)))
    assert lower - upper > 10
    inside, lips = opened[upper:lower, left:right], closed[upper - 4 : upper + 4, left:right]
    # The tongue, between dark and bright, fills most of it.
    assert (inside < 0.6 * lips.median()).float().mean() > 0.1
    assert (inside > 1.3 * lips.median()).float().mean() > 0.05


def test_the_close_up_follows_the_head() -> None:
    head = load_head("ada")
    larger = copy.copy(head)
    larger.template = head.template * 3 + np.array([0.5, -1.0, 2.0], np.float32)
    marks = [
        TorchRenderer(close_up(one), 224, 224).project(one.landmarks(torch.from_numpy(one.template)[None]))[0]
        for one in (head, larger)
    ]
    torch.testing.assert_close(marks[0], marks[1], atol=0.05, rtol=0)
    mouth = marks[0][48:].mean(0)
    assert mouth.min() > 48 and mouth.max() < 224 - 48
    assert marks[0].min() > 0 and marks[0].max() < 224
    # The mouth takes half of its crop, as in pictures that lip readers are trained on.
    assert 40 < marks[0][54, 0] - marks[0][48, 0] < 65


def _soup(seed: int, count: int = 60) -> tuple[Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    screen = np.concatenate([rng.uniform(-10, 40, (3, 80, 2)), rng.uniform(0.5, 2, (3, 80, 1))], -1)
    screen[0, 5] = np.nan
    screen[1, 6, 2] = -1.0
    faces = np.stack([rng.permutation(80)[:3] for _ in range(count)])
    return (
        torch.tensor(screen, dtype=torch.float32),
        torch.tensor(faces),
        torch.tensor(rng.random(count) < 0.5),
    )


@pytest.mark.parametrize("seed", range(5))
def test_either_search_sees_the_same_faces(seed: int) -> None:
    screen, faces, closed = _soup(seed)
    kernel, scattered = (search(screen, faces, closed, 30, 25) for search in (visible_faces, scattered_faces))
    assert (kernel == scattered).float().mean() > 0.998
    broken = (faces == 5).any(1).nonzero()[:, 0]
    assert not torch.isin(scattered[0], broken).any() and not torch.isin(kernel[0], broken).any()
    assert (scattered >= 0).float().mean() > 0.5


def test_shared_edges_leave_no_gap() -> None:
    vertices, faces = sphere()
    place = torch.from_numpy(vertices)
    screen = torch.cat([place[:, :2] * 200 + 25, 1 - place[:, 2:]], 1)[None]
    closed = torch.zeros(len(faces), dtype=torch.bool)
    seen = scattered_faces(screen, torch.from_numpy(faces).long(), closed, 50, 50)[0] >= 0
    row, column = np.mgrid[:50, :50] + 0.5
    radius = torch.from_numpy(np.hypot(row - 25, column - 25))
    assert seen[radius < 19.5].all() and not seen[radius > 20.1].any()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_and_cpu_agree() -> None:
    head = load_head("ada")
    coeffs = torch.rand(4, 53, generator=torch.Generator().manual_seed(0)) * 0.3
    window = torch.tensor([[68.0, 106]]).expand(4, 2)
    seen = []
    for device in ("cpu", "cuda"):
        renderer = TorchRenderer(close_up(head), 224, 224).to(device)
        start = coeffs.to(device).requires_grad_()
        crop = renderer.render(head(start), Window(corners=window.to(device), width=88, height=88))
        (gradient,) = torch.autograd.grad(crop.square().sum(), start)
        seen.append((crop.detach().cpu(), gradient.cpu()))
    # A pixel centre that an edge crosses may fall on either side.
    assert ((seen[0][0] - seen[1][0]).abs() < 1e-3).float().mean() > 0.999
    assert (seen[0][1] - seen[1][1]).norm() < 0.02 * seen[0][1].norm()


def test_ours_is_opened_where_pytorch3d_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = flat_scene(np.array([[0, 1, 2]]), np.full((3, 3), 0.5, np.float32))
    monkeypatch.setattr(renderers, "is_installed", lambda _: False)
    assert isinstance(open_differentiable(scene, 8, 8), TorchRenderer)
    if not is_installed("pytorch3d"):
        monkeypatch.setattr(renderers, "is_installed", lambda _: True)
        with pytest.raises(ExtraError, match="pytorch3d"):
            open_differentiable(scene, 8, 8)


def test_nothing_in_view_is_all_background() -> None:
    scene = flat_scene(
        np.array([[0, 1, 2]]),
        np.full((3, 3), 0.5, np.float32),
        camera=Camera(eye=(0.0, 0.0, 1.0), target=(0.0, 0.0, 0.0)),
        background=(1.0, 1.0, 1.0),
    )
    vertices = torch.tensor([[[0.0, 0, 5], [1, 0, 5], [0, 1, 5]]], requires_grad=True)
    picture = TorchRenderer(scene, 6, 4).render(vertices)
    assert picture.shape == (1, 4, 6, 3) and picture.min() > 0.9999
    picture.sum().backward()
    assert (vertices.grad == 0).all()
