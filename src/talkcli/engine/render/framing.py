"""Which part of a head the camera sees, for pictures of any shape.

The camera stays where the studio puts it and only changes its lens, so that faces keep their perspective.
Axis names: `verts`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.topology import Topology
from talkcli.engine.render.renderer import Camera, Scene, camera_axes

CAMERAS = {
    "portrait": "the head",
    "close": "the face, from the hairline to the chin",
    "mouth": "the mouth",
    "eyes": "the eyes and the brows",
    "bust": "the head with all of its neck",
}
MOST_ZOOM = 4.0
# Target on the line from the eyes (0) to the lips (1), and what is seen there, in distances of eyes and lips.
_ON_FACE = {"close": (0.45, 2.7), "mouth": (1.0, 1.3), "eyes": (-0.1, 1.8)}
# Room around the whole mesh, as a part of it: what is near the camera is larger.
_MARGIN = 0.08


def framed(scene: Scene, head: Topology, *, camera: str, zoom: float) -> Scene:
    """Return `scene` with the camera on a part of `head`, which fits into the smaller side of the picture.

    Args:
        scene: Scene of the head in the studio, whose camera shows the portrait in a square.
        head: Head or mesh of the scene.
        camera: Key of `CAMERAS`.
        zoom: How many times as large things are.

    Raises:
        UsageError: For a camera on a part that nobody knows of this mesh.
    """
    lens = scene.camera
    if camera == "portrait" and zoom == 1.0:
        return scene
    eye, axes = camera_axes(lens)
    target = np.array(lens.target)
    distance = float(np.linalg.norm(target - eye))
    seen = 2 * distance * math.tan(math.radians(lens.fov_deg) / 2)
    if camera == "bust":
        across = (head.template.astype(np.float64) - target) @ axes[:2].T
        low, high = across.min(axis=0), across.max(axis=0)
        target = target + (low + high) / 2 @ axes[:2]
        seen = float((high - low).max()) * (1 + 2 * _MARGIN)
    elif camera in _ON_FACE:
        along, extent = _ON_FACE[camera]
        eyes, lips = _eyes_and_lips(head, camera)
        target = eyes + along * (lips - eyes)
        seen = extent * float(np.linalg.norm(lips - eyes))
    fov_deg = math.degrees(2 * math.atan(seen / zoom / 2 / distance))
    at = target - distance * axes[2]
    return replace(scene, camera=Camera(eye=_triple(at), target=_triple(target), fov_deg=fov_deg))


def check_camera(head: Topology, camera: str) -> None:
    """Raise UsageError for a camera on a part that nobody knows of `head`."""
    if camera in _ON_FACE:
        _eyes_and_lips(head, camera)


def _eyes_and_lips(head: Topology, camera: str) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Return the middles of the eyes and of the lips at rest, by regions, else by landmarks."""
    template = np.asarray(head.template, np.float64)
    if "eyes" in head.regions and "lips" in head.regions:
        return template[head.regions["eyes"]].mean(axis=0), template[head.regions["lips"]].mean(axis=0)
    # Not at the top: heads that name their regions are framed without it.
    import torch

    try:
        marks = head.landmarks(torch.from_numpy(head.template.astype(np.float32))[None])[0].numpy()
    except AssetError as error:
        raise UsageError(
            f"`camera={camera}` needs the places of eyes and lips, which nobody knows of {head.name}.",
            hint="Use `camera=portrait` or `camera=bust`.",
        ) from error
    return marks[36:48].mean(axis=0, dtype=np.float64), marks[48:68].mean(axis=0, dtype=np.float64)


def _triple(values: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
