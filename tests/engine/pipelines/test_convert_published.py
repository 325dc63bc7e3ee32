"""Published state dicts to a model file and back, by the row of a method."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.data_sets import DATA_SETS
from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.convert.faceformer import FILE, layouts
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_content, read_header, save_model
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face import heads
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Silent, VertexMotion
from tests.engine.checkpoints.official import random_fill
from tests.engine.face.open_mesh import write_obj, write_ply
from tests.engine.fakes import Told
from tests.engine.models.tiny_faceformer import TINY_WAV2VEC2, tiny_config, tiny_faceformer

NUM_VERTS = 40


def state_of(period: int = 30, num_verts: int = NUM_VERTS) -> dict[str, Tensor]:
    """A tiny FaceFormer as its authors' code would save it."""
    fill = random_fill()
    layout = layouts("faceformer", tiny_config(period=period), 3 * num_verts)[FILE]
    return {entry.official: entry.codes() if entry.codes else fill(entry) for entry in layout}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.save(state_of(), tmp_path / "vocaset.pth")
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32))
    return tmp_path


def bring_in(folder: Path, **choices: object) -> dict[str, object]:
    given = {"dataset": "vocaset", "template": str(folder / "rest.npy"), **choices}
    return import_published(
        "faceformer",
        [folder / "vocaset.pth"],
        folder / "m.safetensors",
        choices=Choices(**given),  # type: ignore[arg-type]
        reporter=Silent(),
    )


def test_there_and_back(folder: Path) -> None:
    report = bring_in(folder)
    assert report["tensors"] == {FILE: len(state_of())}
    header = read_header(folder / "m.safetensors")
    assert (header.head, header.num_verts, header.fps) == ("flame", NUM_VERTS, 30)
    assert "VOCASET" in header.licence
    model, _ = load_model(folder / "m.safetensors")
    np.testing.assert_array_equal(model.neutral, np.load(folder / "rest.npy"))
    export_published("faceformer", folder / "m.safetensors", folder / "back", reporter=Silent())
    back = torch.load(folder / "back" / FILE, weights_only=True)
    state = state_of()
    assert list(back) == list(state)
    assert differences(back, state) == []


def save(path: Path, **how: object) -> None:
    """Write a model that talk made, at VOCASET's rate unless `how` says another."""
    model = tiny_faceformer(tiny_config(**{"period": 30, "fps": 30, **how}), 3 * NUM_VERTS)
    meta = Meta(
        head="flame", channels=(), num_verts=NUM_VERTS, fps=model.config.fps, trained_on="n", licence="MIT"
    )
    save_model(path, model, meta=meta)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"heads": 2}, "heads 4 instead of 2"),
        ({"width": 18, "heads": 2}, "heads 4 instead of 2"),
        ({"period": 20}, "period 30 instead of 20"),
        ({"fps": 25}, "fps 30 instead of 25"),
        ({"per_frame": 2}, "per_frame 1 instead of 2"),
        (
            {"content": TINY_WAV2VEC2.model_copy(update={"heads": 2})},
            r"content\.heads 1 instead of 2",
        ),
        (
            {"content": TINY_WAV2VEC2.model_copy(update={"layer_norm_first": True})},
            r"content\.layer_norm_first False instead of True",
        ),
        (
            {"content": TINY_WAV2VEC2.model_copy(update={"normalise": "none"})},
            r"content\.normalise utterance instead of none",
        ),
    ],
)
def test_a_network_that_the_official_code_cannot_run_is_refused(
    tmp_path: Path, how: dict[str, object], said: str
) -> None:
    save(tmp_path / "m.safetensors", **how)
    with pytest.raises(UsageError, match=rf"no official form: the official code has {said} built in\.$"):
        export_published("faceformer", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert not (tmp_path / "back").exists()


def test_the_way_back_says_what_the_files_leave_out(folder: Path) -> None:
    bring_in(folder)
    told = Told()
    export_published("faceformer", folder / "m.safetensors", folder / "same", reporter=told)
    rest = "The official files leave out: the face at rest, which `template` names on the way back"
    assert (told.notes, told.warnings) == ([f"{rest}."], [])

    save(folder / "own.safetensors", speakers=("a", "b"), memory=9)
    told = Told()
    export_published("faceformer", folder / "own.safetensors", folder / "own", reporter=told)
    assert [note for note in told.notes if note.startswith(rest)]
    assert told.noted("the names of the speakers") and told.noted("memory 9")
    # Everything else comes back.
    (folder / "own" / FILE).rename(folder / "vocaset.pth")
    bring_in(folder)
    own, back = (read_content(folder / f"{name}.safetensors") for name in ("own", "m"))
    assert differences(own.weights, back.weights) == ["neutral"]
    left_out = {"speakers": (), "memory": None}
    content = own.config.content.model_copy(update={"layer_drop": 0.1})
    assert back.config == own.config.model_copy(update={**left_out, "content": content})


def test_the_data_set_sets_rate_period_and_positions(folder: Path) -> None:
    torch.save(state_of(period=25), folder / "vocaset.pth")
    bring_in(folder, dataset="biwi")
    model, header = load_model(folder / "m.safetensors")
    assert (header.head, header.fps, model.config.period, model.config.per_frame) == ("biwi", 25, 25, 2)


def test_a_data_set_that_the_number_of_vertices_would_not_tell_comes_back(folder: Path) -> None:
    num_verts = DATA_SETS["vocaset"].num_verts
    state = state_of(period=25, num_verts=num_verts)
    torch.save(state, folder / "vocaset.pth")
    np.save(folder / "rest.npy", np.random.default_rng(0).normal(size=(num_verts, 3)).astype(np.float32))
    bring_in(folder, dataset="biwi")
    export_published("faceformer", folder / "m.safetensors", folder / "back", reporter=Silent())
    assert differences(torch.load(folder / "back" / FILE, weights_only=True), state) == []


def test_positions_of_another_period_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match=r"PPE\.pe is"):
        bring_in(folder, dataset="biwi")


