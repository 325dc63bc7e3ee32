"""FaceFormer's published files: one state dict a data set, vocaset.pth and biwi.pth (facts H.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
from talkcli.engine.models.faceformer import FaceFormerConfig
from talkcli.engine.nn.periodic import periodic_positions

FILE = "faceformer.pth"
# The released tables have whole periods, the last of which begins at this number.
_LONGEST = 600
_HEADS = 4


def layouts(method: str, config: FaceFormerConfig, num_values: int) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layout of the official file of a model with `num_values` numbers a frame.

    Raises InputError when the model has parts that the official code lacks.
    """
    content, width, feedforward = config.content, config.width, config.feedforward
    if not isinstance(content, Wav2vec2Config) or config.motion != "vertices":
        raise InputError(
            "The model has another speech encoder than wav2vec 2.0, or makes coefficients.",
            hint="Only a model with the released parts can be converted to the official file.",
        )
    period = config.period
    rows = (_LONGEST // period + 1) * period
    layer = decoder_layer(width, feedforward)
    return {
        FILE: [
            *under("audio_encoder", "memory.content.encoder.model", wav2vec2(content)),
            *under("audio_feature_map", "memory.content.linear", affine(width, content.width)),
            *under("vertice_map", "inward", affine(width, num_values)),
            Entry("PPE.pe", (1, rows, width), codes=lambda: periodic_positions(rows, width, period)[None]),
            *under("transformer_decoder", "decoder", same("layers", each(range(config.layers), layer))),
            *under("vertice_map_r", "outward", affine(num_values, width)),
            *under("obj_vector", "style", weight(width, config.identity)),
        ]
    }


def built_in(config: FaceFormerConfig, num_values: int) -> list[dict[str, Any]]:  # noqa: ARG001
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    return [{"heads": _HEADS, **times} for times in possible_rates(num_values)]


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the one given file holds; its number of vertices tells the data set, unless that is chosen.

    Raises UsageError for several files, and InputError for a file that is none of FaceFormer's.
    """
    choices.only("faceformer", "dataset", "template")
    if len(files) != 1:
        raise UsageError("A FaceFormer model is one file.", hint="Convert the files one by one.")
    (file,) = files
    num_values, width = file.size("vertice_map_r.weight", 0), file.size("vertice_map_r.weight", 1)
    name = data_set_of(num_values, choices)
    data_set = DATA_SETS[name]
    identity = file.size("obj_vector.weight", 1)
    config = FaceFormerConfig(
        content=Wav2vec2Config.model_validate({"frozen": "convolutions", **sizes(file, "audio_encoder")}),
        width=width,
        heads=_HEADS,
        feedforward=file.size("transformer_decoder.layers.0.linear1.weight", 0),
        layers=file.count("transformer_decoder.layers.{}."),
        **rates(name),
        identity=identity,
        # A model that somebody trained on other speakers knows them by number.
        speakers=data_set.speakers if len(data_set.speakers) == identity else (),
    )
    meta = Meta(
        head=data_set.topology,
        channels=(),
        num_verts=num_values // 3,
        fps=data_set.fps,
        trained_on=f"official FaceFormer checkpoint, {data_set.title}",
        licence="see the FaceFormer authors' terms: their code is MIT, the weights were trained on "
        f"{data_set.title}, research use",
    )
    return Published(
        names=[FILE],
        config=config,
        meta=meta,
        beyond={"neutral": at_rest(data_set, num_values, choices)},
    )
