"""DEEPTalk: speech to motion, through an emotion embedding and the codes of a motion prior.

Axis names: `batch`, `samples` (16 kHz), `hops` (100 Hz), `frames` (25 fps), `coeffs` = 53, `width`, `codes`;
`top` = frames / 4 and `bottom` = frames / 2 tokens. DEEPTalk, section 3.3 and appendix A.5; the defaults are
the released sizes. Differs: a log-mel encoder stands where wav2vec 2.0 does, frames are padded only where
their number asks for it (the released demo always adds one to four), and long speech is generated in windows
that are cross-faded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.log_mel import HOPS_PER_FRAME
from talkcli.engine.face.channels import NUM_COEFFS
from talkcli.engine.models.dee import Dee, DeeConfig, Gaussian
from talkcli.engine.models.th_vqvae import FRAMES_PER_BOTTOM, FRAMES_PER_TOP, ThVqvae, ThVqvaeConfig
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.audio_stem import AudioStem
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, Config

# Speech longer than a window is generated in windows of this length which overlap, so that memory stays
# bounded.
WINDOW_FRAMES = 20 * MODEL_FPS
OVERLAP_FRAMES = 3 * MODEL_FPS + 1
assert WINDOW_FRAMES % FRAMES_PER_TOP == OVERLAP_FRAMES % FRAMES_PER_TOP == 0

# The speaker that is nobody in particular.
NOBODY = -1

# Logits to one-hot choices.
Choose = Callable[[Float[Tensor, "batch tokens codes"]], Float[Tensor, "batch tokens codes"]]


class DeepTalkConfig(Config):
    """Sizes; the defaults are those of the released model."""

    dee: DeeConfig = DeeConfig()
    prior: ThVqvaeConfig = ThVqvaeConfig()
    content_width: int = 768
    content_layers: int = 12
    content_heads: int = 12
    content_feedforward: int = 3072
    width: int = 128
    """Of content and style; the feature transformer has twice as much."""
    heads: int = 8
    feedforward: int = 256
    predictor_width: int = 256
    predictor_layers: int = 6
    identity: int = 32
    """Room for speakers in the style."""
    dropout: float = 0.1
    speakers: tuple[str, ...] = ()
    """Names of the speakers in the order of the identity code; filled in by training."""


class Predicted(NamedTuple):
    """Motion with the logits its codes were chosen from, and the plain per-frame guess that helps
    training.
    """

    coeffs: Float[Tensor, "batch frames coeffs"]
    top_logits: Float[Tensor, "batch top codes"]
    bottom_logits: Float[Tensor, "batch bottom codes"]
    guess: Float[Tensor, "batch frames coeffs"]


class Heard(NamedTuple):
    """Speech after the encoders: as many takes as wanted can be drawn from it."""

    windows: list[Float[Tensor, "batch _ width"]]
    emotion: Gaussian
    frames: int


class ContentEncoder(nn.Module):
    """What is said: a convolutional stem and a transformer at 25 fps."""

    def __init__(self, channels: int, config: DeepTalkConfig) -> None:
        super().__init__()
        self.heads = config.content_heads
        self.stem = AudioStem(channels, config.content_width, halvings=2, dropout=config.dropout)
        self.transformer = Transformer(
            config.content_width,
            layers=config.content_layers,
            heads=config.content_heads,
            feedforward=config.content_feedforward,
            dropout=config.dropout,
        )
        self.linear = nn.Linear(config.content_width, config.width)

    def forward(self, features: Float[Tensor, "batch hops channels"]) -> Float[Tensor, "batch frames width"]:
        x = self.stem(features)
        return self.linear(self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device)))


class CodePredictor(nn.Module):
    """Logits over a codebook from several frames stacked into one token."""

    def __init__(self, inputs: int, config: DeepTalkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.inward = nn.Linear(inputs, config.predictor_width)
        self.transformer = Transformer(
            config.predictor_width,
            layers=config.predictor_layers,
            heads=config.heads,
            feedforward=config.predictor_width,
            dropout=0.0,
        )
        self.outward = nn.Linear(config.predictor_width, config.prior.codes)

    def forward(self, x: Float[Tensor, "batch tokens inputs"]) -> Float[Tensor, "batch tokens codes"]:
        x = self.inward(x)
        return self.outward(self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device)))


class DeepTalk(nn.Module):
    """The generator, with the emotion embedding and the motion prior it was trained on, both frozen."""

    method = "deeptalk"

    def __init__(self, config: DeepTalkConfig) -> None:
        super().__init__()
        self.config = config
        self.dee = Dee(config.dee).requires_grad_(False)
        self.prior = ThVqvae(config.prior).requires_grad_(False)
        width = config.width
        self.content = ContentEncoder(self.dee.front_end.num_channels, config)
        self.emotion = nn.Linear(config.dee.embedding, width)
        self.style = nn.Linear(width + config.identity, width)
        self.features = Transformer(
            2 * width, layers=1, heads=config.heads, feedforward=config.feedforward, dropout=config.dropout
        )
        self.narrow = nn.Linear(2 * width, width)
        self.guess = nn.Linear(width, NUM_COEFFS)
        self.top_predictor = CodePredictor(FRAMES_PER_TOP * width, config)
        self.bottom_predictor = CodePredictor(FRAMES_PER_BOTTOM * width + config.prior.width, config)

    def train(self, mode: bool = True) -> DeepTalk:
        """The frozen parts stay in evaluation mode: their dropout is off and their statistics stand still."""
        super().train(mode)
        self.dee.eval()
        self.prior.eval()
        return self

    def forward(
        self,
        content: Float[Tensor, "batch frames width"],
        emotion: Float[Tensor, "batch embedding"],
        identity: Float[Tensor, "batch identity"],
        choose_top: Choose,
        choose_bottom: Choose,
    ) -> Predicted:
        """One pass over a multiple of four frames; the bottom codes see what the chosen top codes decode
        to.
        """
        batch, frames, _ = content.shape
        style = self.style(torch.cat([self.emotion(emotion), identity], dim=-1))
        joint = torch.cat([content, style[:, None].expand(-1, frames, -1)], dim=-1)
        bias = distance_bias(self.config.heads, frames, period=MODEL_FPS, device=content.device)
        features = self.narrow(self.features(joint, bias))

        top_logits = self.top_predictor(features.reshape(batch, frames // FRAMES_PER_TOP, -1))
        top = self.prior.quantizer_top.lookup(choose_top(top_logits))
        pairs = features.reshape(batch, frames // FRAMES_PER_BOTTOM, -1)
        bottom_logits = self.bottom_predictor(torch.cat([pairs, self.prior.decode_top(top)], dim=-1))
        bottom = self.prior.quantizer_bottom.lookup(choose_bottom(bottom_logits))
        guess = self.prior.motion_scale.undo(self.guess(features))
        return Predicted(self.prior.decode(top, bottom), top_logits, bottom_logits, guess)

    def identity(self, speakers: Int[Tensor, "batch"]) -> Float[Tensor, "batch identity"]:
        """One-hot speakers; a negative number is nobody in particular."""
        known = (speakers >= 0)[:, None]
        return F.one_hot(speakers.clamp_min(0), self.config.identity) * known.to(self.style.weight.dtype)

    @torch.inference_mode()
    def listen(
        self,
        samples: Float[Tensor, "batch samples"],
        emotion_samples: Float[Tensor, "batch others"] | None = None,
    ) -> Heard:
        """Run the encoders once. `samples` at 16 kHz, any length; `emotion_samples` is heard for emotion
        instead.
        """
        frames = -(-samples.shape[1] // SAMPLES_PER_FRAME)
        features = self._features(samples)
        windows = [
            self.content(features[:, start * HOPS_PER_FRAME : end * HOPS_PER_FRAME])
            for start, end in _windows(features.shape[1] // HOPS_PER_FRAME)
        ]
        heard = features if emotion_samples is None else self._features(emotion_samples)
        return Heard(windows, self.dee.embed_speech(heard), frames)

    @torch.inference_mode()
    def take(
        self,
        heard: Heard,
        *,
        sigma: float | None,
        tau_top: float = 0.0,
        tau_bottom: float = 0.0,
        speaker: int = NOBODY,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Draw one performance; the same generator state gives the same motion.

        `sigma` scales the emotion's log-variance (`Gaussian.sample`; None takes the mean). `tau_top` and
        `tau_bottom` are the temperatures at which codes are drawn; 0 takes the likeliest. `speaker` indexes
        `config.speakers`.
        """
        emotion = heard.emotion.sample(sigma, generator)
        identity = self.identity(torch.full((len(emotion),), speaker, device=emotion.device))
        pieces = [
            self(
                window, emotion, identity, _chooser(tau_top, generator), _chooser(tau_bottom, generator)
            ).coeffs
            for window in heard.windows
        ]
        return _cross_fade(pieces)[:, : heard.frames]

    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        sigma: float | None = None,
        tau_top: float = 0.0,
        tau_bottom: float = 0.0,
        emotion_samples: Float[Tensor, "batch others"] | None = None,
        speaker: int = NOBODY,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """`listen`, then one `take`: ceil(samples / 640) frames."""
        return self.take(
            self.listen(samples, emotion_samples),
            sigma=sigma,
            tau_top=tau_top,
            tau_bottom=tau_bottom,
            speaker=speaker,
            generator=generator,
        )

    def _features(self, samples: Float[Tensor, "batch samples"]) -> Float[Tensor, "batch hops channels"]:
        """Features of speech continued with silence to a multiple of four frames."""
        short = -samples.shape[1] % (SAMPLES_PER_FRAME * FRAMES_PER_TOP)
        return self.dee.front_end(F.pad(samples, (0, short)))


