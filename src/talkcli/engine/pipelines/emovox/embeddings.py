"""What DEE hears and sees in many clips: means of its Gaussians, made in several processes and kept on disk.

Axis names: `clips`, `embedding`. Rows are kept in files named after the first digits of the hash of a clip's
id: a run that is killed loses the few clips of the files it was at, and clips may be added or changed. Each
clip is embedded by itself, so that its row does not depend on its neighbours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from talkcli.engine.audio.ear import hear
from talkcli.engine.checkpoints.model_file import Header, load_model
from talkcli.engine.data.clips import fit_length
from talkcli.engine.device import settle_threads
from talkcli.engine.errors import InputError
from talkcli.engine.face.resample import resample
from talkcli.engine.files import atomic_path, sha256
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.types import MODEL_FPS, SAMPLES_PER_FRAME, Reporter
from talkcli.engine.version import __version__
from talkcli.engine.workers import CRASHED, map_isolated

# 4096 files: of VoxCeleb2's million utterances each holds 270.
_DIGITS = 3
_ARRAYS = ("ids", "digests", "speech", "motion", "seconds")
# A peak of -60 dB: what DEE takes for silence.
_QUIETEST = 1e-3


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """Which DEE embeds, and where."""

    weights: Path
    """A model file of a DEE, or of a generator with one."""
    digest: str
    """SHA-256 of `weights`."""
    device: str

    @property
    def name(self) -> str:
        """Of the folder of its rows: those of other weights or of another version of talk are not these."""
        return hashlib.sha256(f"{__version__} {self.digest}".encode()).hexdigest()[:16]


class Row(NamedTuple):
    """One clip: unit vectors, NaN where there was no sound or no motion that DEE sees."""

    digest: str
    """SHA-256 of the file it was made from; of their hashes when there are several."""
    speech: Float[np.ndarray, "embedding"]
    motion: Float[np.ndarray, "embedding"]
    seconds: float


class Embedded(NamedTuple):
    """Clips in the order asked for, and what is wrong with those that have no row."""

    rows: dict[str, Row]
    problems: dict[str, str]


@lru_cache(maxsize=1)
def load_dee(embedder: Embedder) -> tuple[Dee, Header]:
    """Return the embedding, once a process. Raises InputError for a model without one."""
    model, header = load_model(embedder.weights, embedder.device)
    settle_threads(model)
    if isinstance(model, DeepTalk):
        model = model.dee
    if not isinstance(model, Dee):
        raise InputError(
            f"{embedder.weights} holds a {header.method} model, which has no emotion embedding.",
            hint="Give `dee` a checkpoint of talk train-dee or of talk train-gen.",
        )
    return model, header


def embed_clips(
    sources: Sequence[Source],
    embedder: Embedder,
    folder: Path,
    *,
    num_workers: int,
    reporter: Reporter,
    stage: str,
) -> Iterator[Embedded]:
    """Embed `sources`, whose ids are unique, in parts as they are done, in no particular order; rows are kept
    below `folder`.

    A clip that cannot be read, is silent or crashes a process is among the problems of its part.
    """
    parts: dict[str, list[Source]] = {}
    for source in sources:
        parts.setdefault(hashlib.sha256(source.id.encode()).hexdigest()[:_DIGITS], []).append(source)
    done, crashed = 0, []
    work = partial(_embed_part, embedder, folder / embedder.name)
    for (name, part), embedded in map_isolated(work, list(parts.items()), num_workers):
        if embedded is None:
            crashed += [(name, [source]) for source in part]
            continue
        done += len(part)
        reporter.progress(stage, done, len(sources))
        yield embedded
    # One clip of a part is to blame: the others are tried alone.
    for (_, (source,)), embedded in map_isolated(work, crashed, num_workers):
        done += 1
        reporter.progress(stage, done, len(sources))
        yield embedded or Embedded({}, {source.id: CRASHED})


def _embed_part(embedder: Embedder, folder: Path, part: tuple[str, list[Source]]) -> Embedded:
    name, sources = part
    path = folder / f"{name}.npz"
    kept = _read(path, load_dee(embedder)[0].config.embedding)
    embedded = Embedded({}, {})
    for source in sources:
        try:
            digest = _digest(source)
            row = kept.get(source.id)
            if row is None or row.digest != digest:
                row = _embed(embedder, digest, source.recipe.make(source))
        except InputError as error:
            embedded.problems[source.id] = error.problem
        else:
            embedded.rows[source.id] = row
    if any(kept.get(clip) is not row for clip, row in embedded.rows.items()):
        _write(path, kept | embedded.rows)
    return embedded


def _digest(source: Source) -> str:
    try:
        hashes = [sha256(path) for path in source.recipe.inputs]
    except FileNotFoundError as error:
        raise InputError(f"There is no file {error.filename}.") from error
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}).") from error
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@torch.inference_mode()
def _embed(embedder: Embedder, digest: str, recording: Recording) -> Row:
    dee, header = load_dee(embedder)
    speech = motion = np.full(dee.config.embedding, np.nan, np.float32)
    if recording.speech is not None:
        samples = recording.speech.samples
        peak = float(np.abs(samples).max())
        if peak < _QUIETEST:
            raise InputError(f"The sound is silent: its peak is {peak:.1g}.")
        # Whole frames, as where the generator hears.
        samples = fit_length(samples, -(-len(samples) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME)
        sound = hear(dee.ears, torch.from_numpy(samples)[None].to(embedder.device))
        speech = _vector(dee.embed_speech(sound).mean)
    if recording.motion is not None and recording.motion.channels == header.channels:
        coeffs = torch.from_numpy(resample(recording.motion, float(MODEL_FPS)).coeffs)
        motion = _vector(dee.embed_motion(coeffs[None].to(embedder.device)).mean)
    whole = recording.speech or recording.motion
    if whole is None:
        raise InputError("The clip has neither sound nor motion of a head's coefficients.")
    return Row(digest, speech, motion, whole.duration_s)


def _vector(mean: Float[torch.Tensor, "1 embedding"]) -> Float[np.ndarray, "embedding"]:
    vector = mean[0].float().cpu().numpy()
    if not np.isfinite(vector).all():
        raise InputError("The embedding is not finite: the model does not take this clip.")
    return vector


def _read(path: Path, width: int) -> dict[str, Row]:
    """Read the stored rows by id; none when the file is missing or not whole."""
    if not path.is_file():
        return {}
    try:
        arrays = read_arrays(path, _ARRAYS, kind="file of embeddings", hint="")
    except InputError:
        return {}
    count = arrays["ids"].size
    kinds = {name: (array.dtype.kind, *array.shape) for name, array in arrays.items()}
    vectors = ("f", count, width)
    whole = {"ids": ("U", count), "digests": ("U", count), "speech": vectors, "motion": vectors}
    if kinds != whole | {"seconds": ("f", count)}:
        return {}
    columns = (arrays[name].tolist() if arrays[name].ndim == 1 else arrays[name] for name in _ARRAYS)
    return {clip: Row(*rest) for clip, *rest in zip(*columns, strict=True)}


def _write(path: Path, rows: Mapping[str, Row]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            ids=np.array(list(rows)),
            digests=np.array([row.digest for row in rows.values()]),
            speech=np.stack([row.speech for row in rows.values()]),
            motion=np.stack([row.motion for row in rows.values()]),
            seconds=np.array([row.seconds for row in rows.values()]),
        )
