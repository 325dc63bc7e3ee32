"""Every method: its strings resolve, it trains two steps on a CPU, saves, loads and works."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.app import app
from talkcli.config import load_recipe
from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS, PARTS, resolve
from talkcli.engine.performers.open import open_performer
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.training import data as training_data
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.recipes import recipe_schema
from talkcli.engine.pipelines.training.train import Job, train_method
from talkcli.engine.types import Config, Emotion, Silent, Speech
from tests.engine.fakes import LinearHead, write_corpus

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "parameters"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The model file of every method after two steps."""
    folder = tmp_path_factory.mktemp("methods")
    manifest = write_corpus(folder / "corpus", phones=True)
    made: dict[str, Path] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_data, "load_head", lambda name: LinearHead())
        # Drawings are kept there.
        patch.setenv("TALK_CACHE", str(folder / "cache"))
        for name, row in METHODS.items():
            stage = 1 if "start" in row.parts else None
            recipe = load_recipe(recipe_schema(name), f"{name}.debug", ["train.steps=2"], stage=stage)
            job = Job(manifest=manifest, out=folder / name, device="cpu")
            # The debug recipes need no published part.
            given = {part: str(folder / str(PARTS[part].maker(name))) for part in ("dee", "prior")}
            given = {part: path for part, path in given.items() if part in row.parts}
            done = train_method(name, recipe, job, Silent(), parts=given)
            assert done is not None
            made[name] = done.model
        yield made


@pytest.mark.parametrize("name", METHODS)
def test_strings_resolve(name: str) -> None:
    method = METHODS[name]
    model, config = resolve(method.model), resolve(method.config)
    assert issubclass(config, Config)
    assert model.method == name
    assert issubclass(resolve(method.objective), torch.nn.Module)
    assert issubclass(resolve(method.objective_config), Config)
    assert method.assembly is None or issubclass(resolve(method.assembly), Assembly)
    assert set(method.parts) <= set(PARTS)
    for target in (method.performer, method.converter, method.recogniser, method.built_in, method.bench):
        assert target is None or callable(resolve(target))
    # The speed of every generator can be measured.
    assert (method.bench is None) == (method.motion is None)
    assert (method.built_in is None) == (method.recogniser is None)
    assert method.performer is None or method.motion is not None
    assert (ROOT / "docs" / method.page).is_file()
    assert (RECIPES_DIR / f"{method.recipe}.yaml").is_file()


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.command])
def test_its_command_takes_its_recipe(name: str) -> None:
    """The recipe that its own command takes where none is named is that of `talk train`."""
    row = METHODS[name]
    (command,) = (each for each in app.registered_commands if each.name == row.command)
    assert command.callback is not None
    assert inspect.signature(command.callback).parameters["recipe"].default == row.recipe


@pytest.mark.parametrize("name", METHODS)
def test_trains_saves_and_loads(name: str, trained: dict[str, Path]) -> None:
    model, header = load_model(trained[name])
    assert header.method == name
    assert header.head == "ada"
    # A head computes the vertices of a method of vertices from the corpus's coefficients.
    assembly = METHODS[name].assembly
    learns_vertices = assembly is not None and resolve(assembly).vertices is True
    makes_vertices = METHODS[name].motion == "vertices" or learns_vertices
    assert (len(header.channels), header.num_verts) == ((0, 120) if makes_vertices else (53, None))
    assert header.licence == "CC0-1.0"
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_the_generator_generates(trained: dict[str, Path]) -> None:
    model, _ = load_model(trained["deeptalk"])
    assert model.config.speakers == ("speaker0", "speaker1", "speaker2")
    made = model.generate(torch.zeros(1, 16_000), sigma=0.1, generator=torch.Generator().manual_seed(0))
    assert made.shape == (1, 25, 53)
    assert made.isfinite().all()


def test_the_generator_carries_its_parts(trained: dict[str, Path]) -> None:
    model, _ = load_model(trained["deeptalk"])
    for part, name in ((model.dee, "dee"), (model.prior, "th_vqvae")):
        alone, _ = load_model(trained[name])
        assert all(torch.equal(value, part.state_dict()[key]) for key, value in alone.state_dict().items())


@pytest.mark.parametrize("name", METHODS)
def test_parameter_names_are_frozen(name: str, trained: dict[str, Path]) -> None:
    """A renamed parameter makes every file ever written unreadable."""
    model, _ = load_model(trained[name])
    names = sorted(model.state_dict())
    assert names == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.motion])
def test_it_refuses_the_settings_that_its_row_does_not_name(name: str, trained: dict[str, Path]) -> None:
    performer = open_performer(str(trained[name]), "cpu", reporter=Silent(), layers={})
    speech = Speech(samples=np.zeros(8_000, np.float32))
    accepted = set()
    for setting, given in {
        "actor": {"sampling": Sampling(actor="speaker0")},
        "emotion": {"sampling": Sampling(emotion=Emotion(label="happy", level=1.0))},
        "emotion_from": {"sampling": Sampling(), "emotion_speech": speech},
    }.items():
        with contextlib.suppress(UsageError):
            next(iter(performer.perform(speech, **given)))
            accepted.add(setting)
    assert accepted == set(METHODS[name].controls) & {"actor", "emotion", "emotion_from"}
