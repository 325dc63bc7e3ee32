"""The published checkpoints of FLINT and EMOTE: files of PyTorch Lightning, with names below `state_dict`.

Source: the released code, facts H.6 and its key lists. The files may also hold networks that the released
code keeps beside these two, such as FLAME and the judges of the losses; it compares no names when it loads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.layout import (
    Layout,
    affine,
    batch_norm,
    same,
    transformer,
    under,
)
from talkcli.engine.checkpoints.convert.mead import MEAD_SPEAKERS
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.convert.wav2vec2 import HEAD_WIDTH, sizes, wav2vec2
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.models.emote.emote_config import INTENSITIES, LABELS, EmoteConfig
from talkcli.engine.models.emote.flint import FRAMES_PER_LATENT, FlintConfig
from talkcli.engine.types import MODEL_FPS

# Names of the files that talk writes; the authors' are those of their training runs.
FLINT_FILE = "FLINT.ckpt"
EMOTE_FILE = "EMOTE.ckpt"
# Components of a frame of motion of the released models: 50 or 100 of expression, then the jaw's.
_COMPONENTS = (len(FLAME), len(FLAME) + 50)
_HEADS = 8
_PERIOD = 30
_DECODER = "motion_decoder"
_PRIOR = f"sequence_decoder.motion_prior.{_DECODER}"
_AUDIO = "audio_model.model"
_LICENCE = (
    "see the EMOTE authors' terms: the Max Planck licence for non-commercial scientific research, which "
    "covers the model; the weights were trained on MEAD, research use"
)


def layouts(method: str, config: Any, num_values: int = len(FLAME)) -> dict[str, Layout]:
    """Return the layout of the one file of `flint` or `emote`, for `num_values` numbers a frame.

    Raises InputError for another speech encoder than wav2vec 2.0.
    """
    if method == "flint":
        return {FLINT_FILE: _flint(config, num_values)}
    return {EMOTE_FILE: _emote(config, num_values)}


def recognise_flint(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return the motion prior in a file.

    Raises UsageError for a choice, of which there is none, and InputError for sizes that no release has.
    """
    choices.only("flint")
    file = _one(files, "FLINT")
    return Published(names=[FLINT_FILE], config=_prior(file, _DECODER), meta=_meta("FLINT"), loose=True)


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return the talking head in a file; it raises what `recognise_flint` raises."""
    choices.only("emote")
    file = _one(files, "EMOTE")
    width = file.size("sequence_decoder.decoder.weight", 0)
    identity = file.size("sequence_decoder.obj_vector.map.weight", 1) - len(LABELS) - INTENSITIES
    config = EmoteConfig(
        content=Wav2vec2Config.model_validate(
            {"frozen": "convolutions", "normalise": "batch", **sizes(file, _AUDIO)}
        ),
        prior=_prior(file, _PRIOR),
        width=width,
        heads=_HEADS,
        layers=file.count("sequence_decoder.bert_decoder.layers.{}."),
        feedforward=file.size("sequence_decoder.bert_decoder.layers.0.linear1.weight", 0),
        period=_PERIOD,
        identity=identity,
        # A model that somebody trained on other speakers knows them by number.
        speakers=MEAD_SPEAKERS if identity == len(MEAD_SPEAKERS) else (),
    )
    return Published(names=[EMOTE_FILE], config=config, meta=_meta("EMOTE"), loose=True)


def built_in(config: FlintConfig | EmoteConfig, num_values: int) -> dict[None, dict[str, Any]]:
    """Return the settings of the network that no shape tells. Raises UsageError for another number of
    components than the released models have.
    """
    prior = config if isinstance(config, FlintConfig) else config.prior
    if num_values + prior.more_expressions not in _COMPONENTS:
        raise UsageError(
            f"The model has no official form: the released ones make {_COMPONENTS[0]} or {_COMPONENTS[1]} "
            f"numbers a frame, not {num_values + prior.more_expressions}."
        )
    if isinstance(config, FlintConfig):
        return {None: {"heads": _HEADS}}
    content = config.content
    assert isinstance(content, Wav2vec2Config)
    encoder = {
        "content.heads": max(content.width // HEAD_WIDTH, 1),
        "content.layer_norm_first": False,
        "content.normalise": "batch",
    }
    return {None: {"heads": _HEADS, "period": _PERIOD, "prior.heads": _HEADS, **encoder}}


def _flint(config: FlintConfig, num_values: int) -> Layout:
    width = config.width
    steps = [
        *under("1", "more.0", _halving(width)),
        *under("2", "more.1", _halving(width)),
    ]
    first = [
        *under("0.0", "conv", affine(width, num_values + config.more_expressions, 5)),
        *under("0.2", "norm", batch_norm(width)),
    ]
    encoder = [
        *under("squasher", "squash", [*first, *steps]),
        *under("encoder_transformer", "squash.attention", transformer(1, width, config.feedforward)),
        *under("encoder_linear_embedding", "squash.linear", affine(width, width)),
        *same("mean", affine(width, width)),
        *under("logvar", "log_variance", affine(width, width)),
    ]
    return [
        *under("motion_encoder", "encoder", encoder),
        *under(_DECODER, "decoder", _decoder(config, num_values)),
    ]


def _decoder(config: FlintConfig, num_values: int) -> Layout:
    width = config.width
    steps = [
        *under("0.0", "conv", affine(width, width, 5)),
        *under("0.2", "norm", batch_norm(width)),
        *under("1", "more.0", _halving(width)),
        *under("2", "more.1", _halving(width)),
    ]
    return [
        *under("expander", "expand", steps),
        *under("decoder_transformer", "expand.attention", transformer(1, width, config.feedforward)),
        *under("decoder_linear_embedding", "expand.linear", affine(width, width)),
        *under("cross_smooth_layer", "smooth", affine(num_values + config.more_expressions, width, 5)),
        *under("post_transformer_linear", "projection", affine(width, width)),
    ]


def _halving(width: int) -> Layout:
    """Return a convolution, an activation without tensors, and a norm."""
    return [*same("0", affine(width, width, 5)), *same("2", batch_norm(width))]


def _emote(config: EmoteConfig, num_values: int) -> Layout:
    content, width = config.content, config.width
    if not isinstance(content, Wav2vec2Config):
        raise InputError(
            "The model has another speech encoder than wav2vec 2.0.",
            hint="Only a model with the released parts can be converted to the official file.",
        )
    conditions = len(LABELS) + INTENSITIES + config.identity
    decoder = [
        *under("obj_vector.map", "style", affine(width, conditions)),
        *under("bert_decoder", "features", transformer(config.layers, 2 * width, config.feedforward)),
        *under(f"motion_prior.{_DECODER}", "prior", _decoder(config.prior, num_values)),
        *under("decoder", "narrow", affine(width, 2 * width)),
        *under("squasher_2.linear", "squash", affine(config.prior.width, FRAMES_PER_LATENT * width)),
    ]
    return [
        *under(_AUDIO, "content.encoder.model", wav2vec2(content)),
        *under("sequence_encoder.linear", "content.linear", affine(width, content.width)),
        *under("sequence_decoder", "", decoder),
    ]


def _one(files: Sequence[OfficialFile], name: str) -> OfficialFile:
    """Return the only file. Raises UsageError for several."""
    if len(files) != 1:
        raise UsageError(f"A model of {name} is one file, not {len(files)}.")
    return files[0]


def _prior(file: OfficialFile, decoder: str) -> FlintConfig:
    """Return the sizes of the prior whose decoder lies below the name `decoder`."""
    components = file.size(f"{decoder}.cross_smooth_layer.weight", 0)
    if components not in _COMPONENTS:
        raise InputError(
            f"{file.path} makes {components} numbers a frame; the released models make {_COMPONENTS[0]} or "
            f"{_COMPONENTS[1]}: expression, then the jaw."
        )
    return FlintConfig(
        width=file.size(f"{decoder}.post_transformer_linear.weight", 0),
        heads=_HEADS,
        feedforward=file.size(f"{decoder}.decoder_transformer.layers.0.linear1.weight", 0),
        more_expressions=components - len(FLAME),
    )


def _meta(name: str) -> Meta:
    return Meta(
        head="flame",
        channels=FLAME,
        fps=MODEL_FPS,
        trained_on=f"official {name} checkpoint, MEAD",
        licence=_LICENCE,
    )
