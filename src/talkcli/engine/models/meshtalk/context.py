"""MeshTalk's context model: the classes of a frame's variables, one after the other, frame after frame.

Axis names: `batch`, `frames`, `width` of a code of speech, `heads`, `classes`, `codes` = heads * classes,
`channels` = heads * hidden; `inward` and `outward` of a map. Source: Richard et al. 2021, section 3.2, and
the released code (facts H.3). In every layer a variable sees only variables before it; the middle layers also
see the sound of the frame, and all variables of two earlier frames. Differs: the released code runs all
layers over all frames for each class that it draws. Here each layer keeps its frames, and a variable's
channels are computed once; the numbers are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.choose import COLDEST, check_finite

_SLOPE = 0.2


class MaskedLinear(nn.Module):
    """A linear map of all variables of a frame in which a variable sees only those before it."""

    def __init__(self, inward: int, outward: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        # The last axis is that of the published convolutions over one frame.
        self.weight = nn.Parameter(torch.empty(heads * outward, heads * inward, 1))
        self.bias = nn.Parameter(torch.zeros(heads * outward))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def forward(self, x: Float[Tensor, "batch frames inward"]) -> Float[Tensor, "batch frames outward"]:
        """Return the outputs of all variables."""
        return F.linear(x, self.weight[..., 0] * self.mask(), self.bias)

    def mask(self) -> Float[Tensor, "outward inward"]:
        """Return 1 where an output may see an input."""
        outward, inward = (side // self.heads for side in self.weight.shape[:2])
        before = self.weight.new_ones(self.heads, self.heads).tril(-1)
        return before.repeat_interleave(outward, 0).repeat_interleave(inward, 1)

    def by_variable(self) -> list[tuple[Tensor, Tensor]]:
        """Return for each variable the weights of the inputs that it sees, and its biases."""
        outward, inward = (side // self.heads for side in self.weight.shape[:2])
        return [
            (
                self.weight[head * outward :][:outward, : head * inward, 0],
                self.bias[head * outward :][:outward],
            )
            for head in range(self.heads)
        ]


class ContextLayer(nn.Module):
    """A middle layer."""

    def __init__(self, width: int, hidden: int, heads: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.masked = MaskedLinear(hidden, hidden, heads)
        self.heard = nn.Conv1d(width, heads * hidden, 1)
        # The earlier of the two frames first.
        self.historic = nn.Conv1d(heads * hidden, heads * hidden, 2, dilation=dilation)

    def forward(
        self, x: Float[Tensor, "batch frames channels"], speech: Float[Tensor, "batch frames width"]
    ) -> Float[Tensor, "batch frames channels"]:
        """Return the layer's output for all frames at once."""
        past = F.pad(x[:, :-1], (0, 0, self.dilation + 1, 0)).mT
        return F.leaky_relu(self.masked(x) + self.heard(speech.mT).mT + self.historic(past).mT, _SLOPE)


class _Steps:
    """A layer that makes one variable of one frame after the other, with its earlier inputs.

    Matrices are laid out once, since a step reads all of them.
    """

    def __init__(self, layer: ContextLayer, speech: Float[Tensor, "batch frames width"]) -> None:
        # Of the frames that a new one sees; their number does not grow with the speech.
        self.inputs: deque[Tensor] = deque(maxlen=layer.dilation + 1)
        assert layer.historic.bias is not None
        # What every frame gets of its sound.
        self.heard = layer.heard(speech.mT).mT + layer.historic.bias
        self.backs = (layer.dilation + 1, 1)
        self.earlier = [weight.contiguous() for weight in layer.historic.weight.unbind(2)]
        self.variables = layer.masked.by_variable()
        self.state = speech.new_zeros(len(speech), layer.historic.out_channels)
        self.beside = self.state

    def begin(self, frame: int) -> None:
        """Begin a frame: add up what it gets beside its own variables."""
        self.beside = self.heard[:, frame]
        for weight, back in zip(self.earlier, self.backs, strict=True):
            if back <= len(self.inputs):
                self.beside = self.beside + F.linear(self.inputs[-back], weight)
        self.state = torch.zeros_like(self.state)

    def variable(self, head: int, before: Float[Tensor, "batch channels"]) -> None:
        """Make the channels of a variable from the inputs of those before it."""
        weight, bias = self.variables[head]
        own = slice(head * len(bias), (head + 1) * len(bias))
        made = F.linear(before[:, : weight.shape[1]], weight, bias) + self.beside[:, own]
        self.state[:, own] = F.leaky_relu(made, _SLOPE)


