"""Layout of emotion2vec base inside the official files: the published names, which talk has as well."""

from __future__ import annotations

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.strided import CONVOLUTIONS
from talkcli.engine.checkpoints.convert.layout import (
    Layout,
    affine,
    each,
    same,
    tensor,
    under,
    weight,
)


def emotion2vec(config: Emotion2vecConfig) -> Layout:
    """Return the layout of emotion2vec; talk does not read its pre-training decoder."""
    width, channels, groups = config.width, config.channels, config.position_groups
    feedforward = config.feedforward
    block = [
        *same("norm1", affine(width)),
        *same("attn.qkv", affine(3 * width, width)),
        *same("attn.proj", affine(width, width)),
        *same("norm2", affine(width)),
        *same("mlp.fc1", affine(feedforward, width)),
        *same("mlp.fc2", affine(width, feedforward)),
    ]
    convolutions = [
        entry
        for index, (kernel, _) in enumerate(CONVOLUTIONS)
        for entry in (
            *same(f"{index}.0", weight(channels, channels if index else 1, kernel)),
            *same(f"{index}.2.1", affine(channels)),
        )
    ]
    position = same("0", affine(width, width // groups, config.position_kernel))
    half = width // 2
    decoder = [
        *same("blocks.0.0", affine(half, width // groups, 7)),
        *same("blocks", each((1, 2, 3), same("0", affine(half, half // groups, 7)))),
        *same("proj", affine(width, half)),
    ]
    audio = [
        tensor("extra_tokens", 1, config.extra_tokens, width),
        tensor("alibi_scale", 1, 1, config.heads, 1, 1),
        *same("local_encoder.conv_layers", convolutions),
        *same("project_features.1", affine(channels)),
        *same("project_features.2", affine(width, channels)),
        *same("relative_positional_encoder", each(range(1, config.positions + 1), position)),
        *same("context_encoder.blocks", each(range(config.prenet), block)),
        *same("context_encoder.norm", affine(width)),
        *under("decoder", None, decoder),
    ]
    return [*same("modality_encoders.AUDIO", audio), *same("blocks", each(range(config.depth), block))]
