"""How much of the sky each vertex sees: of the whole head every frame, or anew only where a face moves.

Axis names: `verts`, `faces`, `near` vertices (of a patch). The sky is four far lamps with depth maps. On a
head with a mouth, what lips, lids and eyeballs do to it stays near them: there it is seen anew in every
frame, in maps of that patch alone, and elsewhere it is what is seen at rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from talkcli.engine.render import lamps, look, raster
from talkcli.engine.render.columns import COLUMNS, SKY, TOTAL
from talkcli.engine.render.renderer import Scene

# Distances from the line where the lips turn into the mouth, and from the eyeballs, in metres: up to the
# first the sky is seen anew, from there to the second it fades to what is seen at rest.
_LIPS = (0.025, 0.04)
_EYES = (0.008, 0.014)
# Side of a patch's depth map, and room for what moves, as a part of the patch's size.
_TEXELS = 128
_MARGIN = 0.15


class View:
    """Room for a lamp's view of `verts` vertices and `faces` faces."""

    def __init__(self, verts: int, faces: int, texels: int) -> None:
        # A lamp is hidden by what is turned towards it: on a closed body that is the nearest anyway.
        self.culled = np.ones(faces, np.bool_)
        self.screen = np.empty((verts, 3), np.float32)
        self.nearness = np.empty((texels, texels), np.float32)
        self.maxima = np.full((texels, texels), -np.inf, np.float32)


class Place(NamedTuple):
    """Where a depth map is: its `middle` (metres), the texels per metre."""

    middle: np.ndarray
    per_metre: float


def see_lamp(
    axes: Float[np.ndarray, "3 3"],
    vertices: Float[np.ndarray, "verts 3"],
    faces: Int[np.ndarray, "faces 4"],
    place: Place,
    used: Bool[np.ndarray, "verts"],
    table: Float[np.ndarray, "verts columns"],
    view: View,
) -> None:
    """Fill `view` with a lamp's depth map, and with the place on it of each vertex of `used`."""
    centre = np.array([*place.middle, len(view.nearness) / 2])
    lamps.project_parallel(vertices, axes, centre, place.per_metre, view.screen)
    raster.nearest_faces(view.screen, faces, view.culled, view.nearness, None)
    lamps.block_maxima(view.nearness, view.maxima)
    lamps.lift(axes, view.screen, used, table)


_LAMPS = look.sky_lamps()


def _see_sky(
    vertices: np.ndarray,
    faces: np.ndarray,
    place: Place,
    past: Float[np.ndarray, "lamps verts"],
    used: np.ndarray,
    table: np.ndarray,
    view: View,
) -> None:
    """Fill the column SKY of `table`, which has the normals, for the vertices of `used`. `past` is what comes
    of each lamp past what is not among `faces`."""
    table[:, SKY] = table[:, TOTAL] = 1e-6
    for axes, passed in zip(_LAMPS, past, strict=True):
        see_lamp(axes, vertices, faces, place, used, table, view)
        lamps.add_sky(axes, view.screen, view.nearness, view.maxima, passed, used, table)
    table[:, SKY] /= table[:, TOTAL]


