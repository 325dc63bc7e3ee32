"""The protocol of a renderer: a fixed scene, and vertices that change every frame.

Axis names: `verts`, `faces`, `height`, `width`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8


@dataclass(frozen=True, kw_only=True)
class Material:
    """How a part answers light. `gloss` is the Blinn-Phong exponent, `specular` its weight, `wrap` in [0, 1]
    lets light creep past the terminator as it does in skin. `closed`: its backs are never seen, so they are
    not drawn; without it they are drawn nearly dark, as the inside of a body."""

    specular: float = 0.1
    gloss: float = 20.0
    wrap: float = 0.0
    closed: bool = False


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole: looks from `eye` at `target`, y up, vertical field of view in degrees; metres."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float = 22.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """A directional light: `direction` points from the head to the light; `colour` is linear RGB intensity.
    `shadow`: the head throws its shadow in it."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]
    shadow: bool = False


def camera_axes(camera: Camera) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 3"]]:
    """Return the camera's position and its unit axes: right, up and forward."""
    eye = np.array(camera.eye, np.float64)
    forward = np.array(camera.target) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 1.0, 0.0))
    right /= np.linalg.norm(right)
    return eye, np.stack([right, np.cross(right, forward), forward])


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that stays while the vertices move."""

    faces: Int[np.ndarray, "faces 3"]
    part_of_face: Int[np.ndarray, "faces"]
    materials: tuple[Material, ...]
    colours: Float[np.ndarray, "verts 3"]
    camera: Camera
    lights: tuple[Light, ...]
    ambient: tuple[float, float, float] = (0.25, 0.25, 0.27)
    background: tuple[float, float, float] | Float[np.ndarray, "height width 3"] | None = (0.055, 0.06, 0.07)
    """Mean tone of a wall in linear RGB, a picture in linear RGB, or None for a transparent one."""


@runtime_checkable
class Renderer(Protocol):
    """Vertices to pictures; safe to call from several threads when `concurrent` is True."""

    concurrent: bool

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """Return one sRGB picture."""

    def close(self) -> None:
        """Release what the renderer holds."""
