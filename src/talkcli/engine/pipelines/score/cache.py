"""Motion that models made, on disk, so that a second score of the same model and speech makes none.

A digest names an entry. It covers all that the motion depends on: the weights, the method, its controls, the
seed and the number of takes, the layers, the head, the device, our code and the versions of the packages, and
the samples of the sound. Names of files play no part. Every take is a motion file; several processes may
write the same entry, since all of them write the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.assets import cache_dir
from talkcli.engine.code_digest import code_digest
from talkcli.engine.errors import InputError
from talkcli.engine.face.heads import head_file
from talkcli.engine.face.motion_file import read_any_motion, write_motion
from talkcli.engine.files import sha256
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.types import AnyMotion, Emotion, Speech

# Largest size of all entries together, in bytes. An hour of speech takes about 30 MB of coefficients.
MOST_BYTES = 2_000_000_000
# Packages whose version may change a motion's numbers.
_PACKAGES = ("numpy", "scipy", "soxr", "torch", "torchaudio")
# Module that makes motion of speech; the modules of a method are named by its row.
_CODE = "talkcli.engine.pipelines.score.generation"
_SUFFIX = ".npz"


@dataclass(frozen=True)
class TakeCache:
    """Entries of one model with one setting."""

    folder: Path
    """Folder of all entries."""
    made_by: str
    """Digest of everything but the sound."""

    def read(self, speech: Speech, takes: int, emotion: Emotion | None = None) -> list[AnyMotion] | None:
        """Return the takes of `speech` with an emotion by its label; None when one is missing or damaged."""
        found: list[AnyMotion] = []
        for path in self._paths(speech, takes, emotion):
            try:
                motion, meta = read_any_motion(path)
                # The time of the last use decides which entries go first.
                path.touch()
            except (InputError, OSError):
                return None
            found.append(replace(motion, meta=meta))
        return found

    def write(self, speech: Speech, takes: Sequence[AnyMotion], emotion: Emotion | None = None) -> None:
        """Store the takes of `speech`. Raises OSError when the disk refuses."""
        for path, motion in zip(self._paths(speech, len(takes), emotion), takes, strict=True):
            write_motion(path, motion, dict(motion.meta))

    def trim(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove the takes that were not used for longest, until the rest has at most `most_bytes`."""
        found = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            # Another process may remove it first.
            with contextlib.suppress(OSError):
                facts = path.stat()
                found.append((facts.st_mtime_ns, facts.st_size, path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            left -= size

    def _paths(self, speech: Speech, takes: int, emotion: Emotion | None) -> list[Path]:
        told = "" if emotion is None else f" {emotion.label} {emotion.level}"
        digest = hashlib.sha256(f"{self.made_by} {speech.rate_hz} {speech.samples.dtype}{told}\n".encode())
        digest.update(np.ascontiguousarray(speech.samples).data)
        return [self.folder / f"{digest.hexdigest()}-{take}{_SUFFIX}" for take in range(takes)]


def take_cache(
    folder: Path | None, described: dict[str, Any], controls: object, head: str, device: str
) -> TakeCache:
    """Return the cache of a model with one setting.

    Args:
        folder: Folder of the entries; None for `score` in the user's cache.
        described: Settings of the model as `Generation.described` returns them.
        controls: Controls of the performer, a dataclass.
        head: Name of the model's head.
        device: Kind of the device that the model runs on.
    """
    row = METHODS[described["method"]]
    places = [place for place in (row.model, row.performer) if place is not None]
    for place in places:
        # The digest covers a module outside the package only if it is loaded.
        resolve(place)
    head_path = head_file(head)
    parts = {
        # Where a model lies and what it is called does not change what it makes.
        "settings": {
            key: value for key, value in described.items() if key not in ("model_name", "device_name")
        },
        "controls": [type(controls).__name__, asdict(controls)],  # type: ignore[call-overload]
        # A head of talk's own lies beside the code, and the code's digest covers it.
        "head": sha256(head_path) if head_path is not None and head_path.is_file() else head,
        "device": device,
        "machine": platform.machine(),
        "code": code_digest(_CODE, *(place.partition(":")[0] for place in places)),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }
    text = json.dumps(parts, sort_keys=True)
    return TakeCache(folder or cache_dir() / "score", hashlib.sha256(text.encode()).hexdigest())
