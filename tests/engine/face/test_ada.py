"""The generated heads: what their shapes promise, measured on the shipped assets of all of them."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from talkcli.engine.face.ada.head import AdaHead, asset_path
from talkcli.engine.face.ada.person import PEOPLE
from talkcli.engine.face.ada.proportions import wanted
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, NUM_COEFFS, NUM_EXPRESSION, TONGUE
from talkcli.engine.face.expressions import pose_vector
from talkcli.engine.face.topology import lip_opening_mm

MM = 1000.0
NOT_MOVING_ALONE = {"lipSeal", "mouthClose"}  # they close what is open, and nothing is at rest


@pytest.fixture(scope="module", params=list(PEOPLE))
def head(request: pytest.FixtureRequest) -> AdaHead:
    return AdaHead.load(request.param)


@pytest.fixture(scope="module")
def mirrored() -> AdaHead:
    """Return the head whose sides are mirror images."""
    return AdaHead.load("bust")


def posed(head: AdaHead, **pose: float) -> Tensor:
    """Vertices (verts, 3) in metres; a name without a side means both sides."""
    levels: dict[str, float] = {}
    for name, level in pose.items():
        sides = [name] if name in ADA else [f"{name}Left", f"{name}Right"]
        levels |= dict.fromkeys(sides, level)
    return head(torch.from_numpy(pose_vector(ADA, levels))[None])[0]


def lip_gap_mm(head: AdaHead, **pose: float) -> Tensor:
    """Signed vertical gap of each pair of facing lip points; negative where the lips cross."""
    upper, lower = posed(head, **pose)[head.tables["seal_pairs"]].unbind(1)
    return (upper - lower)[:, 1] * MM


def opening_mm(head: AdaHead, **pose: float) -> float:
    return float(lip_opening_mm(head.landmarks(posed(head, **pose)[None]))[0])


def test_size_of_asset_and_mesh(head: AdaHead) -> None:
    assert asset_path(head.name).stat().st_size <= 3_000_000
    assert 4000 <= len(head.template) <= 15_000
    assert head.faces.max() < len(head.template)
    parts = {"skin", "lips", "mouth", "teeth", "gums", "tongue", "eye", "iris", "wet", "brow", "lash", "hair"}
    assert parts == set(head.parts)
    inside = [head.parts.index(name) for name in ("teeth", "gums", "tongue")]
    assert len(np.unique(head.faces[np.isin(head.part_of_face, inside)])) <= 2600


def test_rest_is_the_template(head: AdaHead) -> None:
    # Eyes turn about their centres by nothing, which rounds.
    assert torch.allclose(posed(head), torch.from_numpy(head.template), rtol=0, atol=1e-8)


def test_all_people_share_topology(head: AdaHead) -> None:
    ada = AdaHead.load("ada")
    assert np.array_equal(head.faces, ada.faces)
    assert np.array_equal(head.part_of_face, ada.part_of_face)
    assert np.array_equal(head.landmark_vertices, ada.landmark_vertices)
    assert {name: list(ids) for name, ids in head.regions.items()} == {
        name: list(ids) for name, ids in ada.regions.items()
    }
    assert (head.name == "ada") == np.array_equal(head.template, ada.template)


def test_published_proportions(head: AdaHead) -> None:
    marks = head.template[head.landmark_vertices] * MM
    found = {
        "face_height": np.linalg.norm(marks[27] - marks[8]),
        "nose_height": np.linalg.norm(marks[27] - marks[33]),
        "mouth_width": np.linalg.norm(marks[48] - marks[54]),
        "eye_distance": np.linalg.norm(marks[39] - marks[42]),
        "eye_width": np.linalg.norm(marks[36] - marks[45]),
    }
    for name, value in found.items():
        assert value == pytest.approx(wanted(PEOPLE[head.name])[name], abs=1.5), name


def strands(head: AdaHead) -> np.ndarray:
    """Vertices of hair and brows, which grow as they like on either side."""
    parts = [head.parts.index(part) for part in ("hair", "brow")]
    return np.unique(head.faces[np.isin(head.part_of_face, parts)])


def test_mirror_symmetry(mirrored: AdaHead) -> None:
    head = mirrored
    tree = {tuple(row) for row in np.round(head.template * 1e6).astype(int)}
    body = np.setdiff1d(np.arange(len(head.template)), strands(head))
    mirrored = np.round(head.template[body] * 1e6).astype(int) * np.array([-1, 1, 1])
    assert all(tuple(row) in tree for row in mirrored)


@pytest.mark.parametrize("name", [name for name in ADA[:NUM_EXPRESSION] if name.endswith("Left")])
def test_left_and_right_channels_mirror(mirrored: AdaHead, name: str) -> None:
    head = mirrored
    other = "mouthRight" if name == "mouthLeft" else name.replace("Left", "Right")
    # All but the hairs is symmetric. Where the lips touch, a vertex's twin is not told by place alone.
    touching = head.tables["seal_pairs"]
    body = np.setdiff1d(np.arange(len(head.template)), np.concatenate([strands(head), touching.ravel()]))
    flip = torch.tensor([-1.0, 1.0, 1.0])
    rest, left, right = (posed(head, **pose)[body] for pose in ({}, {name: 1.0}, {other: 1.0}))
    twins = torch.from_numpy(cKDTree(rest * flip).query(rest.numpy())[1])
    difference = (left - rest) - ((right - rest) * flip)[twins]
    assert difference.abs().max() * MM < 0.1
    assert (left - rest).abs().max() > 1e-3


def test_lips_touch_at_rest(head: AdaHead) -> None:
    assert lip_gap_mm(head).abs().max() < 0.1


def test_jaw_opens_the_mouth(head: AdaHead) -> None:
    assert 30 < opening_mm(head, jawPitch=JAW_OPEN_RAD) < 46
    assert 12 < opening_mm(head, jawPitch=0.2) < 25


def test_jaw_turns_to_the_subjects_left(head: AdaHead) -> None:
    chin = head.landmark_vertices[8]
    assert (posed(head, jawYaw=0.14) - posed(head))[chin, 0] * MM > 5
    assert (posed(head, jawPitch=0.2) - posed(head))[chin, 1] * MM < -10


@pytest.mark.parametrize("pitch", [0.0, 0.1, 0.2])
@pytest.mark.parametrize(
    "also", ["mouthSmile", "mouthFunnel", "mouthPucker", "mouthUpperUp", "mouthStretch", None]
)
def test_seal_meets_whatever_else_moves(head: AdaHead, pitch: float, also: str | None) -> None:
    pose = {"lipSeal": 1.0, "jawPitch": pitch} | ({also: 1.0} if also else {})
    assert lip_gap_mm(head, **pose).abs().max() < 0.5


def test_mouth_close_follows_arkit(head: AdaHead) -> None:
    full = JAW_OPEN_RAD
    assert lip_gap_mm(head, mouthClose=1.0, jawPitch=full).abs().max() < 0.5
    assert lip_gap_mm(head, mouthClose=0.5, jawPitch=full / 2).abs().max() < 0.5
    half = opening_mm(head, mouthClose=0.5, jawPitch=full)
    assert 0.35 < half / opening_mm(head, jawPitch=full) < 0.65


def test_lips_never_cross(head: AdaHead) -> None:
    random = torch.Generator().manual_seed(0)
    coeffs = torch.rand((64, NUM_COEFFS), generator=random)
    coeffs[:, NUM_EXPRESSION:] *= torch.tensor([0.3, 0.0, 0.0])
    upper, lower = head(coeffs)[:, head.tables["seal_pairs"]].unbind(2)
    assert (upper - lower)[..., 1].min() * MM > -0.5


def eyeball_outside_lids_mm(head: AdaHead, **pose: float) -> float:
    """How far any eyeball vertex comes nearer to the viewer than the lid right in front of it."""
    vertices = posed(head, **pose).numpy()
    eye = np.flatnonzero(head.tables["eye_of_vertex"] == 1)
    skin = head.faces[np.isin(head.part_of_face, [head.parts.index("skin")])]
    near = (np.abs(vertices[skin].mean(1) - head.tables["eye_centres"][0]) < 0.03).all(1)
    a, b, c = (vertices[skin[near, i]] for i in range(3))
    worst = -np.inf
    for p in vertices[eye]:
        if p[2] < head.tables["eye_centres"][0, 2] + 0.004:
            continue
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        safe = np.where(np.abs(area) < 1e-14, 1.0, area)
        u = ((c[:, 0] - b[:, 0]) * (p[1] - b[:, 1]) - (p[0] - b[:, 0]) * (c[:, 1] - b[:, 1])) / safe
        v = ((a[:, 0] - c[:, 0]) * (p[1] - c[:, 1]) - (p[0] - c[:, 0]) * (a[:, 1] - c[:, 1])) / safe
        hit = (u >= -1e-6) & (v >= -1e-6) & (u + v <= 1 + 1e-6) & (np.abs(area) > 1e-14)
        depth = u * a[:, 2] + v * b[:, 2] + (1 - u - v) * c[:, 2]
        front = depth[hit].max(initial=-np.inf)
        worst = max(worst, float(p[2] - front))
    return worst * MM


GAZES: tuple[dict[str, float], ...] = (
    {},
    {"eyeLookUpLeft": 1.0},
    {"eyeLookDownLeft": 1.0},
    {"eyeLookInLeft": 1.0},
    {"eyeLookOutLeft": 1.0},
    {"eyeLookDownLeft": 1.0, "eyeLookOutLeft": 1.0},
    {"eyeSquint": 1.0},
    {"eyeWide": 1.0},
    {"eyeSquint": 1.0, "browDown": 1.0, "cheekSquint": 1.0, "noseSneer": 1.0},
    {"browInnerUp": 1.0, "browOuterUp": 1.0, "mouthSmile": 1.0},
)


@pytest.mark.parametrize("gaze", GAZES, ids=lambda gaze: "+".join(gaze) or "ahead")
def test_blink_covers_the_eyeball(head: AdaHead, gaze: dict[str, float]) -> None:
    assert eyeball_outside_lids_mm(head, eyeBlink=1.0, **gaze) < -0.2


def test_hair_follows_neither_jaw_nor_cheeks(head: AdaHead) -> None:
    hair = np.unique(head.faces[head.part_of_face == head.parts.index("hair")])
    for pose in ({"jawPitch": JAW_OPEN_RAD}, {"cheekPuff": 1.0}, {"mouthSmile": 1.0}, {"jawYaw": 0.14}):
        assert (posed(head, **pose) - posed(head))[hair].abs().max() * MM < 0.05


def test_open_eye_is_seen(head: AdaHead) -> None:
    assert eyeball_outside_lids_mm(head) > 1.0


@pytest.mark.parametrize("name", ADA[:NUM_EXPRESSION])
def test_channels_are_local_and_sound(head: AdaHead, name: str) -> None:
    rest, pose = posed(head), posed(head, **{name: 1.0})
    moved = (pose - rest).norm(dim=1) * MM
    if name in NOT_MOVING_ALONE:
        assert moved.max() < 0.5
        return
    assert 1.0 < moved.max() < 42.0
    back = rest[:, 2] < -0.045
    assert moved[back].max() < 0.05
    upper, lower = rest[:, 1] > 0.045, rest[:, 1] < -0.135
    if not name.startswith("brow"):
        assert moved[upper].max() < 1.0
    assert moved[lower].max() < 3.0

    skin = head.faces[np.isin(head.part_of_face, [head.parts.index("skin"), head.parts.index("lips")])]

    def normals(vertices: Tensor) -> Tensor:
        a, b, c = (vertices[skin[:, i]].double() for i in range(3))
        return torch.linalg.cross(b - a, c - a)

    before, after = normals(rest), normals(pose)
    flipped = (before * after).sum(1) < 0
    collapsed = after.norm(dim=1) < 0.02 * before.norm(dim=1)
    assert float((flipped | collapsed).double().mean()) < 0.004


def test_tongue_channels_come_after_the_others(head: AdaHead) -> None:
    coeffs = torch.rand((3, NUM_COEFFS), generator=torch.Generator().manual_seed(3)) * 0.3
    still = torch.zeros(3, len(TONGUE))
    assert torch.equal(head(torch.cat([coeffs, still], 1)), head(coeffs))
    tongue = np.unique(head.faces[head.part_of_face == head.parts.index("tongue")])
    for channel in range(len(TONGUE)):
        moving = still.clone()
        moving[:, channel] = 1.0
        moved = (head(torch.cat([coeffs, moving], 1)) - head(coeffs)).norm(dim=-1).amax(0) * MM
        assert moved[tongue].max() > 3.0
        moved[tongue] = 0.0
        assert moved.max() == 0.0


def test_gradient_flows(head: AdaHead) -> None:
    coeffs = torch.full((2, NUM_COEFFS), 0.2, requires_grad=True)
    head(coeffs).square().sum().backward()  # type: ignore[no-untyped-call]
    assert coeffs.grad is not None
    assert torch.isfinite(coeffs.grad).all()
    assert (coeffs.grad.abs().sum(0) > 0).all()


def test_only_chooses_vertices(head: AdaHead) -> None:
    coeffs = torch.rand((3, NUM_COEFFS), generator=torch.Generator().manual_seed(1)) * 0.4
    chosen = torch.from_numpy(
        np.concatenate([head.regions["lips"], head.regions["eyes"], [len(head.template) - 1]])
    )
    assert torch.allclose(head(coeffs, chosen), head(coeffs)[:, chosen], atol=1e-6)


def test_landmarks_are_where_they_should_be(head: AdaHead) -> None:
    marks = head.landmarks(torch.from_numpy(head.template)[None])[0] * MM
    contour, brows, nose = range(16, -1, -1), range(26, 16, -1), [*range(27, 31), *range(35, 30, -1)]
    eyes = [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mouth = [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)]
    mirror = [*contour, *brows, *nose, *eyes, *mouth]
    # Faces are not quite mirror images.
    assert torch.allclose(marks, marks[mirror] * torch.tensor([-1.0, 1.0, 1.0]), atol=5.0)
    assert len(set(head.landmark_vertices.tolist())) == 68
    assert marks[0, 0] < -50
    assert marks[16, 0] > 50
    # Vertices of the chin lie 4 mm apart.
    assert marks[8, 1] < marks[:, 1].min() + 1.5
    assert (marks[17:27, 1] > marks[36:48, 1].max()).all()
    assert marks[30, 2] == marks[:, 2].max()
    assert (marks[49:54, 1] > marks[55:60, 1].max()).all()
    assert opening_mm(head) < 0.2


def test_regions_cover_their_names(head: AdaHead) -> None:
    needed = {"lips", "upper_face", "eyes", "forehead", "nose", "upper_lip", "lower_lip", "cheeks", "jaw",
              "lids_left", "lids_right", "brows"}  # fmt: skip
    assert needed <= set(head.regions)
    for name in needed:
        assert len(head.regions[name]) > 30, name
    assert set(head.regions["lips"]) == set(head.regions["upper_lip"]) | set(head.regions["lower_lip"])
    assert head.template[head.regions["lids_left"], 0].min() > 0


def test_fast_enough(head: AdaHead) -> None:
    coeffs = torch.rand((250, NUM_COEFFS), generator=torch.Generator().manual_seed(2)) * 0.3
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        head(coeffs)
        seconds.append(time.perf_counter() - start)
    # 0.06-0.1 s on one core of a quiet machine.
    assert min(seconds) < 1.0
