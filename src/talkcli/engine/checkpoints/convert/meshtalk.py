"""MeshTalk's published files: encoder.pkl, vertex_unet.pkl, context_model.pkl, all bare (facts H.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.layout import Entry, Layout, affine, each, same, tensor, under
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.meshtalk.config import LatentConfig, MeshTalkConfig
from talkcli.engine.models.meshtalk.speech import DILATIONS, MELS

ENCODER, MESH, CONTEXT = "encoder.pkl", "vertex_unet.pkl", "context_model.pkl"
# A tensor that tells each file.
_TOLD_BY = {
    "fusion_model.mlp.4.weight": ENCODER,
    "vertex_bias": MESH,
    "logits.masked_linear.weight": CONTEXT,
}
# Settings of the released networks that no shape tells.
_HEADS = 16
_DILATIONS = (1, 2, 4, 8)
_FPS: Literal[30] = 30
_NUM_VERTS = {6172: "meshtalk"}


def layouts(method: str, config: LatentConfig | MeshTalkConfig, num_values: int) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layouts of the two files of `meshtalk_latent`, or of the three of `meshtalk`."""
    if isinstance(config, LatentConfig):
        return {ENCODER: _encoder(config, num_values), MESH: _mesh(config, num_values)}
    inside = {
        name: under("", "prior", entries) for name, entries in layouts("", config.latent, num_values).items()
    }
    return {**inside, CONTEXT: under("", "context", _context(config))}


def built_in(config: LatentConfig | MeshTalkConfig, num_values: int) -> dict[None, dict[str, Any]]:  # noqa: ARG001
    """Return the settings that no shape tells."""
    if isinstance(config, LatentConfig):
        return {None: {"fps": _FPS, "heads": _HEADS}}
    return {None: {"latent.fps": _FPS, "latent.heads": _HEADS, "dilations": list(_DILATIONS)}}


