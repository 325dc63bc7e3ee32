"""What one file of somebody else's model holds: its tensors in order, each with its name here.

A layout is a list of `Entry`; one list serves both directions, so the way back cannot differ from the way
in. Shapes are torch's: outputs first, then inputs, then the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Entry:
    """One tensor of an official file."""

    official: str
    shape: tuple[int, ...]
    ours: str | None = None
    """Its name in our model; None where nothing here reads it."""
    copy_of: str | None = None
    """Official name of the tensor of the same file that it repeats."""

    @property
    def our_shape(self) -> tuple[int, ...]:
        """A single number has no axis here."""
        return () if self.shape == (1,) else self.shape

    @property
    def dtype(self) -> torch.dtype:
        return torch.int64 if self.official.endswith("num_batches_tracked") else torch.float32


Layout = list[Entry]


def under(official: str, ours: str | None, entries: Iterable[Entry]) -> Layout:
    """Return `entries` inside a module called `official` there and `ours` here.

    "" where one side has no such module; None where nothing here reads it.
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
    """Return `entries` inside a module that has one name there and here."""
    return under(name, name, entries)


def each(numbers: Iterable[int], entries: Iterable[Entry]) -> Layout:
    """Return `entries` once for every number, in modules called by the number."""
    shared = list(entries)
    return [entry for number in numbers for entry in same(str(number), shared)]


def copied(official: str, source: str, entries: Iterable[Entry]) -> Layout:
    """Return what stands under `source` among `entries`, once more under `official`."""
    return [
        Entry(official + entry.official.removeprefix(source), entry.shape, copy_of=entry.official)
        for entry in entries
        if entry.official.startswith(f"{source}.")
    ]


def tensor(name: str, *shape: int) -> Entry:
    """Return one that has the same name there and here."""
    return Entry(name, shape, name)


def weight(*shape: int) -> Layout:
    """Return a layer without a bias."""
    return [tensor("weight", *shape)]


def affine(*shape: int) -> Layout:
    """Return weight and bias of a linear layer, a convolution or a normalisation."""
    return [tensor("weight", *shape), tensor("bias", shape[0])]


def batch_norm(width: int) -> Layout:
    """Return `nn.BatchNorm1d` with its running statistics."""
    statistics = [tensor("running_mean", width), tensor("running_var", width)]
    return [*affine(width), *statistics, tensor("num_batches_tracked")]


def gru(inputs: int, hidden: int) -> Layout:
    """Return one bidirectional layer of `nn.GRU`."""
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
    """Return `nn.TransformerEncoderLayer` there, `TransformerLayer` here."""
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
    """Return `nn.TransformerEncoder` there, `Transformer` here."""
    return same("layers", each(range(layers), transformer_layer(width, feedforward)))


def _join(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name
