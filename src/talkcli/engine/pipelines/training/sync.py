"""Training of the sync judge: on clips with sound, whose head has landmarks."""

from __future__ import annotations

from talkcli.engine.judges.sync import SyncConfig, SyncJudge
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built, check_choice
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.sync import LipCurves, SyncObjective, SyncObjectiveConfig

# Distance of the frames that determine the scale of the lip curves.
_EVERY = 10


class SyncRecipe(recipes.Recipe):
    """The recipe of a sync judge training."""

    model: SyncConfig = SyncConfig()
    objective: SyncObjectiveConfig = SyncObjectiveConfig()


class SyncAssembly(Assembly):
    """Assembly of the sync judge; the train split determines the scale of the lip curves."""

    Recipe = SyncRecipe
    recipe: SyncRecipe

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises UsageError when a piece of a clip has no two windows to choose between.
        """
        recipe = self.recipe
        check_choice(recipe.data.frames, recipe.model.window)
        model = built(SyncJudge, recipe.model)
        lips = LipCurves(data.head)
        model.curve_scale.fit(lips(data.motion()[None, ::_EVERY])[0])
        return SyncObjective(model, recipe.objective, lips)
