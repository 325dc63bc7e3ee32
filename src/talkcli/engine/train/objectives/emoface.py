"""Training of EmoFace: self-growing in two passes, cross reconstruction of pseudo pairs, supervised branches.

Axis names: `batch`, `frames`, `verts`, `values` = 3 * verts, `rows`. Source: EmoFace (Lin et al. 2024),
sections on self-growing, losses and pseudo pairs. A window gives each decoder its frames but the last, and
asks for its frames but the first: the first one is the condition. In the first pass all of them are true
ones; in the second one, some are those that the first pass has made, ever more of them as training goes on.

Of a pseudo pair (the first row's words, in the emotions of both rows) the content branch runs once, on sound
and motion of the first row, for both targets; the emotion branch runs for each. Norms of the paper are means
here. Not stated, and a setting: whether gradients run through the first pass, and whether it has a loss.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.emoface.emoface import Conditions, EmoFace, Heard, fused
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Share, Weight
from talkcli.engine.types import NOBODY, Config


class EmoFaceObjectiveConfig(Config):
    """Weights of the terms, in metres, and the self-growing schedule; the defaults are the paper's."""

    self_weight: Weight = 1000.0
    """Weight of the error of a clip's own motion."""
    cross_weight: Weight = 1000.0
    """Weight of the error of a pair's content with the other emotion; without `data.pairs` there is none."""
    velocity_weight: Weight = 500.0
    """Weight of the error of the steps from frame to frame of the fused motion."""
    classification_weight: Weight = 1e-4
    """Weight of the cross-entropy of the emotion."""
    intermediate: bool = True
    """Whether the error of each branch counts beside that of the fused motion."""
    growing: bool = True
    """Whether there is a second pass on the model's own frames; else every frame follows true ones."""
    warmup_share: Share = Field(default=0.1, lt=1)
    """Share of training with true frames alone: theta / N in the paper, which does not state theta."""
    detach: bool = True
    """Whether no gradient runs from the second pass into the first; a frame then costs what it costs once."""
    first_pass: bool = False
    """Whether the first pass has a loss of its own where there is a second one."""
    nobody_share: Share = 0.0
    """Share of windows that are trained without the speaker's style, for speech of anybody."""


class _Pass(NamedTuple):
    """Displacements by each branch, and both fused, in metres."""

    content: Float[Tensor, "batch frames values"]
    emotion: Float[Tensor, "batch frames values"]
    fused: Float[Tensor, "batch frames values"]