def _chooser(tau: float, generator: torch.Generator) -> Choose:
    """One-hot choices: the likeliest at 0, else drawn at temperature `tau`."""

    def choose(logits: Tensor) -> Tensor:
        if tau == 0:
            codes = logits.argmax(-1)
        else:
            chances = (logits / tau).softmax(-1).flatten(0, 1).to(generator.device)
            codes = (
                torch.multinomial(chances, 1, generator=generator).to(logits.device).view(logits.shape[:-1])
            )
        return F.one_hot(codes, logits.shape[-1]).to(logits.dtype)

    return choose


def _windows(frames: int) -> list[tuple[int, int]]:
    """Where windows start and end; consecutive ones share `OVERLAP_FRAMES`, the last is as long as what is
    left.
    """
    step = WINDOW_FRAMES - OVERLAP_FRAMES
    starts = range(0, max(frames - OVERLAP_FRAMES, 1), step)
    return [(start, min(start + WINDOW_FRAMES, frames)) for start in starts]


def _cross_fade(pieces: list[Float[Tensor, "batch _ coeffs"]]) -> Float[Tensor, "batch frames coeffs"]:
    """Joins windows, going over linearly from one to the next where they overlap."""
    whole = pieces[0]
    for piece in pieces[1:]:
        # Strictly between 0 and 1, so that neither end repeats a frame of one window alone.
        ramp = torch.arange(1, OVERLAP_FRAMES + 1, device=whole.device) / (OVERLAP_FRAMES + 1)
        ramp = ramp.to(whole.dtype)[:, None]
        shared = whole[:, -OVERLAP_FRAMES:] * (1 - ramp) + piece[:, :OVERLAP_FRAMES] * ramp
        whole = torch.cat([whole[:, :-OVERLAP_FRAMES], shared, piece[:, OVERLAP_FRAMES:]], dim=1)
    return whole