def recognise_latent(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return the networks of step 1 in two files, in any order.

    Raises UsageError for other files, and InputError for files that are none of MeshTalk's.
    """
    choices.only("meshtalk_latent")
    names = _names(files, (ENCODER, MESH))
    config, num_values = _latent(files, names)
    return Published(names=names, config=config, meta=_meta(num_values))


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return the whole model in three files, in any order; it raises what `recognise_latent` raises."""
    choices.only("meshtalk", "template")
    names = _names(files, (ENCODER, MESH, CONTEXT))
    latent, num_values = _latent(files, names)
    context = files[names.index(CONTEXT)]
    config = MeshTalkConfig(
        latent=latent,
        hidden=max(context.size("embedding.masked_linear.weight", 0) // _HEADS, 1),
        dilations=_DILATIONS[: context.count("context_layers.{}.")] or _DILATIONS,
    )
    return Published(
        names=names,
        config=config,
        meta=_meta(num_values),
        lacks_rest=True,
        zeros={"smoothed": (2, num_values // 3)},
    )


def _names(files: Sequence[OfficialFile], wanted: Sequence[str]) -> list[str]:
    """Return the name of each given file."""
    names = []
    for file in files:
        told = [name for key, name in _TOLD_BY.items() if key in file.tensors]
        if not told:
            raise InputError(f"{file.path} is none of MeshTalk's files: {', '.join(_TOLD_BY.values())}.")
        names.append(told[0])
    if sorted(names) != sorted(wanted):
        raise UsageError(f"The model is made of {', '.join(wanted)}.", hint="Give each of them once.")
    return names


def _latent(files: Sequence[OfficialFile], names: Sequence[str]) -> tuple[LatentConfig, int]:
    encoder, mesh = (files[names.index(name)] for name in (ENCODER, MESH))
    config = LatentConfig(
        heads=_HEADS,
        classes=max(encoder.size("fusion_model.mlp.4.weight", 0) // _HEADS, 2),
        width=encoder.size("audio_encoder.code.weight", 0),
        expression_width=encoder.size("expression_encoder.layers.0.weight", 0),
        mesh_widths=(mesh.size("encoder.0.weight", 0), mesh.size("encoder.1.weight", 0)),
        fps=_FPS,
    )
    return config, mesh.size("vertex_bias", 0)


def _meta(num_values: int) -> Meta:
    return Meta(
        head=_NUM_VERTS.get(num_values // 3, "flame" if num_values == 3 * 5023 else "mesh"),
        channels=(),
        num_verts=num_values // 3,
        fps=_FPS,
        trained_on="official MeshTalk checkpoints",
        licence="CC BY-NC 4.0 (code and weights of MeshTalk)",
    )


def _encoder(config: LatentConfig, num_values: int) -> Layout:
    width, inner = config.width, config.expression_width
    speech = [
        Entry("melspec.spectrogram.window", (800,), "front.window"),
        Entry("melspec.mel_scale.fb", (1025, MELS), "front.bank"),
        *under("convert_dimensions", "inward", affine(width, MELS, 5)),
        *under("convs", "convolutions", each(range(len(DILATIONS)), affine(width, width, 5))),
        *same("code", affine(width, width)),
    ]
    expression = [
        *_standard(num_values),
        *same("layers.0", affine(inner, num_values)),
        *same("layers.1", affine(width, inner)),
        *same("lstm", _lstm(width, 1)),
        *same("code", affine(width, width)),
    ]
    codes = config.heads * config.classes
    fusion = [
        *under("0", "0", affine(2 * width, 2 * width)),
        *under("2", "1", affine(2 * width, 2 * width)),
        *under("4", "2", affine(codes, 2 * width)),
    ]
    return [
        *under("audio_encoder", "speech", speech),
        *under("expression_encoder", "expression", expression),
        *under("fusion_model.mlp", "fusion", fusion),
    ]


def _mesh(config: LatentConfig, num_values: int) -> Layout:
    width, (outer, inner) = config.width, config.mesh_widths
    sides = (num_values, outer, inner, width)
    layers = [
        *(entry for row in range(3) for entry in same(f"encoder.{row}", affine(sides[row + 1], sides[row]))),
        *same("fusion", affine(width, width + config.heads * config.classes)),
        *same("temporal", _lstm(width, 2)),
        *(
            entry
            for row in range(3)
            for entry in same(f"decoder.{row}", affine(sides[2 - row], sides[3 - row]))
        ),
    ]
    return under("", "mesh", [tensor("vertex_bias", num_values), *_standard(num_values), *layers])


def _context(config: MeshTalkConfig) -> Layout:
    latent, hidden = config.latent, config.hidden
    heads, channels = latent.heads, latent.heads * config.hidden

    def masked(name: str, ours: str, outward: int, inward: int, heard: str | None) -> Layout:
        def mask() -> Tensor:
            before = torch.ones(heads, heads).tril(-1)
            return before.repeat_interleave(outward, 0).repeat_interleave(inward, 1)[..., None]

        rows, columns = heads * outward, heads * inward
        return [
            Entry(f"{name}.mask", (rows, columns, 1), codes=mask),
            *under(f"{name}.unmasked_linear", heard, affine(rows, latent.width, 1)),
            *under(f"{name}.masked_linear", ours, affine(rows, columns, 1)),
        ]

    layers = [
        entry
        for row in range(len(config.dilations))
        for entry in (
            *masked(f"context_layers.{row}", f"layers.{row}.masked", hidden, hidden, f"layers.{row}.heard"),
            *under(f"context_layers.{row}.historic", f"layers.{row}.historic", affine(channels, channels, 2)),
        )
    ]
    return [
        *masked("embedding", "embedding", hidden, latent.classes, None),
        *layers,
        *masked("logits", "outward", latent.classes, hidden, None),
    ]


def _standard(num_values: int) -> Layout:
    """Return the statistics of the vertices."""
    shape = (1, 1, num_values // 3, 3)
    return [Entry(name, shape, f"standard.{name}") for name in ("mean", "stddev")]


def _lstm(width: int, layers: int) -> Layout:
    """Return the tensors of `nn.LSTM` whose layers all have one width."""
    return [
        entry
        for layer in range(layers)
        for entry in (
            tensor(f"weight_ih_l{layer}", 4 * width, width),
            tensor(f"weight_hh_l{layer}", 4 * width, width),
            tensor(f"bias_ih_l{layer}", 4 * width),
            tensor(f"bias_hh_l{layer}", 4 * width),
        )
    ]
