"""DEEPTalk's official checkpoints to model files, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert import deeptalk
from talkcli.engine.checkpoints.convert.exchange import differences, equal, give, receive
from talkcli.engine.checkpoints.convert.layout import Layout
from talkcli.engine.checkpoints.convert.unwrap import MixedUpError, unwrap
from talkcli.engine.checkpoints.fit import check, listed, misfits
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.checkpoints.model_file import Content, Meta, model_file, read_content, save_weights
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.face.channels import FLAME
from talkcli.engine.files import atomic_path, check_file, sha256
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.types import MODEL_FPS, Config, Reporter
from talkcli.engine.wording import counted, parameter

# The official demo takes the emotion of a long speech from its first ten seconds.
RELEASED = DeepTalkConfig(dee=DeeConfig(long="first"), speakers=deeptalk.SPEAKERS, nobody=False)
# The parameter that names each file.
_NAMED_BY = {
    deeptalk.GEN_FILE: "`gen`",
    deeptalk.DEE_FILE: "`dee`",
    deeptalk.FER_FILE: "`fer`",
    deeptalk.VQ_FILE: "`vq`",
}
_LICENCE = (
    "see the DEEPTalk authors' terms: their code is MIT, the weights were trained on MEAD (FER.pth on "
    "AffectNet), research use"
)


@dataclass(frozen=True, kw_only=True)
class OfficialFiles:
    """The authors' files a user gives, by the parameter that names them."""

    gen: Path | None = None
    dee: Path | None = None
    fer: Path | None = None
    vq: Path | None = None

    @property
    def given(self) -> dict[str, Path]:
        """By the authors' file name."""
        named = {
            deeptalk.GEN_FILE: self.gen,
            deeptalk.DEE_FILE: self.dee,
            deeptalk.FER_FILE: self.fer,
            deeptalk.VQ_FILE: self.vq,
        }
        return {name: path for name, path in named.items() if path is not None}

    @property
    def method(self) -> str:
        """What they add up to. Raises UsageError where that is no model, or more than one."""
        given = set(self.given)
        if self.gen and self.fer:
            return "deeptalk"
        if given == {deeptalk.DEE_FILE, deeptalk.FER_FILE}:
            return "dee"
        if given == {deeptalk.FER_FILE}:
            return "fer"
        if given == {deeptalk.VQ_FILE}:
            return "th_vqvae"
        if not given:
            raise UsageError(
                "No official file was given.", hint="Give `gen` with `fer`, `dee` with `fer`, `vq`, or `fer`."
            )
        if not self.fer:
            raise UsageError(
                "`fer` is missing: DEE sees faces through the classifier in FER.pth, and neither DEE.pt nor "
                "DEEPTalk.pth holds it.",
                hint="Give `fer=FER.pth`, which stands beside them in the authors' release.",
            )
        raise UsageError(
            f"{' and '.join(sorted(given))} without {deeptalk.GEN_FILE} are several models.",
            hint="Convert them one by one, or add `gen`.",
        )


def import_deeptalk(
    files: OfficialFiles,
    out: Path,
    *,
    long: Literal["first", "average"] = "first",
    reporter: Reporter,
    config: DeepTalkConfig = RELEASED,
) -> dict[str, Any]:
    """Write the model file `out` from official files, and return what was done, ready for JSON.

    `gen` and `fer` make a generator; `dee` and `vq` beside them must hold what DEEPTalk.pth holds already.
    `config` is the model's, its sizes what the files must have; of its settings `long` is taken from here.
    Raises InputError that lists every tensor that is not as it should be; then nothing is written.
    """
    method = files.method
    check_file(out)
    check_distinct([out], list(files.given.values()))
    # The released training always says who speaks.
    dee = config.dee.model_copy(update={"long": long})
    config = config.model_copy(update={"dee": dee, "nobody": False})
    part = _part(config, method)
    layouts = deeptalk.layouts(method, part)
    given = files.given
    wanted = _names(config)
    states = {}
    for done, (name, path) in enumerate(given.items(), start=1):
        states[name] = _read(path, name, wanted, reporter)
        reporter.progress("reading", done, len(given))
    weights, unused = deeptalk.beyond(method), dict[str, Tensor]()
    for name, layout in layouts.items():
        received = receive(layout, states[name], str(given[name]))
        weights |= received.weights
        unused |= received.unused
    for name in [name for name in given if name not in layouts]:
        embedded = _embedded(states[deeptalk.GEN_FILE], name)
        check(
            f"{given[name]} differs from its copy in {files.gen}",
            differences(states[name], embedded),
            hint=f"{files.gen} holds all that animates: leave {_NAMED_BY[name]} out to go on with it alone.",
        )
    digests = ", ".join(f"{name} {sha256(path)[:16]}" for name, path in given.items())
    meta = Meta(
        head="flame",
        channels=FLAME,
        fps=MODEL_FPS,
        trained_on=f"official DEEPTalk checkpoints (sha256: {digests})",
        licence=_LICENCE,
    )
    save_weights(out, weights, method=method, config=part, meta=meta, unused=unused)
    return {
        "method": method,
        "outputs": [str(out)],
        "tensors": {name: len(state) for name, state in states.items()},
        "numbers": {name: _numbers(state) for name, state in states.items()},
        "unused": len(unused),
    }


