"""Conversion of a method's published state dicts to a model file, and back, by the method's layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.data_sets import at_rest
from talkcli.engine.checkpoints.convert.exchange import give, receive
from talkcli.engine.checkpoints.convert.layout import Entry, Layout
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.convert.settings import differing, flat
from talkcli.engine.checkpoints.convert.unwrap import old_spelling
from talkcli.engine.checkpoints.fit import check, listed, misfits
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.checkpoints.model_file import Content, model_file, read_content, save_weights
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.face.template import template_files
from talkcli.engine.files import check_file, sha256
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.pipelines.convert.write import check_targets, num_values, write_state_dicts
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted


def import_published(
    method: str, files: Sequence[Path], out: Path, *, choices: Choices | None = None, reporter: Reporter
) -> dict[str, Any]:
    """Write a model file of the published checkpoints of `method`.

    Args:
        method: Name of the method.
        files: Checkpoints that together hold one model, in any order.
        out: Model file to write.
        choices: What the tensors do not tell.
        reporter: Receiver of notes and progress.

    Returns:
        The method, and the number of tensors and of values read, ready for JSON.

    Raises:
        UsageError: For files that make no model, and for choices that the method does not have.
        InputError: With a list of the tensors that differ from what they should be; nothing is written then.
    """
    row = METHODS[method]
    assert row.converter is not None
    assert row.recogniser is not None
    if not files:
        raise UsageError("No official file was given.", hint=f"talk convert {method} FILE --out OUT")
    check_file(out)
    chosen = choices or Choices()
    check_distinct([out], [*files, *template_files([chosen.template] if chosen.template else [])])
    official = []
    for done, path in enumerate(files, start=1):
        official.append(OfficialFile(path=path, tensors=_bare(read_state_dict(path))))
        reporter.progress("reading", done, len(files))
    try:
        found: Published = resolve(row.recogniser)(official, chosen)
    except ValueError as error:
        # The sizes that the shapes tell are no settings that such a model can have.
        names = ", ".join(str(path) for path in files)
        raise InputError(f"{names}: the shapes of the tensors are not those of a {method} model.") from error
    layouts: dict[str, Layout] = resolve(row.converter)(method, found.config, found.meta.space.width)
    if sorted(found.names) != sorted(layouts):
        raise UsageError(
            f"A {method} model is made of {counted(len(layouts), 'file')}: {', '.join(layouts)}.",
            hint="Give each of them once.",
        )
    weights, unused = dict[str, Tensor](), dict[str, Tensor]()
    for name, file in zip(found.names, official, strict=True):
        tensors = _common(layouts[name], file, reporter) if found.loose else file.tensors
        received = receive(layouts[name], tensors, str(file.path))
        weights |= received.weights
        unused |= received.unused
    if found.lacks_rest:
        weights["neutral"] = at_rest(found.meta, chosen.template, reporter)
    weights |= {name: torch.zeros(shape) for name, shape in found.zeros.items()}
    digests = ", ".join(f"{name} {sha256(path)[:16]}" for name, path in zip(found.names, files, strict=True))
    trained_on = f"{found.meta.trained_on} (sha256: {digests})"
    meta = found.meta.model_copy(update={"trained_on": trained_on})
    save_weights(out, weights, method=method, config=found.config, meta=meta, unused=unused)
    states = dict(zip(found.names, (file.tensors for file in official), strict=True))
    return {
        "method": method,
        "outputs": [str(out)],
        "tensors": {name: len(state) for name, state in states.items()},
        "numbers": {name: num_values(state) for name, state in states.items()},
        "unused": len(unused),
    }


def export_published(
    method: str, model: Path, folder: Path, *, overwrite: bool = False, reporter: Reporter
) -> dict[str, Any]:
    """Write the official files of a model file of `method`, under the names of its layouts.

    Args:
        method: Name of the method.
        model: Model file or run folder.
        folder: Folder to write.
        overwrite: Whether to replace existing files.
        reporter: Receiver of progress, and of a note of what the official files leave out.

    Returns:
        The method, the files and their sizes, ready for JSON.

    Raises:
        InputError: When the model has parts that the official code lacks, or is of another method.
        UsageError: When the official code would run another network, which could not be imported again
            either; and when a file exists and `overwrite` is not set.
    """
    path = model_file(model)
    content = read_content(path)
    if content.header.method != method:
        raise InputError(
            f"{path} holds a {content.header.method} model.",
            hint=f"talk convert {content.header.method} may know it.",
        )
    converter, wrapper = METHODS[method].converter, METHODS[method].wrapper
    assert converter is not None
    layouts: dict[str, Layout] = resolve(converter)(method, content.config, content.header.space.width)
    entries: list[Entry] = [entry for layout in layouts.values() for entry in layout]
    # What the model has beyond these entries, such as the face at rest, is in no official file.
    wanted = {entry.ours: entry.our_shape for entry in entries if entry.ours is not None}
    held = {name: value for name, value in content.weights.items() if name in wanted}
    kept = {entry.official: entry.shape for entry in entries if entry.official in content.unused}
    check(f"{path} has no official form", misfits(held, wanted) + misfits(content.unused, kept))
    data_set = _run_as(method, path, content)
    states = {name: give(layout, content.weights, content.unused) for name, layout in layouts.items()}
    targets = {folder / name: state for name, state in states.items()}
    check_targets(folder, targets, path, overwrite=overwrite)
    left_out = _left_out(method, content, states, data_set)
    if left_out:
        reporter.note(f"The official files leave out: {listed(left_out)}.")
    write_state_dicts(targets, reporter, wrapper=wrapper)
    return {
        "method": method,
        "outputs": [str(target) for target in targets],
        "tensors": {name: len(state) for name, state in states.items()},
        "numbers": {name: num_values(state) for name, state in states.items()},
    }


def _run_as(method: str, path: Path, content: Content) -> str | None:
    """Return the data set as whose model the official code runs this one; None where it has one model.

    Raises UsageError when it would run another network.
    """
    built_in = METHODS[method].built_in
    assert built_in is not None
    variants = resolve(built_in)(content.config, content.header.space.width)
    apart = {name: differing(content.config, settings) for name, settings in variants.items()}
    nearest: str | None = min(apart, key=lambda name: len(apart[name]))
    if apart[nearest]:
        raise UsageError(
            f"{path} has no official form: the official code has {listed(apart[nearest])} built in.",
            hint="Only a model with its settings can be converted to official files.",
        )
    return nearest


def _left_out(
    method: str, content: Content, states: Mapping[str, Mapping[str, Tensor]], data_set: str | None
) -> list[str]:
    """Return as phrases what would differ in the model file that is made of the official files `states`."""
    recogniser = METHODS[method].recogniser
    assert recogniser is not None
    files = [OfficialFile(path=Path(name), tensors=state) for name, state in states.items()]
    found: Published = resolve(recogniser)(files, Choices(dataset=data_set))
    ours, theirs = (flat(config.model_dump(mode="json")) for config in (content.config, found.config))
    settings = [name for name in ours if ours[name] != theirs.get(name)]
    return [
        *(["the face at rest, which `template` names on the way back"] if found.lacks_rest else []),
        *(f"{name} of the model" for name in found.zeros if content.weights[name].any()),
        *([f"the topology {content.header.head}"] if content.header.head != found.meta.head else []),
        *("the names of the speakers" if name == "speakers" else f"{name} {ours[name]}" for name in settings),
    ]


def _common(layout: Layout, file: OfficialFile, reporter: Reporter) -> dict[str, Tensor]:
    """Return the tensors of `file` that `layout` has, and zeros for missing ones that talk does not read."""
    known = {entry.official for entry in layout}
    unknown = [name for name in file.tensors if name not in known]
    if unknown:
        reporter.note(f"{file.path}: left out, as the published code does: {listed(unknown)}.")
    unread = {entry.official: torch.zeros(entry.shape) for entry in layout if entry.ours is None}
    return {**unread, **{name: value for name, value in file.tensors.items() if name in known}}


def _bare(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` in the spelling of torch 1, without the prefix that data-parallel training puts before
    every name.
    """
    prefix = "module." if all(name.startswith("module.") for name in state) else ""
    return {old_spelling(name.removeprefix(prefix)): value for name, value in state.items()}
