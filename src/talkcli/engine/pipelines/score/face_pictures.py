"""Pictures of a face for the judges that look at pictures, where a video is scored.

Both kinds of pictures of a whole face are cropped by one rule (`video/face_crops.py`), and both kinds of
pictures of a mouth show one box (`face/crop_box.py`), so that a set of videos and a set of drawings
differ in what they show and not in how they were cut. Axis names: `frames`; `chosen` = pictures that are
cropped; `side` of a crop in pixels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt8

from talkcli.engine.errors import InputError
from talkcli.engine.face.crop_box import steady
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.take import BLOCK_FRAMES
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.render.mouths import drawn_mouths
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import Silent
from talkcli.engine.video.face_crops import (
    Boxes,
    box_of,
    boxes_of,
    face_crop,
    mouth_boxes_of,
    mouth_crop,
)
from talkcli.engine.video.mesh import FaceMesh
from talkcli.engine.video.pictures import Film, open_film, read_pictures
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.tracker import follow_face

# Side in pixels of drawings before they are cropped.
_DRAWN = 512
# What cuts the box out of a picture.
Crop = Callable[[np.ndarray, np.ndarray], np.ndarray]


@runtime_checkable
class FacePictures(Protocol):
    """Pictures of one face over time."""

    def pictures(
        self, side: int, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """Yield `num_frames` crops at `fps`, red, green, blue, block by block.

        Raises UndefinedMetricError where no face can be cropped.
        """

    def mouths(self, side: int, fps: float, num_frames: int) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
        """Yield `num_frames` grey crops of the mouth at `fps`, block by block, as `pictures` does."""


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
        yield from self._cropped(boxes_of, partial(face_crop, side=side), fps, num_frames)

    def mouths(self, side: int, fps: float, num_frames: int) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
        """See `FacePictures`."""
        yield from self._cropped(mouth_boxes_of, partial(mouth_crop, side=side), fps, num_frames)

    def _cropped(
        self, boxes_of: Callable[[np.ndarray], Boxes], crop: Crop, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ ..."]]:
        try:
            film, track = self._seen
        except InputError as error:
            raise UndefinedMetricError(error.problem) from error
        wanted = shown_at(fps, num_frames, film)
        return _cropped(read_pictures(film), steady(boxes_of(track.landmarks)), wanted, crop)

    @cached_property
    def _seen(self) -> tuple[Film, FaceTrack]:
        if self._given is not None:
            return self._given
        film = open_film(self._path)
        return film, follow_face(film, "only", Silent()).track


class DrawnPictures:
    """Drawings of a surface by talk's software renderer, from the front, the head still."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def pictures(
        self, side: int, fps: float, num_frames: int
    ) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """See `FacePictures`."""
        surface = self._surface.at(fps)
        boxes = self._boxes_at(surface)
        wanted = np.minimum(np.arange(num_frames), surface.num_frames - 1)
        yield from _cropped(_drawn(surface), boxes, wanted, partial(face_crop, side=side))

    def mouths(self, side: int, fps: float, num_frames: int) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
        """See `FacePictures`; the surface says where the mouth is."""
        surface = self._surface.at(fps)
        drawn = (mouth for block in drawn_mouths(surface, side) for mouth in block)
        yield from _blocks(drawn, np.minimum(np.arange(num_frames), surface.num_frames - 1))

    def _boxes_at(self, surface: Surface) -> Boxes:
        with FaceMesh() as mesh:
            found = [mesh.sightings(picture) for picture in _drawn(surface)]
        boxes = [box_of(max(faces, key=lambda face: face.size, default=None)) for faces in found]
        try:
            return steady(np.stack(boxes))
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
    crop: Crop,
) -> Iterator[UInt8[np.ndarray, "_ ..."]]:
    """Yield in blocks the crops of the pictures `wanted`, whose indices never fall."""
    return _blocks((crop(picture, box) for picture, box in zip(shown, boxes, strict=True)), wanted)


def _blocks(
    pictures: Iterable[np.ndarray], wanted: Int[np.ndarray, "chosen"]
) -> Iterator[UInt8[np.ndarray, "_ ..."]]:
    """Yield in blocks each picture as often as `wanted` has its index; its indices never fall."""
    # Pictures behind the last one that is wanted are not made.
    times = zip(pictures, np.bincount(wanted), strict=False)
    repeated = (each for picture, count in times for each in [picture] * int(count))
    while block := list(islice(repeated, BLOCK_FRAMES)):
        yield np.stack(block)


def _drawn(surface: Surface) -> Iterator[UInt8[np.ndarray, "rows columns 3"]]:
    with contextlib.closing(
        open_renderer("software", studio_scene(surface.topology), _DRAWN, _DRAWN)
    ) as drawer:
        yield from pictures(surface, drawer, threads=1)
