"""Training of CodeTalker's auto-encoder and of its predictor, on vertices or on coefficients."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from talkcli.engine.methods import build
from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVqConfig
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import fill, part_config
from talkcli.engine.pipelines.training.speech import check_rate, check_speakers, fill_encoder, with_encoder
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.codetalker import (
    CodeTalkerObjective,
    CodeTalkerObjectiveConfig,
    CodeTalkerVqObjectiveConfig,
)
from talkcli.engine.types import Reporter


class CodeTalkerVqRecipe(recipes.Recipe):
    """The recipe of the auto-encoder."""

    model: CodeTalkerVqConfig = CodeTalkerVqConfig()
    objective: CodeTalkerVqObjectiveConfig = CodeTalkerVqObjectiveConfig()


class CodeTalkerVqAssembly(Assembly):
    """Assembly of the auto-encoder, which learns from motion alone."""

    Recipe = CodeTalkerVqRecipe
    recipe: CodeTalkerVqRecipe
    sound = False

    @property
    def vertices(self) -> bool:
        """See `Assembly`."""
        return self.recipe.model.motion == "vertices"


class CodeTalkerRecipe(recipes.Recipe):
    """The recipe of the predictor; the parts `prior` and `phones` replace the settings of theirs."""

    model: CodeTalkerConfig = CodeTalkerConfig()
    objective: CodeTalkerObjectiveConfig = CodeTalkerObjectiveConfig()


class CodeTalkerAssembly(Assembly):
    """Assembly of the predictor.

    It takes the part `prior`, and `phones` or `wav2vec2`, whichever its encoder is.
    """

    Recipe = CodeTalkerRecipe
    recipe: CodeTalkerRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        model = self.recipe.model
        check_rate(model.fps)
        self._prior: Path = parts.trained("prior")
        update = {
            "prior": part_config(self._prior, "prior", "codetalker_vq"),
            "content": with_encoder(model.content, parts),
        }
        self.recipe = self.recipe.model_copy(update={"model": model.model_copy(update=update)})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for."""
        config = self.recipe.model
        check_speakers(data.speakers, config.identity)
        config = config.model_copy(update={"speakers": data.speakers})
        model = built(partial(build, self.method), config, data.space.width)
        fill(model.prior, self._prior, "prior", data.space)
        fill_encoder(model.memory.content, self.parts, self.reporter)
        return CodeTalkerObjective(model, self.recipe.objective)
