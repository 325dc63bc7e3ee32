"""DEE's embeddings of the speech and motion of many clips, computed in several processes and kept on disk.

Axis names: `embedding`. An embedding is the mean of DEE's Gaussian. A row has the embeddings of one clip; a
file holds the rows of all clips whose ids share the first digits of their hash. A run that is killed
therefore loses only the clips of the files that it was making, and clips may be added or changed between
runs. DEE embeds each clip alone, so that a row does not depend on other clips.
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

# Number of hexadecimal digits in the name of a file of rows. It makes 4096 files; for VoxCeleb2's 1.1 million
# utterances, each holds about 270.
_DIGITS = 3
# Names of the arrays in a file of rows.
_ARRAYS = ("ids", "digests", "speech", "motion", "seconds")
# Peak of the samples below which a sound is refused as silent: -60 dB re full scale.
_QUIETEST = 1e-3


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """The DEE that embeds, and its device; a worker process loads it from this record."""

    weights: Path
    """Model file of a DEE, or of a generator that contains one."""
    digest: str
    """SHA-256 of `weights`."""
    device: str
    """Name of the torch device."""

    @property
    def name(self) -> str:
        """The name of the folder of rows; it differs for other weights and for another version of talk."""
        return hashlib.sha256(f"{__version__} {self.digest}".encode()).hexdigest()[:16]


class Row(NamedTuple):
    """The embeddings of one clip, each a unit vector."""

    digest: str
    """SHA-256 of the file that the clip was made from; of several files, SHA-256 of their hashes."""
    speech: Float[np.ndarray, "embedding"]
    """Embedding of the sound; NaN for a clip without sound."""
    motion: Float[np.ndarray, "embedding"]
    """Embedding of the motion; NaN for a clip without motion, or with motion of a head other than DEE's."""
    seconds: float
    """Duration of the sound in seconds; of the motion if there is no sound."""


class Embedded(NamedTuple):
    """The result for some of the clips."""

    rows: dict[str, Row]
    """Row of each clip by its id."""
    problems: dict[str, str]
    """Reason why a clip has no row, by its id."""


@lru_cache(maxsize=1)
def load_dee(embedder: Embedder) -> tuple[Dee, Header]:
    """Load the DEE of `embedder`; later calls in the same process return the same one.

    Raises InputError for a model without an emotion embedding.
    """
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
    """Embed `sources` and yield the results in parts, as they are done, in no particular order.

    A clip that cannot be read, is silent or crashes a process is among the problems of its part.

    Args:
        sources: Clips with unique ids.
        embedder: DEE that embeds them.
        folder: Folder below which rows are kept, and from which rows of an earlier run are taken.
        num_workers: Number of processes; 0 works in this process.
        reporter: Receiver of the progress.
        stage: Name of this work in the progress.
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
    # One clip of a crashed part caused the crash; each of its clips is now tried alone.
    for (_, (source,)), embedded in map_isolated(work, crashed, num_workers):
        done += 1
        reporter.progress(stage, done, len(sources))
        yield embedded or Embedded({}, {source.id: CRASHED})


def _embed_part(embedder: Embedder, folder: Path, part: tuple[str, list[Source]]) -> Embedded:
    """Embed the clips of one file of rows, which `part` names, unless the file has them already."""
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
    """Return the digest of a row of `source`. Raises InputError when a file is missing or unreadable."""
    try:
        hashes = [sha256(path) for path in source.recipe.inputs]
    except FileNotFoundError as error:
        raise InputError(f"There is no file {error.filename}.") from error
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}).") from error
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@torch.inference_mode()
def _embed(embedder: Embedder, digest: str, recording: Recording) -> Row:
    """Embed one clip. Raises InputError for silence, and for a clip with neither sound nor motion."""
    dee, header = load_dee(embedder)
    speech = motion = np.full(dee.config.embedding, np.nan, np.float32)
    if recording.speech is not None:
        samples = recording.speech.samples
        peak = float(np.abs(samples).max())
        if peak < _QUIETEST:
            raise InputError(f"The sound is silent: its peak is {peak:.1g}.")
        # Pad to whole frames, as the generator does before it embeds.
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
    """Return `mean` as an array. Raises InputError when it is not finite."""
    vector = mean[0].float().cpu().numpy()
    if not np.isfinite(vector).all():
        raise InputError("The embedding is not finite: the model does not take this clip.")
    return vector


def _read(path: Path, width: int) -> dict[str, Row]:
    """Return the stored rows by id; none when the file is missing, damaged or of another `width`."""
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