def export_deeptalk(
    model: Path, folder: Path, *, overwrite: bool = False, reporter: Reporter
) -> dict[str, Any]:
    """Write the official files of the model file (or run folder) `model` into `folder`, each under the name
    that the released config gives it; all are whole before the first takes its place.

    Raises InputError when the model has parts that the official code lacks, UsageError when a file is there
    already and `overwrite` is not asked for.
    """
    if folder.is_file():
        raise UsageError(f"{parameter('out', folder)} is a file.", hint="`to=official` writes into a folder.")
    path = model_file(model)
    content = read_content(path)
    files = _official_files(path, content)
    targets = {folder / Path(deeptalk.PLACES[name]).name: tensors for name, tensors in files.items()}
    for target in targets:
        check_distinct([target], [path])
        if target.exists() and not overwrite:
            raise UsageError(f"{target} exists.", hint="Give another folder, or `overwrite`.")
    if content.header.head != "flame":
        reporter.warn(f"The model moves {content.header.head}; the official code draws its numbers on FLAME.")
    other = _other_settings(content)
    if other:
        reporter.warn(f"The official code has other settings built in: {listed(other)}.")
    with contextlib.ExitStack() as stack:
        for done, (target, tensors) in enumerate(targets.items(), start=1):
            # Given a file and not its name, PyTorch writes the same bytes for the same tensors.
            with stack.enter_context(atomic_path(target)).open("wb") as file:
                _save(tensors, file, target)
            reporter.progress("writing", done, len(targets))
    return {
        "method": content.header.method,
        "outputs": [str(target) for target in targets],
        "places": {str(target): deeptalk.PLACES[name] for target, name in zip(targets, files, strict=True)},
        "tensors": {name: len(tensors) for name, tensors in files.items()},
        "numbers": {name: _numbers(tensors) for name, tensors in files.items()},
    }


def _official_files(path: Path, content: Content) -> dict[str, dict[str, Tensor]]:
    method = content.header.method
    problem = f"{path} has no official form"
    layouts = deeptalk.layouts(method, content.config)
    beyond = deeptalk.beyond(method)
    entries: Layout = [entry for layout in layouts.values() for entry in layout]
    wanted = {entry.ours: entry.our_shape for entry in entries if entry.ours is not None}
    wanted |= {name: tuple(value.shape) for name, value in beyond.items()}
    kept = {entry.official: entry.shape for entry in entries if entry.official in content.unused}
    check(problem, misfits(content.weights, wanted) + misfits(content.unused, kept))
    scales = {name: value for name, value in beyond.items() if value.is_floating_point()}
    check(
        problem,
        [
            f"{name} is not {value[0]:g} everywhere"
            for name, value in scales.items()
            if not equal(content.weights[name], value)
        ],
    )
    files = {name: give(layout, content.weights, content.unused) for name, layout in layouts.items()}
    if method == "deeptalk":
        files |= {name: _embedded(files[deeptalk.GEN_FILE], name) for name in deeptalk.PARTS_OF_GENERATOR}
    return files


def _part(config: DeepTalkConfig, method: str) -> Config:
    """Return what of a generator's config belongs to the model of `method` inside it."""
    parts: dict[str, Config] = {
        "deeptalk": config,
        "dee": config.dee,
        "fer": config.dee.expression,
        "th_vqvae": config.prior,
    }
    return parts[method]


def _names(config: DeepTalkConfig) -> dict[str, set[str]]:
    """Return the tensors of every official file, by the file's name."""
    return {
        name: {entry.official for entry in layout}
        for method in ("deeptalk", "dee", "th_vqvae")
        for name, layout in deeptalk.layouts(method, _part(config, method)).items()
    }


def _read(path: Path, name: str, wanted: Mapping[str, set[str]], reporter: Reporter) -> dict[str, Tensor]:
    """Return the tensors of the official file `name` in `path`. Raises InputError for one that holds
    another.
    """
    try:
        tensors, prefix, beside = unwrap(read_state_dict(path), wanted, name, str(path))
    except MixedUpError as error:
        (other,) = error.args
        raise InputError(
            f"{path} was given as {name}, but holds the tensors of {other}.",
            hint=f"Give it with {_NAMED_BY[other]}.",
        ) from error
    if beside:
        left_out = counted(beside, "tensor")
        reporter.note(f"{path}: the network stands below {prefix}; left out beside it: {left_out}.")
    return tensors


def _embedded(generator: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the file `name` as it stands in DEEPTalk.pth."""
    prefix = deeptalk.PARTS_OF_GENERATOR[name]
    return {key.removeprefix(prefix): value for key, value in generator.items() if key.startswith(prefix)}


def _save(tensors: dict[str, Tensor], file: BinaryIO, target: Path) -> None:
    try:
        torch.save(tensors, file)
    except RuntimeError as error:
        # What torch says of a full disk, in words of its own.
        raise InputError(
            f"{target} cannot be written; the disk may be full ({str(error).splitlines()[0]}).",
            hint="Make room there, or write to another disk.",
        ) from error


def _other_settings(content: Content) -> list[str]:
    """Return settings that are not the released ones, whether they show in the weights (sizes) or not
    (heads).
    """
    config = content.config
    released = _part(RELEASED, content.header.method)
    ours, theirs = (
        _flat(each.model_dump(mode="json", exclude={"speakers", "nobody"})) for each in (config, released)
    )
    return [
        f"{key} {theirs.get(key)} instead of {value}"
        for key, value in ours.items()
        if theirs.get(key) != value
    ]


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _numbers(tensors: Mapping[str, Tensor]) -> int:
    return sum(value.numel() for value in tensors.values())
