"""CodeTalker's two published files a data set: names and shapes of their tensors, and the names in talk.

Source: the modules of the published code (facts H.2). The file of stage 1 holds the auto-encoder, and that of
stage 2 everything else. Both hold their tensors below `state_dict`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.data_sets import (
    DATA_SETS,
    at_rest,
    data_set_of,
    possible_rates,
    rates,
)
from talkcli.engine.checkpoints.convert.layout import (
    Entry,
    Layout,
    affine,
    decoder_layer,
    each,
    same,
    under,
    weight,
)
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.convert.wav2vec2 import sizes, wav2vec2
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.codetalker.autoencoder import REACH, CodeTalkerVqConfig
from talkcli.engine.models.codetalker.config import CodeTalkerConfig
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.nn.transformer import sinusoids

STAGE_1 = "stage1.pth.tar"
STAGE_2 = "stage2.pth.tar"
# Rows of the position tables of stage 1.
_POSITIONS = 5000
# The tables of stage 2 have whole periods, the last of which begins at this number.
_LONGEST = 600
# What the shapes of the tensors do not tell.
_VQ_HEADS = 8
_HEADS = 4


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


def built_in(config: CodeTalkerVqConfig | CodeTalkerConfig, num_values: int) -> list[dict[str, Any]]:
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    first = {"heads": _VQ_HEADS, "positions": "none"}
    if isinstance(config, CodeTalkerVqConfig):
        return [first]
    prior = {f"prior.{key}": value for key, value in first.items()}
    return [{"heads": _HEADS, **times, **prior} for times in possible_rates(num_values)]


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
    return Published(names=[STAGE_1], config=_auto_encoder(file), meta=_meta("stage 1", num_values, choices))


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
    name = data_set_of(num_values, choices)
    data_set = DATA_SETS[name]
    config = CodeTalkerConfig(
        prior=_auto_encoder(first),
        content=Wav2vec2Config.model_validate({"frozen": "convolutions", **sizes(file, "audio_encoder")}),
        width=file.size("vertice_map.weight", 0),
        heads=_HEADS,
        feedforward=file.size("transformer_decoder.layers.0.linear1.weight", 0),
        layers=file.count("transformer_decoder.layers.{}."),
        **rates(name),
        identity=identity,
        # A model that somebody trained on other speakers knows them by number.
        speakers=data_set.speakers if len(data_set.speakers) == identity else (),
    )
    return Published(
        names=names,
        config=config,
        meta=_meta("stages 1 and 2", num_values, choices),
        beyond={"neutral": at_rest(data_set, num_values, choices)},
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
    content, width, period = config.content, config.width, config.period
    if not isinstance(content, Wav2vec2Config):
        raise InputError(
            "The model has another speech encoder than wav2vec 2.0.",
            hint="Only a model with the released parts can be converted to the official files.",
        )
    rows = (_LONGEST // period + 1) * period
    layers = each(range(config.layers), decoder_layer(width, config.feedforward))
    return [
        *under("audio_encoder", "memory.content.encoder.model", wav2vec2(content)),
        *under("audio_feature_map", "memory.content.linear", affine(width, content.width)),
        *under("vertice_map", "inward", affine(width, num_values)),
        Entry("PPE.pe", (1, rows, width), codes=lambda: periodic_positions(rows, width, period)[None]),
        *under("transformer_decoder", "decoder", same("layers", layers)),
        *under("feat_map", "outward", weight(config.prior.width, width)),
        *under("learnable_style_emb", "styles", weight(config.identity, width)),
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
    data_set = DATA_SETS[data_set_of(num_values, choices)]
    return Meta(
        head=data_set.topology,
        channels=(),
        num_verts=num_values // 3,
        fps=data_set.fps,
        trained_on=f"official CodeTalker checkpoint of {stages}, {data_set.title}",
        licence="see the CodeTalker authors' terms: their code is MIT, the weights were trained on "
        f"{data_set.title}, research use",
    )


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
