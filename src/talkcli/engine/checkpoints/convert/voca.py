"""VOCA's published model: variables of TensorFlow 1, from its checkpoint or from an .npz of them (facts H.7).

The checkpoint also holds what Adam remembers, which is left out. It is not written: TensorFlow restores it
through a graph file, and only with Adam's variables; `.npz` is what talk writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from talkcli.engine.checkpoints.convert.data_sets import DATA_SETS, described
from talkcli.engine.checkpoints.convert.layout import Entry, Layout
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.models.ctc import CLASSES, GivenLogitsConfig
from talkcli.engine.models.voca import FILTERS, HIDDEN, PLACE_HZ, VocaConfig

FILE = "voca.npz"
_SPEECH = "VOCA/SpeechEncoder"
_SHAPE = "VOCA/ExpressionLayer/expression_offset"
_DATA_SET = "vocaset"


def layouts(method: str, config: VocaConfig, num_values: int) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layout of the official variables of a model with `num_values` numbers a frame.

    Raises InputError when the model has parts that the official code lacks.
    """
    if config.motion != "vertices":
        raise InputError("The official code makes vertices, and this model makes coefficients.")
    if not isinstance(config.content, GivenLogitsConfig):
        raise InputError(
            "The model hears sound by an encoder of its own, and the official code hears given logits."
        )
    norm = {"beta": "beta", "gamma": "gamma", "moving_mean": "mean", "moving_variance": "variance"}
    layout = [Entry(f"{_SPEECH}/batch_norm/{theirs}", (1,), f"norm.{ours}") for theirs, ours in norm.items()]
    widths = (len(CLASSES) + config.identity, *FILTERS)
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        layout += _variables(f"{_SPEECH}/conv{number + 1}", f"halvings.{number}", 3, 1, inputs, outputs)
    return {
        FILE: [
            *layout,
            *_variables(f"{_SPEECH}/fc1", "hidden", FILTERS[-1] + config.identity, HIDDEN),
            *_variables(f"{_SPEECH}/fc2", "shape", HIDDEN, config.components),
            *_variables(_SHAPE, "outward", config.components, num_values),
        ]
    }


def built_in(config: VocaConfig, num_values: int) -> dict[None, dict[str, Any]]:  # noqa: ARG001
    """Return the settings that no shape tells."""
    return {None: {"fps": PLACE_HZ}}


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return what the one given file holds.

    Raises UsageError for several files, and InputError for a file that is none of VOCA's.
    """
    choices.only("voca", "template")
    if len(files) != 1:
        raise UsageError("A VOCA model is one file.", hint="Convert the files one by one.")
    (file,) = files
    num_values = file.size(f"{_SHAPE}/weights", 1)
    identity = file.size(f"{_SPEECH}/conv1/weights", 2) - len(CLASSES)
    speakers = DATA_SETS[_DATA_SET].speakers
    meta = described(_DATA_SET, num_values, "VOCA", "checkpoint").model_copy(
        update={
            "fps": PLACE_HZ,
            "licence": "see the VOCA authors' terms: the Max Planck licence for non-commercial scientific "
            "research; the weights were trained on VOCASET, research use",
        }
    )
    return Published(
        names=[FILE],
        config=VocaConfig(
            components=file.size(f"{_SHAPE}/weights", 0),
            fps=PLACE_HZ,
            identity=identity,
            # A model that somebody trained on other speakers knows them by number.
            speakers=speakers if len(speakers) == identity else (),
        ),
        meta=meta,
        lacks_rest=True,
        loose=True,
    )


def _variables(official: str, ours: str, *shape: int) -> Layout:
    """Return the weights and biases of a layer, outputs last."""
    return [
        Entry(f"{official}/weights", shape, f"{ours}.weights"),
        Entry(f"{official}/biases", shape[-1:], f"{ours}.biases"),
    ]
