"""The clips of a manifest as training takes them, with what they share.

Axis names: `frames` (25 fps), `coeffs` = 53.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.files import sha256
from talkcli.engine.types import MODEL_FPS, Clip, Reporter


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Clips of one head. `speakers` are those of the train split, sorted; `licences` its terms."""

    training: list[Clip]
    validation: list[Clip]
    head: Head
    speakers: tuple[str, ...]
    licences: tuple[str, ...]
    manifest_sha256: str

    def motion(self) -> Float[Tensor, "frames coeffs"]:
        """All training motion, one clip after the other."""
        return torch.cat([torch.from_numpy(clip.motion.coeffs) for clip in self.training])

    def emotions(self) -> list[str]:
        """The label of every training clip."""
        return [clip.emotion.label for clip in self.training]

    def meta(self) -> Meta:
        """What a model file says of what it was trained on."""
        hours = sum(clip.motion.duration_s for clip in self.training) / 3600
        return Meta(
            head=self.head.name,
            channels=self.head.channels,
            fps=MODEL_FPS,
            trained_on=f"{len(self.training)} clips, {hours:.2f} h, manifest sha256 {self.manifest_sha256}",
            licence="; ".join(self.licences),
        )


def load_data(manifest: Path, reporter: Reporter) -> TrainingData:
    """The train and val splits of `manifest` (the file or its folder).

    Raises InputError for a manifest or clip that cannot be used, and for motion of several heads.
    """
    training, validation = (load_clips(manifest, split, reporter) for split in ("train", "val"))
    first = training[0].motion
    for clip in [*training, *validation]:
        if (clip.motion.head, clip.motion.channels) != (first.head, first.channels):
            raise InputError(
                f"Clip {clip.id} moves the head {clip.motion.head}, clip {training[0].id} the head "
                f"{first.head}: one model speaks one head's channels.",
                hint="Split the manifest by head.",
            )
    head = load_head(first.head)
    if head.channels != first.channels:
        raise InputError(
            f"The channels of clip {training[0].id} are not those of the head {first.head}.",
            hint="Run talk preprocess again.",
        )
    licences = {entry.licence for entry in read_manifest(manifest) if entry.split == "train"}
    return TrainingData(
        training=training,
        validation=validation,
        head=head,
        speakers=tuple(sorted({clip.speaker for clip in training})),
        licences=tuple(sorted(licences)),
        manifest_sha256=sha256(manifest / "manifest.jsonl" if manifest.is_dir() else manifest),
    )
