"""Conversion of DEEPTalk's official checkpoints to model files, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from talkcli.engine.checkpoints.convert import deeptalk
from talkcli.engine.checkpoints.convert.exchange import differences, equal, give, receive
from talkcli.engine.checkpoints.convert.layout import Layout
from talkcli.engine.checkpoints.convert.mead import MEAD_SPEAKERS
from talkcli.engine.checkpoints.convert.settings import differing, flat
from talkcli.engine.checkpoints.convert.unwrap import MixedUpError, unwrap
from talkcli.engine.checkpoints.fit import check, listed, misfits
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.checkpoints.model_file import Content, Meta, model_file, read_content, save_weights
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.face.channels import FLAME
from talkcli.engine.files import check_file, sha256
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.pipelines.convert.write import check_targets, num_values, write_state_dicts
from talkcli.engine.types import MODEL_FPS, Config, Reporter
from talkcli.engine.wording import counted

# Settings of the released model. `long` is "first" since the official demo takes the emotion of a long speech
# from its first ten seconds.
RELEASED = DeepTalkConfig(dee=DeeConfig(long="first"), speakers=MEAD_SPEAKERS, nobody=False)
# Parameter that names each official file.
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
    """The authors' files that the user gave, by the parameter that names them."""

    gen: Path | None = None
    dee: Path | None = None
    fer: Path | None = None
    vq: Path | None = None

    @property
    def given(self) -> dict[str, Path]:
        """The given files by the authors' names."""
        named = {
            deeptalk.GEN_FILE: self.gen,
            deeptalk.DEE_FILE: self.dee,
            deeptalk.FER_FILE: self.fer,
            deeptalk.VQ_FILE: self.vq,
        }
        return {name: path for name, path in named.items() if path is not None}

    @property
    def method(self) -> str:
        """Method of the model that the given files make. Raises UsageError for no model, and for several."""
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
                "`fer` is missing: DEE takes the features of the classifier in FER.pth as input, and neither "
                "DEE.pt nor DEEPTalk.pth contains it.",
                hint="Give `fer=FER.pth`, which lies beside them in the authors' release.",
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
    """Write a model file from official files.

    `gen` and `fer` make a generator; `dee` and `vq` beside them must equal what DEEPTalk.pth contains.

    Args:
        files: Official files.
        out: Model file to write.
        long: Source of the emotion for speech beyond 10 s: its first 10 s, or all of it (average).
        reporter: Receiver of notes and progress.
        config: Settings of the model, whose sizes the files must have; `long` replaces its own value.

    Returns:
        The method, and the number of tensors and of values read, ready for JSON.

    Raises:
        UsageError: When the files make no model, or several.
        InputError: With a list of the tensors that differ from what they should be; nothing is written then.
    """
    method = files.method
    check_file(out)
    check_distinct([out], list(files.given.values()))
    # The released training always names the speaker.
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
            hint=f"{files.gen} already contains this part: leave {_NAMED_BY[name]} out to use that.",
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
        "numbers": {name: num_values(state) for name, state in states.items()},
        "unused": len(unused),
    }


def export_deeptalk(
    model: Path, folder: Path, *, overwrite: bool = False, reporter: Reporter
) -> dict[str, Any]:
    """Write the official files of a model file, under the names that the released config gives them.

    All files are complete before the first takes its place.

    Args:
        model: Model file or run folder.
        folder: Folder to write.
        overwrite: Whether to replace existing files.
        reporter: Receiver of warnings and progress.

    Returns:
        The method, the files with their places in the released code, and their sizes, ready for JSON.

    Raises:
        InputError: When the model has parts that the official code lacks.
        UsageError: When a file exists and `overwrite` is not set.
    """
    path = model_file(model)
    content = read_content(path)
    files = _official_files(path, content)
    targets = {folder / Path(deeptalk.PLACES[name]).name: tensors for name, tensors in files.items()}
    check_targets(folder, targets, path, overwrite=overwrite)
    if content.header.head != "flame":
        reporter.warn(f"The model moves {content.header.head}; the official code draws its motion on FLAME.")
    released = _part(RELEASED, content.header.method)
    built_in = flat(released.model_dump(mode="json", exclude={"speakers", "nobody"}))
    other = differing(content.config, built_in)
    if other:
        reporter.warn(f"The official code has other settings built in: {listed(other)}.")
    write_state_dicts(targets, reporter)
    return {
        "method": content.header.method,
        "outputs": [str(target) for target in targets],
        "places": {str(target): deeptalk.PLACES[name] for target, name in zip(targets, files, strict=True)},
        "tensors": {name: len(tensors) for name, tensors in files.items()},
        "numbers": {name: num_values(tensors) for name, tensors in files.items()},
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
    """Return the part of a generator's config that configures the model of `method` inside it."""
    parts: dict[str, Config] = {
        "deeptalk": config,
        "dee": config.dee,
        "fer": config.dee.expression,
        "th_vqvae": config.prior,
    }
    return parts[method]


def _names(config: DeepTalkConfig) -> dict[str, set[str]]:
    """Return the names of the tensors of every official file, by the file's name."""
    return {
        name: {entry.official for entry in layout}
        for method in ("deeptalk", "dee", "th_vqvae")
        for name, layout in deeptalk.layouts(method, _part(config, method)).items()
    }


def _read(path: Path, name: str, wanted: Mapping[str, set[str]], reporter: Reporter) -> dict[str, Tensor]:
    """Read the tensors of an official file.

    Args:
        path: File to read.
        name: Official name of the file that `path` should be.
        wanted: Names of the tensors of every official file.
        reporter: Receiver of a note of tensors that are left out.

    Raises:
        InputError: When `path` holds another official file.
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
    """Return the tensors of the official file `name` that DEEPTalk.pth contains, under their names in that
    file.
    """
    prefix = deeptalk.PARTS_OF_GENERATOR[name]
    return {key.removeprefix(prefix): value for key, value in generator.items() if key.startswith(prefix)}