def _lamps_at_rest(table: np.ndarray, rest: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return what each vertex sees of each lamp past `faces` (lamps verts). `table` has the normals."""
    place, used = Place(*look.map_scale(rest)), np.ones(len(rest), np.bool_)
    view, past = View(len(rest), len(faces), look.TEXELS), np.ones(len(rest), np.float32)
    seen = np.empty((len(_LAMPS), len(rest)), np.float32)
    for number, axes in enumerate(_LAMPS):
        table[:, SKY] = table[:, TOTAL] = 1e-6
        see_lamp(axes, rest, faces, place, used, table, view)
        lamps.add_sky(axes, view.screen, view.nearness, view.maxima, past, used, table)
        seen[number] = table[:, SKY] / table[:, TOTAL]
    return seen


def _distance(rest: np.ndarray, points: np.ndarray, most: float) -> np.ndarray:
    """Return how far each vertex is from the nearest of `points` (verts), infinity where more than `most`."""
    # A process that draws has no scipy, whose trees would be faster.
    low, high = points.min(axis=0) - most, points.max(axis=0) + most
    square = np.full(len(rest), np.inf)
    close = np.flatnonzero(((rest >= low) & (rest <= high)).all(axis=1))
    for point in points:
        square[close] = np.minimum(square[close], ((rest[close] - point) ** 2).sum(axis=1))
    return np.sqrt(square)


class _Patch:
    """The neighbourhood of what moves, and how the sky is seen in it."""

    def __init__(
        self,
        distance: Float[np.ndarray, "verts"],
        fade: tuple[float, float],
        rest: np.ndarray,
        faces: np.ndarray,
        table: Float[np.ndarray, "verts columns"],
        at_rest: Float[np.ndarray, "verts"],
    ) -> None:
        inside = (distance < fade[1])[faces[:, :3]].any(axis=1)
        self.near = np.unique(faces[inside, :3])
        number = np.zeros(len(rest), np.int32)
        number[self.near] = np.arange(len(self.near))
        self.faces = np.column_stack([number[faces[inside, :3]], faces[inside, 3]]).astype(np.int32)
        ramp = (fade[1] - distance[self.near]) / (fade[1] - fade[0])
        self._weight = weight = np.clip(ramp, 0.0, 1.0).astype(np.float32)
        self._base = (np.float32(1.0) - weight) * at_rest[self.near]
        # What hides the sky from outside the patch, as the nose does from an eye, does so as it does at rest.
        self._past = np.ascontiguousarray(_lamps_at_rest(table, rest, faces[~inside])[:, self.near])
        # The map goes with what lies round the patch, which turns and moves with the head alone.
        rim = np.flatnonzero(weight < 1.0)
        self._rim = rim if len(rim) else np.arange(len(self.near))
        own = rest[self.near]
        middle, per_metre = look.map_scale(own)
        self._from_rim = middle - own[self._rim].mean(axis=0, dtype=np.float64)
        texels = _TEXELS / look.TEXELS / (1.0 + _MARGIN)
        self._per_metre = per_metre * texels

    def see(self, vertices: np.ndarray, used: np.ndarray, table: np.ndarray, view: View) -> None:
        own, seen, small = vertices[self.near], used[self.near], table[self.near]
        rim = own[self._rim]
        sound = rim[np.isfinite(rim).all(axis=1)]
        middle = self._from_rim + (sound.mean(axis=0, dtype=np.float64) if len(sound) else 0.0)
        _see_sky(own, self.faces, Place(middle, self._per_metre), self._past, seen, small, view)
        table[self.near, SKY] = self._base + self._weight * small[:, SKY]


class Sky:
    """The sky over `scene`: how much of it each vertex sees."""

    def __init__(self, scene: Scene, faces: Int[np.ndarray, "faces 4"]) -> None:
        self._faces = faces
        self._patches: list[_Patch] = []
        self.at_rest = np.zeros(len(scene.colours), np.float32)
        self._unhidden = np.ones((len(_LAMPS), len(scene.colours)), np.float32)
        flesh, eyes = (
            np.array([getattr(material, name) > 0 for material in scene.materials])[faces[:, 3]]
            for name in ("flesh", "cornea")
        )
        of_flesh, of_eyes = np.unique(faces[flesh, :3]), np.unique(faces[eyes, :3])
        seam = np.intersect1d(of_flesh, faces[~flesh, :3])
        if scene.rest is None or not len(seam):
            return
        rest = np.ascontiguousarray(scene.rest, np.float32)
        table, everyone = np.zeros((len(rest), COLUMNS), np.float32), np.ones(len(rest), np.bool_)
        raster.smooth_normals(rest, faces, table)
        place, view = Place(*look.map_scale(rest)), View(len(rest), len(faces), look.TEXELS)
        _see_sky(rest, faces, place, self._unhidden, everyone, table, view)
        self.at_rest = table[:, SKY].copy()
        distance = _distance(rest, rest[seam], _LIPS[1])
        distance[of_flesh] = 0.0
        self._patches.append(_Patch(distance, _LIPS, rest, faces, table, self.at_rest))
        if len(of_eyes):
            distance = _distance(rest, rest[of_eyes], _EYES[1])
            self._patches.append(_Patch(distance, _EYES, rest, faces, table, self.at_rest))

    def whole_view(self) -> View:
        """Return the room that one thread needs for a lamp's view of the whole head."""
        return View(len(self.at_rest), len(self._faces), look.TEXELS)

    def views(self) -> list[View]:
        """Return the room that one thread needs for `see`."""
        if not self._patches:
            return [self.whole_view()]
        return [View(len(patch.near), len(patch.faces), _TEXELS) for patch in self._patches]

    def see(
        self,
        vertices: Float[np.ndarray, "verts 3"],
        used: Bool[np.ndarray, "verts"],
        table: Float[np.ndarray, "verts columns"],
        views: list[View],
    ) -> None:
        """Fill the column SKY of `table`, which has the normals and `at_rest`, for the vertices of `used`."""
        if not self._patches:
            place = Place(*look.map_scale(vertices))
            _see_sky(vertices, self._faces, place, self._unhidden, used, table, views[0])
            return
        for patch, view in zip(self._patches, views, strict=True):
            patch.see(vertices, used, table, view)
