"""Training data: the clips of a manifest's train and val splits, with their common properties.

Axis names: `frames` (25 fps), `values` (the numbers of a frame: coefficients, or coordinates of vertices),
`verts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import CHANNELS
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.files import sha256
from talkcli.engine.origin import tally
from talkcli.engine.types import MODEL_FPS, Clip, MotionSpace, Reporter, VertexMotion
from talkcli.engine.wording import counted


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """Clips that all have the same head or topology."""

    manifest: Path
    """Manifest, or its folder."""
    training: list[Clip]
    """Clips of the train split, at least one."""
    validation: list[Clip]
    """Clips of the val split, at least one."""
    speakers: tuple[str, ...]
    """Names of the speakers of the train split, sorted."""
    licences: tuple[str, ...]
    """Licence terms of the train split, sorted."""
    manifest_sha256: str
    """SHA-256 of the manifest."""
    as_vertices: bool = False
    """Whether the method makes vertices; clips of coefficients then stand for the vertices of their head."""

    @property
    def clip_space(self) -> MotionSpace:
        """The meaning of the numbers of a frame of the clips, the same in every clip."""
        return self.training[0].motion.space

    @property
    def by_head(self) -> bool:
        """Whether a head computes the vertices that the method learns from the clips' coefficients."""
        return self.as_vertices and bool(self.clip_space.channels)

    @property
    def space(self) -> MotionSpace:
        """The meaning of the numbers of a frame, as the method sees them."""
        if self.by_head:
            return MotionSpace(self.clip_space.name, num_verts=len(self.head.template))
        return self.clip_space

    @cached_property
    def head(self) -> Head:
        """The head of the clips, loaded at the first access. Raises AssetError when its file is missing."""
        return load_head(self.clip_space.name)

    def motion(self) -> Float[Tensor, "frames values"]:
        """Return the motion of all training clips, one after the other."""
        return torch.cat([torch.from_numpy(clip.motion.values) for clip in self.training])

    def neutral(self) -> Float[Tensor, "verts 3"]:
        """Return the mean of the training clips' faces at rest, in the unit of their vertices.

        For clips of coefficients it is the head at rest, in metres.
        """
        if self.by_head:
            return torch.from_numpy(self.head.template.astype(np.float32))
        faces = [clip.motion.neutral for clip in self.training if isinstance(clip.motion, VertexMotion)]
        return torch.from_numpy(np.mean(faces, axis=0, dtype=np.float64).astype(np.float32))

    def emotions(self) -> list[str]:
        """Return the label of every training clip, and that of a still clip once for each picture."""
        return [
            clip.emotion.label
            for clip in self.training
            for _ in range(clip.motion.num_frames if clip.still else 1)
        ]

    def meta(self, parts: Iterable[Meta] = ()) -> Meta:
        """Return the description of a model that was trained on these clips and contains `parts`.

        Its licence terms are those of the clips and of the parts.
        """
        inherited = (term for part in parts for term in part.licence.split("; "))
        moving = [clip.motion for clip in self.training if not clip.still]
        amount = f"{counted(len(moving), 'clip')}, {sum(motion.duration_s for motion in moving) / 3600:.2f} h"
        pictures = sum(clip.motion.num_frames for clip in self.training if clip.still)
        if pictures:
            amount = f"{counted(pictures, 'picture')}" + (f", {amount}" if moving else "")
        found = tally(clip.origin for clip in self.training)
        origins = ", ".join(f"{count} {origin}" for origin, count in found.items())
        return Meta(
            head=self.space.name,
            channels=self.space.channels,
            num_verts=self.space.num_verts or None,
            fps=MODEL_FPS,
            trained_on=f"{amount}, manifest sha256 {self.manifest_sha256}; motion: {origins}",
            licence="; ".join(sorted({*self.licences, *inherited})),
        )


def load_data(
    manifest: Path,
    reporter: Reporter,
    *,
    leave_out: tuple[str, ...] = (),
    sound: bool = True,
    still: bool = False,
    vertices: bool = False,
) -> TrainingData:
    """Return the train and val splits of `manifest`.

    Args:
        manifest: Manifest, or its folder.
        reporter: Receiver of warnings.
        leave_out: Beginnings of the ids of clips to leave out.
        sound: Whether to read the clips' sound, which a method needs unless it learns from motion alone.
        still: Whether still pictures are allowed, which a method of single frames can take.
        vertices: Whether the method makes vertices. It reads the clips' vertices, or their coefficients if
            the first clip has no vertices.

    Raises:
        InputError: For a manifest or clip that cannot be used, for a split without clips, and for motion of
            several heads.
    """
    given = vertices and read_manifest(manifest)[0].mesh is not None
    training, validation = (
        [
            clip
            for clip in load_clips(manifest, split, reporter, sound=sound, vertices=given)
            if not clip.id.startswith(leave_out)
        ]
        for split in ("train", "val")
    )
    for split, clips in (("train", training), ("val", validation)):
        if not clips:
            raise InputError(
                f"The {split} split of {manifest} has no clips but those that the recipe leaves out "
                f"({', '.join(leave_out)}).",
                hint="Add `set='leave_out=[]'`.",
            )
    for clip in [*training, *validation]:
        if clip.still and not still:
            raise InputError(
                f"Clip {clip.id} is pictures that have nothing to do with one another; motion is needed.",
                hint="Pictures are for talk train-fer.",
            )
    first = training[0].motion.space
    for clip in [*training, *validation]:
        if clip.motion.space != first:
            raise InputError(
                f"Clip {clip.id} moves the head {clip.motion.space.name}, clip {training[0].id} the head "
                f"{first.name}: one model makes the motion of one head.",
                hint="Split the manifest by head.",
            )
    if first.channels and (CHANNELS.get(first.name) or load_head(first.name).channels) != first.channels:
        raise InputError(
            f"The channels of clip {training[0].id} are not those of the head {first.name}.",
            hint="Run talk preprocess again.",
        )
    licences = {
        entry.licence
        for entry in read_manifest(manifest)
        if entry.split == "train" and not entry.id.startswith(leave_out)
    }
    return TrainingData(
        manifest=manifest,
        training=training,
        validation=validation,
        speakers=tuple(sorted({clip.speaker for clip in training})),
        licences=tuple(sorted(licences)),
        manifest_sha256=sha256(manifest / "manifest.jsonl" if manifest.is_dir() else manifest),
        as_vertices=vertices,
    )
