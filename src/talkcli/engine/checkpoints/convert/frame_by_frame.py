"""What the published files of FaceFormer and CodeTalker share: both make motion frame by frame.

Source: facts H.1 and H.2. Both have one speech encoder, one decoder and the same data sets.
"""

from __future__ import annotations

from typing import Any

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.data_sets import DATA_SETS, possible_rates, rates
from talkcli.engine.checkpoints.convert.layout import (
    Entry,
    Layout,
    affine,
    decoder_layer,
    each,
    same,
    under,
)
from talkcli.engine.checkpoints.convert.published import OfficialFile
from talkcli.engine.checkpoints.convert.wav2vec2 import HEAD_WIDTH, sizes, wav2vec2
from talkcli.engine.errors import InputError
from talkcli.engine.models.frame_by_frame import FrameByFrameConfig
from talkcli.engine.nn.periodic import periodic_positions

# Attention heads of the decoder.
_HEADS = 4
# The released tables of positions have whole periods, the last of which begins at this number.
_LONGEST = 600


def speech_to_decoder(config: FrameByFrameConfig, num_values: int) -> Layout:
    """Return the layout of everything but the output and the styles, for `num_values` numbers a frame.

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
    ]


def settings(file: OfficialFile, data_set: str, *, width: int, identity: int) -> dict[str, Any]:
    """Return the settings of the model in `file`, by their names in the config of either method.

    Raises InputError when the file lacks one of the tensors that tell them.
    """
    speakers = DATA_SETS[data_set].speakers
    return {
        "content": Wav2vec2Config.model_validate({"frozen": "convolutions", **sizes(file, "audio_encoder")}),
        "width": width,
        "heads": _HEADS,
        "feedforward": file.size("transformer_decoder.layers.0.linear1.weight", 0),
        "layers": file.count("transformer_decoder.layers.{}."),
        **rates(data_set),
        "identity": identity,
        # A model that somebody trained on other speakers knows them by number.
        "speakers": speakers if len(speakers) == identity else (),
    }


def built_in(config: FrameByFrameConfig, num_values: int) -> dict[str, dict[str, Any]]:
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    assert isinstance(config.content, Wav2vec2Config)
    encoder = {
        "content.heads": max(config.content.width // HEAD_WIDTH, 1),
        "content.layer_norm_first": False,
        "content.normalise": "utterance",
    }
    return {name: {"heads": _HEADS, **encoder, **times} for name, times in possible_rates(num_values).items()}
