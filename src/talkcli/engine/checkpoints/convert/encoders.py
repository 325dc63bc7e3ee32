"""Layouts of the two speech encoders inside the official files: emotion2vec base and wav2vec 2.0 base.

emotion2vec has the published names both in the files and in talk; wav2vec 2.0 has Hugging Face's names in the
files and torchaudio's in talk.
"""

from __future__ import annotations

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.strided import CONVOLUTIONS
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.layout import (
    Entry,
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


def wav2vec2(config: Wav2vec2Config) -> Layout:
    """Return the layout of wav2vec 2.0; talk does not read its embedding of masked steps.

    The weight norm of the positions has the names of torch 1 in the files and those of torch 2 in talk.
    """
    width, channels, kernel = config.width, config.channels, config.position_kernel
    feedforward = config.feedforward
    convolutions = [
        entry
        for index, (size, _) in enumerate(CONVOLUTIONS)
        for entry in (
            *same(f"{index}.conv", weight(channels, channels if index else 1, size)),
            *(same("0.layer_norm", affine(channels)) if index == 0 else ()),
        )
    ]
    norm = "parametrizations.weight.original"
    positions = [
        tensor("bias", width),
        Entry("weight_g", (1, 1, kernel), f"{norm}0"),
        Entry("weight_v", (width, width // config.position_groups, kernel), f"{norm}1"),
    ]
    layer = [
        *(entry for name in "kvq" for entry in same(f"attention.{name}_proj", affine(width, width))),
        *same("attention.out_proj", affine(width, width)),
        *same("layer_norm", affine(width)),
        *same("feed_forward.intermediate_dense", affine(feedforward, width)),
        *same("feed_forward.output_dense", affine(width, feedforward)),
        *same("final_layer_norm", affine(width)),
    ]
    encoder = [
        *same("pos_conv_embed.conv", positions),
        *same("layer_norm", affine(width)),
        *same("layers", each(range(config.layers), layer)),
    ]
    projection = [*same("layer_norm", affine(channels)), *same("projection", affine(width, channels))]
    return [
        Entry("masked_spec_embed", (width,)),
        *same("feature_extractor.conv_layers", convolutions),
        *under("feature_projection", "encoder.feature_projection", projection),
        *under("encoder", "encoder.transformer", encoder),
    ]
