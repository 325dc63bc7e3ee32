"""Training of FFD's autoencoder: on motion alone."""

from __future__ import annotations

from talkcli.engine.errors import UsageError
from talkcli.engine.judges.ffd import TOKEN_FRAMES, FfdConfig, FfdVae
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.ffd import FfdObjective, FfdObjectiveConfig


class FfdRecipe(recipes.Recipe):
    """The recipe of a training of FFD's autoencoder."""

    model: FfdConfig = FfdConfig()
    objective: FfdObjectiveConfig = FfdObjectiveConfig()


class FfdAssembly(Assembly):
    """Assembly of FFD's autoencoder; the train split determines the scale of the coefficients."""

    Recipe = FfdRecipe
    recipe: FfdRecipe
    sound = False

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises UsageError when a window is no whole number of tokens.
        """
        frames = self.recipe.data.frames
        if frames % TOKEN_FRAMES:
            raise UsageError(
                f"data.frames {frames} is no multiple of the {TOKEN_FRAMES} frames of a token.",
                hint="Set data.frames to 32, which is the window in which talk measures.",
            )
        model = built(FfdVae, self.recipe.model, data.space.width)
        model.motion_scale.fit(data.motion())
        return FfdObjective(model, self.recipe.objective)