class EmoFaceObjective(nn.Module):
    """Loss and validation measures of EmoFace."""

    lips: Int[Tensor, "lips"]

    def __init__(
        self,
        model: EmoFace,
        config: EmoFaceObjectiveConfig,
        lips: Int[Tensor, "lips"] | None = None,
        *,
        paired: bool = False,
    ) -> None:
        """Build the objective.

        Args:
            model: Model to train.
            config: Weights and schedule.
            lips: Vertices of the lips, for validation; None when nobody knows them.
            paired: Whether rows 2k and 2k + 1 of a batch say the same with different emotions.
        """
        super().__init__()
        self.model = model
        self.config = config
        self.paired = paired
        self.register_buffer("lips", torch.arange(0) if lips is None else lips, persistent=False)

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Return the loss of one batch and its terms."""
        config, model = self.config, self.model
        true = batch.offsets
        before, target = true[:, :-1], true[:, 1:]
        heard = self._heard(batch)
        conditions = model.conditions(self._styles(batch.speaker), batch.level)
        kept = Heard(heard.content[:, 1:], heard.emotion[:, 1:])
        # The map follows from the sound, so that both passes share it.
        weight = model.weights(heard)[0][:, 1:]
        share = true_share(progress, config.warmup_share) if config.growing else 1.0
        grows = share < 1
        with torch.set_grad_enabled(torch.is_grad_enabled() and not (grows and self._first_is_fixed)):
            made = self._run(kept, before, conditions, weight)
        passes = [made]
        if grows:
            own = torch.cat([before[:, :1], made.fused[:, :-1]], dim=1)
            own = own.detach() if config.detach else own
            given = torch.rand(before.shape[:2], device=before.device) < share
            passes.append(self._run(kept, torch.where(given[..., None], before, own), conditions, weight))
        counted = passes if config.first_pass else passes[-1:]
        terms = {
            "self": self._error(counted, target, 0),
            "cross": self._error(counted, target, 1),
            "velocity": self._jitter(counted, target),
            "classification": F.cross_entropy(model.classify(heard.emotion).float(), batch.emotion),
        }
        weights = {
            "self": config.self_weight,
            "cross": config.cross_weight,
            "velocity": config.velocity_weight,
            "classification": config.classification_weight,
        }
        total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
        return {"loss": total, **terms, "true_share": total.new_tensor(share)}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        """Return errors in millimetres of motion that the model makes frame by frame, from each window's
        first frame on.

        `lve_mm` is the mean over frames of the largest distance of a lip vertex, where the lips are known,
        and `mve_mm` the mean distance of all vertices; `score` is the former, else the latter.
        """
        apart, lips, right = [], [], []
        for batch in batches:
            true = batch.offsets
            heard = self.model.listen(batch.sound)
            conditions = self.model.conditions(self._performing(batch.speaker), batch.level)
            after = Heard(heard.content[:, 1:], heard.emotion[:, 1:])
            made = self.model.perform(after, conditions, true[:, 0])
            far = (made - true[:, 1:]).unflatten(-1, (-1, 3)).norm(dim=-1) * 1000
            apart.append(far.mean((1, 2)))
            if len(self.lips):
                lips.append(far[..., self.lips].amax(-1).mean(1))
            right.append((self.model.classify(heard.emotion).argmax(-1) == batch.emotion).float())
        measures = {"mve_mm": float(torch.cat(apart).mean())}
        if lips:
            measures["lve_mm"] = float(torch.cat(lips).mean())
        score = measures.get("lve_mm", measures["mve_mm"])
        return {"score": score, **measures, "emotion_accuracy": float(torch.cat(right).mean())}

    @property
    def _first_is_fixed(self) -> bool:
        """Whether the first pass, where there is a second one, needs no gradients."""
        return self.config.detach and not self.config.first_pass

    def _heard(self, batch: Batch) -> Heard:
        """Return the features of all rows; both rows of a pair have the content of the first one."""
        if not self.paired:
            return self.model.listen(batch.sound)
        content = self.model.listen_content({name: steps[::2] for name, steps in batch.sound.items()})
        return Heard(content.repeat_interleave(2, dim=0), self.model.listen_emotion(batch.sound))

    def _styles(self, speaker: Int[Tensor, "rows"]) -> Int[Tensor, "rows"]:
        """Return the speakers, some of them replaced by nobody; a pair has one style."""
        drawn = torch.rand(len(speaker), device=speaker.device) < self.config.nobody_share
        if self.paired:
            drawn = drawn[::2].repeat_interleave(2)
        return torch.where(drawn, NOBODY, speaker)

    def _performing(self, speaker: Int[Tensor, "rows"]) -> Int[Tensor, "rows"]:
        """Return the speakers as the model performs: a stranger as nobody, or where it was never trained
        without a style, as its first speaker.
        """
        return speaker if self.config.nobody_share > 0 else speaker.clamp_min(0)

    def _run(
        self,
        kept: Heard,
        before: Float[Tensor, "batch frames values"],
        conditions: Conditions,
        weight: Float[Tensor, "batch frames verts"],
    ) -> _Pass:
        """Return one pass over the features `kept` with the `weight` of the emotion branch."""
        model = self.model
        emotion = model.emotion_motion(kept, before, conditions)
        if self.paired:
            firsts = Heard(kept.content[::2], kept.emotion[::2])
            told = Conditions(conditions.content[::2], conditions.emotion[::2])
            content = model.content_motion(firsts, before[::2], told).repeat_interleave(2, dim=0)
        else:
            content = model.content_motion(kept, before, conditions)
        return _Pass(content, emotion, fused(emotion, content, weight))

    def _error(
        self, passes: list[_Pass], target: Float[Tensor, "batch frames values"], part: int
    ) -> Float[Tensor, ""]:
        """Return the L1 errors of a part of the rows: 0 for each clip's own motion, 1 for the other emotion
        of a pair.
        """
        rows = slice(part, None, 2) if self.paired else slice(0 if part == 0 else len(target), None)
        wanted = target[rows]
        if len(wanted) == 0:
            return target.new_zeros(())
        kinds = ("content", "emotion", "fused") if self.config.intermediate else ("fused",)
        errors = [F.l1_loss(getattr(each, kind)[rows], wanted) for each in passes for kind in kinds]
        return torch.stack(errors).sum()

    def _jitter(self, passes: list[_Pass], target: Float[Tensor, "batch frames values"]) -> Float[Tensor, ""]:
        """Return the L1 error of the fused motion's steps, summed over both rows of a pair."""
        steps = target.diff(dim=1)
        errors = torch.stack([F.l1_loss(each.fused.diff(dim=1), steps) for each in passes])
        return errors.sum() * (2 if self.paired else 1)


def true_share(progress: float, warmup: float) -> float:
    """Return the probability with which a frame of the second pass is a true one.

    It is 1 up to `warmup`, then cos(pi (n - theta) / (N - theta)), and 0 from halfway between warm-up and
    end on.

    Args:
        progress: Share of training that is done: n / N in the paper.
        warmup: Share of training with true frames alone: theta / N.
    """
    if progress < warmup:
        return 1.0
    return max(math.cos(math.pi * (progress - warmup) / (1 - warmup)), 0.0)
