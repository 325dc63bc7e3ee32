"""Layouts of third-party model files: the tensors of a file in order, each with its name in talk.

A layout is a list of `Entry`. One list serves both directions, so import and export cannot disagree. Shapes
are torch's: outputs first, then inputs, then the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Entry:
    """One tensor of an official file."""

    official: str
    """Name of the tensor in the official file."""
    shape: tuple[int, ...]
    """Shape of the tensor in the official file."""
    ours: str | None = None
    """Name of the tensor in our model; None if talk does not read it."""
    copy_of: str | None = None
    """Official name of the tensor in the same file of which this one is a copy; None if it is no copy."""
    codes: Callable[[], Tensor] | None = None
    """Function that computes the tensor, for position codes; None for any other tensor."""
    keeps_axis: bool = False
    """Whether a single number has an axis in our model, too."""

    @property
    def our_shape(self) -> tuple[int, ...]:
        """Shape of the tensor in our model, where a single number has no axis."""
        return () if self.shape == (1,) and not self.keeps_axis else self.shape

    @property
    def dtype(self) -> torch.dtype:
        return torch.int64 if self.official.endswith("num_batches_tracked") else torch.float32


Layout = list[Entry]


def under(official: str, ours: str | None, entries: Iterable[Entry]) -> Layout:
    """Return `entries` inside a module with the name `official` in the file and `ours` in talk.

    A name of "" means that this side has no such module, and None that talk does not read it.
    """
    return [
        replace(
            entry,
            official=_join(official, entry.official),
            ours=None if ours is None or entry.ours is None else _join(ours, entry.ours),
        )
        for entry in entries
    ]


def same(name: str, entries: Iterable[Entry]) -> Layout:
    """Return `entries` inside a module with the same name on both sides."""
    return under(name, name, entries)


def each(numbers: Iterable[int], entries: Iterable[Entry]) -> Layout:
    """Return `entries` once per number, each in a module whose name is the number."""
    shared = list(entries)
    return [entry for number in numbers for entry in same(str(number), shared)]


def copied(official: str, source: str, entries: Iterable[Entry]) -> Layout:
    """Return copies, under the module `official`, of those `entries` that are under the module `source`."""
    return [
        Entry(official + entry.official.removeprefix(source), entry.shape, copy_of=entry.official)
        for entry in entries
        if entry.official.startswith(f"{source}.")
    ]


def tensor(name: str, *shape: int) -> Entry:
    """Return an entry with the same name on both sides."""
    return Entry(name, shape, name)


def weight(*shape: int) -> Layout:
    """Return the weight of a layer without a bias."""
    return [tensor("weight", *shape)]


def affine(*shape: int) -> Layout:
    """Return the weight and bias of a linear layer, a convolution or a normalisation."""
    return [tensor("weight", *shape), tensor("bias", shape[0])]


def batch_norm(width: int) -> Layout:
    """Return the tensors of `nn.BatchNorm1d`, with its running statistics."""
    statistics = [tensor("running_mean", width), tensor("running_var", width)]
    return [*affine(width), *statistics, tensor("num_batches_tracked")]


def gru(inputs: int, hidden: int) -> Layout:
    """Return the tensors of one bidirectional layer of `nn.GRU`."""
    return [
        entry
        for way in ("", "_reverse")
        for entry in (
            tensor(f"weight_ih_l0{way}", 3 * hidden, inputs),
            tensor(f"weight_hh_l0{way}", 3 * hidden, hidden),
            tensor(f"bias_ih_l0{way}", 3 * hidden),
            tensor(f"bias_hh_l0{way}", 3 * hidden),
        )
    ]


def transformer_layer(width: int, feedforward: int) -> Layout:
    """Return the tensors of `nn.TransformerEncoderLayer` with the names of our `TransformerLayer`."""
    return [
        Entry("self_attn.in_proj_weight", (3 * width, width), "project_in.weight"),
        Entry("self_attn.in_proj_bias", (3 * width,), "project_in.bias"),
        *under("self_attn.out_proj", "project_out", affine(width, width)),
        *under("linear1", "expand", affine(feedforward, width)),
        *under("linear2", "contract", affine(width, feedforward)),
        *under("norm1", "norm_attention", affine(width)),
        *under("norm2", "norm_feedforward", affine(width)),
    ]


def transformer(layers: int, width: int, feedforward: int) -> Layout:
    """Return the tensors of `nn.TransformerEncoder` with the names of our `Transformer`."""
    return same("layers", each(range(layers), transformer_layer(width, feedforward)))


def decoder_layer(width: int, feedforward: int) -> Layout:
    """Return the tensors of `nn.TransformerDecoderLayer`, whose names our `BiasedDecoder` has too."""
    attention = [
        tensor("in_proj_weight", 3 * width, width),
        tensor("in_proj_bias", 3 * width),
        *same("out_proj", affine(width, width)),
    ]
    return [
        *same("self_attn", attention),
        *same("multihead_attn", attention),
        *same("linear1", affine(feedforward, width)),
        *same("linear2", affine(width, feedforward)),
        *(entry for number in (1, 2, 3) for entry in same(f"norm{number}", affine(width))),
    ]


def _join(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name
