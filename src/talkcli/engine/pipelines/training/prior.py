"""Training of any motion prior: on motion alone."""

from __future__ import annotations

from talkcli.engine.models.deeptalk.prior import PriorConfig, build_prior
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import check_window
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.prior import PriorObjective, PriorObjectiveConfig


class PriorRecipe(recipes.Recipe):
    """The recipe of a motion prior training; `model.kind` chooses the prior."""

    model: PriorConfig = ThVqvaeConfig()
    objective: PriorObjectiveConfig = PriorObjectiveConfig()


class PriorAssembly(Assembly):
    """Assembly of a motion prior of any kind."""

    Recipe = PriorRecipe
    recipe: PriorRecipe
    sound = False

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises UsageError when the length of a window does not fit the prior.
        """
        recipe = self.recipe
        model = built(build_prior, recipe.model, data.space.width)
        check_window(recipe, model.frames_multiple)
        if recipe.model.standardise:
            model.motion_scale.fit(data.motion())
        return PriorObjective(model, recipe.objective, data.head)
