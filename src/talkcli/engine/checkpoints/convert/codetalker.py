"""CodeTalker's two published files a data set: names and shapes of their tensors, and the names in talk.

Source: the modules of the published code (facts H.2). The file of stage 1 holds the auto-encoder, and that of
stage 2 everything else. Both hold their tensors below `state_dict`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from talkcli.engine.checkpoints.convert import frame_by_frame
from talkcli.engine.checkpoints.convert.data_sets import data_set_of, described, possible_rates
from talkcli.engine.checkpoints.convert.layout import Entry, Layout, affine, under, weight
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.codetalker.autoencoder import REACH, CodeTalkerVqConfig
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.nn.transformer import sinusoids

STAGE_1 = "stage1.pth.tar"
STAGE_2 = "stage2.pth.tar"
# Rows of the position tables of stage 1.
_POSITIONS = 5000
# What the shapes of the tensors do not tell.
_VQ_HEADS = 8


def layouts(
    method: str,  # noqa: ARG001  the config tells
    config: CodeTalkerVqConfig | CodeTalkerConfig,
    num_values: int,
) -> dict[str, Layout]:
    """Return the layout of each official file of a model with `num_values` numbers a frame.

    Raises InputError when the model has parts that the official code lacks.
    """
    if config.motion != "vertices":
        raise InputError("The official code makes vertices, and this model makes coefficients.")
    if isinstance(config, CodeTalkerVqConfig):
        return {STAGE_1: stage_1(config, num_values)}
    return {
        STAGE_2: stage_2(config, num_values),
        STAGE_1: under("", "prior", stage_1(config.prior, num_values)),
    }


def built_in(config: CodeTalkerVqConfig | CodeTalkerConfig, num_values: int) -> dict[str, dict[str, Any]]:
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    first = {"heads": _VQ_HEADS, "positions": "none"}
    if isinstance(config, CodeTalkerVqConfig):
        return dict.fromkeys(possible_rates(num_values), first)
    prior = {f"prior.{key}": value for key, value in first.items()}
    second = frame_by_frame.built_in(config, num_values)
    return {name: {**settings, **prior} for name, settings in second.items()}


def recognise_stage_1(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the one given file of stage 1 holds; its number of vertices tells the data set, unless
    that is chosen.

    Raises UsageError for several files, and InputError for a file that is none of stage 1.
    """
    choices.only("codetalker_vq", "dataset")
    if len(files) != 1:
        raise UsageError(
            "An auto-encoder of CodeTalker is one file, that of stage 1.",
            hint="talk convert codetalker takes the files of both stages.",
        )
    (file,) = files
    num_values = file.size("decoder.vertice_map_reverse.weight", 0)
    meta = _meta("stage 1", num_values, choices)
    return Published(names=[STAGE_1], config=_auto_encoder(file), meta=meta)


def recognise_stage_2(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the two given files hold, which may come in any order.

    Raises UsageError unless they are two, and InputError for files that are none of CodeTalker's.
    """
    choices.only("codetalker", "dataset", "template")
    if len(files) != 2:
        raise UsageError(
            "A CodeTalker model is two files: that of stage 2 lacks the auto-encoder of stage 1.",
            hint="talk convert codetalker STAGE2 STAGE1 --out OUT",
        )
    names = [STAGE_1 if "quantize.embedding.weight" in file.tensors else STAGE_2 for file in files]
    if STAGE_1 not in names:
        raise InputError(
            f"Neither {files[0].path} nor {files[1].path} holds the auto-encoder of stage 1.",
            hint="Give the authors' file of stage 1 beside that of stage 2.",
        )
    first, file = files[names.index(STAGE_1)], files[1 - names.index(STAGE_1)]
    num_values, identity = file.size("vertice_map.weight", 1), file.size("learnable_style_emb.weight", 0)
    name, width = data_set_of(num_values, choices), file.size("vertice_map.weight", 0)
    return Published(
        names=names,
        config=CodeTalkerConfig(
            prior=_auto_encoder(first),
            **frame_by_frame.settings(file, name, width=width, identity=identity),
        ),
        meta=_meta("stages 1 and 2", num_values, choices),
        lacks_rest=True,
    )


def stage_1(config: CodeTalkerVqConfig, num_values: int) -> Layout:
    """Return the layout of the file of stage 1."""
    width = config.width
    linear = under("net", "", affine(width, width))
    at_codes = linear if config.linear_at_codes else []
    outward = affine(num_values, width) if config.output_bias else weight(num_values, width)

    def table() -> Tensor:
        return sinusoids(_POSITIONS, width)[:, None]

    def half(name: str, convolution: str) -> Layout:
        return [
            *under(f"{convolution}.0.0", "mixer.conv", affine(width, width, 2 * REACH + 1)),
            *under(f"{name}_transformer.net", "mixer.transformer.layers", _layers(config)),
            Entry(f"{name}_pos_embedding.pe", (_POSITIONS, 1, width), codes=table),
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
        Entry(
            "quantize.embedding.weight", (config.codes, width // config.codes_per_frame), "quantizer.codes"
        ),
    ]


def stage_2(config: CodeTalkerConfig, num_values: int) -> Layout:
    """Return the layout of the file of stage 2.

    Raises InputError for another speech encoder than wav2vec 2.0.
    """
    return [
        *frame_by_frame.speech_to_decoder(config, num_values),
        *under("feat_map", "outward", weight(config.prior.width, config.width)),
        *under("learnable_style_emb", "styles", weight(config.identity, config.width)),
    ]


def _auto_encoder(file: OfficialFile) -> CodeTalkerVqConfig:
    """Return the config of the auto-encoder in a file of stage 1."""
    width = file.size("decoder.vertice_map_reverse.weight", 1)
    return CodeTalkerVqConfig(
        width=width,
        layers=file.count("encoder.encoder_transformer.net.{}.") // 2,
        heads=_VQ_HEADS,
        feedforward=file.size("encoder.encoder_transformer.net.1.fn.fn.l1.weight", 0),
        codes=file.size("quantize.embedding.weight", 0),
        codes_per_frame=width // max(file.size("quantize.embedding.weight", 1), 1),
        linear_at_codes="decoder.decoder_linear_embedding_pre.net.weight" in file.tensors,
        output_bias="decoder.vertice_map_reverse.bias" in file.tensors,
    )


def _meta(stages: str, num_values: int, choices: Choices) -> Meta:
    """Return the description of a model; the data set is recognised as `data_set_of` does."""
    return described(data_set_of(num_values, choices), num_values, "CodeTalker", f"checkpoint of {stages}")


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
