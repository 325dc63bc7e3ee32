"""MeshTalk trained by recipes in both steps, resumed, performed; and its files there and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.config import load_recipe
from talkcli.engine.checkpoints.convert.meshtalk import CONTEXT, ENCODER, MESH, layouts
from talkcli.engine.checkpoints.convert.published import Choices
from talkcli.engine.checkpoints.model_file import load_model, read_content
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.meshtalk.config import LatentConfig, MeshTalkConfig
from talkcli.engine.performers.meshtalk import MeshTalkControls
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Silent, Speech, VertexMotion
from tests.engine.checkpoints.official import random_fill
from tests.engine.fakes import NUM_VERTS, LinearHead, Told, write_corpus, write_vertex_corpus

PACE = ("train.learning_rate=0.01", "train.log_every=1", "train.schedule=constant")


@pytest.fixture(scope="module", autouse=True)
def linear_head() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def trained(
    method: str,
    manifest: Path,
    out: Path,
    *settings: str,
    resume: bool = False,
    told: Told | None = None,
    **parts: str,
) -> Path:
    recipe = load_recipe(recipe_schema(method), f"{method}.debug", ["train.steps=4", *settings])
    job = Job(manifest=manifest, out=out, device="cpu", resume=resume)
    done = train_method(method, recipe, job, told or Silent(), parts=parts)
    assert done is not None
    return done.model


@pytest.fixture(scope="module")
def latent(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "latent"
    return trained("meshtalk_latent", corpus, out, "train.steps=60", *PACE)


@pytest.fixture(scope="module")
def meshtalk(corpus: Path, latent: Path) -> Path:
    out = latent.parent.with_name("meshtalk")
    return trained("meshtalk", corpus, out, "train.steps=60", *PACE, prior=str(latent))


def share(run: Path, term: str) -> float:
    """Mean of a term over the last ten steps, as a part of that over the first ten."""
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    values = [record[term] for record in records if term in record]
    return sum(values[-10:]) / sum(values[:10])


def test_both_learn(latent: Path, meshtalk: Path) -> None:
    assert share(latent.parent, "loss") < 0.97
    assert share(latent.parent, "vertex") < 0.97
    assert share(meshtalk.parent, "entropy") < 0.9
    model, header = load_model(meshtalk)
    assert (header.method, header.num_verts, header.fps) == ("meshtalk", NUM_VERTS, 25)
    prior, _ = load_model(latent)
    held = model.prior.state_dict()
    assert all(torch.equal(value, held[name]) for name, value in prior.state_dict().items())
    # Forehead, the fourth region of the fake head; it has no neck.
    np.testing.assert_array_equal(model.smoothed[0].nonzero()[:, 0], np.arange(3, 23))
    assert not model.smoothed[1].any()
    np.testing.assert_allclose(model.neutral, LinearHead().template, atol=1e-6)


@pytest.mark.parametrize("method", ["meshtalk_latent", "meshtalk"])
def test_stopped_and_resumed_is_the_run_never_stopped(
    corpus: Path, latent: Path, tmp_path: Path, method: str
) -> None:
    parts = {"prior": str(latent)} if method == "meshtalk" else {}
    every = ("train.save_every=3", "train.validate_every=3", *PACE)
    trained(method, corpus, tmp_path / "whole", "train.steps=6", *every, **parts)
    trained(method, corpus, tmp_path / "run", "train.steps=3", *every, **parts)
    told = tmp_path / "run" / "run.json"
    told.write_text(told.read_text().replace('"steps": 3', '"steps": 6'))
    trained(method, corpus, tmp_path / "run", "train.steps=6", *every, resume=True)
    one, other = (read_content(tmp_path / name / "best.safetensors").weights for name in ("whole", "run"))
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_a_clip_by_heart(tmp_path: Path) -> None:
    """Both steps, by the motion that comes out: LVE in root form below 2 mm; the still face has more."""
    manifest = write_corpus(tmp_path / "corpus", clips=2)
    text = (tmp_path / "corpus" / "manifest.jsonl").read_text().splitlines()
    # One clip, twice: for training and for validation.
    lines = [json.loads(text[0]) | {"split": split, "id": split} for split in ("train", "val")]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    sizes = (
        "model={heads: 4, classes: 16, width: 32, expression_width: 64, mesh_widths: [64, 48], dropout: 0.0}"
    )
    length = ("data.frames=40", "data.smooth=false", "train.warmup_steps=0", *PACE)
    first = trained(
        "meshtalk_latent", manifest, tmp_path / "latent", sizes, "train.steps=250", "data.size=2", *length,
        "objective.crossing_weight=0",
    )  # fmt: skip
    second = trained(
        "meshtalk", manifest, tmp_path / "run", "model={hidden: 24}", "train.steps=120", "data.size=1",
        *length, prior=str(first),
    )  # fmt: skip
    from tests.engine.fakes import fake_clip

    clip, head = fake_clip(0), LinearHead()
    (motion,) = open_model(str(second), "cpu").perform(
        clip.speech, Sampling(), MeshTalkControls(temperature=0.0)
    )
    assert isinstance(motion, VertexMotion)
    true = head(torch.from_numpy(clip.motion.values)).numpy()
    lips = head.regions["lips"]

    def lve_mm(vertices: np.ndarray) -> float:
        return float(np.linalg.norm(vertices - true, axis=-1)[:, lips].max(1).mean() * 1000)

    assert lve_mm(head.template[None]) > 5
    assert lve_mm(motion.vertices) < 2


def test_performing(meshtalk: Path) -> None:
    performer = open_model(str(meshtalk), "cpu")
    speech = Speech(samples=(0.1 * np.random.default_rng(0).standard_normal(16_000)).astype(np.float32))

    def takes(count: int, seed: int = 0, **controls: float) -> list[np.ndarray]:
        made = performer.perform(speech, Sampling(takes=count, seed=seed), MeshTalkControls(**controls))
        return [motion.values for motion in made]

    one, other = takes(2)
    assert one.shape == (25, 3 * NUM_VERTS) and not np.array_equal(one, other)
    np.testing.assert_array_equal(takes(1)[0], one)
    assert not np.array_equal(takes(1, seed=1)[0], one)
    still, same = takes(2, temperature=0.0)
    np.testing.assert_array_equal(still, same)
    with pytest.raises(UsageError, match="knows no speakers"):
        performer.perform(speech, Sampling(actor="anna"))
    for temperature in (-1.0, float("nan"), float("inf"), 1e9):
        with pytest.raises(UsageError, match="is no number from 0 to 1e"):
            MeshTalkControls(temperature=temperature)


def test_what_does_not_fit(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"data\.size is 1"):
        trained("meshtalk_latent", corpus, tmp_path / "a", "data.size=1")
    with pytest.raises(UsageError, match="trains at 25"):
        trained("meshtalk_latent", corpus, tmp_path / "b", "model.fps=30")
    with pytest.raises(UsageError, match="prior"):
        trained("meshtalk", corpus, tmp_path / "c")
    told = Told()
    manifest = write_vertex_corpus(tmp_path / "vertices")
    path = trained("meshtalk_latent", manifest, tmp_path / "d", told=told)
    assert any("regions of the topology toy-mesh are unknown" in warning for warning in told.warnings)
    assert load_model(path)[1].head == "toy-mesh"


SMALL = MeshTalkConfig(
    latent=LatentConfig(classes=4, width=6, expression_width=7, mesh_widths=(9, 8), fps=30), hidden=2
)


def states(num_verts: int = 10) -> dict[str, dict[str, torch.Tensor]]:
    fill = random_fill()
    return {
        name: {entry.official: entry.codes() if entry.codes else fill(entry) for entry in layout}
        for name, layout in layouts("meshtalk", SMALL, 3 * num_verts).items()
    }


def test_there_and_back(tmp_path: Path) -> None:
    files = states()
    for name, state in files.items():
        torch.save(state, tmp_path / name)
    np.save(tmp_path / "rest.npy", np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32))
    out = tmp_path / "m.safetensors"
    choices = Choices(template=str(tmp_path / "rest.npy"))
    given = [tmp_path / name for name in (CONTEXT, ENCODER, MESH)]
    import_published("meshtalk", given, out, choices=choices, reporter=Silent())
    model, header = load_model(out)
    assert (header.fps, header.num_verts, model.config) == (30, 10, SMALL)
    export_published("meshtalk", out, tmp_path / "back", reporter=Silent())
    for name, state in files.items():
        back = torch.load(tmp_path / "back" / name, weights_only=True)
        assert list(back) == list(state)
        assert all(torch.equal(back[key], value) for key, value in state.items())
    import_published("meshtalk_latent", given[1:], tmp_path / "l.safetensors", reporter=Silent())
    assert load_model(tmp_path / "l.safetensors")[0].config == SMALL.latent
    with pytest.raises(UsageError, match="The model is made of"):
        import_published(
            "meshtalk", given[:2], tmp_path / "x.safetensors", choices=choices, reporter=Silent()
        )
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pkl")
    with pytest.raises(InputError, match="none of MeshTalk's files"):
        import_published(
            "meshtalk_latent", [tmp_path / "other.pkl"], tmp_path / "x.safetensors", reporter=Silent()
        )
    # Another mask is another network.
    files[CONTEXT]["embedding.mask"] = torch.ones_like(files[CONTEXT]["embedding.mask"])
    torch.save(files[CONTEXT], tmp_path / CONTEXT)
    with pytest.raises(InputError, match=r"embedding\.mask"):
        import_published("meshtalk", given, out, choices=choices, reporter=Silent())
