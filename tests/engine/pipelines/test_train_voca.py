"""VOCA trained by a recipe on vertices and on coefficients, its start, and its performer with logits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_content, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.ctc import CLASSES
from talkcli.engine.models.voca import Voca, VocaConfig
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.voca import VocaControls
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.pipelines.training.voca import principal
from talkcli.engine.types import Silent, Speech, VertexMotion
from tests.engine.fakes import NUM_VERTS, LinearHead, Told, write_corpus, write_vertex_corpus


def trained(manifest: Path, out: Path, *settings: str, resume: bool = False, **parts: str) -> Path:
    recipe = load_recipe(recipe_schema("voca"), "voca.debug", ["train.steps=4", *settings])
    job = Job(manifest=manifest, out=out, device="cpu", resume=resume)
    done = train_method("voca", recipe, job, Silent(), parts=parts)
    assert done is not None
    return done.model


def spoken(seconds: float = 1.0) -> Speech:
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(16_000 * seconds))
    return Speech(samples=samples.astype(np.float32))


def test_vertices_begin_with_the_components_of_the_training_motion(tmp_path: Path) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    path = trained(
        manifest, tmp_path / "run", "model.motion=vertices", "train.steps=1", "train.learning_rate=1e-12"
    )
    model, header = load_model(path)
    assert (header.num_verts, header.fps, header.head) == (NUM_VERTS, 25, "toy-mesh")
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    np.testing.assert_allclose(model.neutral, LinearHead().template, atol=1e-6)
    # The fake clips move by the jaw and one of nine emotions, nine directions in all.
    rows = model.outward.weights.double()
    directions = (
        LinearHead()(torch.eye(53)).flatten(1).double() - torch.from_numpy(LinearHead().template).flatten()
    )
    lengths = rows.norm(dim=1)
    held = rows[lengths > 1e-6 * lengths.max()]
    assert len(held) == 9
    solved = torch.linalg.lstsq(directions.T, held.T).solution
    assert (directions.T @ solved - held.T).abs().max() < 1e-6 * held.abs().max()
    (motion,) = open_model(str(path), "cpu").perform(spoken(), Sampling(actor="speaker1"))
    assert isinstance(motion, VertexMotion)
    assert motion.vertices.shape == (25, NUM_VERTS, 3)


def test_principal_components() -> None:
    draw = torch.Generator().manual_seed(0)
    scores = torch.randn(400, 3, generator=draw) * torch.tensor([3.0, 2.0, 1.0])
    axes = torch.linalg.qr(torch.randn(40, 3, generator=draw)).Q
    frames = scores @ axes.T + 5
    mean, found = principal(frames, 10)
    assert found.shape == (3, 40)
    torch.testing.assert_close(mean, frames.mean(0))
    # Against numpy's decomposition: lengths are standard deviations, directions up to the sign.
    _, lengths, rows = np.linalg.svd((frames - mean).numpy(), full_matrices=False)
    np.testing.assert_allclose(found.norm(dim=1), lengths[:3] / 20, rtol=1e-4)
    turned = found / found.norm(dim=1, keepdim=True)
    np.testing.assert_allclose((turned.numpy() * rows[:3]).sum(1) ** 2, 1, atol=1e-5)


def test_the_loss_falls_and_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        pace = ("train.learning_rate=0.01", "train.log_every=1", "train.schedule=constant")
        every = ("train.save_every=20", "train.validate_every=20")
        trained(manifest, tmp_path / "whole", "train.steps=40", *pace, *every)
        trained(manifest, tmp_path / "run", "train.steps=20", *pace, *every)
        told = tmp_path / "run" / "run.json"
        told.write_text(told.read_text().replace('"steps": 20', '"steps": 40'))
        trained(manifest, tmp_path / "run", "train.steps=40", *pace, *every, resume=True)
    losses = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    losses = [record["loss"] for record in losses if "loss" in record]
    assert sum(losses[-10:]) < 0.95 * sum(losses[:10])
    one, other = (read_content(tmp_path / name / "best.safetensors").weights for name in ("whole", "run"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("model.identity=2", "has room for 2"),
        ("model.content={kind: logits}", "Manifests hold no logits"),
        ("model.content={kind: phones}", "phones"),
    ],
)
def test_recipes_that_do_not_fit(tmp_path: Path, setting: str, sentence: str) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    with pytest.raises(UsageError, match=sentence):
        trained(manifest, tmp_path / "run", "model.motion=vertices", setting)


@pytest.mark.parametrize("name", ["voca", "voca-small"])
def test_recipes_hear_phones(name: str) -> None:
    recipe = load_recipe(recipe_schema("voca"), name, [])
    assert recipe.model.content.kind == "phones"  # type: ignore[attr-defined]


def test_random_phones(tmp_path: Path) -> None:
    manifest = write_vertex_corpus(tmp_path / "corpus")
    content = "model.content={kind: phones, encoder: {ear: {num_mels: 32}, width: 16, layers: 2}}"
    path = trained(manifest, tmp_path / "run", "model.motion=vertices", content, phones="random")
    performer = open_model(str(path), "cpu")
    (motion,) = performer.perform(spoken(), Sampling())
    assert motion.num_frames == 25 and "logits" not in motion.meta
    np.save(tmp_path / "logits.npy", np.zeros((50, 29), np.float32))
    with pytest.raises(UsageError, match="a front-end of its own"):
        performer.perform(spoken(), Sampling(), VocaControls(logits=tmp_path / "logits.npy"))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of given logits at 60 fps, as a converted one is."""
    torch.manual_seed(0)
    model = Voca(VocaConfig(fps=60, identity=2, speakers=("anna", "ben")), 30)
    model.neutral.normal_()
    path = tmp_path_factory.mktemp("voca") / "m.safetensors"
    meta = Meta(head="flame", channels=(), num_verts=10, fps=60, trained_on="nothing", licence="none")
    save_model(path, model, meta=meta)
    return path


