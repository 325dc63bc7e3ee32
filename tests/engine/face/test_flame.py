from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.flame import FlameHead
from talkcli.engine.face.head import Head
from tests.engine.face import flame_twin as twin


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return twin.flame_arrays()


@pytest.fixture
def model(tmp_path: Path, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "generic_model.pkl"
    twin.write_flame(path, arrays)
    return path


def random_coeffs(frames: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    coeffs = torch.randn(frames, 53, generator=draw, dtype=torch.float64)
    coeffs[:, 50:] *= 0.3
    return coeffs


def test_is_a_head(model: Path, arrays: dict[str, np.ndarray]) -> None:
    head = FlameHead.load(model)
    assert isinstance(head, Head)
    assert head.channels == FLAME
    np.testing.assert_array_equal(head.faces, arrays["f"])
    assert head.part_of_face.shape == (twin.NUM_FACES,)
    assert head.colours.shape == (twin.NUM_VERTS, 3)


def test_zero_is_the_template(model: Path, arrays: dict[str, np.ndarray]) -> None:
    head = FlameHead.load(model)
    rest = head(torch.zeros(1, 53, dtype=torch.float64))[0].numpy()
    np.testing.assert_allclose(rest, arrays["v_template"], atol=1e-7)
    np.testing.assert_allclose(head.template, arrays["v_template"], atol=1e-7)


def test_equals_textbook_skinning(model: Path, arrays: dict[str, np.ndarray]) -> None:
    coeffs = random_coeffs(6)
    ours = FlameHead.load(model)(coeffs).numpy()
    for frame in range(6):
        np.testing.assert_allclose(ours[frame], twin.skin(arrays, coeffs[frame].numpy()), atol=1e-6)


def test_the_jaw_moves_jaw_vertices_only(
    tmp_path: Path, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    # Correctives may move any vertex, so they are taken out here.
    arrays["posedirs"][:] = 0
    twin.write_flame(tmp_path / "generic_model.pkl", arrays)
    head = FlameHead.load(tmp_path / "generic_model.pkl")
    coeffs = torch.zeros(1, 53, dtype=torch.float64)
    coeffs[0, 50:] = torch.tensor([0.3, -0.1, 0.05])
    moved = np.linalg.norm(head(coeffs)[0].numpy() - head.template, axis=1)
    on_jaw = arrays["weights"][:, 2] > 0
    assert moved[~on_jaw].max() < 1e-7
    assert moved[on_jaw].min() > 1e-5


def test_batch_equals_loop_and_chosen_equals_all(model: Path) -> None:
    head, coeffs = FlameHead.load(model), random_coeffs(5)
    batch = head(coeffs)
    loop = torch.cat([head(coeffs[frame : frame + 1]) for frame in range(5)])
    torch.testing.assert_close(batch, loop)
    chosen = torch.tensor([7, 3, 20])
    torch.testing.assert_close(head(coeffs, chosen), batch[:, chosen])
    assert head(coeffs[:0]).shape == (0, twin.NUM_VERTS, 3)


@pytest.mark.parametrize("jaw", [(0.0, 0.0, 0.0), (0.3, -0.1, 0.05), (1e-4, 0.0, 2e-4)])
def test_gradients_match_finite_differences(model: Path, jaw: tuple[float, float, float]) -> None:
    head, coeffs = FlameHead.load(model), random_coeffs(2)
    coeffs[:, 50:] = torch.tensor(jaw)
    assert torch.autograd.gradcheck(head, (coeffs.requires_grad_(),), eps=1e-6, atol=1e-5)


def test_second_load_reads_the_cache(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = FlameHead.load(model)(random_coeffs(2))
    monkeypatch.setattr("talkcli.engine.face.flame_file._from_pickle", None)
    torch.testing.assert_close(FlameHead.load(model)(random_coeffs(2)), first)
    cached = list((model.parent / "cache" / "flame").glob("*.npz"))
    assert len(cached) == 1
    torch.testing.assert_close(FlameHead.load(cached[0])(random_coeffs(2)), first)


@pytest.mark.parametrize("damage", ["cut", "empty", "noise", "shapes", "folder"])
def test_a_damaged_cache_is_made_anew(model: Path, damage: str) -> None:
    first = FlameHead.load(model)(random_coeffs(2))
    (cached,) = (model.parent / "cache" / "flame").glob("*.npz")
    whole = cached.read_bytes()
    cached.unlink()
    if damage == "folder":
        cached.mkdir()
    elif damage == "shapes":
        np.savez(cached, template=np.zeros(3))
    else:
        cached.write_bytes({"cut": whole[:1000], "empty": b"", "noise": b"x" * 5000}[damage])
    torch.testing.assert_close(FlameHead.load(model)(random_coeffs(2)), first)
    assert damage == "folder" or cached.read_bytes() == whole


def test_a_cache_that_cannot_be_written_stops_nothing(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model.parent / "file").write_text("in the way")
    monkeypatch.setenv("TALK_CACHE", str(model.parent / "file"))
    assert FlameHead.load(model)(random_coeffs(2)).shape[0] == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("faces", np.zeros((4, 3))), ("faces", np.array(3)), ("faces", np.zeros((0, 3), int)),
        ("faces", np.full((4, 3), -1)), ("faces", np.full((4, 3), 10**6)), ("faces", np.array([["a"] * 3])),
        ("faces", np.zeros((4, 3), bool)), ("faces", np.full((4, 3), 2**63, np.uint64)),
        ("template", np.array(1.0)), ("template", np.array("text")), ("template", np.zeros((0, 3))),
        ("template", np.zeros((3, 3), np.complex64)), ("template", np.full((3, 3), np.nan)),
        ("template", np.array([["a"] * 3])), ("weights", np.array(0.5)),
        ("weights", np.zeros((3, 5), "M8[s]")),
        ("expressions", np.full((3, 3, 50), 1e300)),
    ],
)  # fmt: skip
def test_a_converted_model_of_odd_arrays_is_refused(model: Path, name: str, value: np.ndarray) -> None:
    FlameHead.load(model)
    (cached,) = (model.parent / "cache" / "flame").glob("*.npz")
    with np.load(cached) as file:
        content = {**file, name: value}
    np.savez(model.parent / "odd.npz", **content)
    with pytest.raises(InputError):
        FlameHead.load(model.parent / "odd.npz")


def test_regions_come_from_the_masks(model: Path) -> None:
    with pytest.raises(AssetError, match="lips"):
        FlameHead.load(model).regions["lips"]
    masks = {"lips": [1, 2], "eye_region": [3, 4], "forehead": [4, 5], "nose": [6]}
    twin.python2_pickle(
        model.parent / "FLAME_masks.pkl", {key: np.array(value) for key, value in masks.items()}
    )
    head = FlameHead.load(model)
    assert head.regions["lips"].tolist() == [1, 2]
    assert head.regions["eyes"].tolist() == [3, 4]
    assert head.regions["upper_face"].tolist() == [3, 4, 5, 6]
    assert (head.colours[1] != head.colours[10]).any()
    in_lips = np.isin(head.faces, [1, 2]).all(axis=1)
    np.testing.assert_array_equal(head.part_of_face == head.parts.index("lips"), in_lips)
    with pytest.raises(AssetError, match="scalp"):
        head.regions["scalp"]


def test_masks_beyond_the_model_are_refused(model: Path) -> None:
    twin.python2_pickle(model.parent / "FLAME_masks.pkl", {"lips": np.array([twin.NUM_VERTS])})
    with pytest.raises(InputError, match="beyond"):
        FlameHead.load(model)


def embedding(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.integers(0, twin.NUM_FACES, 68), draw.dirichlet(np.ones(3), 68)


def expected_landmarks(head: FlameHead, seed: int) -> np.ndarray:
    faces, weights = embedding(seed)
    return np.stack(
        [
            sum(weights[mark, corner] * head.template[head.faces[faces[mark], corner]] for corner in range(3))
            for mark in range(68)
        ]
    )


def test_landmarks_of_deca(model: Path) -> None:
    head = FlameHead.load(model)
    rest = head(torch.zeros(1, 53))
    with pytest.raises(AssetError, match="landmark"):
        head.landmarks(rest)
    faces, weights = embedding(1)
    content = {
        "static_lmk_faces_idx": faces[17:],
        "static_lmk_bary_coords": weights[17:],
        "dynamic_lmk_faces_idx": torch.zeros(79, 17, dtype=torch.int64),
        "full_lmk_faces_idx": faces[None],
        "full_lmk_bary_coords": weights[None],
    }
    np.save(model.parent / "landmark_embedding.npy", np.array(content, dtype=object), allow_pickle=True)
    head = FlameHead.load(model)
    np.testing.assert_allclose(head.landmarks(rest)[0].numpy(), expected_landmarks(head, 1), atol=1e-6)


def test_landmarks_of_ringnet(model: Path) -> None:
    faces, weights = embedding(2)
    static = {"lmk_face_idx": faces[17:].astype(np.uint32), "lmk_b_coords": weights[17:]}
    twin.python2_pickle(model.parent / "flame_static_embedding.pkl", static)
    dynamic = {"lmk_face_idx": np.zeros((79, 17), int), "lmk_b_coords": np.zeros((79, 17, 3))}
    dynamic["lmk_face_idx"][0], dynamic["lmk_b_coords"][0] = faces[:17], weights[:17]
    np.save(model.parent / "flame_dynamic_embedding.npy", np.array(dynamic, dtype=object), allow_pickle=True)
    head = FlameHead.load(model)
    rest = head(torch.zeros(1, 53))
    np.testing.assert_allclose(head.landmarks(rest)[0].numpy(), expected_landmarks(head, 2), atol=1e-6)


@pytest.mark.parametrize("key", ["v_template", "weights", "posedirs", "f"])
def test_a_model_without_a_part_is_refused(model: Path, arrays: dict[str, np.ndarray], key: str) -> None:
    del arrays[key]
    with (model.parent / "other.pkl").open("wb") as file:
        pickle.dump(arrays, file, protocol=2)
    with pytest.raises(InputError, match=key):
        FlameHead.load(model.parent / "other.pkl")


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("weights", lambda array: array[:-1]),
        ("shapedirs", lambda array: array[:, :, :310]),
        ("v_template", lambda array: array * np.nan),
        ("f", lambda array: array + 1000),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    model: Path, arrays: dict[str, np.ndarray], key: str, change: object
) -> None:
    assert callable(change)
    arrays[key] = change(arrays[key])
    twin.write_flame(model, arrays)
    with pytest.raises(InputError):
        FlameHead.load(model)
    assert not list((model.parent / "cache").rglob("*.npz"))


def test_an_npz_of_something_else_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    with pytest.raises(InputError, match="it is no converted FLAME model"):
        FlameHead.load(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("faces", np.zeros((60, 3), np.float32)),
        ("faces", np.array(3)),
        ("faces", np.full((60, 3), 2**63, np.uint64)),
        ("template", np.array(1.0)),
        ("template", np.zeros((40, 3), bool)),
        ("weights", np.full((40, 5), "x")),
        ("weights", np.full((40, 5), 1e300)),
        ("expressions", np.zeros((40, 3, 50), complex)),
        ("joint_regressor", np.zeros((2, 2), "M8[s]")),
    ],
)
def test_an_npz_with_an_odd_array_is_refused(tmp_path: Path, name: str, value: np.ndarray) -> None:
    shapes = {"template": (40, 3), "expressions": (40, 3, 50), "pose_correctives": (40, 3, 36),
              "joint_regressor": (5, 40), "weights": (40, 5)}  # fmt: skip
    arrays = {key: np.zeros(shape, np.float32) for key, shape in shapes.items()}
    arrays["faces"] = np.zeros((60, 3), np.int32)
    np.savez(tmp_path / "whole.npz", **arrays)  # type: ignore[arg-type]
    FlameHead.load(tmp_path / "whole.npz")
    np.savez(tmp_path / "x.npz", **{**arrays, name: value})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"x\.npz"):
        FlameHead.load(tmp_path / "x.npz")
