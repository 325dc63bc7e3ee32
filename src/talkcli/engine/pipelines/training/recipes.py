"""What a training command can be told: the sections of its recipe, with the released values as defaults."""

from __future__ import annotations

from pydantic import BaseModel

from talkcli.engine.checkpoints.model_file import Storage
from talkcli.engine.models.deeptalk.dee import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.phones import PhonesConfig
from talkcli.engine.models.deeptalk.prior import PriorConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.train.batches import BatchConfig
from talkcli.engine.train.objectives.dee import DeeObjectiveConfig
from talkcli.engine.train.objectives.deeptalk import DeepTalkObjectiveConfig
from talkcli.engine.train.objectives.fer import FerObjectiveConfig
from talkcli.engine.train.objectives.phones import PhonesObjectiveConfig
from talkcli.engine.train.objectives.prior import PriorObjectiveConfig
from talkcli.engine.train.schedule import LoopConfig
from talkcli.engine.types import Config


class Recipe(Config):
    """What all recipes share."""

    data: BatchConfig = BatchConfig()
    train: LoopConfig = LoopConfig()
    leave_out: tuple[str, ...] = ()
    """How the ids begin of clips that are neither trained on nor validated with."""
    storage: Storage = "float32"
    """Precision of matrices in the model file."""


class FerRecipe(Recipe):
    """Everything train-fer can be told."""

    model: FerConfig = FerConfig()
    objective: FerObjectiveConfig = FerObjectiveConfig()


class DeeRecipe(Recipe):
    """Everything train-dee can be told."""

    model: DeeConfig = DeeConfig()
    objective: DeeObjectiveConfig = DeeObjectiveConfig()


class PhonesRecipe(Recipe):
    """Everything train-phones can be told."""

    model: PhonesConfig = PhonesConfig()
    objective: PhonesObjectiveConfig = PhonesObjectiveConfig()


class PriorRecipe(Recipe):
    """Everything train-vq can be told; `model.kind` chooses the prior."""

    model: PriorConfig = ThVqvaeConfig()
    objective: PriorObjectiveConfig = PriorObjectiveConfig()


class DeepTalkRecipe(Recipe):
    """Everything train-gen can be told; `model.dee` and `model.prior` are those of the checkpoints."""

    model: DeepTalkConfig = DeepTalkConfig()
    objective: DeepTalkObjectiveConfig = DeepTalkObjectiveConfig()


# Which command each is for.
RECIPES: dict[type[BaseModel], str] = {
    FerRecipe: "train-fer",
    DeeRecipe: "train-dee",
    PhonesRecipe: "train-phones",
    PriorRecipe: "train-vq",
    DeepTalkRecipe: "train-gen",
}
