"""Training of EMOTE: stage 1 builds on a trained FLINT, stage 2 on the model of stage 1."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.methods import build
from talkcli.engine.models.content import PhoneContentConfig
from talkcli.engine.models.emote.emote_config import EmoteConfig
from talkcli.engine.models.emote.flint import Flint
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import fill, part_config
from talkcli.engine.pipelines.training.second_stage import check_stage, lip_reading, video_emotion
from talkcli.engine.pipelines.training.speech import check_speakers, fill_encoder, with_encoder
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.emote import EmoteObjective, EmoteObjectiveConfig
from talkcli.engine.types import Reporter

# Parts that stage 2 takes from the model of stage 1, which contains all of them.
_OF_STAGE_1 = ("prior", "phones", "wav2vec2")


class EmoteRecipe(recipes.Recipe):
    """The recipe of EMOTE; the file of the part `prior` replaces `model.prior`."""

    model: EmoteConfig = EmoteConfig()
    objective: EmoteObjectiveConfig = EmoteObjectiveConfig()


class EmoteAssembly(Assembly):
    """Assembly of EMOTE.

    Stage 1 takes the part `prior`, and `phones` or `wav2vec2` if that is the recipe's speech encoder. Stage 2
    takes `start`. Both take `lip_reader` and `emotion_judge` if the recipe weighs their terms.
    """

    Recipe = EmoteRecipe
    recipe: EmoteRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        check_stage(stage, parts, _OF_STAGE_1)
        if self.recipe.objective.swaps and self.recipe.data.size < 2:
            raise UsageError(
                "The recipe exchanges emotions between clips, but data.size is 1.",
                hint="Add `set=data.size=2` or more.",
            )
        update = self._of_stage_1() if stage == 2 else self._of_parts()
        self.recipe = self.recipe.model_copy(update={"model": self.recipe.model.model_copy(update=update)})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly.build`. Raises UsageError for more speakers than the model has room for."""
        config, objective = self.recipe.model, self.recipe.objective
        if self.stage == 2:
            model = built(partial(build, self.method), config, data.space.width)
            fill(model, self._file, "start", data.space)
        else:
            check_speakers(data.speakers, config.identity)
            config = config.model_copy(update={"speakers": data.speakers})
            model = built(partial(build, self.method), config, data.space.width)
            prior = Flint(config.prior, data.space.width)
            fill(prior, self._file, "prior", data.space)
            model.prior.load_state_dict(prior.decoder.state_dict())
            fill_encoder(model.content, self.parts, self.reporter)
        emotion = None
        if objective.sees_emotion:
            emotion = video_emotion(data.head, self.parts, self.reporter, recompute=objective.lip_recompute)
        return EmoteObjective(
            model,
            objective,
            data.head,
            emotion=emotion,
            lip_reading=lip_reading(objective, data.head, self.parts, self.reporter),
        )

    def _of_stage_1(self) -> dict[str, Any]:
        """Return the settings that the model of stage 1 fixes, to replace the recipe's."""
        self._file: Path = self.parts.trained("start")
        known: EmoteConfig = part_config(self._file, "start", "emote")
        update: dict[str, Any] = {"prior": known.prior, "speakers": known.speakers}
        if isinstance(known.content, PhoneContentConfig):
            update["content"] = known.content
        return update

    def _of_parts(self) -> dict[str, Any]:
        """Return the settings of the parts, to replace the recipe's."""
        self._file = self.parts.trained("prior")
        prior = part_config(self._file, "prior", "flint")
        return {"prior": prior, "content": with_encoder(self.recipe.model.content, self.parts)}
