"""Vertices of single frames for drawing, without torch where the head is ada.

Axis names: `verts`, `coeffs`. What is computed is defined by the call of `AdaHead` and by `Neck.turn`; a test
holds these kernels to it, to float32 rounding. A frame comes out the same whatever other frames are computed,
and on whichever thread.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.head import EYE_TURN_RAD, AdaHead
from talkcli.engine.face.channels import JAW, JAW_OPEN_RAD, SMALL_PITCH_RAD, TONGUE
from talkcli.engine.face.turning import Neck
from talkcli.engine.jit import kernel

_LOOKS = [[f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out")] for side in ("Left", "Right")]
_SEAL = ["lipSeal", "mouthClose"]


class MovingAda:
    """Head ada and its neck, for drawing; safe to call from several threads."""

    def __init__(self, head: AdaHead, neck: Neck | None) -> None:
        tables = head.tables
        names = [*head.channels, *TONGUE]
        # The others each move a shape of their own, in order.
        self._own = np.array([names.index(name) for name in names if name not in JAW])
        self._num_columns = len(names)
        self._jaw = [names.index(name) for name in JAW]
        self._looks = np.array([[names.index(name) for name in looks] for looks in _LOOKS])
        self._seal = [names.index(name) for name in _SEAL]
        self._template = tables["template"]
        self._shapes = tuple(tables[name] for name in ("shape_starts", "shape_rows", "shape_values"))
        self._ramps = (tables["ramp_weights"], tables["ramp_biases"])
        self._jaw_turn = (tables["hinge"], tables["jaw"])
        eye_of_vertex = tables["eye_of_vertex"]
        self._eye_turns = [
            (centre, (eye_of_vertex == eye + 1).astype(np.float32))
            for eye, centre in enumerate(tables["eye_centres"])
        ]
        self._lids = (tables["lid_rows"], tables["eye_centres"][tables["lid_eyes"]], tables["lid_radii"])
        seal = ("seal_pairs", "seal_rows", "seal_neighbours", "seal_mix", "seal_amounts")
        self._lips = tuple(tables[name] for name in seal)
        self._neck_turn = None if neck is None else (neck.pivot, neck.share)

    def vertices(
        self, coeffs: Float[np.ndarray, "coeffs"], pose: Float[np.ndarray, "3"] | None = None
    ) -> Float[np.ndarray, "verts 3"]:
        """Return the vertices of one frame in metres; `pose` turns the head, if it has a neck."""
        given, coeffs = coeffs, np.zeros(self._num_columns, np.float32)
        # Motion without the tongue's channels has zeros there.
        coeffs[: len(given)] = given
        vertices = self._template.copy()
        _add_shapes(coeffs, self._own, *self._shapes, *self._ramps, vertices)
        _turn(coeffs[self._jaw].astype(np.float64), *self._jaw_turn, vertices)
        up, down, inwards, outwards = coeffs[self._looks].astype(np.float64).T
        # Outwards is to the subject's left for the left eye, to the right for the other.
        aside = (outwards - inwards) * (1.0, -1.0)
        for eye, eye_turn in enumerate(self._eye_turns):
            _turn(EYE_TURN_RAD * np.array([down[eye] - up[eye], aside[eye], 0.0]), *eye_turn, vertices)
        _lift_off_eyeballs(*self._lids, vertices)
        seal, close = coeffs[self._seal].astype(np.float64)
        pitch = max(float(coeffs[self._jaw[0]]), SMALL_PITCH_RAD)
        closed = min(max(seal + close * JAW_OPEN_RAD / pitch, 0.0), 1.0)
        _meet_lips(closed, *self._lips, vertices)
        if self._neck_turn is not None and pose is not None:
            _turn(pose.astype(np.float64), *self._neck_turn, vertices)
        return vertices


@kernel
def _add_shapes(coeffs, own, starts, rows, values, ramp_weights, ramp_biases, vertices):  # type: ignore[no-untyped-def]
    """Add the channels' own shapes and the correctives, which appear where all of their ramps do."""
    for shape in range(starts.shape[0] - 1):
        level = 1.0
        if shape < own.shape[0]:
            level = float(coeffs[own[shape]])
        else:
            corrective = shape - own.shape[0]
            for factor in range(ramp_biases.shape[1]):
                ramp = float(ramp_biases[corrective, factor])
                for column in range(coeffs.shape[0]):
                    ramp += ramp_weights[corrective, factor, column] * coeffs[column]
                level *= min(max(ramp, 0.0), 1.0)
        if level != 0.0:
            weight = np.float32(level)
            for entry in range(starts[shape], starts[shape + 1]):
                v = rows[entry]
                vertices[v, 0] += weight * values[entry, 0]
                vertices[v, 1] += weight * values[entry, 1]
                vertices[v, 2] += weight * values[entry, 2]


@kernel
def _turn(axis_angle, about, share, vertices):  # type: ignore[no-untyped-def]
    """Turn each vertex about a point as far as its share goes, by an axis-angle in radians."""
    ax, ay, az = axis_angle[0], axis_angle[1], axis_angle[2]
    squared = ax * ax + ay * ay + az * az
    angle = math.sqrt(squared)
    sine, cosine = 1.0 - squared / 6.0, 0.5 - squared / 24.0
    if squared >= 1e-6:
        sine, cosine = math.sin(angle) / angle, (1.0 - math.cos(angle)) / squared
    for v in range(vertices.shape[0]):
        if share[v] > 0.0:
            x, y, z = vertices[v, 0] - about[0], vertices[v, 1] - about[1], vertices[v, 2] - about[2]
            # How far a vertex moves: sine times axis x place, and cosine times axis x (axis x place).
            cx, cy, cz = ay * z - az * y, az * x - ax * z, ax * y - ay * x
            vertices[v, 0] += share[v] * (sine * cx + cosine * (ay * cz - az * cy))
            vertices[v, 1] += share[v] * (sine * cy + cosine * (az * cx - ax * cz))
            vertices[v, 2] += share[v] * (sine * cz + cosine * (ax * cy - ay * cx))


@kernel
def _lift_off_eyeballs(rows, centres, radii, vertices):  # type: ignore[no-untyped-def]
    """Keep skin round the eyes as far from an eyeball's centre as its lid is thick."""
    for lid in range(rows.shape[0]):
        v = rows[lid]
        x = float(vertices[v, 0] - centres[lid, 0])
        y = float(vertices[v, 1] - centres[lid, 1])
        z = float(vertices[v, 2] - centres[lid, 2])
        short = max(radii[lid] / math.sqrt(x * x + y * y + z * z) - 1.0, 0.0)
        vertices[v, 0] += short * x
        vertices[v, 1] += short * y
        vertices[v, 2] += short * z


@kernel
def _meet_lips(closed, pairs, rows, neighbours, mix, amounts, vertices):  # type: ignore[no-untyped-def]
    """Close the gap between the lips by a share of it, and never let them cross."""
    steps = np.empty((pairs.shape[0], 3))
    for pair in range(pairs.shape[0]):
        upper, lower = pairs[pair, 0], pairs[pair, 1]
        for axis in range(3):
            steps[pair, axis] = closed * (vertices[lower, axis] - vertices[upper, axis])
        steps[pair, 1] += (1.0 - closed) * max(float(vertices[lower, 1] - vertices[upper, 1]), 0.0)
    for entry in range(rows.shape[0]):
        first, second = neighbours[entry, 0], neighbours[entry, 1]
        for axis in range(3):
            step = steps[first, axis] * (1.0 - mix[entry]) + steps[second, axis] * mix[entry]
            vertices[rows[entry], axis] += step * amounts[entry, axis]
