"""Training of FLINT: on motion alone, of any head."""

from __future__ import annotations

from functools import partial

from talkcli.engine.methods import build
from talkcli.engine.models.emote.flint import FRAMES_PER_LATENT, FlintConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import check_window
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.prior import PriorObjective, PriorObjectiveConfig


class FlintRecipe(recipes.Recipe):
    """The recipe of a training of FLINT; its divergence has the published weight."""

    model: FlintConfig = FlintConfig()
    objective: PriorObjectiveConfig = PriorObjectiveConfig(regulariser_weight=1e-3)


class FlintAssembly(Assembly):
    """Assembly of FLINT."""

    Recipe = FlintRecipe
    recipe: FlintRecipe
    sound = False

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly.build`. Raises UsageError for a window that holds no whole latents."""
        check_window(self.recipe, FRAMES_PER_LATENT)
        model = built(partial(build, self.method), self.recipe.model, data.space.width)
        return PriorObjective(model, self.recipe.objective, data.head)
