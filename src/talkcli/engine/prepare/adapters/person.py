"""The person in a neutral film: what other films of the same person are measured against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.heads import load_head
from talkcli.engine.types import Silent
from talkcli.engine.video.arkit_scores import arkit_scores
from talkcli.engine.video.fit import fit_head
from talkcli.engine.video.identity import Identity
from talkcli.engine.video.merge import rest_scores
from talkcli.engine.video.pictures import Crop, open_film, read_pictures
from talkcli.engine.video.stretch import usable
from talkcli.engine.video.tracker import FaceChoice, follow_face


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person in a neutral film: the identity for the fit, and the scores at rest, if they are wanted."""

    identity: Identity
    rest: Float[np.ndarray, "52"] | None = None
    """Scores at rest; None where nobody wants them, and where the film cannot be scored."""
    unscored: str = ""
    """Why the film cannot be scored; "" for no reason."""


@lru_cache(maxsize=8)
def find_person(
    video: Path,
    head: str,
    face: FaceChoice,
    crop: Crop | None,
    bundle: Path | None,
    changed_ns: int,  # noqa: ARG001  a new file
) -> Person | str:
    """Return the person in a film, or the problem of the film.

    The cache serves the next clips, which come in order of persons.

    Args:
        video: The film.
        head: Name or path for `load_head`.
        face: As in `follow_face`.
        crop: Part of the pictures to read.
        bundle: Bundle whose scores are wanted; None for none.
        changed_ns: Time at which the film last changed.
    """
    try:
        film = replace(open_film(video), crop=crop)
        followed = follow_face(film, face, Silent())
        first, last = usable(followed.track, "longest", str(video))
        track = followed.track.part(first, last)
        identity = fit_head(track, load_head(head)).identity
    except InputError as error:
        return error.problem
    if bundle is None:
        return Person(identity=identity)
    try:
        pictures = read_pictures(film.part(first, last))
        return Person(identity=identity, rest=rest_scores(arkit_scores(pictures, bundle, track)))
    except InputError as error:
        return Person(identity=identity, unscored=error.problem)
