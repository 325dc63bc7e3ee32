"""Training of FaceDiffuser, on vertices or on coefficients."""

from __future__ import annotations

from functools import partial

from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.checkpoints.pretrained import load_wav2vec2
from talkcli.engine.errors import UsageError
from talkcli.engine.methods import build
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.speech import (
    check_rate,
    check_speakers,
    fill_encoder,
    published_wav2vec2,
    with_encoder,
)
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.facediffuser import FaceDiffuserObjective, FaceDiffuserObjectiveConfig
from talkcli.engine.types import Reporter


class FaceDiffuserRecipe(recipes.Recipe):
    """The recipe of FaceDiffuser; the part `phones` replaces the settings of its phone encoder."""

    model: FaceDiffuserConfig = FaceDiffuserConfig()
    objective: FaceDiffuserObjectiveConfig = FaceDiffuserObjectiveConfig()


class FaceDiffuserAssembly(Assembly):
    """Assembly of FaceDiffuser; it takes the part `phones` or `hubert`, whichever its encoder is."""

    Recipe = FaceDiffuserRecipe
    recipe: FaceDiffuserRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        model, objective = self.recipe.model, self.recipe.objective
        check_rate(model.fps)
        if self.vertices and objective.weighs_surface:
            raise UsageError(
                "objective.surface_weight and objective.velocity_weight are for coefficients.",
                hint="Leave them out: objective.value_weight weighs the vertices.",
            )
        if self.recipe.data.cache_features and isinstance(model.content, Wav2vec2Config):
            raise UsageError(
                "data.cache_features stores features at the frames of the motion, but FaceDiffuser aligns "
                "what HuBERT's transformer has made.",
                hint="Leave out data.cache_features.",
            )
        # A missing file is found before any data is read.
        self._hubert = published_wav2vec2("hubert", model.content, parts, reporter)
        content = with_encoder(model.content, parts)
        self.recipe = self.recipe.model_copy(update={"model": model.model_copy(update={"content": content})})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for."""
        config = self.recipe.model
        if not config.plain:
            check_speakers(data.speakers, config.identity)
            config = config.model_copy(update={"speakers": data.speakers})
        model = built(partial(build, self.method), config, data.space.width)
        encoder = model.hearing.encoder
        if not isinstance(encoder, Wav2vec2):
            fill_encoder(encoder, self.parts, self.reporter)
        elif self._hubert is not None:
            load_wav2vec2(encoder, self._hubert, "HuBERT")
        return FaceDiffuserObjective(model, self.recipe.objective, None if self.vertices else data.head)
