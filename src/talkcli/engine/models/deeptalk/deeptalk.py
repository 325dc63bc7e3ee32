"""DEEPTalk: speech to motion, through an emotion embedding and the tokens of a motion prior.

Axis names: `batch`, `samples` (16 kHz), `frames` (25 fps), `coeffs` = 53, `width`, `tokens` of a level of the
prior (frames / 4 and frames / 2 for TH-VQVAE's slow and fast codes), `outputs` of its predictor. Source:
DEEPTalk, section 3.3 and appendix A.5; the defaults are the released sizes. Differs: without `always_pad`
frames are padded only to a multiple of the longest token, and long speech is generated in cross-faded
windows. Other content encoders and priors may replace wav2vec 2.0 and TH-VQVAE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Waveform
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import ADA, JAW, NUM_COEFFS
from talkcli.engine.models.content import (
    PhoneContentConfig,
    build_content,
)
from talkcli.engine.models.deeptalk import choose
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.models.deeptalk.level import Level
from talkcli.engine.models.deeptalk.performance import Codes, Heard, Predicted, Take
from talkcli.engine.models.deeptalk.prior import build_prior
from talkcli.engine.models.phones import STEPS_PER_FRAME
from talkcli.engine.models.windows import Stretches, cross_fade, spans, starts
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.transformer import Transformer
from talkcli.engine.types import MODEL_FPS, NOBODY, SAMPLES_PER_FRAME, SPEECH_RATE_HZ, Emotion

# Place of the jaw's pitch among the coefficients, of ada as of FLAME.
_JAW_PITCH = ADA.index(JAW[0])


class TokenPredictor(nn.Module):
    """Predictor of a level's tokens, from the features of a token's frames and the slower levels' context."""

    def __init__(self, level: Level, config: DeepTalkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.inward = nn.Linear(level.frames_per_token * config.width + level.context, config.predictor_width)
        self.transformer = Transformer(
            config.predictor_width,
            layers=config.predictor_layers,
            heads=config.heads,
            feedforward=config.predictor_width,
            dropout=0.0,
        )
        self.outward = nn.Linear(config.predictor_width, level.outputs)

    def forward(self, x: Float[Tensor, "batch tokens inputs"]) -> Float[Tensor, "batch tokens outputs"]:
        x = self.inward(x)
        return self.outward(self.transformer(x, distance_bias(self.heads, x.shape[1], device=x.device)))


class DeepTalk(nn.Module):
    """The generator with the emotion embedding and the motion prior that it builds on, both frozen."""

    method = "deeptalk"

    def __init__(self, config: DeepTalkConfig, num_coeffs: int = NUM_COEFFS) -> None:
        """Raise UsageError when content encoder and emotion embedding have different log-mel features, or
        when a window does not hold whole tokens.
        """
        super().__init__()
        content, speech = config.content, config.dee.speech
        ear = None
        if isinstance(content, LogMelEncoderConfig):
            ear = content.ear
        elif isinstance(content, PhoneContentConfig):
            ear = content.encoder.ear
        if ear is not None and isinstance(speech, LogMelConfig) and ear != speech:
            raise UsageError(
                f"The content encoder uses {ear}, but the emotion embedding was trained with {speech}.",
                hint="Train both with the same log-mel features.",
            )
        if config.jaw_gain != 1 and num_coeffs != NUM_COEFFS:
            raise UsageError(f"model.jaw_gain is for {NUM_COEFFS} coefficients with a jaw, not {num_coeffs}.")
        self.config = config
        self.dee = Dee(config.dee, num_coeffs).requires_grad_(False)
        self.prior = build_prior(config.prior, num_coeffs).requires_grad_(False)
        width = config.width
        self.content = build_content(config.content, width, dropout=config.dropout)
        self.emotion = nn.Linear(config.dee.embedding, width)
        self.style = nn.Linear(width + config.identity, width)
        self.features = Transformer(
            2 * width, layers=1, heads=config.heads, feedforward=config.feedforward, dropout=config.dropout
        )
        self.narrow = nn.Linear(2 * width, width)
        self.guess = nn.Linear(width, num_coeffs) if config.guess else None
        self.predictors = nn.ModuleList(TokenPredictor(level, config) for level in self.prior.levels)
        multiple = self.prior.frames_multiple
        if config.window % multiple or config.overlap % multiple:
            raise UsageError(
                f"model.window {config.window} and model.overlap {config.overlap} must be multiples of the "
                f"{multiple} frames of the prior's slowest token."
            )

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of `content` and `dee`."""
        return {**self.dee.ears, **self.content.ears}

    @property
    def hears_contacts(self) -> bool:
        """Whether `listen` returns probabilities of contacts of lips, teeth and tongue."""
        return isinstance(self.config.content, PhoneContentConfig)

    def train(self, mode: bool = True) -> DeepTalk:
        """Set train mode, except that the frozen parts stay in evaluation mode (dropout, statistics)."""
        super().train(mode)
        self.dee.eval()
        self.prior.eval()
        return self

    def forward(
        self,
        content: Float[Tensor, "batch frames width"],
        emotion: Float[Tensor, "batch embedding"],
        identity: Float[Tensor, "batch identity"],
        choices: Sequence[choose.Choose],
    ) -> Predicted:
        """Run one pass over a multiple of `prior.frames_multiple` frames. Each level gets as context what the
        chosen tokens of slower levels decode to. Each level's entry of `choices` turns its logits into codes;
        latents stay as they are.
        """
        batch, frames, _ = content.shape
        style = self.style(torch.cat([self.emotion(emotion), identity], dim=-1))
        joint = torch.cat([content, style[:, None].expand(-1, frames, -1)], dim=-1)
        bias = distance_bias(self.config.heads, frames, period=MODEL_FPS, device=content.device)
        features = self.narrow(self.features(joint, bias))

        outputs: list[Tensor] = []
        chosen: list[Tensor] = []
        vectors: list[Tensor] = []
        for index, (level, predictor) in enumerate(zip(self.prior.levels, self.predictors, strict=True)):
            inputs = features.reshape(batch, frames // level.frames_per_token, -1)
            if level.context:
                inputs = torch.cat([inputs, self.prior.context(vectors)], dim=-1)
            # Choices are made in float32, whatever precision the layers use.
            outputs.append(predictor(inputs).float())
            chosen.append(choices[index](outputs[-1]) if level.discrete else outputs[-1])
            vectors.append(self.prior.lookup(index, chosen[-1]))
        guess = None if self.guess is None else self.prior.motion_scale.undo(self.guess(features))
        return Predicted(self.prior.decode(vectors).float(), outputs, chosen, guess)

    def identity(self, speakers: Int[Tensor, "batch"]) -> Float[Tensor, "batch identity"]:
        """Return one-hot codes of the speakers; a negative number, no particular speaker, gives zeros."""
        known = (speakers >= 0)[:, None]
        return F.one_hot(speakers.clamp_min(0), self.config.identity) * known.to(self.style.weight.dtype)

    @torch.inference_mode()
    def listen(
        self,
        samples: Float[Tensor, "batch samples"],
        emotion_samples: Float[Tensor, "batch others"] | None = None,
        *,
        emotion: Emotion | None = None,
        always_pad: bool = False,
    ) -> Heard:
        """Run the encoders once on `samples` (16 kHz, any length); the result has ceil(samples / 640) frames.

        `emotion_samples` replaces `samples` for the emotion. `emotion` replaces only the emotion's mean, not
        its variance; raises UsageError when `dee.directed` cannot give it. `always_pad` counts frames as the
        released demo does: whole frames only, then one to four of silence up to the next multiple of four.
        """
        window = self.config.window
        frames, padded = self._lengths(samples.shape[1], always_pad)
        stretches = Stretches(self.ears, samples, frames=padded, window=window)
        places = spans(padded, window, self.config.overlap)
        # One tensor for all windows: small results between large intermediates would fragment the heap.
        windows: Sequence[Tensor] = ()
        touching: list[Tensor] = []
        lingual: list[Tensor] = []
        shares: list[Tensor] = []
        for index, (first, last) in enumerate(places):
            content = self.content(stretches(first, last))
            if content.contacts is not None and content.lingual is not None and content.phones is not None:
                touching.append(content.contacts)
                lingual.append(content.lingual)
                shares.append(content.phones)
            features = content.features
            if not windows:
                lengths = [last - first for first, last in places]
                whole = features.new_empty(len(features), sum(lengths), features.shape[2])
                windows = whole.split(lengths, dim=1)
            windows[index].copy_(features)
        contacts = sounds = phones = None
        if touching:
            overlap, each = self.config.overlap, STEPS_PER_FRAME
            contacts = cross_fade(touching, padded, overlap)[:, :frames]
            sounds, phones = (
                cross_fade(part, padded * each, overlap * each)[:, : frames * each]
                for part in (lingual, shares)
            )
        if emotion_samples is None:
            felt = self._emotion(stretches)
        elif Waveform.name in self.dee.ears:
            # Not padded, as in the released model: no token needs silence after it.
            felt = self.dee.embed_speech({Waveform.name: emotion_samples[..., None]})
        else:
            _, others = self._lengths(emotion_samples.shape[1], always_pad)
            felt = self._emotion(Stretches(self.dee.ears, emotion_samples, frames=others, window=window))
        if emotion is not None:
            felt = felt._replace(mean=self.dee.directed(emotion).expand_as(felt.mean))
        return Heard(windows, contacts, sounds, phones, felt, frames, padded, asked=emotion)

    @torch.inference_mode()
    def take(
        self,
        heard: Heard,
        *,
        sigma: float | None = None,
        tau_top: float = 0.0,
        tau_bottom: float = 0.0,
        speaker: int = NOBODY,
        generator: torch.Generator,
        gumbel: bool = False,
        held: Codes | None = None,
    ) -> Take:
        """Draw one performance; the same generator state gives the same motion.

        `sigma` scales the emotion's log-variance (`Gaussian.sample`; None takes the mean). `tau_top` and
        `tau_bottom` are the temperatures of the draws of slow and fast codes; 0 takes the most probable code.
        A prior of one level uses only `tau_top`, a prior of latents neither. `gumbel` draws as the released
        inference does and ignores the temperatures. Where emotions are drawn by moods, `sigma` sets a least
        temperature as well (`Dee.warmth`). `speaker` indexes `config.speakers`. `held` fixes the
        codes of every window's first levels to those of an earlier take of the same speech (`Take.slow`).
        """
        emotion = self.felt(heard, sigma, generator)
        warmest = self.dee.warmth(heard.emotion, sigma)
        identity = self.identity(torch.full((len(emotion),), speaker, device=emotion.device))
        draws = [
            choose.gumbel(generator) if gumbel else choose.drawn(max(tau, warmest), generator)
            for tau in (tau_top, tau_bottom)
        ]
        codes: Codes = []

        def windows() -> Iterator[Float[Tensor, "batch _ coeffs"]]:
            for index, content in enumerate(heard.windows):
                kept = [choose.given(level) for level in held[index]] if held else []
                made = self(content, emotion, identity, [*kept, *draws[len(kept) :]])
                levels = zip(self.prior.levels, made.choices, strict=True)
                codes.append([choice.argmax(-1) for level, choice in levels if level.discrete])
                yield made.coeffs

        coeffs = cross_fade(windows(), heard.padded, self.config.overlap)
        if self.config.jaw_gain != 1:
            coeffs[..., _JAW_PITCH] *= self.config.jaw_gain
        return Take(coeffs[:, : heard.frames], codes)

    def felt(
        self, heard: Heard, sigma: float | None, generator: torch.Generator
    ) -> Float[Tensor, "batch embedding"]:
        """Return the emotion of one take, drawn with `sigma` (`Dee.felt`) unless it is fixed."""
        if heard.fixed is not None:
            return heard.fixed
        return self.dee.felt(heard.emotion, sigma, generator, heard.asked)

    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        emotion_samples: Float[Tensor, "batch others"] | None = None,
        sigma: float | None = None,
        tau_top: float = 0.0,
        tau_bottom: float = 0.0,
        speaker: int = NOBODY,
        generator: torch.Generator,
    ) -> Float[Tensor, "batch frames coeffs"]:
        """Call `listen`, then `take`, and return the motion of ceil(samples / 640) frames."""
        heard = self.listen(samples, emotion_samples)
        return self.take(
            heard, sigma=sigma, tau_top=tau_top, tau_bottom=tau_bottom, speaker=speaker, generator=generator
        ).coeffs

    def _emotion(self, stretches: Stretches) -> Gaussian:
        """Return `dee.embed_speech` of the utterance, averaged over windows if it is longer than one."""
        ((name, ear),) = self.dee.ears.items()
        config, frames = self.config.dee, stretches.frames
        if config.long == "first":
            # The released embedding also gets no more than one window of the generator.
            return self.dee.embed_speech(stretches(0, min(frames, self.config.window)))
        if stretches.spoken <= config.window:
            # The silence that completes the last token must not add a window to speech that fits into one.
            return self.dee.embed_speech(stretches(0, min(frames, config.window)))
        total, length = frames * ear.steps_per_frame, config.window * ear.steps_per_frame
        parts = [
            self.dee.embed_speech({name: stretches.steps(name, first, first + length)})
            for first in starts(total, length)
        ]
        means, log_variances = (torch.stack(part) for part in zip(*parts, strict=True))
        return Gaussian(F.normalize(means.mean(0), dim=-1), log_variances.mean(0))

    def _lengths(self, samples: int, always_pad: bool) -> tuple[int, int]:
        """Return the number of frames to return, and that to generate: a multiple of the prior's."""
        multiple = self.prior.frames_multiple
        if always_pad:
            # Floating point as released: it loses a frame at some lengths (18,560 samples make 28, not 29).
            whole = int(samples / SPEECH_RATE_HZ * MODEL_FPS)
            padded = whole + multiple - whole % multiple
            return padded, padded
        frames = -(-samples // SAMPLES_PER_FRAME)
        return frames, frames + -frames % multiple
