"""Drawings of a mouth for judges that see pictures: the studio's light, and a camera that follows the mouth.

Axis names: `frames`, `side` of a drawing in pixels, `marks` = 68, `verts`. What is drawn is the box of
`face/crop_box.py`, as if it had been cut out of the picture that `talk animate` draws of the head; drawing it
alone costs little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from talkcli.engine.face.crop_box import MouthBox, grey, mouth_box, steady
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import Topology
from talkcli.engine.render.renderer import Camera, Scene
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import studio_scene

# Corners of the mouth and outer corners of the eyes among iBUG's landmarks.
_CORNERS, _EYES = [48, 54], [36, 45]
# Number of frames whose vertices are in memory at once.
_BLOCK_FRAMES = 64
# What is farther from the mouth than this many halves of the box is left out: it only could throw a shadow.
_REACH = 3.0
# Largest change of a light's direction along each axis, and of the logarithm of what lights and colours give.
_DIRECTION, _LIGHT, _COLOUR = 0.7, 0.4, 0.35


@dataclass(frozen=True, kw_only=True)
class MouthScene:
    """The studio with a camera on a mouth, and the part of the head that it needs."""

    scene: Scene
    """The scene of that part."""
    chosen: Int[np.ndarray, "chosen"]
    """The vertices of that part among those of the head."""


def mouth_scene(head: Topology) -> MouthScene:
    """Return the studio with a camera on the mouth of `head` at rest.

    Raises AssetError for a topology without landmarks or without triangles.
    """
    scene = studio_scene(head)
    template = np.asarray(head.template, np.float32)
    box = _box(_marks(head, template[None]))
    middle, half, eye = box.centre[0], float(box.half[0]), scene.camera.eye
    fov_deg = 2 * math.degrees(math.atan(half / math.dist(eye, middle)))
    near = np.linalg.norm(template - middle, axis=1) < _REACH * half
    kept = near[scene.faces].any(axis=1)
    chosen, places = np.unique(scene.faces[kept], return_inverse=True)
    return MouthScene(
        scene=replace(
            scene,
            faces=places.reshape(-1, 3),
            part_of_face=np.asarray(scene.part_of_face)[kept],
            colours=np.asarray(scene.colours)[chosen],
            rest=template[chosen],
            camera=Camera(eye=eye, target=_triple(middle), fov_deg=fov_deg),
        ),
        chosen=chosen,
    )


def drawn_mouths(
    surface: Surface, side: int, mouth: MouthScene | None = None
) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
    """Yield grey drawings of the mouth in every frame, block by block.

    Args:
        surface: Motion on its topology.
        side: Side of the drawings in pixels.
        mouth: What `mouth_scene` made of the topology, perhaps under another light; None for the studio's.

    Raises:
        AssetError: For a topology without landmarks or without triangles.
    """
    mouth = mouth or mouth_scene(surface.topology)
    starts = range(0, surface.num_frames, _BLOCK_FRAMES)
    blocks = [slice(start, start + _BLOCK_FRAMES) for start in starts]
    # The boxes of all frames are needed before the first drawing; vertices of all frames take too much room.
    marks = [_marks(surface.topology, surface.vertices(block)) for block in blocks]
    found = _box(np.concatenate(marks))
    boxes = steady(np.column_stack([found.centre, found.half]))
    drawer = SoftwareRenderer(mouth.scene, side, side)
    camera = mouth.scene.camera
    half = math.dist(camera.eye, camera.target) * math.tan(math.radians(camera.fov_deg) / 2)
    for block in blocks:
        vertices = surface.vertices(block)[:, mouth.chosen]
        placed = (vertices - boxes[block, None, :3]) * (half / boxes[block, 3])[:, None, None] + camera.target
        yield np.stack([grey(drawer.render(one)) for one in placed])


def another_light(mouth: MouthScene, rng: np.random.Generator) -> MouthScene:
    """Return the scene under another light, and with other colours of skin, lips and teeth, by `rng`."""
    scene = mouth.scene
    lights = [
        replace(
            light,
            direction=_triple(np.array(light.direction) + rng.uniform(-_DIRECTION, _DIRECTION, 3)),
            colour=_triple(np.array(light.colour) * np.exp(rng.uniform(-_LIGHT, _LIGHT))),
        )
        for light in scene.lights
    ]
    colours = np.array(scene.colours, np.float32)
    for number in range(len(scene.materials)):
        chosen = np.unique(scene.faces[scene.part_of_face == number])
        colours[chosen] = np.minimum(scene.colours[chosen] * np.exp(rng.uniform(-_COLOUR, _COLOUR)), 1)
    ambient = _triple(np.array(scene.ambient) * np.exp(rng.uniform(-_LIGHT, _LIGHT)))
    return replace(mouth, scene=replace(scene, lights=tuple(lights), colours=colours, ambient=ambient))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _marks(
    topology: Topology, vertices: Float[np.ndarray, "frames verts 3"]
) -> Float[np.ndarray, "frames marks 3"]:
    return topology.landmarks(torch.from_numpy(np.ascontiguousarray(vertices))).numpy()


def _box(marks: Float[np.ndarray, "frames marks 3"]) -> MouthBox:
    return mouth_box(marks[:, _CORNERS], marks[:, _EYES])
