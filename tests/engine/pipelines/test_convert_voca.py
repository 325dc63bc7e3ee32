"""VOCA's checkpoint, an .npz of its variables, a model file, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.convert.voca import FILE, layouts
from talkcli.engine.checkpoints.model_file import Meta, load_model, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.voca import Voca, VocaConfig
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import random_fill
from tests.engine.fakes import Told
from tests.engine.readers.bundle_writer import write_bundle

NUM_VERTS = 40


def variables() -> dict[str, np.ndarray]:
    fill = random_fill()
    layout = layouts("voca", VocaConfig(fps=60), 3 * NUM_VERTS)[FILE]
    return {entry.official: fill(entry).numpy() for entry in layout}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(NUM_VERTS, 3)).astype(np.float32))
    return tmp_path


def bring_in(folder: Path, file: Path, reporter: object = None) -> Path:
    out = folder / "m.safetensors"
    choices = Choices(template=str(folder / "rest.npy"))
    import_published("voca", [file], out, choices=choices, reporter=reporter or Silent())  # type: ignore[arg-type]
    return out


def test_a_checkpoint_of_tensorflow_comes_in_and_goes_out_as_npz(folder: Path) -> None:
    state = variables()
    slots = {f"{name}/Adam": np.zeros_like(value) for name, value in state.items()}
    index = write_bundle(folder / "gstep_1.model", state | slots | {"global_step": np.array(1, np.int64)})
    told = Told()
    model, header = load_model(bring_in(folder, index, told))
    assert told.noted("left out, as the published code does")
    assert (header.num_verts, header.fps, model.config.speakers[0][:8]) == (NUM_VERTS, 60, "FaceTalk")
    np.testing.assert_array_equal(model.neutral, np.load(folder / "rest.npy"))
    export_published("voca", folder / "m.safetensors", folder / "back", reporter=Silent())
    with np.load(folder / "back" / FILE) as back:
        assert list(back) == list(state)
        for name, value in state.items():
            assert back[name].dtype == value.dtype and back[name].tobytes() == value.tobytes()
    # And the .npz comes in and goes out again as the same bytes.
    first = (folder / "back" / FILE).read_bytes()
    bring_in(folder, folder / "back" / FILE)
    export_published("voca", folder / "m.safetensors", folder / "back", overwrite=True, reporter=Silent())
    assert (folder / "back" / FILE).read_bytes() == first


def test_files_that_are_none(folder: Path) -> None:
    state = variables()
    del state["VOCA/SpeechEncoder/fc1/biases"]
    np.savez(folder / "x.npz", **state)
    with pytest.raises(InputError, match="missing VOCA/SpeechEncoder/fc1/biases"):
        bring_in(folder, folder / "x.npz")
    np.savez(folder / "y.npz", text=np.array("a"))
    with pytest.raises(InputError, match="missing VOCA/ExpressionLayer"):
        bring_in(folder, folder / "y.npz")
    np.savez(
        folder / "wide.npz", **{name: value.astype(np.longdouble) for name, value in variables().items()}
    )
    with pytest.raises(InputError, match="missing VOCA/"):
        bring_in(folder, folder / "wide.npz")
    np.savez(folder / "other.npz", **{name: value.astype(">f4") for name, value in variables().items()})
    bring_in(folder, folder / "other.npz")
    (folder / "z.npz").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(InputError):
        bring_in(folder, folder / "z.npz")
    with pytest.raises(UsageError, match="one file"):
        import_published(
            "voca", [folder / "x.npz", folder / "y.npz"], folder / "o.safetensors", reporter=Silent()
        )


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({"fps": 25}, UsageError, "fps 60 instead of 25"),
        ({"content": LogMelEncoderConfig(), "fps": 25}, InputError, "hears given logits"),
        ({"motion": "coefficients"}, InputError, "makes coefficients"),
    ],
)
def test_a_model_without_an_official_form(
    folder: Path, how: dict[str, object], error: type[Exception], said: str
) -> None:
    config = VocaConfig(**{"fps": 60, **how})  # type: ignore[arg-type]
    model = Voca(config, 3 * NUM_VERTS)
    meta = Meta(head="flame", channels=(), num_verts=NUM_VERTS, fps=config.fps, trained_on="n", licence="MIT")
    save_model(folder / "own.safetensors", model, meta=meta)
    with pytest.raises(error, match=said):
        export_published("voca", folder / "own.safetensors", folder / "back", reporter=Silent())
