"""FaceFormer's published files: one state dict a data set, vocaset.pth and biwi.pth (facts H.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkcli.engine.checkpoints.convert import frame_by_frame
from talkcli.engine.checkpoints.convert.data_sets import data_set_of, described
from talkcli.engine.checkpoints.convert.layout import Layout, affine, under, weight
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.faceformer import FaceFormerConfig

FILE = "faceformer.pth"


def layouts(method: str, config: FaceFormerConfig, num_values: int) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layout of the official file of a model with `num_values` numbers a frame.

    Raises InputError when the model has parts that the official code lacks.
    """
    if config.motion != "vertices":
        raise InputError("The official code makes vertices, and this model makes coefficients.")
    return {
        FILE: [
            *frame_by_frame.speech_to_decoder(config, num_values),
            *under("vertice_map_r", "outward", affine(num_values, config.width)),
            *under("obj_vector", "style", weight(config.width, config.identity)),
        ]
    }


def built_in(config: FaceFormerConfig, num_values: int) -> dict[str, dict[str, Any]]:
    """Return the settings that no shape tells, for each data set that the official code may run it as."""
    return frame_by_frame.built_in(config, num_values)


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the one given file holds; its number of vertices tells the data set, unless that is chosen.

    Raises UsageError for several files, and InputError for a file that is none of FaceFormer's.
    """
    choices.only("faceformer", "dataset", "template")
    if len(files) != 1:
        raise UsageError("A FaceFormer model is one file.", hint="Convert the files one by one.")
    (file,) = files
    num_values, width = file.size("vertice_map_r.weight", 0), file.size("vertice_map_r.weight", 1)
    name, identity = data_set_of(num_values, choices), file.size("obj_vector.weight", 1)
    return Published(
        names=[FILE],
        config=FaceFormerConfig(**frame_by_frame.settings(file, name, width=width, identity=identity)),
        meta=described(name, num_values, "FaceFormer", "checkpoint"),
        lacks_rest=True,
    )
