"""Training of FaceFormer, on vertices or on coefficients."""

from __future__ import annotations

from functools import partial

from talkcli.engine.errors import UsageError
from talkcli.engine.methods import build
from talkcli.engine.models.faceformer import FaceFormerConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.speech import check_rate, check_speakers, fill_encoder, with_encoder
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.faceformer import FaceFormerObjective, FaceFormerObjectiveConfig
from talkcli.engine.types import Reporter


class FaceFormerRecipe(recipes.Recipe):
    """The recipe of FaceFormer; the part `phones` replaces the settings of its phone encoder."""

    model: FaceFormerConfig = FaceFormerConfig()
    objective: FaceFormerObjectiveConfig = FaceFormerObjectiveConfig()


class FaceFormerAssembly(Assembly):
    """Assembly of FaceFormer; it takes the part `phones` or `wav2vec2`, whichever its encoder is."""

    Recipe = FaceFormerRecipe
    recipe: FaceFormerRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        model, objective = self.recipe.model, self.recipe.objective
        check_rate(model.fps)
        if self.vertices and objective.weighs_surface:
            raise UsageError(
                "objective.surface_weight and objective.velocity_weight are for coefficients.",
                hint="Leave them out: objective.value_weight weighs the vertices.",
            )
        content = with_encoder(model.content, parts)
        self.recipe = self.recipe.model_copy(update={"model": model.model_copy(update={"content": content})})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for."""
        config = self.recipe.model
        check_speakers(data.speakers, config.identity)
        config = config.model_copy(update={"speakers": data.speakers})
        model = built(partial(build, self.method), config, data.space.width)
        fill_encoder(model.memory.content, self.parts, self.reporter)
        return FaceFormerObjective(model, self.recipe.objective, None if self.vertices else data.head)
