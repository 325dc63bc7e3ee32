"""MeshTalk's context model: the classes of a frame's variables, one after the other, frame after frame.

Axis names: `batch`, `frames`, `width` of a code of speech, `heads`, `classes`, `codes` = heads * classes,
`hidden` channels of a variable, `channels` = heads * hidden. Source: Richard et al. 2021, section 3.2, and the
released code (facts H.3). In every layer a variable sees only variables before it; the middle layers also see
the sound of the frame, and all variables of two earlier frames. Differs: the released code runs all layers
over all frames for each class that it draws. Here each layer keeps its frames, and a variable's channels are
computed once; the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

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

    def of(self, head: int, before: Float[Tensor, "batch seen"]) -> Float[Tensor, "batch some"]:
        """Return the outputs of one variable from the inputs of those before it."""
        outward, inward = (side // self.heads for side in self.weight.shape[:2])
        rows = slice(head * outward, (head + 1) * outward)
        return F.linear(before, self.weight[rows, : head * inward, 0], self.bias[rows])


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

    def beside(
        self,
        past: Sequence[Float[Tensor, "batch channels"]],
        heard: Float[Tensor, "batch channels"],
    ) -> Float[Tensor, "batch channels"]:
        """Return what a new frame gets beside its own variables, from the inputs of all earlier frames and from
        its sound.
        """
        total = heard + self.historic.bias
        for weight, back in zip(self.historic.weight.unbind(2), (self.dilation + 1, 1), strict=True):
            if back <= len(past):
                total = total + F.linear(past[-back], weight)
        return total


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
        for layer in self.layers:
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
        batch, frames, _ = speech.shape
        heard = [layer.heard(speech.mT).mT for layer in self.layers]
        past: list[list[Tensor]] = [[] for _ in self.layers]
        labels = speech.new_empty(batch, frames, self.heads, dtype=torch.long)
        columns = self.embedding.weight[..., 0].T.contiguous()
        noise = None
        for frame in range(frames):
            beside = [
                layer.beside(kept, sound[:, frame])
                for layer, kept, sound in zip(self.layers, past, heard, strict=True)
            ]
            if temperature > 0:
                noise = _gumbel((batch, self.heads, self.classes), speech, generator)
            embedded = self.embedding.bias.expand(batch, -1).clone()
            states = [speech.new_zeros(batch, self.heads * self.hidden) for _ in self.layers]
            for head in range(self.heads):
                own = slice(head * self.hidden, (head + 1) * self.hidden)
                x = embedded
                for layer, state, add in zip(self.layers, states, beside, strict=True):
                    before = x[:, : head * self.hidden]
                    state[:, own] = F.leaky_relu(layer.masked.of(head, before) + add[:, own], _SLOPE)
                    x = state
                logs = self.outward.of(head, x[:, : head * self.hidden])
                if noise is not None:
                    logs = logs.log_softmax(-1) / temperature + noise[:, head]
                chosen = logs.argmax(-1)
                labels[:, frame, head] = chosen
                # The class adds its column to all variables behind it.
                later = (head + 1) * self.hidden
                embedded[:, later:] += columns[head * self.classes + chosen][:, later:]
            for kept, x in zip(past, [embedded, *states[:-1]], strict=True):
                kept.append(x)
        return labels


def _gumbel(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return noise that, added to logarithms of probabilities, makes the largest a draw by them."""
    device = like.device if generator is None else generator.device
    uniform = torch.rand(shape, generator=generator, device=device).clamp(1e-20, 1 - 1e-7)
    return -(-uniform.log()).log().to(like)
