"""Training of EmoFace: on clips of vertices, or of coefficients whose head computes the vertices."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.checkpoints.pretrained import load_wav2vec2
from talkcli.engine.errors import AssetError
from talkcli.engine.face.heads import is_head, load_head
from talkcli.engine.face.spirals import spirals
from talkcli.engine.face.topology import Topology
from talkcli.engine.methods import build
from talkcli.engine.models.content import Wav2vec2Content
from talkcli.engine.models.emoface.emoface import EmoFace
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.speech import (
    check_speakers,
    fill_encoder,
    published_wav2vec2,
    with_encoder,
)
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.emoface import EmoFaceObjective, EmoFaceObjectiveConfig
from talkcli.engine.types import Reporter, VertexMotion

# Frames of which the components are computed.
_FRAMES_OF_COMPONENTS = 1000


class EmoFaceRecipe(recipes.Recipe):
    """The recipe of an EmoFace training."""

    model: EmoFaceConfig = EmoFaceConfig()
    objective: EmoFaceObjectiveConfig = EmoFaceObjectiveConfig()


class EmoFaceAssembly(Assembly):
    """Assembly of EmoFace. The content branch takes the part `wav2vec2` or `phones`, whichever its encoder
    is, and the emotion branch `emotion_wav2vec2`.
    """

    Recipe = EmoFaceRecipe
    recipe: EmoFaceRecipe

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        model = self.recipe.model
        # Missing files are found before any data is read.
        self._emotion = published_wav2vec2("emotion_wav2vec2", model.emotion, parts, reporter)
        content = with_encoder(model.content, parts)
        self.recipe = self.recipe.model_copy(update={"model": model.model_copy(update={"content": content})})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for, and for spirals
        that the mesh is too small for.
        """
        recipe = self.recipe
        check_speakers(data.speakers, recipe.model.identity)
        config = recipe.model.model_copy(
            update={"speakers": data.speakers, "nobody": recipe.objective.nobody_share > 0}
        )
        model: EmoFace = built(partial(build, self.method), config, data.space.width)
        fill_encoder(model.hear_content, self.parts, self.reporter)
        if self._emotion is not None and isinstance(model.hear_emotion, Wav2vec2Content):
            load_wav2vec2(model.hear_emotion.encoder, self._emotion)
        topology = self._topology(data)
        model.neutral.copy_(data.neutral())
        model.spirals.copy_(
            torch.from_numpy(
                spirals(
                    np.zeros((0, 3), np.int64) if topology is None else topology.faces,
                    model.neutral.numpy(),
                    length=config.spiral.length,
                    dilation=config.spiral.dilation,
                )
            )
        )
        if config.components is not None:
            components, spreads = _components(data, config.components)
            model.components.copy_(components)
            model.spreads.copy_(spreads)
        lips = None if topology is None else topology.regions.get("lips")
        return EmoFaceObjective(
            model,
            recipe.objective,
            None if lips is None else torch.from_numpy(np.asarray(lips, np.int64)),
            paired=recipe.data.pairs is not None,
        )

    def _topology(self, data: TrainingData) -> Topology | None:
        """Return what is known of the mesh; None where talk knows no head with its numbering, or its file is
        missing. The spirals are then the nearest vertices.
        """
        if data.by_head:
            return data.head
        name = data.space.name
        try:
            known = load_head(name) if is_head(name) else None
        except AssetError:
            known = None
        if known is None or len(known.template) != data.space.num_verts:
            self.reporter.warn(
                f"The triangles of the topology {name} are unknown, so that the nearest vertices are the "
                "spirals of Mesh Attention."
            )
            return None
        return known


def _components(
    data: TrainingData, count: int
) -> tuple[Float[Tensor, "components values"], Float[Tensor, "components"]]:
    """Return the principal components of the training displacements, and the spread along each in metres.

    The face at rest is the origin. Components beyond those of the motion are zero.
    """
    moves = _displacements(data)
    _, sizes, rows = torch.linalg.svd(moves.double(), full_matrices=False)
    rows, sizes = rows[:count], sizes[:count]
    components, spreads = torch.zeros(count, moves.shape[1]), torch.ones(count)
    components[: len(rows)] = rows.float()
    spreads[: len(rows)] = (sizes / len(moves) ** 0.5).clamp_min(1e-9).float()
    return components, spreads


def _displacements(data: TrainingData) -> Float[Tensor, "frames values"]:
    """Return displacements in metres of frames evenly spaced over the training clips."""
    total = sum(clip.motion.num_frames for clip in data.training)
    every = -(-total // _FRAMES_OF_COMPONENTS)
    if data.by_head:
        coeffs = data.motion()[::every]
        with torch.inference_mode():
            return (data.head(coeffs) - torch.from_numpy(data.head.template)).flatten(1).clone()
    found = []
    for clip in data.training:
        assert isinstance(clip.motion, VertexMotion)
        moved = clip.motion.vertices[:: min(every, clip.motion.num_frames)] - clip.motion.neutral
        found.append(torch.from_numpy(moved.astype(np.float32)).flatten(1))
    return torch.cat(found)