class ContextModel(nn.Module):
    """The network."""

    def __init__(
        self, *, width: int, hidden: int, heads: int, classes: int, dilations: Sequence[int]
    ) -> None:
        super().__init__()
        self.heads, self.classes, self.hidden = heads, classes, hidden
        self.embedding = MaskedLinear(classes, hidden, heads)
        self.layers = nn.ModuleList(ContextLayer(width, hidden, heads, dilation) for dilation in dilations)
        self.outward = MaskedLinear(hidden, classes, heads)

    def forward(
        self, codes: Float[Tensor, "batch frames codes"], speech: Float[Tensor, "batch frames width"]
    ) -> Float[Tensor, "batch frames heads classes"]:
        """Return the logarithms of the probabilities of all classes, each after the classes before it.

        Args:
            codes: One-hot classes of all variables.
            speech: Codes of the speech.
        """
        x = self.embedding(codes)
        for layer in self._layers():
            x = layer(x, speech)
        return self.outward(x).unflatten(2, (self.heads, -1)).log_softmax(-1)

    @torch.inference_mode()
    def sample(
        self,
        speech: Float[Tensor, "batch frames width"],
        *,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Int[Tensor, "batch frames heads"]:
        """Return the classes of all frames.

        Args:
            speech: Codes of the speech.
            temperature: Divisor of the logarithms of the probabilities; 0 takes the most probable class.
            generator: Source of the noise; None for torch's global one.
        """
        # Broken weights would still have a largest logit, and make plausible motion.
        check_finite(torch.stack([value.sum() for value in self.parameters()]))
        check_finite(speech)
        batch, frames, _ = speech.shape
        layers = [_Steps(layer, speech) for layer in self._layers()]
        outward = self.outward.by_variable()
        columns = self.embedding.weight[..., 0].T.contiguous()
        labels = speech.new_empty(batch, frames, self.heads, dtype=torch.long)
        for frame in range(frames):
            noise = None
            if temperature >= COLDEST:
                noise = _gumbel((batch, self.heads, self.classes), speech, generator)
            for layer in layers:
                layer.begin(frame)
            embedded = self.embedding.bias.expand(batch, -1).clone()
            for head, (weight, bias) in enumerate(outward):
                x = embedded
                for layer in layers:
                    layer.variable(head, x)
                    x = layer.state
                logs = F.linear(x[:, : weight.shape[1]], weight, bias)
                if noise is not None:
                    logs = logs / temperature + noise[:, head]
                chosen = logs.argmax(-1)
                labels[:, frame, head] = chosen
                # The class adds its column to all variables behind it.
                later = (head + 1) * self.hidden
                embedded[:, later:] += columns[head * self.classes + chosen, later:]
            for layer, x in zip(layers, [embedded, *(each.state for each in layers[:-1])], strict=True):
                layer.inputs.append(x)
        return labels

    def _layers(self) -> list[ContextLayer]:
        return [layer for layer in self.layers if isinstance(layer, ContextLayer)]


def _gumbel(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return noise that, added to logarithms of probabilities, makes the largest a draw by them."""
    device = like.device if generator is None else generator.device
    uniform = torch.rand(shape, generator=generator, device=device).clamp(1e-20, 1 - 1e-7)
    return -(-uniform.log()).log().to(like)
