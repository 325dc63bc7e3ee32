"""Training of MeshTalk, on vertices, or on the vertices that a head computes of coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.heads import is_head, load_head
from talkcli.engine.face.topology import Topology
from talkcli.engine.methods import build
from talkcli.engine.models.meshtalk.config import LatentConfig, MeshTalkConfig
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.pipelines.training.parts import fill, part_config
from talkcli.engine.pipelines.training.speech import check_rate
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.meshtalk import (
    ContextObjectiveConfig,
    LatentObjectiveConfig,
    MeshTalkLatentObjective,
    MeshTalkObjective,
)
from talkcli.engine.types import Reporter

# Names that heads give to each region, the first that a head has.
_MOUTH, _EYES, _FOREHEAD, _NECK = ("lips",), ("eye_region", "eyes"), ("forehead",), ("neck",)


class MeshTalkLatentRecipe(recipes.Recipe):
    """The recipe of step 1."""

    model: LatentConfig = LatentConfig()
    objective: LatentObjectiveConfig = LatentObjectiveConfig()


class MeshTalkLatentAssembly(Assembly):
    """Assembly of step 1."""

    Recipe = MeshTalkLatentRecipe
    recipe: MeshTalkLatentRecipe
    vertices = True

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        check_rate(self.recipe.model.fps)
        rows = self.recipe.data.size // self.recipe.train.accumulate
        if self.recipe.objective.crossing_weight > 0 and rows < 2:
            raise UsageError(
                f"The recipe exchanges speech between clips, but data.size is {self.recipe.data.size} and "
                f"train.accumulate {self.recipe.train.accumulate}: a part has fewer than two.",
                hint="Add `set=data.size=2` or more, or set objective.crossing_weight to 0.",
            )

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly.build`."""
        model = built(partial(build, self.method), self.recipe.model, data.space.width)
        mean, deviation = _statistics(data)
        for standard in (model.expression.standard, model.mesh.standard):
            standard.mean.copy_(mean.view(1, 1, -1, 3))
            standard.stddev.fill_(deviation)
        known = topology(data, self.reporter)
        masks = {
            "mouth": _mask(known, _MOUTH, data, self.reporter),
            "eyes": _mask(known, _EYES, data, self.reporter),
        }
        return MeshTalkLatentObjective(model, self.recipe.objective, **masks)


class MeshTalkRecipe(recipes.Recipe):
    """The recipe of step 2; the file of the part `prior` replaces `model.latent`."""

    model: MeshTalkConfig = MeshTalkConfig()
    objective: ContextObjectiveConfig = ContextObjectiveConfig()


class MeshTalkAssembly(Assembly):
    """Assembly of step 2; it takes the part `prior`, the model of step 1."""

    Recipe = MeshTalkRecipe
    recipe: MeshTalkRecipe
    vertices = True

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        super().__init__(method, recipe, parts, stage=stage, reporter=reporter)
        self._prior: Path = parts.trained("prior")
        latent = part_config(self._prior, "prior", "meshtalk_latent")
        check_rate(latent.fps)
        self.recipe = self.recipe.model_copy(
            update={"model": self.recipe.model.model_copy(update={"latent": latent})}
        )

    def build(self, data: TrainingData) -> Objective:
        """See `Assembly.build`."""
        model = built(partial(build, self.method), self.recipe.model, data.space.width)
        fill(model.prior, self._prior, "prior", data.space)
        known = topology(data, self.reporter)
        for row, names in enumerate((_FOREHEAD, _NECK)):
            model.smoothed[row] = _mask(known, names, data, self.reporter).float()
        return MeshTalkObjective(model, self.recipe.objective)


def topology(data: TrainingData, reporter: Reporter) -> Topology | None:
    """Return what is known of the mesh; None, with a warning, where talk knows no head with its numbering, or
    the head's file is missing.
    """
    if data.by_head:
        return data.head
    name = data.space.name
    try:
        known = load_head(name) if is_head(name) else None
    except AssetError:
        known = None
    if known is None or len(known.template) != data.space.num_verts:
        reporter.warn(
            f"The regions of the topology {name} are unknown: no term looks at mouth or eyes, and neither "
            "forehead nor neck is smoothed."
        )
        return None
    return known


def _mask(
    known: Topology | None, names: Sequence[str], data: TrainingData, reporter: Reporter
) -> Bool[Tensor, "verts"]:
    """Return the vertices of a region; none where it is unknown, which the reporter is told."""
    mask = torch.zeros(data.space.num_verts, dtype=torch.bool)
    if known is None:
        return mask
    for name in names:
        chosen = known.regions.get(name)
        if chosen is not None:
            mask[torch.from_numpy(np.asarray(chosen, np.int64))] = True
            return mask
    reporter.note(f"The head {known.name} has no region {names[0]}: no term and no filter is about it.")
    return mask


def _statistics(data: TrainingData) -> tuple[Float[Tensor, "values"], float]:
    """Return the mean face of the training motion, and the deviation of its coordinates from it."""
    total = torch.zeros(data.space.width, dtype=torch.float64)
    squares, count = torch.zeros_like(total), 0
    for clip in data.training:
        values = torch.from_numpy(clip.motion.values)
        # One clip at a time: the faces of a whole corpus would not fit into memory.
        faces = (data.head(values).flatten(1) if data.by_head else values).double()
        total += faces.sum(0)
        squares += faces.square().sum(0)
        count += len(faces)
    mean = total / count
    variance = (squares / count - mean.square()).clamp_min(0).mean()
    return mean.float(), max(float(variance.sqrt()), 1e-6)
