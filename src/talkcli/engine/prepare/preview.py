"""The video by which people judge a film's motion: landmarks on the face, and the head beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from talkcli.engine.render.renderer import Camera
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.render.video import write_video
from talkcli.engine.types import Silent, Speech
from talkcli.engine.video.fit import Fit
from talkcli.engine.video.overlay import PANEL, SIZE, Overlay
from talkcli.engine.video.pictures import Film, read_pictures
from talkcli.engine.video.track import FaceTrack

# Distance of the camera, in widths of a panel. `Overlay.vertices` are in pixels, so the view must be
# orthographic; perspective from this distance is close enough.
_DISTANCE = 100.0
_CAMERA = Camera(
    eye=(0.0, 0.0, _DISTANCE), target=(0.0, 0.0, 0.0), fov_deg=math.degrees(2 * math.atan(0.5 / _DISTANCE))
)


def write_preview(path: Path, film: Film, track: FaceTrack, fit: Fit, speech: Speech | None) -> None:
    """Write an mp4 that shows the tracking of `film`.

    Args:
        path: The mp4.
        film: The film, whose pictures the video shows.
        track: Landmarks of every picture.
        fit: The head fitted to every picture.
        speech: Sound of the film, if it has any.

    Raises:
        InputError: The film has changed since it was opened.
        TalkError: The video cannot be written.
    """
    overlay = Overlay(track, fit)
    renderer = SoftwareRenderer(replace(studio_scene(fit.head), camera=_CAMERA), PANEL, PANEL)

    def frames() -> Iterator[np.ndarray]:
        for index, picture in enumerate(read_pictures(film)):
            # Convert pixels to widths of a panel, with x right, y up and z towards the camera.
            vertices = (overlay.vertices(index) - [PANEL / 2, PANEL / 2, 0]) * [1, -1, -1] / PANEL
            yield overlay.draw(index, picture, renderer.render(vertices.astype(np.float32)))

    write_video(
        path,
        frames(),
        num_frames=track.num_frames,
        fps=track.fps,
        size=SIZE,
        speech=speech,
        metadata={"command": "preprocess", "film": film.path.name, "head": fit.head.name},
        reporter=Silent(),
    )