def test_data_parallel_names_are_understood(folder: Path) -> None:
    torch.save({f"module.{name}": value for name, value in state_of().items()}, folder / "vocaset.pth")
    assert bring_in(folder)["tensors"] == {FILE: len(state_of())}


@pytest.mark.parametrize("change", ["missing", "unknown", "misshapen"])
def test_another_set_of_tensors_is_listed(folder: Path, change: str) -> None:
    state = state_of()
    if change == "missing":
        del state["transformer_decoder.layers.0.norm2.bias"]
    elif change == "unknown":
        state["extra"] = torch.zeros(1)
    else:
        state["vertice_map.bias"] = torch.zeros(3)
    torch.save(state, folder / "vocaset.pth")
    told = {"missing": "missing transformer_decoder", "unknown": "unknown extra", "misshapen": r"is \(3,\)"}
    with pytest.raises(InputError, match=told[change]):
        bring_in(folder)
    assert not (folder / "m.safetensors").exists()


def test_a_file_of_something_else_says_what_is_missing(folder: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, folder / "vocaset.pth")
    with pytest.raises(InputError, match=r"missing vertice_map_r\.weight"):
        bring_in(folder)


def test_the_data_set_is_asked_for_where_the_vertices_do_not_tell(folder: Path) -> None:
    with pytest.raises(UsageError, match="no known data set"):
        bring_in(folder, dataset=None)


def test_the_face_at_rest_is_not_overwritten(folder: Path) -> None:
    before = (folder / "rest.npy").read_bytes()
    with pytest.raises(UsageError, match=r"rest\.npy"):
        import_published(
            "faceformer",
            [folder / "vocaset.pth"],
            folder / "rest.npy",
            choices=Choices(dataset="vocaset", template=str(folder / "rest.npy")),
            reporter=Silent(),
        )
    assert (folder / "rest.npy").read_bytes() == before


def test_sizes_that_no_model_has_are_a_sentence(folder: Path) -> None:
    # 18 channels, which four heads cannot share.
    torch.save({**state_of(), "vertice_map_r.weight": torch.zeros(3 * NUM_VERTS, 18)}, folder / "vocaset.pth")
    with pytest.raises(InputError, match="are not those of a faceformer model"):
        bring_in(folder)


def test_the_face_at_rest_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "flame_path", lambda: None)
    with pytest.raises(AssetError, match="face at rest"):
        bring_in(folder, template=None)
    torch.save(state_of(period=25), folder / "vocaset.pth")
    with pytest.raises(UsageError, match="face at rest of the topology biwi"):
        bring_in(folder, dataset="biwi", template=None)


@pytest.mark.parametrize("form", ["rest.npy", "rest.ply", "rest.obj", "subjects.pkl:b", "rest.npz"])
def test_every_form_of_a_template_is_read(folder: Path, form: str) -> None:
    rest, faces = np.load(folder / "rest.npy"), np.array([[0, 1, 2]])
    write_ply(folder / "rest.ply", rest, faces)
    write_obj(folder / "rest.obj", rest, faces)
    (folder / "subjects.pkl").write_bytes(pickle.dumps({"a": 2 * rest, "b": rest}, 2))
    write_motion(
        folder / "rest.npz", VertexMotion(vertices=rest[None] + 1, neutral=rest, fps=30.0, topology="flame")
    )
    bring_in(folder, template=f"{folder}/{form}")
    model, _ = load_model(folder / "m.safetensors")
    np.testing.assert_allclose(model.neutral, rest, atol=1e-6)


def test_what_is_no_face_of_the_model_is_refused(folder: Path) -> None:
    corners = np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32)
    for face, said in (
        (corners[:7], "7 vertices at rest, the checkpoint makes 40"),
        (np.zeros_like(corners), "holds no face"),
        (np.full_like(corners, np.nan), "not finite numbers"),
    ):
        np.save(folder / "rest.npy", face)
        with pytest.raises(InputError, match=said):
            bring_in(folder)
        assert not (folder / "m.safetensors").exists()


def test_a_model_of_another_encoder_has_no_official_form(folder: Path) -> None:
    from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig

    with pytest.raises(InputError, match="another speech encoder"):
        layouts("faceformer", tiny_config(content=LogMelEncoderConfig(width=8, heads=2)), 30)
    with pytest.raises(InputError, match="makes coefficients"):
        layouts("faceformer", tiny_config(motion="coefficients"), 53)
