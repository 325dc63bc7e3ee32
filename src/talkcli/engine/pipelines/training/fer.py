"""Training of FER, the expression classifier: on frames of clips whose emotion is one of its labels."""

from __future__ import annotations

from talkcli.engine.errors import InputError
from talkcli.engine.models.deeptalk.fer import FER_CLASSES, Fer, FerConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.fer import FerObjective, FerObjectiveConfig, class_weights


class FerRecipe(recipes.Recipe):
    """The recipe of a FER training."""

    model: FerConfig = FerConfig()
    objective: FerObjectiveConfig = FerObjectiveConfig()


class FerAssembly(Assembly):
    """Assembly of FER; the train split determines the weights of the classes in the loss."""

    Recipe = FerRecipe
    recipe: FerRecipe
    sound = False
    still = True

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises InputError when a split has no clip of any class.
        """
        for split, clips in (("train", data.training), ("val", data.validation)):
            if not {clip.emotion.label for clip in clips} & set(FER_CLASSES):
                raise InputError(
                    f"No clip of the {split} split of {data.manifest} has one of the emotions that FER tells "
                    f"apart: {', '.join(FER_CLASSES)}.",
                    hint="Check the emotions of the manifest.",
                )
        model = built(Fer, self.recipe.model, data.space.width)
        return FerObjective(model, self.recipe.objective, class_weights(data.emotions()))
