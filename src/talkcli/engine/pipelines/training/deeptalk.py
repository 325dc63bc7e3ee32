"""Training of DEEPTalk: stage 1 builds on a trained embedding and a trained prior, stage 2 on stage 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from talkcli.engine.models.content import PhoneContentConfig
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import check_window, fill, part_config
from talkcli.engine.pipelines.training.second_stage import check_stage, lip_reading
from talkcli.engine.pipelines.training.speech import check_speakers, fill_encoder, with_encoder
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.deeptalk import DeepTalkObjective, DeepTalkObjectiveConfig
from talkcli.engine.types import Reporter

# Parts that stage 2 takes from the model of stage 1, which contains all of them.
_OF_STAGE_1 = ("dee", "prior", "phones", "wav2vec2")


class DeepTalkRecipe(recipes.Recipe):
    """The recipe of a DEEPTalk training; the files of the parts replace `model.dee` and `model.prior`."""

    model: DeepTalkConfig = DeepTalkConfig()
    objective: DeepTalkObjectiveConfig = DeepTalkObjectiveConfig()


class DeepTalkAssembly(Assembly):
    """Assembly of DEEPTalk.

    Stage 1 takes the parts `dee` and `prior`, and `phones` or `wav2vec2` if that is the recipe's content
    encoder. Stage 2 takes the part `start`. Both take `lip_reader` if the recipe has a lip-reading loss.
    """

    Recipe = DeepTalkRecipe
    recipe: DeepTalkRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        check_stage(stage, parts, _OF_STAGE_1)
        self._files: dict[str, Path] = {}
        update = self._of_stage_1() if stage == 2 else self._of_parts()
        self.recipe = self.recipe.model_copy(update={"model": self.recipe.model.model_copy(update=update)})

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does, with the weights of the parts."""
        recipe = self.recipe
        if self.stage == 2:
            model = built(DeepTalk, recipe.model, data.space.width)
            fill(model, self._files["start"], "start", data.space)
        else:
            model = built(DeepTalk, with_speakers(recipe, data.speakers), data.space.width)
            self._fill(model, data)
        check_window(recipe, model.prior.frames_multiple)
        lips = lip_reading(recipe.objective, data.head, self.parts, self.reporter)
        return DeepTalkObjective(model, recipe.objective, data.head, lips)

    def _of_stage_1(self) -> dict[str, Any]:
        """Return the settings that the model of stage 1 fixes, to replace the recipe's."""
        start = self._file("start")
        known = part_config(start, "start", "deeptalk")
        update = {
            "dee": known.dee,
            "prior": known.prior,
            "speakers": known.speakers,
            "nobody": True if self.recipe.objective.nobody_share > 0 else known.nobody,
        }
        if isinstance(known.content, PhoneContentConfig):
            update["content"] = known.content
        return update

    def _of_parts(self) -> dict[str, Any]:
        """Return the settings of the parts, to replace the recipe's."""
        model = self.recipe.model
        dee, prior = self._file("dee"), self._file("prior")
        update = {
            "dee": part_config(dee, "dee", "dee"),
            "prior": part_config(prior, "prior", model.prior.kind),
        }
        return {**update, "content": with_encoder(model.content, self.parts)}

    def _file(self, part: str) -> Path:
        """Return the model file of `part`, and remember it for `build`."""
        self._files[part] = self.parts.trained(part)
        return self._files[part]

    def _fill(self, model: DeepTalk, data: TrainingData) -> None:
        """Put the weights of the parts into a new model."""
        fill(model.dee, self._files["dee"], "dee", data.space)
        fill(model.prior, self._files["prior"], "prior", data.space)
        fill_encoder(model.content, self.parts, self.reporter)


def with_speakers(recipe: DeepTalkRecipe, speakers: tuple[str, ...]) -> DeepTalkConfig:
    """Return the generator's config with the names of its speakers.

    Raises UsageError when there are more speakers than `model.identity` has room for.
    """
    config = recipe.model
    check_speakers(speakers, config.identity)
    return config.model_copy(update={"speakers": speakers, "nobody": recipe.objective.nobody_share > 0})
