"""Training of VOCA, on vertices or on coefficients."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.errors import UsageError
from talkcli.engine.methods import build
from talkcli.engine.models.ctc import GivenLogitsConfig
from talkcli.engine.models.voca import VocaConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.speech import check_rate, check_speakers, fill_encoder, with_encoder
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.voca import VocaObjective, VocaObjectiveConfig
from talkcli.engine.types import Reporter, VertexMotion

# Frames whose components are the start of the decoder.
_MOST_FRAMES = 2000


class VocaRecipe(recipes.Recipe):
    """The recipe of VOCA; the part `phones` replaces the settings of its phone encoder."""

    model: VocaConfig = VocaConfig()
    objective: VocaObjectiveConfig = VocaObjectiveConfig()


class VocaAssembly(Assembly):
    """Assembly of VOCA; it takes the part `phones` if that stands in for logits."""

    Recipe = VocaRecipe
    recipe: VocaRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        model = self.recipe.model
        check_rate(model.fps)
        if isinstance(model.content, GivenLogitsConfig):
            raise UsageError(
                "Manifests hold no logits, so that a model of given logits cannot be trained.",
                hint="Set model.content.kind to phones, which stand in for them, or to log_mel.",
            )
        content = with_encoder(model.content, parts)
        self.recipe = self.recipe.model_copy(update={"model": model.model_copy(update={"content": content})})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for."""
        config = self.recipe.model
        check_speakers(data.speakers, config.identity)
        config = config.model_copy(update={"speakers": data.speakers})
        model = built(partial(build, self.method), config, data.space.width)
        if model.content is not None:
            fill_encoder(model.content, self.parts, self.reporter)
        mean, components = principal(_offsets(data), config.components)
        with torch.no_grad():
            model.outward.biases.copy_(mean)
            # Directions in which the motion does not vary begin at zero.
            model.outward.weights.zero_()
            model.outward.weights[: len(components)].copy_(components)
        return VocaObjective(model, self.recipe.objective, None if self.vertices else data.head)


def principal(
    frames: Float[Tensor, "frames values"], most: int
) -> tuple[Float[Tensor, "values"], Float[Tensor, "components values"]]:
    """Return the mean of frames and their first principal components, each as long as one standard deviation.

    There are at most `most` components, and fewer where the frames vary in fewer directions.
    """
    mean = frames.mean(0)
    centred = (frames - mean).double()
    # The products of frames are far fewer than those of values.
    squares, rows = torch.linalg.eigh(centred @ centred.T)
    order = squares.argsort(descending=True)[:most]
    order = order[squares[order] > squares.max() * 1e-9]
    components = rows[:, order].T @ centred / max(len(frames), 1) ** 0.5
    return mean, components.to(frames.dtype)


def _offsets(data: TrainingData) -> Float[Tensor, "frames values"]:
    """Return frames of the training motion, evenly taken, as offsets from each clip's face at rest."""
    every = -(-sum(clip.motion.num_frames for clip in data.training) // _MOST_FRAMES)
    found, begun = [], 0
    for clip in data.training:
        # Every n-th frame of all clips in a row, so that many short clips are not more.
        values = torch.from_numpy(clip.motion.values[-begun % every :: every])
        begun += clip.motion.num_frames
        if data.by_head:
            values = data.head(values).flatten(1) - torch.from_numpy(data.head.template).flatten()
        elif isinstance(clip.motion, VertexMotion):
            values = values - torch.from_numpy(clip.motion.neutral).flatten()
        found.append(values.float())
    return torch.cat(found)
