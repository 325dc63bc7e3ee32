"""Layouts of CodeTalker's two published files: names and shapes of their tensors, and the names in talk.

Source: the modules of the published code. The file of stage 2 lacks the auto-encoder, which stands in the
file of stage 1.
"""

from __future__ import annotations

from talkcli.engine.checkpoints.convert.layout import (
    Entry,
    Layout,
    affine,
    under,
    weight,
)
from talkcli.engine.models.codetalker.autoencoder import REACH, CodeTalkerVqConfig

# Rows of the position tables of stage 1.
_POSITIONS = 5000


def stage_1(config: CodeTalkerVqConfig, num_values: int) -> Layout:
    """Return the layout of the file of stage 1."""
    width = config.width
    linear = under("net", "", affine(width, width))
    at_codes = linear if config.linear_at_codes else []
    outward = affine(num_values, width) if config.output_bias else weight(num_values, width)

    def half(name: str, convolution: str) -> Layout:
        return [
            *under(f"{convolution}.0.0", "mixer.conv", affine(width, width, 2 * REACH + 1)),
            *under(f"{name}_transformer.net", "mixer.transformer.layers", _layers(config)),
            Entry(f"{name}_pos_embedding.pe", (_POSITIONS, 1, width)),
            *under(f"{name}_linear_embedding", "mixer.linear", linear),
        ]

    encoder = [
        *under("vertice_mapping.0", "inward", affine(width, num_values)),
        *half("encoder", "squasher"),
        *under("encoder_linear_embedding_post", "outward", at_codes),
    ]
    decoder = [
        *half("decoder", "expander"),
        *under("decoder_linear_embedding_pre", "inward", at_codes),
        *under("vertice_map_reverse", "outward", outward),
    ]
    return [
        *under("encoder", "encoder", encoder),
        *under("decoder", "decoder", decoder),
        Entry("quantize.embedding.weight", (config.codes, width // config.codes_per_frame), "quantizer.codes"),
    ]


def _layers(config: CodeTalkerVqConfig) -> Layout:
    """Return the transformer, which the file holds as one list: attention and perceptron by turns."""
    width, feedforward = config.width, config.feedforward
    attention = [
        *under("norm", "norm_attention", affine(width)),
        *under("fn.to_qkv", "project_in", weight(3 * width, width)),
        *under("fn.to_out", "project_out", affine(width, width)),
    ]
    perceptron = [
        *under("norm", "norm_feedforward", affine(width)),
        *under("fn.l1", "expand", affine(feedforward, width)),
        *under("fn.l2", "contract", affine(width, feedforward)),
    ]
    return [
        entry
        for layer in range(config.layers)
        for part, entries in enumerate((attention, perceptron))
        for entry in under(f"{2 * layer + part}.fn", f"{layer}", entries)
    ]