def test_given_logits_and_the_stand_in(published: Path, tmp_path: Path) -> None:
    performer, told = open_model(str(published), "cpu"), Told()
    performer.cast(Sampling(), told)
    assert told.noted("a stand-in")
    logits = np.random.default_rng(0).normal(size=(50, 29)).astype(np.float32)
    np.save(tmp_path / "a.npy", logits)
    (motion,) = performer.perform(spoken(), Sampling(actor="ben"), VocaControls(logits=tmp_path / "a.npy"))
    assert motion.fps == 60 and motion.vertices.shape == (60, 10, 3) and motion.meta["logits"] == "a.npy"
    made = performer.model.generate(torch.zeros(1, 16_000), logits=torch.from_numpy(logits)[None], speaker=1)
    np.testing.assert_array_equal(motion.values, made[0])
    # Another rate and order of the same logits.
    order = np.random.default_rng(1).permutation(29)
    names = np.array([{"_": "<pad>", " ": "|"}.get(CLASSES[at], CLASSES[at].upper()) for at in order])
    np.savez(tmp_path / "b.npz", logits=logits[:, order], fps=50.0, alphabet=names)
    (same,) = performer.perform(spoken(), Sampling(actor="ben"), VocaControls(logits=tmp_path / "b.npz"))
    np.testing.assert_array_equal(same.values, motion.values)
    (heard,) = performer.perform(spoken(), Sampling(actor="ben"))
    assert "stand-in" in heard.meta["logits"] and not np.allclose(heard.values, motion.values)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"logits": np.zeros((35, 29), np.float32)}, "holds 0.70 s of logits, but the speech lasts 1.00 s"),
        ({"logits": np.zeros((50, 28), np.float32)}, r"\(steps, 29\) is needed"),
        ({"logits": np.full((50, 29), np.nan, np.float32)}, "no finite floats"),
        ({"logits": np.zeros((50, 29), int)}, "no finite floats"),
        ({"logits": np.full((50, 29), 1e300)}, "no finite floats"),
        ({"logits": np.zeros((0, 29), np.float32)}, "is needed"),
        ({"logits": np.zeros((50, 29), np.float32), "fps": np.zeros(2)}, "`fps` is no number"),
        ({"logits": np.zeros((50, 29), np.float32), "fps": np.array(0)}, "`fps` is no number"),
        (
            {"logits": np.zeros((50, 2), np.float32), "alphabet": np.array(["1", "2"])},
            "no letter from a to z",
        ),
        ({"logits": np.zeros((50, 2), np.float32), "alphabet": np.zeros(2)}, "no list of texts"),
        ({"other": np.zeros(3)}, "without logits"),
    ],
)
def test_files_that_are_no_logits(
    published: Path, tmp_path: Path, arrays: dict[str, np.ndarray], sentence: str
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        open_model(str(published), "cpu").perform(
            spoken(), Sampling(), VocaControls(logits=tmp_path / "x.npz")
        )


def test_an_alphabet_that_lacks_classes_takes_the_least_probable() -> None:
    from talkcli.engine.performers.logits_file import _ordered

    made = _ordered(Path("x"), np.array([[3.0, -2.0, 5.0]], np.float32), ["a", "b", "a"])
    assert made[0, CLASSES.index("a")] == 5 and made[0, CLASSES.index("b")] == -2
    assert (np.delete(made[0], [CLASSES.index("a"), CLASSES.index("b")]) == -2).all()
