"""FaceDiffuser's published files: one bare state dict a data set (facts H.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.data_sets import DATA_SETS, data_set_of, described, possible_rates
from talkcli.engine.checkpoints.convert.layout import Entry, Layout, affine, same, tensor, under, weight
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.convert.wav2vec2 import HEAD_WIDTH, sizes, wav2vec2
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.facediffuser.config import FaceDiffuserConfig

FILE = "facediffuser.pth"
# Of the released convolution along the channels of the narrowed motion, and layers of its GRU.
_KERNEL, _LAYERS = 9, 2
# First layers of HuBERT that the authors freeze.
_FROZEN_LAYERS = 2


def layouts(method: str, config: FaceDiffuserConfig, num_values: int) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layout of the official file of a model with `num_values` numbers a frame.

    Raises InputError when the model has parts that the official code lacks, and for coefficients: no file
    says what the released blendshapes mean.
    """
    if config.motion != "vertices":
        raise InputError("The published models make vertices, and this model makes coefficients.")
    return {FILE: tensors(config, num_values)}


def tensors(config: FaceDiffuserConfig, num_values: int) -> Layout:
    """Return the layout of either variant. Raises InputError for another speech encoder than HuBERT."""
    content, width = config.content, config.width
    if not isinstance(content, Wav2vec2Config):
        raise InputError(
            "The model has another speech encoder than HuBERT.",
            hint="Only a model with the released parts can be converted to the official file.",
        )
    heard = 2 * content.width
    inside = heard + num_values + width if config.plain else 3 * width
    layers = [
        entry
        for layer in range(_LAYERS)
        for entry in (
            tensor(f"weight_ih_l{layer}", 3 * width, width if layer else inside),
            tensor(f"weight_hh_l{layer}", 3 * width, width),
            tensor(f"bias_ih_l{layer}", 3 * width),
            tensor(f"bias_hh_l{layer}", 3 * width),
        )
    ]
    smooth = [tensor("weight", 1, 1, _KERNEL), Entry("bias", (1,), "bias", keeps_axis=True)]
    narrowing = [
        *under("cond_projection", "narrow", affine(width, heard)),
        *under("input_projection.0", "inward", affine(2 * width, num_values)),
        *under("input_projection.1", "smooth", smooth),
    ]
    return [
        *under("audio_encoder", "hearing.encoder.model", wav2vec2(content)),
        *([] if config.plain else narrowing),
        *under("time_mlp.0", "time", affine(width, config.times)),
        *under("norm_cond", "norm", affine(inside)),
        *same("gru", layers),
        *under("final_layer", "outward", affine(num_values, width)),
        *([] if config.plain else under("obj_vector", "style", weight(width, config.identity))),
    ]


def built_in(config: FaceDiffuserConfig, num_values: int) -> dict[str, dict[str, Any]]:
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    assert isinstance(config.content, Wav2vec2Config)
    encoder = {
        "content.heads": max(config.content.width // HEAD_WIDTH, 1),
        "content.layer_norm_first": False,
        "content.normalise": "utterance",
    }
    return {name: {**encoder, **_rates(name)} for name in possible_rates(num_values)}


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the one given file holds; its number of vertices tells the data set, unless that is chosen.

    Raises UsageError for several files, and InputError for a file that is none of FaceDiffuser's, or the
    variant for blendshapes.
    """
    choices.only("facediffuser", "dataset", "template")
    if len(files) != 1:
        raise UsageError("A FaceDiffuser model is one file.", hint="Convert the files one by one.")
    (file,) = files
    if "obj_vector.weight" not in file.tensors and "final_layer.weight" in file.tensors:
        raise InputError(
            f"{file.path} holds FaceDiffuser's variant for blendshapes, and does not say which these are.",
            hint="Only its models of vertices can be converted.",
        )
    num_values, width = file.size("final_layer.weight", 0), file.size("final_layer.weight", 1)
    name, identity = data_set_of(num_values, choices), file.size("obj_vector.weight", 1)
    speakers = DATA_SETS[name].speakers
    meta = described(name, num_values, "FaceDiffuser", "checkpoint")
    encoder = sizes(file, "audio_encoder")
    frozen = {"frozen": "convolutions", "frozen_layers": min(_FROZEN_LAYERS, encoder["layers"])}
    return Published(
        names=[FILE],
        config=FaceDiffuserConfig(
            content=Wav2vec2Config.model_validate({**frozen, **encoder}),
            width=width,
            times=file.size("time_mlp.0.weight", 1),
            identity=identity,
            # A model that somebody trained on other speakers knows them by number.
            speakers=speakers if len(speakers) == identity else (),
            **_rates(name),
        ),
        meta=meta.model_copy(
            update={
                "licence": "see the FaceDiffuser authors' terms: CC BY-NC 4.0, non-commercial; the weights "
                f"were trained on {DATA_SETS[name].title}, research use"
            }
        ),
        lacks_rest=True,
    )


def _rates(name: str) -> dict[str, Any]:
    """Return the settings of time that the released code has for a data set."""
    return {"fps": DATA_SETS[name].fps, "paired": name == "biwi"}
