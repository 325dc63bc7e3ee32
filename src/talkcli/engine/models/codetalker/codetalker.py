"""Stage 2 of CodeTalker: from speech to the codes of every frame of motion, frame after frame.

Axis names: `batch`, `samples` (16 kHz), `frames` (at the rate of the model), `heard` (those with sound),
`values` (the numbers of a frame), `width`, `positions` of the sound (frames, or twice as many), `tokens`,
`channels` (see `autoencoder.py`), `codes` of a frame. Source: CodeTalker (Xing et al. 2023), section 3.2,
facts H.2. A frame is predicted from the sound and from the earlier frames of motion: the true ones in
training, the decoded ones in performing. Differs: the published code decodes everything again after every
frame and ends at 600 frames; here frames are kept (`loop.py`), and longer motion is decoded in windows, one
after another or as rows of a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear, Sound
from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVq
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.models.codetalker.loop import Loop, Merged
from talkcli.engine.models.speech_memory import SpeechMemory
from talkcli.engine.models.windows import cross_fade, spans
from talkcli.engine.nn.biased_decoder import BiasedDecoder
from talkcli.engine.nn.periodic import periodic_positions

Feedback = Literal["exact", "window", "parallel"]
# Largest number of windows that are made at once: more rows gain little and take memory.
_ROWS = 16


class Predicted(NamedTuple):
    """Result of the predictor in training."""

    features: Float[Tensor, "batch tokens channels"]
    """Predicted vectors before quantisation."""
    offsets: Float[Tensor, "batch heard values"]
    """Motion made of their codes, as the difference from the face at rest."""


class CodeTalker(nn.Module):
    """The predictor, with the frozen auto-encoder of motion inside.

    Speakers are numbered as in `config.speakers`; a negative number means the first.
    """

    method = "codetalker"
    neutral: Tensor | None

    def __init__(self, config: CodeTalkerConfig, num_values: int) -> None:
        """Build the network with random weights.

        Raises ValueError for vertices whose number of values is no multiple of three.
        """
        super().__init__()
        if config.motion == "vertices" and num_values % 3:
            raise ValueError(f"{num_values} values are no vertices")
        self.config = config
        width = config.width
        self.memory = SpeechMemory(
            config.content, width, fps=config.fps, per_frame=config.per_frame, dropout=config.dropout
        )
        self.inward = nn.Linear(num_values, width)
        self.decoder = BiasedDecoder(
            width,
            layers=config.layers,
            heads=config.heads,
            feedforward=config.feedforward,
            dropout=config.dropout,
            period=config.period,
            per_frame=config.per_frame,
        )
        self.outward = nn.Linear(width, config.prior.width, bias=False)
        nn.init.zeros_(self.outward.weight)
        self.styles = nn.Embedding(config.identity, width)
        self.prior = CodeTalkerVq(config.prior, num_values).requires_grad_(False)
        at_rest = torch.zeros(num_values // 3, 3) if config.motion == "vertices" else None
        self.register_buffer("neutral", at_rest)
        self._merged: tuple[object, Merged] | None = None
        self.train(self.training)

    @property
    def ears(self) -> dict[str, Ear]:
        """Front-ends of the speech encoder."""
        return self.memory.ears

    def train(self, mode: bool = True) -> CodeTalker:
        """Set the training mode; the auto-encoder stays in evaluation mode, without dropout."""
        super().train(mode)
        self.prior.eval()
        return self

    def forward(
        self, sound: Sound, speaker: Int[Tensor, "batch"], told: Float[Tensor, "batch frames values"]
    ) -> Predicted:
        """Predict a window, each frame after the true offsets `told` of the frames before it.

        With two positions a frame, these are the frames whose sound is there.
        """
        config = self.config
        memory = self.memory(sound, told.shape[1])
        frames = memory.shape[1] // config.per_frame
        before = self.inward(F.pad(told[:, : frames - 1], (0, 0, 1, 0)))
        inputs = before + self.style_of(speaker)[:, None] + self._positions(frames, memory)
        decoded = self.decoder(F.dropout(inputs, config.dropout, self.training), memory)
        features = self.prior.tokens(self.outward(decoded))
        quantized = self.prior.quantizer(features)
        return Predicted(features, self.prior.decoder(self.prior.frames(quantized.vectors)))

    def style_of(self, speaker: Int[Tensor, "batch"]) -> Float[Tensor, "batch width"]:
        """Return the styles of speakers."""
        return self.styles(speaker.clamp_min(0))

    @torch.inference_mode()
    def generate(
        self,
        samples: Float[Tensor, "batch samples"],
        *,
        speaker: int = 0,
        feedback: Feedback | None = None,
        generator: torch.Generator | None = None,  # noqa: ARG002  nothing is drawn
    ) -> Float[Tensor, "batch frames values"]:
        """Return the motion of speech of any length: coordinates in the unit of `neutral`, or coefficients.

        Args:
            samples: Speech at 16 kHz.
            speaker: Number of the speaker whose style it has.
            feedback: What is decoded after every frame: all frames so far; the last `feedback_window`; or the
                last `parallel_feedback` of windows that are made side by side. None for all up to
                `exact_frames`, else the second.
            generator: Not used.
        """
        config = self.config
        memory = self.memory.whole(samples, window=config.window, overlap=config.overlap)
        frames = memory.shape[1] // config.per_frame
        if feedback is None:
            feedback = "exact" if frames <= config.exact_frames else "window"
        style = self.style_of(torch.full((len(memory),), speaker, device=memory.device))
        if feedback == "parallel":
            offsets = cross_fade(self._side_by_side(memory, style), frames, config.overlap)
        else:
            codes = self.predict(memory, style, feedback=feedback)
            offsets = self.decode(codes, whole=feedback == "exact")
        return offsets if self.neutral is None else offsets.add_(self.neutral.flatten())

    def _side_by_side(
        self, memory: Float[Tensor, "batch positions width"], style: Float[Tensor, "batch width"]
    ) -> Iterator[Float[Tensor, "batch _ values"]]:
        """Yield the offsets of windows that share `overlap` frames. Each begins at rest and knows nothing of
        the others, so that several are rows of one batch, which reads the weights once for all.
        """
        config, per_frame = self.config, self.config.per_frame
        places = spans(memory.shape[1] // per_frame, config.parallel_frames, config.overlap)
        for group in range(0, len(places), _ROWS):
            here = places[group : group + _ROWS]
            longest = max(last - first for first, last in here)
            rows = memory.new_zeros(len(here), len(memory), longest * per_frame, memory.shape[2])
            for row, (first, last) in zip(rows, here, strict=True):
                row[:, : (last - first) * per_frame] = memory[:, first * per_frame : last * per_frame]
            codes = self.predict(rows.flatten(0, 1), style.repeat(len(here), 1), feedback="parallel")
            for row, (first, last) in zip(codes.unflatten(0, rows.shape[:2]), here, strict=True):
                yield self.decode(row[:, : last - first], whole=True)

    def predict(
        self,
        memory: Float[Tensor, "batch positions width"],
        style: Float[Tensor, "batch width"],
        *,
        feedback: Feedback,
    ) -> Int[Tensor, "batch frames codes"]:
        """Return the codes of all frames, each after the decoded frames before it.

        Args:
            memory: Features of the speech.
            style: Style of each row.
            feedback: As `generate` takes it.
        """
        config, prior = self.config, self.prior
        loop = Loop(self.decoder, self.outward, prior.decoder, self._feeding(), memory)
        newest = {"exact": None, "window": config.feedback_window, "parallel": config.parallel_feedback}
        state = loop.start(None if feedback == "exact" else config.window, newest[feedback])
        frames = memory.shape[1] // config.per_frame
        fed, found = style, []
        for place in self._positions(frames, memory):
            features = prior.tokens(state.predict(fed + place)[:, None])
            found.append(prior.quantizer.nearest(features))
            if len(found) < frames:
                vectors = prior.frames(prior.quantizer.lookup(found[-1]))
                fed = state.feed(vectors[:, 0]) + style
        return torch.stack(found, dim=1)

    def decode(
        self, codes: Int[Tensor, "batch frames codes"], *, whole: bool
    ) -> Float[Tensor, "batch frames values"]:
        """Return the offsets that codes stand for: of all frames together, or of windows that overlap."""
        config, frames = self.config, codes.shape[1]
        vectors = self.prior.frames(self.prior.quantizer.lookup(codes.flatten(1)))
        if whole:
            return self.prior.decoder(vectors)

        def pieces() -> Iterator[Float[Tensor, "batch _ values"]]:
            for first, last in spans(frames, config.window, config.overlap):
                yield self.prior.decoder(vectors[:, first:last], first=first)

        return cross_fade(pieces(), frames, config.overlap)

    def _feeding(self) -> Merged:
        """Return the auto-encoder's last layer and `inward` as one layer, which is kept for the next call."""
        before, after = self.prior.decoder.outward, self.inward
        weights = [weight for layer in (before, after) for weight in layer.parameters()]
        state = [(weight.data_ptr(), weight._version, weight.dtype, weight.device) for weight in weights]
        if self._merged is None or self._merged[0] != state:
            self._merged = (state, Merged(before, after))
        return self._merged[1]

    def _positions(self, frames: int, like: Tensor) -> Float[Tensor, "frames width"]:
        return periodic_positions(frames, self.config.width, self.config.period, device=like.device).to(like)
