"""Clips of vertices in the form that trainers of vertex models share: wav, npy and a template of everybody.

Below one folder lie wav/NAME.wav, vertices_npy/NAME.npy of (frames, verts * 3), and templates.pkl, a
dictionary of subjects at rest, (verts, 3) each. Axis names: `frames` at the set's own rate, `verts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.io import read_speech
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.flame_file import FlameArrays, read_flame
from talkcli.engine.face.flame_fit import FlameFitter
from talkcli.engine.face.template import NUM_VERTS, stored_vertices
from talkcli.engine.face.vertex_motion import check_vertices, read_vertices
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.names import Unusable
from talkcli.engine.prepare.source import Recipe, Recording, Source
from talkcli.engine.readers.safe_pickle import StoredArray
from talkcli.engine.types import Motion, Silent, Speech, VertexMotion

SOUND, VERTICES, TEMPLATES = "wav", "vertices_npy", "templates.pkl"
SCANNED = Origin(kind="captured", by="scans")
# Sentences take 2 to 10 s; what is longer is not one, and would fill the memory.
LONGEST_S = 30


@dataclass(frozen=True, kw_only=True)
class VertexSet:
    """What the vertices of a data set are numbered after (a key of `NUM_VERTS`), and frames per second."""

    name: str
    fps: float

    @property
    def num_verts(self) -> int:
        return NUM_VERTS[self.name]


@dataclass(frozen=True, kw_only=True)
class VertexFiles:
    """A clip in two files, and its subject's template, which stays in templates.pkl."""

    vertices: Path
    sound: Path
    neutral: StoredArray
    topology: VertexSet
    flame: Path | None = None
    """The FLAME model whose coefficients are wanted too."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.vertices, self.sound, self.neutral.path, *([self.flame] if self.flame else []))

    def make(self, source: Source) -> Recording:  # noqa: ARG002  everything is there already
        most_frames = int(LONGEST_S * self.topology.fps)
        vertices = read_vertices(self.vertices, self.topology.num_verts, most_frames)
        mesh = mesh_of(vertices, self.neutral, self.topology)
        return recorded(read_speech(self.sound, Silent()), mesh, self.flame)


def recipe_of(
    folder: Path, stem: str, neutral: StoredArray | None, topology: VertexSet, flame: Path | None = None
) -> Recipe:
    """Return the clip `stem` of `folder`; the recipe says what is missing, if something is."""
    vertices, sound = folder / VERTICES / f"{stem}.npy", folder / SOUND / f"{stem}.wav"
    for path in (vertices, sound):
        if not path.is_file():
            return Unusable(reason=f"{path.parent.name}/{path.name} is missing.")
    if neutral is None:
        return Unusable(reason=f"{TEMPLATES} has no template of its subject.")
    return VertexFiles(vertices=vertices, sound=sound, neutral=neutral, topology=topology, flame=flame)


def recorded(speech: Speech, mesh: VertexMotion, flame: Path | None) -> Recording:
    """Return sound and vertices, and the coefficients of the FLAME model in `flame` that come nearest to
    them.
    """
    if flame is None:
        return Recording(speech=speech, mesh=mesh, origin=SCANNED)
    fitted = FlameFitter(_model(flame), mesh.neutral).fit(mesh.vertices)
    motion = Motion(coeffs=fitted.coeffs, fps=mesh.fps, head="flame", channels=FLAME)
    error_mm = round(1000 * float(np.median(fitted.error_m)), 4)
    return Recording(
        speech=speech, mesh=mesh, motion=motion, origin=SCANNED, report={"flame_error_mm": error_mm}
    )


@lru_cache(maxsize=1)
def _model(flame: Path) -> FlameArrays:
    return read_flame(flame)


def mesh_of(
    vertices: Float[np.ndarray, "frames verts 3"], neutral: StoredArray, topology: VertexSet
) -> VertexMotion:
    """Return the vertices with the subject at rest. Raises InputError when they cannot be the subject's."""
    at_rest = stored_vertices(neutral, topology.name)
    mesh = VertexMotion(vertices=vertices, neutral=at_rest, fps=topology.fps, topology=topology.name)
    check_vertices(mesh)
    return mesh


def stems_of(folder: Path) -> list[str]:
    """Return names of clips of which vertices or sound are there, in order."""
    files = [*(folder / VERTICES).glob("*.npy"), *(folder / SOUND).glob("*.wav")]
    return sorted({path.stem for path in files if not path.name.startswith(".")})
