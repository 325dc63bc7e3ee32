"""Training of EmoTalk: published encoders, where the recipe has them, then all of the model at once."""

from __future__ import annotations

from talkcli.engine.audio.wav2vec2 import Wav2vec2
from talkcli.engine.checkpoints.pretrained import load_wav2vec2
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.models.emotalk.emotalk import EmoTalk
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.speech import check_rate, check_speakers, published_wav2vec2
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.emotalk import EmoTalkObjective, EmoTalkObjectiveConfig
from talkcli.engine.types import Reporter


class EmoTalkRecipe(recipes.Recipe):
    """The recipe of an EmoTalk training."""

    model: EmoTalkConfig = EmoTalkConfig()
    objective: EmoTalkObjectiveConfig = EmoTalkObjectiveConfig()


class EmoTalkAssembly(Assembly):
    """Assembly of EmoTalk. A branch whose encoder is wav2vec 2.0 takes its part."""

    Recipe = EmoTalkRecipe
    recipe: EmoTalkRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        check_rate(self.recipe.model.fps)
        if self.vertices and self.recipe.objective.vertex_weight > 0:
            raise UsageError(
                "objective.vertex_weight is for coefficients; objective.coefficient_weight weighs vertices.",
                hint="Set objective.vertex_weight to 0.",
            )
        if self.recipe.data.cache_features:
            raise UsageError(
                "data.cache_features stores the features of one encoder, but EmoTalk has two that train.",
                hint="Leave out data.cache_features.",
            )
        # Missing files are found before any data is read.
        self._content = published_wav2vec2("wav2vec2", self.recipe.model.content, parts, reporter)
        self._emotion = published_wav2vec2("emotion_wav2vec2", self.recipe.model.emotion, parts, reporter)

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly.build`. Raises UsageError when there are more speakers than `model.identity` has room
        for, and when curves of ARKit do not fit the head.
        """
        recipe = self.recipe
        check_speakers(data.speakers, recipe.model.identity)
        if recipe.model.arkit and data.space.channels != ADA:
            raise UsageError(
                f"model.arkit makes curves of ARKit for the head ada, the manifest's motion is for "
                f"{data.space.name}.",
                hint="Add `set=model.arkit=false`.",
            )
        config = recipe.model.model_copy(update={"speakers": data.speakers})
        model = built(EmoTalk, config, data.space.width)
        for path, encoder in (
            (self._content, model.content_encoder.network),
            (self._emotion, model.emotion_encoder.network),
        ):
            if path is not None and isinstance(encoder, Wav2vec2):
                load_wav2vec2(encoder, path)
        # A head may be a file of the user, which a loss of coefficients does not need.
        head = data.head if recipe.objective.vertex_weight > 0 else None
        return EmoTalkObjective(model, recipe.objective, head, paired=recipe.data.pairs is not None)
