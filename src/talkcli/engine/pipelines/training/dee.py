"""Training of DEE: on published speech features and a trained expression classifier, or from scratch."""

from __future__ import annotations

from talkcli.engine.checkpoints.pretrained import load_emotion2vec
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.emotion_encoder import Emotion2vecStem
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import check_same_fer, fill, part_config
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.dee import DeeObjective, DeeObjectiveConfig


class DeeRecipe(recipes.Recipe):
    """The recipe of a DEE training."""

    model: DeeConfig = DeeConfig()
    objective: DeeObjectiveConfig = DeeObjectiveConfig()


class DeeAssembly(Assembly):
    """Assembly of DEE; it takes the parts `emotion2vec` and `fer` if the recipe builds on them."""

    Recipe = DeeRecipe
    recipe: DeeRecipe

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does, and fill the parts of the model."""
        recipe, parts = self.recipe, self.parts
        model = built(Dee, recipe.model, data.space.width)
        if isinstance(model.audio_stem, Emotion2vecStem):
            path = parts.published("emotion2vec", self.reporter)
            if path is not None:
                load_emotion2vec(model.audio_stem.encoder, path)
        if isinstance(recipe.model.expression, FerConfig):
            if parts.is_random("fer"):
                parts.published("fer", self.reporter)
            else:
                path = parts.trained("fer")
                check_same_fer(part_config(path, "fer", "fer"), recipe.model.expression)
                fill(model.fer, path, "fer", data.space)
        else:
            model.motion_scale.fit(data.motion())
        return DeeObjective(model, recipe.objective)
