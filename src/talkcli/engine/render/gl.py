"""Rendering by pyrender on EGL: hardware where there is some, Mesa's software rasteriser elsewhere; no
display.

Axis names: `verts`, `faces`, `height`, `width`.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.errors import DeviceError, ExtraError, UsageError
from talkcli.engine.optional import is_installed, require
from talkcli.engine.render.backdrop import as_bytes, backdrop
from talkcli.engine.render.raster import smooth_normals
from talkcli.engine.render.renderer import Light, Material, Scene, camera_axes

# pyrender's directional lights have radiance pi for what a Lambert surface answers with its own colour.
_INTENSITY = math.pi
_HINT = "Install libegl1 with a driver or libgl1-mesa-dri, or use `renderer=software`."


class GlRenderer:
    """Pictures of `scene` through OpenGL; the scene graph stays, only the vertex buffers are made anew.

    A GL context belongs to the thread that made it: use the renderer there. Raises ExtraError without
    pyrender, DeviceError where no EGL context can be made, and UsageError for a transparent background.
    """

    concurrent = False

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        if scene.background is None:
            raise UsageError("`renderer=pyrender` draws no transparency.", hint="Use `renderer=software`.")
        # PyOpenGL chooses its platform when it is first imported.
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        self._pyrender = _import_pyrender()
        self._faces = np.ascontiguousarray(scene.faces, np.int32)
        self._normals = np.empty((len(scene.colours), 3), np.float32)
        self._twins = None if scene.twins is None else scene.twins.astype(np.int32)
        self._parts = _split(scene, self._pyrender)
        self._wall = as_bytes(backdrop(scene.background, height, width))
        self._scene = self._pyrender.Scene(bg_color=(0, 0, 0, 0), ambient_light=scene.ambient)
        self._scene.add(
            _camera(scene, self._pyrender, width / height), pose=_pose(*camera_axes(scene.camera))
        )
        for light in scene.lights:
            node = self._pyrender.DirectionalLight(color=light.colour, intensity=_INTENSITY)
            self._scene.add(node, pose=_light_pose(light))
        self._node: Any = None
        try:
            self._renderer = self._pyrender.OffscreenRenderer(width, height)
        # EGL reports its absence as whatever its bindings happen to raise.
        except (ImportError, OSError, RuntimeError, AttributeError, ValueError) as error:
            raise DeviceError(
                f"No OpenGL context without a display (EGL) could be made here ({error}).", hint=_HINT
            ) from error

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """Return one sRGB picture of the scene with its vertices at `vertices` (metres); see `Renderer`."""
        vertices = np.ascontiguousarray(vertices, np.float32)
        smooth_normals(
            vertices, self._faces if self._twins is None else self._twins[self._faces], self._normals
        )
        normals = self._normals if self._twins is None else self._normals[self._twins]
        primitives = [
            self._pyrender.Primitive(
                positions=vertices[used],
                normals=normals[used],
                color_0=colours,
                texcoord_0=places,
                indices=faces,
                material=material,
            )
            for used, colours, places, faces, material in self._parts
        ]
        if self._node is not None:
            self._scene.remove_node(self._node)
        self._node = self._scene.add(self._pyrender.Mesh(primitives))
        colour, depth = self._renderer.render(self._scene)
        return np.where(depth[:, :, None] > 0, colour[:, :, :3], self._wall)

    def close(self) -> None:
        """Free the GL context."""
        self._renderer.delete()


def _import_pyrender() -> Any:
    try:
        return require("pyrender", purpose="`renderer=pyrender`")
    except ExtraError as error:
        if not is_installed("pyrender"):
            raise
        # It loads OpenGL's library when it is imported.
        raise DeviceError(
            f"pyrender is installed, but its OpenGL (EGL) does not load here ({error.__cause__}).", hint=_HINT
        ) from error


def _split(
    scene: Scene, pyrender: Any
) -> list[tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray, Any]]:
    """Return vertices used, their colours, their places in a picture, faces among them and material, for
    every part that has faces.
    """
    parts = []
    for part, material in enumerate(scene.materials):
        faces = np.asarray(scene.faces)[np.asarray(scene.part_of_face) == part]
        if len(faces) == 0:
            continue
        used, local = np.unique(faces, return_inverse=True)
        picture = scene.pictures[part] if part < len(scene.pictures) else None
        tints: np.ndarray | None = scene.colours
        places = None
        if scene.uv is None:
            picture = None
        if picture is not None and scene.uv is not None:
            tints = scene.tints
            # OpenGL's pictures begin at the bottom.
            places = (scene.uv[used] * (1.0, -1.0) + (0.0, 1.0)).astype(np.float32)
        colours = None
        if tints is not None:
            colours = np.column_stack([tints[used], np.ones(len(used))]).astype(np.float32)
        parts.append((used, colours, places, local.reshape(-1, 3), _material(material, picture, pyrender)))
    return parts


def _material(material: Material, picture: np.ndarray | None, pyrender: Any) -> Any:
    texture = None
    if picture is not None:
        texture = pyrender.Texture(source=picture, source_channels="RGBA")
    return pyrender.MetallicRoughnessMaterial(
        baseColorTexture=texture,
        metallicFactor=0.0,
        # Blinn-Phong's exponent n is the Beckmann slope sqrt(2 / (n + 2)), the square of glTF's roughness.
        roughnessFactor=(2.0 / (material.gloss + 2.0)) ** 0.25,
        doubleSided=not material.closed,
    )


def _camera(scene: Scene, pyrender: Any, aspect: float) -> Any:
    distance = math.dist(scene.camera.eye, scene.camera.target)
    # The field of view is that of the smaller side; pyrender's is that of the height.
    half = math.tan(math.radians(scene.camera.fov_deg) / 2) / min(aspect, 1.0)
    return pyrender.PerspectiveCamera(
        yfov=2 * math.atan(half), aspectRatio=aspect, znear=0.02 * distance, zfar=20 * distance
    )


def _pose(eye: np.ndarray, axes: np.ndarray) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = axes[0], axes[1], -axes[2], eye
    return pose


def _light_pose(light: Light) -> np.ndarray:
    towards = np.array(light.direction) / np.linalg.norm(light.direction)
    helper = np.array([0.0, 0.0, 1.0]) if abs(towards[1]) > 0.9 else np.array([0.0, 1.0, 0.0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(towards, right), towards
    return pose
