"""Embeddings of labelled speech and true motion, by an emotion embedding or by that of a generator.

Axis names: `clips`, `embedding`, `seen` (clips with true motion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.audio.ear import hear
from talkcli.engine.audio.io import read_speech
from talkcli.engine.checkpoints.model_file import Header, load_model, read_header
from talkcli.engine.data.clips import fit_length
from talkcli.engine.device import resolve_device, settle_threads
from talkcli.engine.errors import InputError
from talkcli.engine.face.resample import resample
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.performance import Heard
from talkcli.engine.origin import Origin, origin_of
from talkcli.engine.performers.deeptalk import DeepTalkPerformer
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.pipelines.score.generation import Generation, open_deeptalk
from talkcli.engine.pipelines.score.inputs import Case, TrueMotion
from talkcli.engine.pipelines.score.labelled import Labelled
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, Motion, Reporter, Speech


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """Embeddings of all clips, and what a generator needs to perform them."""

    speech: Gaussian
    """Embedding of each clip's speech."""
    motion: Gaussian | None
    """Embedding of the true motion of the clips `seen`; None when there is none."""
    seen: Int[np.ndarray, "seen"]
    """Positions of the clips with true motion."""
    truths: list[Motion]
    """True motion of the clips `seen`."""
    truth_origins: list[Origin | None]
    """Origin of each of these motions; None for an unknown one."""
    speeches: list[Speech]
    """Speech of each clip; empty without a generator."""
    heard: list[Heard]
    """Encoded speech of each clip; empty without a generator."""


class Listener:
    """An emotion embedding, and the generator that contains it, if there is one.

    The constructor raises InputError for other models.
    """

    def __init__(self, generation: Generation) -> None:
        model_name, device_name = generation.model_name, generation.device_name
        path = weights_of(model_name)
        self._generation = generation
        self.performer: DeepTalkPerformer | None = None
        self.dee: Dee
        self.header: Header
        if read_header(path).method == Dee.method:
            self.device = resolve_device(device_name)
            self.dee, self.header = load_model(path, self.device)
            settle_threads(self.dee)
        else:
            self.performer = open_deeptalk(model_name, device_name)
            self.device, self.header = self.performer.device, self.performer.header
            self.dee = self.performer.model.dee

    def embed(self, clips: Sequence[Labelled], reporter: Reporter) -> Embedded:
        """Embed the speech and the true motion of `clips`. Raises InputError for motion of another head."""
        speech, motion, seen = [], [], []
        truths, origins = [], []
        speeches, everything = [], []
        for index, clip in enumerate(clips):
            sound = self._generation.heard(read_speech(clip.audio, reporter))
            emotion, heard = self._listen(sound)
            speech.append(emotion)
            if heard is not None:
                speeches.append(sound)
                everything.append(heard)
            if clip.case.truth is not None:
                truth, origin = self._truth(clip.case, clip.case.truth)
                truths.append(truth)
                origins.append(origin)
                motion.append(self._look(truths[-1]))
                seen.append(index)
            reporter.progress("listening", index + 1, len(clips))
        return Embedded(
            speech=_joined(speech),
            motion=_joined(motion) if motion else None,
            seen=np.array(seen, dtype=np.int64),
            truths=truths,
            truth_origins=origins,
            speeches=speeches,
            heard=everything,
        )

    @torch.inference_mode()
    def by_classifier(self, mean: Float[torch.Tensor, "clips embedding"]) -> Int[np.ndarray, "clips"]:
        """Return the label of each clip by the classifier; by the nearest anchor when the model has no
        classifier.

        Raises UndefinedMetricError when it has neither.
        """
        if not self.dee.config.classifier:
            return self.by_anchor(mean)
        return self.dee.classify(mean.to(self.device)).argmax(-1).cpu().numpy()

    @torch.inference_mode()
    def likeliest(
        self, mean: Float[torch.Tensor, "clips embedding"], count: int
    ) -> Int[np.ndarray, "clips count"]:
        """Return the `count` likeliest labels of each clip, by the classifier, calibrated where the model has
        moods. Raises UndefinedMetricError for a model without a classifier.
        """
        if not self.dee.config.classifier:
            raise UndefinedMetricError("the model has no classifier")
        mean = mean.to(self.device)
        scores = self.dee.chances(mean) if self.dee.config.moods else self.dee.classify(mean)
        return scores.topk(count, dim=-1).indices.cpu().numpy()

    @torch.inference_mode()
    def by_anchor(self, mean: Float[torch.Tensor, "clips embedding"]) -> Int[np.ndarray, "clips"]:
        """Return the label of the nearest anchor of each clip. Raises UndefinedMetricError for a model
        without anchors.
        """
        if not self.dee.config.anchors or not self.dee.anchors.any():
            raise UndefinedMetricError("the model has no anchors")
        known = self.dee.anchors.any(dim=1)
        cosines = (mean.to(self.device) @ self.dee.anchors.T).masked_fill(~known, -torch.inf)
        return cosines.argmax(-1).cpu().numpy()

    @torch.inference_mode()
    def _listen(self, speech: Speech) -> tuple[Gaussian, Heard | None]:
        if self.performer is not None:
            heard = self.performer.listen(speech)
            return heard.emotion, heard
        length = -(-len(speech.samples) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME
        samples = torch.from_numpy(fit_length(speech.samples, length))[None].to(self.device)
        return self.dee.embed_speech(hear(self.dee.ears, samples)), None

    @torch.inference_mode()
    def _look(self, motion: Motion) -> Gaussian:
        coeffs = torch.from_numpy(resample(motion, float(MODEL_FPS)).coeffs)
        return self.dee.embed_motion(coeffs[None].to(self.device))

    def _truth(self, case: Case, true: TrueMotion) -> tuple[Motion, Origin | None]:
        motion, meta = true.read()
        if not isinstance(motion, Motion):
            raise InputError(f"The true motion of {case.id} is vertices, but the model reads coefficients.")
        if motion.channels != self.header.channels:
            raise InputError(
                f"The true motion of {case.id} moves {motion.head}, but the model reads {self.header.head}."
            )
        return motion, case.truth_origin or origin_of(meta)


def _joined(parts: Sequence[Gaussian]) -> Gaussian:
    mean, log_variance = (torch.cat(part).float().cpu() for part in zip(*parts, strict=True))
    return Gaussian(mean, log_variance)
