"""Layout of wav2vec 2.0 as Hugging Face's modules name its tensors; talk has torchaudio's names."""

from __future__ import annotations

from talkcli.engine.audio.strided import CONVOLUTIONS
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.layout import Entry, Layout, affine, each, same, tensor, under, weight
from talkcli.engine.checkpoints.convert.published import OfficialFile

# Channels of an attention head, in all published sizes.
HEAD_WIDTH = 64


def sizes(file: OfficialFile, prefix: str) -> dict[str, int]:
    """Return the settings of wav2vec 2.0 below `prefix` that its shapes tell, for `Wav2vec2Config`.

    Raises InputError when the file lacks one of the tensors that tell them.
    """
    position, layer = f"{prefix}.encoder.pos_conv_embed.conv.weight_v", f"{prefix}.encoder.layers"
    width = file.size(position, 0)
    return {
        "width": width,
        "layers": file.count(f"{layer}.{{}}."),
        "heads": max(width // HEAD_WIDTH, 1),
        "feedforward": file.size(f"{layer}.0.feed_forward.intermediate_dense.weight", 0),
        "channels": file.size(f"{prefix}.feature_extractor.conv_layers.0.conv.weight", 0),
        "position_kernel": file.size(position, 2),
        "position_groups": max(width // max(file.size(position, 1), 1), 1),
    }


def wav2vec2(config: Wav2vec2Config) -> Layout:
    """Return the layout of wav2vec 2.0; talk does not read its embedding of masked steps.

    The weight norm of the positions has the names of torch 1 in the files and those of torch 2 in talk.
    """
    width, channels, kernel = config.width, config.channels, config.position_kernel
    feedforward, large = config.feedforward, config.layer_norm_first
    convolution = affine if large else weight
    convolutions = [
        entry
        for index, (size, _) in enumerate(CONVOLUTIONS)
        for entry in (
            *same(f"{index}.conv", convolution(channels, channels if index else 1, size)),
            *(same(f"{index}.layer_norm", affine(channels)) if large or index == 0 else ()),
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
