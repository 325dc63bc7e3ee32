"""Pictures of a face for the judges that look at pictures, where a video is scored.

Both kinds are cropped by one rule (`video/face_crops.py`), so that a set of videos and a set of drawings
differ in what they show and not in how they were cut. Axis names: `frames`; `chosen` = pictures that are
cropped; `side` of a crop in pixels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt8

from talkcli.engine.errors import InputError
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.take import BLOCK_FRAMES
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import Silent
from talkcli.engine.video.face_crops import Boxes, box_of, boxes_of, face_crop, smooth
from talkcli.engine.video.mesh import FaceMesh
from talkcli.engine.video.pictures import Film, open_film, read_pictures
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.tracker import follow_face

# Side in pixels of drawings before they are cropped.
_DRAWN = 512


@runtime_checkable
class FacePictures(Protocol):
    """Pictures of one face over time."""

    def pictures(
        self, side: int, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """Yield `num_frames` crops at `fps`, red, green, blue, block by block.

        Raises UndefinedMetricError where no face can be cropped.
        """


class FilmPictures:
    """Crops of a video: at each time the picture that is shown then, so that any rate can be asked for.

    The face of a video that nobody has followed yet is followed at the first call.
    """

    def __init__(self, path: Path, seen: tuple[Film, FaceTrack] | None = None) -> None:
        self._path = path
        self._given = seen

    def pictures(
        self, side: int, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """See `FacePictures`."""
        try:
            film, boxes = self._seen
        except InputError as error:
            raise UndefinedMetricError(error.problem) from error
        wanted = shown_at(fps, num_frames, film)
        yield from _cropped(read_pictures(film), boxes, wanted, side)

    @cached_property
    def _seen(self) -> tuple[Film, Boxes]:
        if self._given is None:
            film = open_film(self._path)
            track = follow_face(film, "only", Silent()).track
        else:
            film, track = self._given
        return film, smooth(boxes_of(track.landmarks))


class DrawnPictures:
    """Crops of drawings of a surface: talk's software renderer, from the front, the head still."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def pictures(
        self, side: int, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """See `FacePictures`."""
        surface = self._surface.at(fps)
        boxes = self._boxes_at(surface)
        wanted = np.minimum(np.arange(num_frames), surface.num_frames - 1)
        yield from _cropped(_drawn(surface), boxes, wanted, side)

    def _boxes_at(self, surface: Surface) -> Boxes:
        with FaceMesh() as mesh:
            found = [mesh.sightings(picture) for picture in _drawn(surface)]
        boxes = [box_of(max(faces, key=lambda face: face.size, default=None)) for faces in found]
        try:
            return smooth(np.stack(boxes))
        except ValueError as error:
            raise UndefinedMetricError(f"in drawings of the true motion {error}") from error


def shown_at(fps: float, num_frames: int, film: Film) -> Int[np.ndarray, "frames"]:
    """Return the index of the picture that `film` shows in the middle of each of `num_frames` at `fps`."""
    indices = np.floor((np.arange(num_frames) + 0.5) / fps * film.fps).astype(int)
    return np.minimum(indices, film.num_frames - 1)


def _cropped(
    shown: Iterable[UInt8[np.ndarray, "rows columns 3"]],
    boxes: Boxes,
    wanted: Int[np.ndarray, "chosen"],
    side: int,
) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
    """Yield in blocks the crops of the pictures `wanted`, whose indices never fall."""
    crops = (
        crop
        for index, picture in enumerate(shown)
        for crop in [face_crop(picture, boxes[index], side)] * int((wanted == index).sum())
    )
    while block := list(islice(crops, BLOCK_FRAMES)):
        yield np.stack(block)


def _drawn(surface: Surface) -> Iterator[UInt8[np.ndarray, "rows columns 3"]]:
    with contextlib.closing(
        open_renderer("software", studio_scene(surface.topology), _DRAWN, _DRAWN)
    ) as drawer:
        yield from pictures(surface, drawer, threads=1)
