"""Training of EmoFace: on clips of vertices, or of coefficients whose head computes the vertices."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from talkcli.engine.checkpoints.model_file import read_content
from talkcli.engine.checkpoints.pretrained import load_wav2vec2
from talkcli.engine.errors import AssetError
from talkcli.engine.face.heads import is_head, load_head
from talkcli.engine.face.spirals import spirals
from talkcli.engine.face.topology import Topology
from talkcli.engine.methods import build
from talkcli.engine.models.deeptalk.content import PhoneContent, PhoneContentConfig, Wav2vec2Content
from talkcli.engine.models.emoface.emoface import EmoFace
from talkcli.engine.models.emoface.emoface_config import EmoFaceConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import check_room, part_config
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.emoface import EmoFaceObjective, EmoFaceObjectiveConfig
from talkcli.engine.types import Reporter


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
        self._content = self._published("wav2vec2", model.content.kind)
        self._emotion = self._published("emotion_wav2vec2", model.emotion.kind)
        self._phones: Path | None = None
        if isinstance(model.content, PhoneContentConfig) and not parts.is_random("phones"):
            self._phones = parts.trained("phones")
            content = model.content.model_copy(
                update={"encoder": part_config(self._phones, "phones", "phones")}
            )
            model = model.model_copy(update={"content": content})
            self.recipe = self.recipe.model_copy(update={"model": model})

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly`. Raises UsageError for more speakers than the model has room for, and for spirals
        that the mesh is too small for.
        """
        recipe = self.recipe
        check_room(recipe.model.identity, data.speakers)
        config = recipe.model.model_copy(
            update={"speakers": data.speakers, "nobody": recipe.objective.nobody_share > 0}
        )
        model: EmoFace = built(partial(build, self.method), config, data.space.width)
        self._fill(model)
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
        lips = None if topology is None else topology.regions.get("lips")
        return EmoFaceObjective(
            model,
            recipe.objective,
            None if lips is None else torch.from_numpy(np.asarray(lips, np.int64)),
            paired=recipe.data.pairs is not None,
        )

    def _published(self, part: str, kind: str) -> Path | None:
        """Return the file of a part; None where the branch has no use for it, or starts at random."""
        return self.parts.published(part, self.reporter) if kind == "wav2vec2" else None

    def _fill(self, model: EmoFace) -> None:
        """Put the weights of the parts into a new model."""
        for path, content in ((self._content, model.hear_content), (self._emotion, model.hear_emotion)):
            if path is not None and isinstance(content, Wav2vec2Content):
                load_wav2vec2(content.encoder, path)
        if isinstance(model.hear_content, PhoneContent):
            self._fill_phones(model.hear_content.encoder)

    def _fill_phones(self, encoder: nn.Module) -> None:
        if self._phones is None:
            self.parts.published("phones", self.reporter)
        else:
            # What a phone encoder hears is the same for every head.
            encoder.load_state_dict(read_content(self._phones).weights)

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
