"""Cache on disk of what is made once per clip: the features of an encoder's frozen part, drawn pictures.

Axis names: `samples` (16 kHz), `steps` (a whole number per frame, after the encoder's extra tokens),
`channels`. Hashes name an entry: that of the encoder's config and frozen weights names the folder, that of
the samples the file in it. Features are float16, whose relative error is 5e-4.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from talkcli.engine.assets import cache_dir
from talkcli.engine.audio.ear import Ear
from talkcli.engine.audio.emotion2vec import Emotion2vec
from talkcli.engine.audio.wav2vec2 import Wav2vec2
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import atomic_path
from talkcli.engine.train.state import frozen_digest
from talkcli.engine.types import SAMPLES_PER_FRAME

Encoder = Wav2vec2 | Emotion2vec

_STEPS = "steps"


def cached_ears(
    model: nn.Module, ears: Mapping[str, Ear], folder: Path | None = None, *, writes: bool = True
) -> dict[str, Ear]:
    """Return the front-ends `ears` of `model`, with its encoders' cached trunks in place of the waveform.

    A trunk has the name of its encoder's kind; where several are of a kind, the name of the module follows a
    colon.

    Args:
        model: Model whose encoders are partly or wholly frozen.
        ears: Front-ends of `model`, by name.
        folder: Folder of the entries; by default `features` in the user's cache.
        writes: Whether new entries are stored; those that are there are read in any case.

    Raises:
        UsageError: When the model has no encoder, or one that is trained as a whole.
    """
    encoders = {name: part for name, part in model.named_modules() if isinstance(part, Encoder)}
    if not encoders:
        raise UsageError(
            "data.cache_features is set, but the model has no speech encoder with a frozen part.",
            hint="Leave out data.cache_features.",
        )
    root = folder or cache_dir() / "features"
    kinds = [part.config.kind for part in encoders.values()]
    trunks: dict[str, Ear] = {}
    for name, part in encoders.items():
        kind = part.config.kind
        trunks[kind if kinds.count(kind) == 1 else f"{kind}:{name}"] = TrunkEar(part, root, writes=writes)
    return {**{name: ear for name, ear in ears.items() if name != "waveform"}, **trunks}


class TrunkEar:
    """Front-end that runs the frozen part of `encoder` on one clip at a time and caches its features; without
    `writes` it only reads the cache.

    The constructor raises UsageError when the encoder has no frozen part.
    """

    def __init__(self, encoder: Encoder, root: Path, *, writes: bool = True) -> None:
        config = encoder.config
        if isinstance(encoder, Wav2vec2):
            if encoder.config.frozen == "none":
                raise UsageError(
                    "data.cache_features stores the output of frozen layers, but wav2vec 2.0 has none here.",
                    hint="Leave out data.cache_features, or set model.content.frozen.",
                )
            self.num_channels = config.width if encoder.config.frozen == "all" else config.channels
            self.steps_per_frame, self.prefix = 1, 0
        else:
            self.num_channels = config.width
            self.steps_per_frame, self.prefix = 2, encoder.config.extra_tokens
        self.encoder, self.writes = encoder, writes
        # SpecAugment masks what the frozen part gave.
        settings = config.model_dump_json(exclude={"mask_share"})
        made_from = f"{settings} {frozen_digest(encoder)}"
        self.folder = root / f"{config.kind}-{hashlib.sha256(made_from.encode()).hexdigest()}"

    def __call__(self, samples: Float[Tensor, "1 samples"]) -> Float[Tensor, "1 steps channels"]:
        """Return the steps of all whole frames in `samples`, from the cache or computed and stored there.

        Raises InputError when it cannot write a new entry.
        """
        name = hashlib.sha256(samples.contiguous().numpy().data).hexdigest()
        path = self.folder / f"{name}.safetensors"
        num_steps = self.prefix + samples.shape[1] // SAMPLES_PER_FRAME * self.steps_per_frame
        shape = (1, num_steps, self.num_channels)
        return kept(path, shape, torch.float16, lambda: self._hear(samples, num_steps), writes=self.writes)

    @torch.no_grad()
    def _hear(self, samples: Float[Tensor, "1 samples"], num_steps: int) -> Float[Tensor, "1 steps channels"]:
        device = next(self.encoder.parameters()).device
        steps = self.encoder.trunk(samples.to(device)).cpu()
        # The encoder's last convolution needs samples beyond a step's own, so steps are missing at the end:
        # repeat the last one.
        short = max(num_steps - steps.shape[1], 0)
        steps = torch.cat([steps, steps[:, -1:].expand(-1, short, -1)], dim=1)[:, :num_steps]
        limit = torch.finfo(torch.float16)
        return steps.clamp(limit.min, limit.max).half()


def kept(
    path: Path, shape: tuple[int, ...], dtype: torch.dtype, make: Callable[[], Tensor], *, writes: bool = True
) -> Tensor:
    """Return the entry `path` of the cache, or what `make` makes where it is missing or damaged, which then
    becomes the entry, if `writes`.

    Raises InputError when a new entry cannot be written.
    """
    found = _read(path, shape, dtype)
    if found is None:
        found = make()
        if writes:
            _write(path, found)
    return found


def _read(path: Path, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor | None:
    """Return the steps in `path`; None when there is no file, its checksum fails or its shape differs."""
    try:
        with safe_open(path, framework="pt") as file:
            steps = file.get_tensor(_STEPS)
            whole = (file.metadata() or {}).get("checksum") == _checksum(steps)
    except (SafetensorError, OSError):
        return None
    return steps if whole and tuple(steps.shape) == shape and steps.dtype == dtype else None


def _write(path: Path, steps: Tensor) -> None:
    try:
        # If several processes write the same clip, the last entry stays; all of them are equal.
        with atomic_path(path) as temporary:
            save_file({_STEPS: steps.contiguous()}, temporary, metadata={"checksum": _checksum(steps)})
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"Entries of the cache cannot be stored in {path.parent} ({error}).",
            hint="Make room there, or name another folder in TALK_CACHE; with data.cache_features=false no "
            "features are stored.",
        ) from error


def _checksum(steps: Tensor) -> str:
    return f"{zlib.crc32(steps.contiguous().numpy().data):08x}"
