"""The features of an encoder's frozen part, computed once per clip and stored on disk.

Axis names: `samples` (16 kHz), `steps` (a whole number to a frame, after the encoder's extra tokens),
`channels`. An entry is named by what it was computed from: the encoder's config and frozen weights (a folder)
and the samples (a file in it). Entries are float16, of which the relative error is 5e-4.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
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


def cached_ears(model: nn.Module, ears: Mapping[str, Ear], folder: Path | None = None) -> dict[str, Ear]:
    """Return `ears` of `model` with the trunks of its encoders in place of the waveform.

    `folder` holds the entries, by default one in the user's cache. Raises UsageError when the model has no
    encoder, or one whose trunk is trained.
    """
    encoders = [part for part in model.modules() if isinstance(part, Encoder)]
    if not encoders:
        raise UsageError(
            "data.cache_features is set, but the model hears with no encoder that is partly frozen.",
            hint="Leave it out.",
        )
    root = folder or cache_dir() / "features"
    trunks: dict[str, Ear] = {encoder.config.kind: TrunkEar(encoder, root) for encoder in encoders}
    return {**{name: ear for name, ear in ears.items() if name != "waveform"}, **trunks}


class TrunkEar:
    """The frozen part of `encoder` as an ear, for one clip at a time."""

    def __init__(self, encoder: Encoder, root: Path) -> None:
        config = encoder.config
        if isinstance(encoder, Wav2vec2):
            if encoder.config.frozen == "none":
                raise UsageError(
                    "data.cache_features keeps what frozen layers say, but all of wav2vec 2.0 is trained.",
                    hint="Leave it out, or set model.content.frozen.",
                )
            self.num_channels = config.width if encoder.config.frozen == "all" else config.channels
            self.steps_per_frame, self.prefix = 1, 0
        else:
            self.num_channels = config.width
            self.steps_per_frame, self.prefix = 2, encoder.config.extra_tokens
        self.encoder = encoder
        made_from = f"{config.model_dump_json()} {frozen_digest(encoder)}"
        self.folder = root / f"{config.kind}-{hashlib.sha256(made_from.encode()).hexdigest()}"

    def __call__(self, samples: Float[Tensor, "1 samples"]) -> Float[Tensor, "1 steps channels"]:
        """Return the kept steps of a whole number of frames, or new ones.

        Raises InputError when a new entry cannot be written.
        """
        name = hashlib.sha256(samples.contiguous().numpy().data).hexdigest()
        path = self.folder / f"{name}.safetensors"
        num_steps = self.prefix + samples.shape[1] // SAMPLES_PER_FRAME * self.steps_per_frame
        kept = _read(path, (1, num_steps, self.num_channels))
        if kept is None:
            kept = self._hear(samples, num_steps)
            _write(path, kept)
        return kept

    @torch.no_grad()
    def _hear(self, samples: Float[Tensor, "1 samples"], num_steps: int) -> Float[Tensor, "1 steps channels"]:
        device = next(self.encoder.parameters()).device
        steps = self.encoder.trunk(samples.to(device)).cpu()
        # The last convolution needs more samples than a step's own: the last step is held.
        short = max(num_steps - steps.shape[1], 0)
        steps = torch.cat([steps, steps[:, -1:].expand(-1, short, -1)], dim=1)[:, :num_steps]
        limit = torch.finfo(torch.float16)
        return steps.clamp(limit.min, limit.max).half()


def _read(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """Return the steps in `path`; None when there are none, or they are not whole."""
    try:
        with safe_open(path, framework="pt") as file:
            steps = file.get_tensor(_STEPS)
            whole = (file.metadata() or {}).get("checksum") == _checksum(steps)
    except (SafetensorError, OSError):
        return None
    return steps if whole and tuple(steps.shape) == shape else None


def _write(path: Path, steps: Float[Tensor, "1 steps channels"]) -> None:
    try:
        # Of several processes with the same clip the last one's entry stays; they are all alike.
        with atomic_path(path) as temporary:
            save_file({_STEPS: steps.contiguous()}, temporary, metadata={"checksum": _checksum(steps)})
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"Features cannot be kept in {path.parent} ({error}).",
            hint="Make room there, name another folder in TALK_CACHE, or set data.cache_features=false.",
        ) from error


def _checksum(steps: Tensor) -> str:
    return f"{zlib.crc32(steps.contiguous().numpy().data):08x}"
