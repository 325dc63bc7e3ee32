"""Opening of performers: the embedded model, a trained model of any method, or the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from talkcli.engine.checkpoints.model_file import Header, Meta, read_header
from talkcli.engine.device import has_bf16
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import CHANNELS
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.template import Template
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.performers.performer import Controls, Performer
from talkcli.engine.performers.rules import RULES, Rules, read_words
from talkcli.engine.performers.trained import PRECISIONS, Precision, TrainedPerformer
from talkcli.engine.types import Alignment, Reporter


def open_performer(
    model_name: str,
    device_name: str = "auto",
    *,
    reporter: Reporter,
    precision: Precision = "fp32",
    layers: Mapping[str, bool | None] | None = None,
    text: str | None = None,
    phones: Alignment | None = None,
    template: Template | None = None,
) -> Performer:
    """Load the performer called `model_name`.

    Args:
        model_name: `RULES`, or a model as `weights_of` takes it.
        device_name: Device as `resolve_device` takes it; the rules ignore it.
        reporter: Receiver of notes and warnings.
        precision: Number format of a network; bf16 computes in bfloat16 where torch's autocast does.
        layers: Layers to switch on or off, as `Layers.chosen` takes them; None for those that draw nothing at
            random.
        text: Words for the rules, as `read_words` takes them; trained models take none.
        phones: Phones with their times for the rules, in place of `text`.
        template: Face at rest of a model of vertices; None for the model's own.

    Raises:
        InputError, AssetError: When a file is missing, or is not that of a generator.
        UsageError: For words, layers, a precision or a template that the performer has no use for.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"`precision={precision}` is none of {', '.join(PRECISIONS)}.")
    if model_name == RULES:
        if text is None and phones is None:
            raise UsageError(
                "`model=rules` needs the words of the speech.",
                hint='Add `text="what is said"`, or `text` with a .txt file or a TextGrid.',
            )
        if template is not None:
            raise UsageError("`template` is for models of vertices; the rules move channels of a head.")
        if precision != "fp32":
            raise UsageError("`precision` is for trained models; the rules have none.")
        words = phones if text is None else read_words(text)
        assert words is not None
        return Rules(words, layers=layers, reporter=reporter)
    if text is not None or phones is not None:
        raise UsageError(
            "`text` is for `model=rules` only: a trained model takes the words from the sound.",
            hint="Leave `text` out.",
        )
    performer = open_model(model_name, device_name, precision=precision, layers=layers, template=template)
    if precision == "bf16" and not has_bf16(performer.device):
        reporter.warn("This processor has no bfloat16 arithmetic: `precision=bf16` will be slower than fp32.")
    return performer


def open_model(
    model_name: str,
    device_name: str = "auto",
    *,
    precision: Precision = "fp32",
    layers: Mapping[str, bool | None] | None = None,
    template: Template | None = None,
) -> TrainedPerformer:
    """Load a trained model; the arguments are those of `open_performer`.

    Raises InputError, AssetError or UsageError as `open_performer` does.
    """
    path, header = generator_file(model_name)
    kind = performer_of(header.method)
    return kind(path, header, device_name, precision=precision, layers=layers, template=template)


def performer_of(method: str) -> type[TrainedPerformer]:
    """Return the class that performs with trained models of a method."""
    target = METHODS[method].performer
    return TrainedPerformer if target is None else resolve(target)


def chosen_controls(header: Meta, wishes: Mapping[str, Any]) -> Controls:
    """Return the controls of the performer with this `header`, with the values of `wishes` that were given.

    None and False count as not given. Raises UsageError when the performer has no control of a given name.
    """
    kind: type[Controls] = Rules.controls
    performer = "the rules"
    if isinstance(header, Header):
        kind, performer = performer_of(header.method).controls, f"a {header.method} model"
    made = {name: value for name, value in wishes.items() if value is not None and value is not False}
    known = [field.name for field in fields(kind)]
    for name in made:
        if name not in known:
            names = ", ".join(f"`{field}`" for field in known)
            raise UsageError(
                f"`{name}` is no control of {performer}.",
                hint=f"It has {names}." if known else "Leave it out; `seed` draws other takes.",
            )
    return kind(**made)


def head_for(header: Meta, name: str | None = None) -> Head:
    """Load the head called `name`, else the head whose channels a performer with this `header` moves.

    Raises UsageError for a head with other channels, and AssetError when its file is missing.
    """
    head = load_head(name or header.head)
    if header.num_verts is not None:
        raise UsageError(
            f"The model makes the vertices of {header.head}, but `head={head.name}` needs coefficients.",
            hint="Leave `head` out.",
        )
    if head.channels != header.channels:
        raise UsageError(
            f"The model moves the channels of {header.head}, but `head={head.name}` has others.",
            hint=f"Use `head={header.head}`, or a model trained for {head.name}.",
        )
    return head


def header_of(model_name: str) -> Meta:
    """Return the description of a performer's motion, without loading the performer. Raises InputError."""
    return Rules.header if model_name == RULES else generator_file(model_name)[1]


def generator_file(model_name: str) -> tuple[Path, Header]:
    """Return the path and the header of a generator's file; `model_name` is as for `weights_of`.

    Raises InputError for a file of anything else, and AssetError when the embedded model is missing.
    """
    path = weights_of(model_name)
    header = read_header(path)
    row = METHODS.get(header.method)
    if row is None or row.motion is None:
        raise InputError(
            f"{path} holds a {header.method} model, which is no generator.",
            hint="Give `model` a trained generator; talk methods lists which methods make motion.",
        )
    if header.num_verts is None and CHANNELS.get(header.head) != header.channels:
        raise InputError(
            f"{path} moves a head {header.head} with channels that no head of that name has.",
            hint="Give `model` a generator that was trained for a head of this version.",
        )
    return path, header
