"""Every packaged recipe loads strictly, and holds no line that changes nothing."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from talkcli.config import load_recipe, recipe_names
from talkcli.engine.assets import RECIPES_DIR
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import METHODS
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.codetalker import CodeTalkerRecipe, CodeTalkerVqRecipe
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.deeptalk import DeepTalkRecipe
from talkcli.engine.pipelines.training.emoface import EmoFaceRecipe
from talkcli.engine.pipelines.training.emotalk import EmoTalkRecipe
from talkcli.engine.pipelines.training.emote import EmoteRecipe
from talkcli.engine.pipelines.training.emotion_image import EmotionImageRecipe
from talkcli.engine.pipelines.training.facediffuser import FaceDiffuserRecipe
from talkcli.engine.pipelines.training.faceformer import FaceFormerRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.ffd import FfdRecipe
from talkcli.engine.pipelines.training.flint import FlintRecipe
from talkcli.engine.pipelines.training.meshtalk import MeshTalkLatentRecipe, MeshTalkRecipe
from talkcli.engine.pipelines.training.phones import PhonesRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.pipelines.training.sync import SyncRecipe
from talkcli.engine.pipelines.training.sync_image import SyncImageRecipe
from talkcli.engine.pipelines.training.voca import VocaRecipe

SCHEMAS: dict[str, type[recipes.Recipe]] = {
    "fer": FerRecipe,
    "dee": DeeRecipe,
    "phones": PhonesRecipe,
    **dict.fromkeys(("th_vqvae", "vqvae", "vae"), PriorRecipe),
    "deeptalk": DeepTalkRecipe,
    "faceformer": FaceFormerRecipe,
    "facediffuser": FaceDiffuserRecipe,
    "emotalk": EmoTalkRecipe,
    "emoface": EmoFaceRecipe,
    "codetalker_vq": CodeTalkerVqRecipe,
    "codetalker": CodeTalkerRecipe,
    "flint": FlintRecipe,
    "emote": EmoteRecipe,
    "voca": VocaRecipe,
    "meshtalk_latent": MeshTalkLatentRecipe,
    "meshtalk": MeshTalkRecipe,
    "sync": SyncRecipe,
    "sync_image": SyncImageRecipe,
    "ffd": FfdRecipe,
    "emotion_image": EmotionImageRecipe,
}
# Of methods with two stages.
STAGED = (DeepTalkRecipe, EmoteRecipe)
# Table 4 of the paper, and its exchange of emotions.
ABLATIONS = {f"deeptalk-{name}" for name in ("vae", "vqvae", "no-emotion", "no-lip", "swap")}
# Of EmoFace: the map, its frames, self-growing and the loss of the branches.
ABLATIONS |= {f"emoface-{name}" for name in ("no-attention", "2d", "no-growing", "no-intermediate")}


def _schema(name: str) -> type[recipes.Recipe]:
    return SCHEMAS[name.replace("-", ".").partition(".")[0]]


def _stages(name: str) -> tuple[int | None, ...]:
    return (1, 2) if _schema(name) in STAGED else (None,)


def _loaded(name: str, recipe: str) -> list[dict[str, Any] | None]:
    """The values of each stage; None for one that the recipe lacks or that makes no sense."""
    found: list[dict[str, Any] | None] = []
    for stage in _stages(name):
        try:
            found.append(load_recipe(_schema(name), recipe, stage=stage).model_dump(mode="json"))
        except UsageError:
            found.append(None)
    return found


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in values.items():
        found += _leaves(value, (*path, key)) if isinstance(value, dict) else [(*path, key)]
    return found


def test_every_method_has_its_recipes() -> None:
    for name, method in METHODS.items():
        assert {name, method.recipe, f"{name}.debug"} <= set(recipe_names())
    for published in ("fer", "dee", "th_vqvae", "deeptalk"):
        assert f"{published}-released" in recipe_names()
    assert set(recipe_names()) >= ABLATIONS


@pytest.mark.parametrize("name", recipe_names())
def test_loads_strictly(name: str) -> None:
    written = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    first, *second = _loaded(name, name)
    assert first is not None
    assert "stage_2" not in written or second[0] is not None


@pytest.mark.parametrize("name", recipe_names())
def test_every_line_changes_something(name: str, tmp_path: Path) -> None:
    written = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    whole = _loaded(name, name)
    for path in _leaves(written):
        if path[-1] == "kind":
            continue
        without = copy.deepcopy(written)
        node = without
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        file = tmp_path / "without.yaml"
        file.write_text(yaml.safe_dump(without), encoding="utf-8")
        assert _loaded(name, str(file)) != whole, f"{'.'.join(path)} changes nothing"


@pytest.mark.parametrize("name", sorted(ABLATIONS))
def test_an_ablation_is_a_few_lines_on_the_paper(name: str) -> None:
    text = (RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 10
    assert yaml.safe_load(text)["base"].startswith(("deeptalk", "emoface"))


# Recipes whose keys another method knows, too: all of phones.debug are keys of the sync judge, all of other
# judges are keys of the sync judge of pictures, and generators have the same content encoders.
OF_TWO = (
    "th_vqvae", "phones.debug", "sync.debug", "emotion_image.debug", "deeptalk-released", "codetalker",
    "codetalker-biwi", "codetalker.debug", "facediffuser", "faceformer", "faceformer-biwi",
    "flint", "flint-small", "flint.debug", "emote", "emote-small", "emote.debug", "voca-small",
    "voca", "meshtalk-small", "meshtalk.debug",
)  # fmt: skip


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_of_another_method_names_its_command(name: str, tmp_path: Path) -> None:
    own = recipes.commands()[_schema(name)]
    # Somebody's own recipe, as far as it says something that is of one method alone.
    copied = tmp_path / "mine.yaml"
    copied.write_text((RECIPES_DIR / f"{name}.yaml").read_text(encoding="utf-8"))
    sections = set(yaml.safe_load(copied.read_text())) - {
        "data", "train", "storage", "base", "stage_2", "leave_out",
    }  # fmt: skip
    for schema, command in recipes.commands().items():
        for recipe in (name, str(copied)) if sections and name not in OF_TWO else (name,):
            if command != own:
                with pytest.raises(UsageError) as caught:
                    load_recipe(schema, recipe, stage=1 if schema in STAGED else None)
                assert caught.value.problem == f"Recipe {recipe} is for talk {own}, not for talk {command}."
                assert f"talk {own}" in str(caught.value.hint)


def test_a_mistake_in_a_recipe_of_ones_own_is_no_other_method(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("model: {audio_width: 32, dropuot: 0.2}\n")
    with pytest.raises(UsageError, match=r"unknown key model\.dropuot, did you mean dropout"):
        load_recipe(DeeRecipe, str(path))
    with pytest.raises(UsageError, match=r"unknown key model\.widht, did you mean width"):
        load_recipe(PriorRecipe, "th_vqvae.debug", ["model.widht=3"])


LENGTHS = [
    # Recipe, settings, steps and epochs.
    ("fer", ["train.steps=2"], 2, None),
    ("fer", ["train.steps=2", "train.epochs=3"], None, 3),
    ("fer", ["train.epochs=3", "train.steps=2"], 2, None),
    ("fer", ["train.epochs=null"], None, None),
    ("fer", ["train.steps=2", "train.epochs=null"], 2, None),
    ("fer.debug", ["train.epochs=0.5"], None, 0.5),
    ("fer.debug", ["train.steps=null"], None, None),
    ("fer.debug", [], 20, None),
    ("fer", [], None, 200),
    ("fer", ["train={steps: 7}"], 7, None),
    ("mine", [], 9, None),
    ("mine", ["train.epochs=3"], None, 3),
]


@pytest.mark.parametrize(("name", "settings", "steps", "epochs"), LENGTHS)
def test_the_last_length_given_wins(
    name: str, settings: list[str], steps: int | None, epochs: float | None, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(f"base: {RECIPES_DIR / 'fer.yaml'}\ntrain: {{steps: 9}}\n")
    path = str(tmp_path / "mine.yaml") if name == "mine" else name
    config = load_recipe(FerRecipe, path, settings).train
    assert (config.steps, config.epochs) == (steps, epochs)


def test_two_lengths_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text("train: {steps: 9, epochs: 2}\n")
    with pytest.raises(UsageError, match=r"steps 9 and epochs 2\.0 are both given"):
        load_recipe(FerRecipe, str(tmp_path / "both.yaml"))
    with pytest.raises(UsageError, match="both given"):
        load_recipe(FerRecipe, "fer", ["train={steps: 3, epochs: 4}"])


OUT_OF_BOUNDS = [
    "train.steps=0", "train.steps=-1", "train.steps=1000000000000", "train.epochs=0", "train.epochs=-1",
    "train.epochs=1e9", "train.learning_rate=0", "train.learning_rate=-1", "train.learning_rate=1e300",
    "train.betas=[0.9]", "train.betas=[0.9, 1]", "train.betas=[-1, 0]", "train.betas=0.9",
    "train.weight_decay=-1", "train.weight_decay=1e300", "train.warmup_steps=-1", "train.final_share=2",
    "train.final_share=-1", "train.clip_norm=0", "train.clip_norm=1e300", "train.accumulate=0",
    "train.average_decay=1", "train.log_every=0", "train.validate_every=0", "train.save_every=-5",
    "train.schedule=linear", "train.precision=fp8", "data.size=0", "data.size=1000000000", "data.frames=0",
    "data.frames=1000000", "data.speech_frames=0", "data.copies=-1", "data.copies=100000", "data.speed=1",
    "data.speed=-0.1", "data.snr_db=[45, 10]", "data.snr_db=[10]", "data.snr_db=[-1e9, 3]", "data.masks=0",
    "data.masks=1000000000", "data.mask_bands=-1", "data.mask_hops=1e9", "data.tilt=-1", "data.tilt=1e300",
    "data.warp=1", "data.shift=-1", "data.floor=2", "data.augment.pitch=2",
    "data.augment.pitch_factor=[2, 1]",
    "data.augment.rt60_s=[0, 1]", "data.augment.rt60_s=[0.6, 0.1]", "data.augment.direct_db=[20, 5]",
    "data.augment.gain_db=[6, -24]", "data.augment.colour_db=1e6", "data.augment.noise_snr_db=[1e300, 1e301]",
    "data.smooth=1", "data.balance=perhaps", "leave_out=x", "leave_out=[3]", "storage=int8",
    "objective.vertex_weight=-1", "objective.vertex_weight=1e300", "objective.regulariser_weight=-1",
    "objective.coefficient_weight=-1", "objective.velocity_weight=-0.5", "objective.vertices=1",
    "objective.vertices=1000000000", "objective.lip_weight=-1", "objective.best_by=ears",
]  # fmt: skip


@pytest.mark.parametrize("setting", OUT_OF_BOUNDS)
def test_values_out_of_bounds_are_refused(setting: str) -> None:
    key = setting.partition("=")[0]
    with pytest.raises(UsageError, match=key.rpartition(".")[2]):
        load_recipe(PriorRecipe, "th_vqvae.debug", [setting])


@pytest.mark.parametrize(
    ("schema", "setting"),
    [
        (DeepTalkRecipe, "objective.tau=[0, 1]"),
        (DeepTalkRecipe, "objective.tau=[-1, 1]"),
        (DeepTalkRecipe, "objective.swap_tau=0"),
        (DeepTalkRecipe, "objective.swap_share=0"),
        (DeepTalkRecipe, "objective.teacher_share=1.5"),
        (DeepTalkRecipe, "objective.vertices=1"),
        (DeepTalkRecipe, "objective.lip_reading_weight=-1"),
        (DeeRecipe, "objective.vib_weight=-1"),
        (DeeRecipe, "objective.mixup_alpha=1e9"),
        (FerRecipe, "objective.noise_std=-1"),
        (FerRecipe, "objective.noisy_share=2"),
        (PhonesRecipe, "objective.label_smoothing=1"),
    ],
)
def test_weights_and_shares_out_of_bounds_are_refused(schema: type[recipes.Recipe], setting: str) -> None:
    name = {
        DeepTalkRecipe: "deeptalk.debug",
        DeeRecipe: "dee.debug",
        FerRecipe: "fer.debug",
        PhonesRecipe: "phones.debug",
    }[schema]
    stage = 1 if schema is DeepTalkRecipe else None
    with pytest.raises(UsageError, match=setting.partition("=")[0].rpartition(".")[2]):
        load_recipe(schema, name, [setting], stage=stage)
