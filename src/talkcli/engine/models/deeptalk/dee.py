"""DEE, the dynamic emotion embedding: speech and facial motion as Gaussians in one space.

Axis names: `batch`, `steps` (of an ear), `frames` (25 fps), `windows`, `coeffs` = 53, `width`, `embedding`,
`classes` (`EMOTIONS`). Source: DEEPTalk, section 3.1 and supplementary material. emotion2vec encodes speech,
FER encodes motion, and training maps both into one space. The small variant needs no download and no licence:
it uses log-mel features instead of emotion2vec and standardised coefficients instead of FER; its pooling, its
classifier on the means and its anchors are ours. Differs from the released code: no dropout on attention
weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound, Waveform
from talkcli.engine.audio.log_mel import HOPS_PER_FRAME, LogMel, LogMelConfig
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.emotion_encoder import (
    Emotion2vecStem,
    EmotionEncoder,
    speech_encoder,
    speech_stem,
)
from talkcli.engine.models.deeptalk.fer import Fer, FerConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.moods import WARMTH, Mood, Moods, varied, width_of
from talkcli.engine.models.windows import starts
from talkcli.engine.nn.standardise import Standardise
from talkcli.engine.types import EMOTIONS, SAMPLES_PER_FRAME, Emotion

# Steps of emotion2vec (50 Hz) per frame.
_STEPS_PER_FRAME = 2
# Most frames of all windows that are encoded together, so that memory does not grow with the length.
_FRAMES_AT_ONCE = 1024
# Most frames that emotion2vec gets with `long` = first: 48 s, where the released generator ends.
_LONGEST = 1200
# Share of a batch in the running mean of an anchor: the anchor follows the encoder within some hundred steps.
_ANCHOR_RATE = 0.02
# Share of the way from neutral to an anchor below which generators still show a neutral face. Measured with
# the embedded one: smiles of 0.04, 0.48, 0.65 and 0.73 at shares of 0.4, 0.5, 0.7 and 1. As the face changes
# most at small shares, a level becomes a share by a power above 1.
_FELT_FROM, _FELT_POWER = 0.4, 1.5


class Dee(nn.Module):
    """Dynamic emotion embedding: both encoders, and scale and shift of their similarity. Optional are a
    classifier on the means, and an anchor per emotion: the unit vector of the running mean of its motion's
    embeddings, zero until training has had such motion.
    """

    method = "dee"
    anchors: Float[Tensor, "classes embedding"]

    def __init__(self, config: DeeConfig, num_coeffs: int = NUM_COEFFS) -> None:
        super().__init__()
        self.config = config
        if isinstance(config.speech, LogMelConfig):
            self.log_mel = LogMel(config.speech)
        self.audio_stem = speech_stem(config)
        if isinstance(config.expression, FerConfig):
            self.fer = Fer(config.expression, num_coeffs).requires_grad_(False).eval()
            self.motion_stem = nn.Linear(self.fer.feature_width, config.motion_width)
        else:
            self.motion_scale = Standardise(num_coeffs)
            self.motion_stem = nn.Linear(num_coeffs, config.motion_width)
        self.audio_encoder = speech_encoder(config)
        self.motion_encoder = EmotionEncoder(config.motion_width, config.motion_layers, config)
        # logit = -scale * distance + shift; PCME++'s initial values.
        self.similarity_scale = nn.Parameter(torch.tensor(5.0))
        self.similarity_shift = nn.Parameter(torch.tensor(5.0))
        if config.classifier:
            self.classifier = nn.Linear(config.embedding, len(EMOTIONS))
        if config.anchors:
            self.register_buffer("anchors", torch.zeros(len(EMOTIONS), config.embedding))
        if config.moods:
            self.moods = Moods(config.embedding)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends that `embed_speech` needs."""
        if isinstance(self.config.speech, LogMelConfig):
            return {"log_mel": self.log_mel}
        return {"waveform": Waveform()}

    def train(self, mode: bool = True) -> Dee:
        """Set train mode, except that FER stays in evaluation mode (norms and dropout)."""
        super().train(mode)
        if isinstance(self.config.expression, FerConfig):
            self.fer.eval()
        return self

    def embed_speech(self, sound: Sound) -> Gaussian:
        """Embed the emotion of speech of any length; beyond a window average over evenly spaced windows,
        unless `long` is "first".
        """
        stem = self.audio_stem
        if not isinstance(stem, Emotion2vecStem):
            return self._over_windows(
                sound["log_mel"], HOPS_PER_FRAME, lambda steps: self.audio_encoder(stem(steps))
            )
        name, rate, prefix = "waveform", SAMPLES_PER_FRAME, 0
        if "emotion2vec" in sound:
            name, rate, prefix = "emotion2vec", _STEPS_PER_FRAME, stem.encoder.config.extra_tokens
        if self.config.long == "first":
            # In the released demo emotion2vec gets all samples, but the layers after it only the first 10 s.
            heard = stem({name: sound[name][:, : prefix + _LONGEST * rate]})
            return self.audio_encoder(heard[:, : self.config.window * _STEPS_PER_FRAME])
        return self._over_windows(
            sound[name], rate, lambda steps: self.audio_encoder(stem({name: steps})), prefix=prefix
        )

    def embed_motion(self, coeffs: Float[Tensor, "batch frames coeffs"]) -> Gaussian:
        """Embed the emotion of motion, with the same windows as `embed_speech`."""
        see = self.fer.features if isinstance(self.config.expression, FerConfig) else self.motion_scale
        return self._over_windows(
            coeffs, 1, lambda frames: self.motion_encoder(self.motion_stem(see(frames)))
        )

    def classify(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch classes"]:
        """Return logits over `EMOTIONS`; requires `classifier`."""
        # The components of a unit vector are small; scaled to size 1 they train as fast as other layers.
        return self.classifier(mean * self.config.embedding**0.5)

    def chances(self, mean: Float[Tensor, "batch embedding"]) -> Float[Tensor, "batch classes"]:
        """Return calibrated probabilities of the emotions that have an anchor; requires `moods`."""
        return self.moods.chances(self.classify(mean), self.anchors.any(dim=-1))

    def felt(
        self,
        heard: Gaussian,
        sigma: float | None,
        generator: torch.Generator,
        asked: Emotion | None = None,
    ) -> Float[Tensor, "batch embedding"]:
        """Return the emotion of one take, drawn with `sigma`: by moods if the config has them (`Moods.draw`),
        else around the mean (`Gaussian.sample`).

        `asked` is the emotion to which the caller set the mean, if it is not the speech's own: a mood that
        was asked for stays, and only its strength is drawn.
        """
        if not self.config.moods:
            return heard.sample(sigma, generator, within=self.span)
        if asked is None:
            chances, strength = self.chances(heard.mean), self.moods.strength(heard.mean)
            mood = self.moods.draw(chances, strength, heard.log_variance, sigma, generator)
        elif sigma is None or asked.level == 0:
            return heard.mean
        else:
            mood = self._mood(asked, heard.mean.device)
            mood = mood._replace(
                strength=varied(mood.strength, width_of(heard.log_variance, sigma), generator)
            )
        return self.towards(mood.emotion, mood.strength)

    def warmth(self, heard: Gaussian, sigma: float | None) -> float:
        """Return the least temperature of codes for a take drawn with `sigma`; 0 without moods.

        Takes of one mood would otherwise differ in its strength alone, and those of a neutral voice not at
        all.
        """
        if not self.config.moods or sigma is None:
            return 0.0
        return WARMTH * float(width_of(heard.log_variance, sigma).mean())

    @torch.no_grad()
    def move_anchors(self, means: Float[Tensor, "batch embedding"], emotion: Int[Tensor, "batch"]) -> None:
        """Move the anchors of a training batch's labels `emotion` towards its `means`; requires `anchors`."""
        for label in emotion.unique():
            mean = F.normalize(means[emotion == label].mean(0), dim=0)
            old = self.anchors[label]
            self.anchors[label] = F.normalize(old.lerp(mean, _ANCHOR_RATE), dim=0) if old.any() else mean

    def directed(self, emotion: Emotion) -> Float[Tensor, "1 embedding"]:
        """Return the mean from which to generate `emotion`: a point from neutral to the anchor of its label.

        A level of 0 is neutral itself; levels above 0 map to shares from `_FELT_FROM` to 1, slowly at first.
        Raises UsageError when training had no motion of neutral or of the label, or kept no anchors.
        """
        anchors = self.anchors if self.config.anchors else torch.zeros(len(EMOTIONS), 1)
        known = [label for label, anchor in zip(EMOTIONS, anchors, strict=True) if anchor.any()]
        for label in ("neutral", emotion.label):
            if label not in known:
                raise UsageError(
                    f"The model was trained without {label} motion, so it cannot perform {emotion.label}.",
                    hint=f"It knows {', '.join(known)}."
                    if known
                    else "Give it a recording of the emotion with `emotion_from`.",
                )
        return self.towards(*self._mood(emotion, self.anchors.device))

    @staticmethod
    def _mood(emotion: Emotion, device: torch.device) -> Mood:
        far = 0.0
        if emotion.level > 0:
            far = _FELT_FROM + (1 - _FELT_FROM) * emotion.level**_FELT_POWER
        label = EMOTIONS.index(emotion.label)
        return Mood(torch.tensor([label], device=device), torch.tensor([far], device=device))

    @property
    def span(self) -> Float[Tensor, "directions embedding"] | None:
        """Orthonormal basis of the space that the anchors span; None without anchors. Components outside it
        carry no emotion, so a generator has learnt nothing from them.
        """
        if not self.config.anchors or not self.anchors.any():
            return None
        known = self.anchors[self.anchors.any(dim=1)]
        return torch.linalg.qr(known.T).Q.T

    def towards(
        self, emotion: Int[Tensor, "batch"], level: Float[Tensor, "batch"]
    ) -> Float[Tensor, "batch embedding"]:
        """Return the mean at share `level` of the way from neutral to the anchor of each label."""
        neutral = self.anchors[EMOTIONS.index("neutral")]
        return F.normalize(torch.lerp(neutral, self.anchors[emotion], level[:, None]), dim=-1)

    def _over_windows(
        self,
        steps: Float[Tensor, "batch steps width"],
        rate: int,
        encode: Callable[[Float[Tensor, "windows steps width"]], Gaussian],
        *,
        prefix: int = 0,
    ) -> Gaussian:
        """Average `encode` over windows of the config's length; each begins with the first `prefix` steps."""
        config = self.config
        whole, steps = steps[:, :prefix], steps[:, prefix:]
        batch, length = len(steps), config.window * rate
        if config.fixed_window and steps.shape[1] < length:
            steps = torch.cat([steps, steps[:, -1:].expand(-1, length - steps.shape[1], -1)], dim=1)
        if config.long == "first":
            steps = steps[:, :length]
        length = min(length, steps.shape[1])
        firsts = starts(steps.shape[1], length)
        at_once = max(_FRAMES_AT_ONCE // (config.window * batch), 1)
        parts = []
        for group in range(0, len(firsts), at_once):
            windows = [
                torch.cat([whole, steps[:, first : first + length]], dim=1)
                for first in firsts[group : group + at_once]
            ]
            parts.append(encode(torch.cat(windows)))
        mean, log_variance = (
            torch.cat(part).view(len(firsts), batch, -1).mean(0) for part in zip(*parts, strict=True)
        )
        return Gaussian(F.normalize(mean, dim=-1), log_variance)
