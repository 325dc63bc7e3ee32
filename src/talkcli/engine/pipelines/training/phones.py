"""Training of the phone encoder: on clips with aligned phones."""

from __future__ import annotations

from talkcli.engine.errors import InputError
from talkcli.engine.models.phones import PhoneEncoder, PhonesConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.phones import PhonesObjective, PhonesObjectiveConfig


class PhonesRecipe(recipes.Recipe):
    """The recipe of a phone encoder training."""

    model: PhonesConfig = PhonesConfig()
    objective: PhonesObjectiveConfig = PhonesObjectiveConfig()


class PhonesAssembly(Assembly):
    """Assembly of the phone encoder."""

    Recipe = PhonesRecipe
    recipe: PhonesRecipe

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises InputError when no clip of a split has aligned phones.
        """
        for split, clips in (("train", data.training), ("val", data.validation)):
            if all(clip.alignment is None for clip in clips):
                raise InputError(
                    f"No clip of the {split} split of {data.manifest} says which phone is when.",
                    hint="Make the clips with talk preprocess corpus, or name TextGrids in the manifest.",
                )
        return PhonesObjective(built(PhoneEncoder, self.recipe.model), self.recipe.objective)
