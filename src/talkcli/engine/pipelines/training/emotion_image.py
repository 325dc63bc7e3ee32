"""Training of the judge of emotion in pictures: on frames of clips with emotions, whose head can be drawn."""

from __future__ import annotations

from talkcli.engine.errors import InputError
from talkcli.engine.judges.emotion_image import EmotionImage, EmotionImageConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.emotion_image import EmotionImageObjective, EmotionImageObjectiveConfig

# Number of frames whose pictures determine the scale of each pixel.
_DRAWN = 96


class EmotionImageRecipe(recipes.Recipe):
    """The recipe of a training of the judge of emotion in pictures."""

    model: EmotionImageConfig = EmotionImageConfig()
    objective: EmotionImageObjectiveConfig = EmotionImageObjectiveConfig()


class EmotionImageAssembly(Assembly):
    """Assembly of the judge of emotion in pictures; the train split determines the scale of each pixel."""

    Recipe = EmotionImageRecipe
    recipe: EmotionImageRecipe
    sound = False

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises InputError when all clips have one emotion, AssetError for a head that cannot be drawn.
        """
        if len(set(data.emotions())) < 2:
            raise InputError(
                f"All clips of the train split of {data.manifest} have one emotion.",
                hint="Check the emotions of the manifest.",
            )
        model = built(EmotionImage, self.recipe.model)
        objective = EmotionImageObjective(model, self.recipe.objective, data.head)
        motion = data.motion()
        some = motion[:: max(len(motion) // _DRAWN, 1)]
        model.scale.fit(objective.pictures(some).flatten(1))
        return objective
