"""The protocol of a renderer: a fixed scene, and vertices that change every frame.

Axis names: `verts`, `faces`, `height`, `width`, `channels` = 3 (RGB) or 4 (RGBA).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8

Background = tuple[float, float, float] | Float[np.ndarray, "height width 3"] | None


@dataclass(frozen=True, kw_only=True)
class Material:
    """How a part answers light."""

    specular: float = 0.1
    """Weight of the gloss."""
    gloss: float = 20.0
    """The Blinn-Phong exponent of the gloss."""
    wrap: float = 0.0
    """From 0 to 1: how far light creeps past the terminator, as it does in skin."""
    wet: float = 0.0
    """Weight of a second, sharp gloss, as of a film of water."""
    flesh: float = 0.0
    """Part of the sky's light that comes through lips and cheeks to where no sky is seen."""
    detail: float = 0.0
    """Strength of pores and of the unevenness of skin; needs `Scene.rest`."""
    cornea: bool = False
    """Each of the part's bodies is an eyeball, whose cornea gleams; needs `Scene.rest`."""
    fibres: bool = False
    """Its strands lie over each other: edges among them are not smoothed."""
    closed: bool = False
    """Its backs are never seen, so they are not drawn; without it they are drawn nearly dark, as the inside
    of a body."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole: looks from `eye` at `target`, y up; metres. The field of view, in degrees, is that of the
    smaller side of the picture."""

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
    background: Background = (0.055, 0.06, 0.07)
    """A colour of a wall with a soft pool of light, an image as large as the picture, or None for a
    transparent one; linear RGB."""
    rest: Float[np.ndarray, "verts 3"] | None = None
    """The vertices at rest, metres, to which detail of skin sticks; None for a scene without detail."""
    twins: Int[np.ndarray, "verts"] | None = None
    """For each vertex the one with which it shares its normal, itself as a rule; None: all have their own."""
    uv: Float[np.ndarray, "verts 2"] | None = None
    """Places of the vertices in the pictures of their parts, repeated beyond 0 to 1; y down."""
    pictures: tuple[UInt8[np.ndarray, "_ _ 4"] | None, ...] = ()
    """Picture of each part, sRGB with alpha, in place of the colours; None or missing: the colours count.
    Only pyrender draws pictures."""
    tints: Float[np.ndarray, "verts 3"] | None = None
    """Linear colours by which those of the pictures are multiplied; None: they stay."""


@runtime_checkable
class Renderer(Protocol):
    """Vertices to pictures; safe to call from several threads when `concurrent` is True."""

    concurrent: bool

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width channels"]:
        """Return one sRGB picture; before no background RGBA, whose alpha is straight (the colour is that of
        what covers the pixel, alpha how much of it is covered)."""

    def close(self) -> None:
        """Release what the renderer holds."""
