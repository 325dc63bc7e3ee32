"""FLAME's expression and jaw for vertices that are numbered as FLAME's.

Axis names: `frames`, `verts`, `coeffs` = 53 (50 expressions, jaw as axis-angle).
The subject at rest takes the place of FLAME's template; what is left is least squares in 53 numbers a frame,
by Levenberg and Marquardt's method. Expressions enter linearly once the jaw is given, so that their normal
equations are sums of 19 matrices worked out beforehand. As in FLAME's own fits, large coefficients are drawn
towards rest; unlike them, no frame knows of its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import NUM_EXPRESSION
from talkcli.engine.face.flame_file import JAW_JOINT, FlameArrays
from talkcli.engine.face.rotation import rotation_matrices

# How well registered vertices are known, and how far a jaw turns: what the priors weigh against each other.
_NOISE_M = 2e-4
_JAW_RAD = 0.3
_JAW_FEATURES = slice(9 * (JAW_JOINT - 1), 9 * JAW_JOINT)
_BLOCK_FRAMES = 64
_MOST_PASSES = 30
# Steps below move no vertex by a thousandth of a millimetre.
_SMALLEST_STEP = 1e-5
_ROTATION_STEP = 1e-5


@dataclass(frozen=True, kw_only=True)
class FlameFit:
    """Coefficients, and the mean distance of the vertices from where these put them, in metres."""

    coeffs: Float[np.ndarray, "frames 53"]
    error_m: Float[np.ndarray, "frames"]


@dataclass(frozen=True)
class _State:
    """A block of frames at some coefficients: what is left over, and how it moves with the jaw."""

    left: Float[np.ndarray, "frames verts 3"]
    turn: Float[np.ndarray, "frames 3 3"]
    jaw_slopes: Float[np.ndarray, "3 frames verts 3"]
    cost: Float[np.ndarray, "frames"]


class FlameFitter:
    """Fits one subject, whose face at rest is `neutral`, in metres.

    Raises InputError when the model has another number of vertices.
    """

    def __init__(self, arrays: FlameArrays, neutral: Float[np.ndarray, "verts 3"]) -> None:
        num_verts = len(neutral)
        if len(arrays.template) != num_verts:
            raise InputError(
                f"The FLAME model has {len(arrays.template)} vertices, the recording {num_verts}."
            )
        self._neutral = neutral.astype(np.float64)
        self._weights = arrays.weights[:, JAW_JOINT].astype(np.float64)[:, None]
        expressions = arrays.expressions.astype(np.float64)
        regressor = arrays.joint_regressor[JAW_JOINT].astype(np.float64)
        self._hinge = regressor @ self._neutral
        self._hinge_moves = np.einsum("v,vxe->xe", regressor, expressions)
        # About the hinge, which moves along with the expression.
        around = expressions - self._hinge_moves
        self._expressions = expressions.reshape(3 * num_verts, -1)
        self._around = around.reshape(3 * num_verts, -1)
        self._correctives = arrays.pose_correctives[..., _JAW_FEATURES].astype(np.float64).reshape(-1, 9)
        self._still = self._expressions.T @ self._expressions
        weighted = self._weights[..., None] * around
        self._mixed = np.einsum("vxe,vyf->xyef", expressions, weighted, optimize=True)
        self._turned = np.einsum("vxe,vyf->xyef", weighted, weighted, optimize=True)
        spread = np.array([1.0] * NUM_EXPRESSION + [_JAW_RAD] * 3)
        self._prior = (_NOISE_M / spread) ** 2

    def fit(self, vertices: Float[np.ndarray, "frames verts 3"]) -> FlameFit:
        """Return the coefficients of every frame."""
        blocks = [
            self._fit_block(vertices[start : start + _BLOCK_FRAMES].astype(np.float64))
            for start in range(0, len(vertices), _BLOCK_FRAMES)
        ]
        coeffs, errors = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return FlameFit(coeffs=coeffs.astype(np.float32), error_m=errors)

    def _fit_block(self, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coeffs = np.zeros((len(target), NUM_EXPRESSION + 3))
        damping = np.full(len(target), 1e-3)
        state = self._look(target, coeffs)
        for _ in range(_MOST_PASSES):
            matrix, slope = self._normal_equations(state, coeffs)
            diagonal = np.einsum("fkk->fk", matrix)
            # A view of the diagonals.
            diagonal += damping[:, None] * diagonal
            step = np.linalg.solve(matrix, slope[..., None])[..., 0]
            tried = self._look(target, coeffs + step)
            better = tried.cost <= state.cost
            coeffs, state = coeffs + step * better[:, None], _choose(better, tried, state)
            damping = np.where(better, damping / 10, damping * 10)
            if np.abs(step).max() < _SMALLEST_STEP:
                break
        return coeffs, np.linalg.norm(state.left, axis=2).mean(axis=1)

    def _look(self, target: np.ndarray, coeffs: np.ndarray) -> _State:
        expression, jaw = coeffs[:, :NUM_EXPRESSION], coeffs[:, NUM_EXPRESSION:]
        turn = _rotations(jaw) - np.eye(3)
        shape = target.shape
        corrected = (turn.reshape(-1, 9) @ self._correctives.T).reshape(shape)
        posed = self._neutral + (expression @ self._expressions.T).reshape(shape) + corrected
        arm = posed - (self._hinge + expression @ self._hinge_moves.T)[:, None]
        left = target - posed - self._weights * (arm @ turn.transpose(0, 2, 1))
        slopes = []
        for axis in np.eye(3) * _ROTATION_STEP:
            turning = (_rotations(jaw + axis) - _rotations(jaw - axis)) / (2 * _ROTATION_STEP)
            corrected = (turning.reshape(-1, 9) @ self._correctives.T).reshape(shape)
            moved = arm @ turning.transpose(0, 2, 1) + corrected @ turn.transpose(0, 2, 1)
            slopes.append(corrected + self._weights * moved)
        cost = np.square(left).sum(axis=(1, 2)) + np.square(coeffs) @ self._prior
        return _State(left, turn, np.stack(slopes), cost)

    def _normal_equations(self, state: _State, coeffs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        turn, jaw = state.turn, state.jaw_slopes
        num = NUM_EXPRESSION
        matrix = np.empty((len(turn), num + 3, num + 3))
        mixed = np.einsum("fxy,xyed->fed", turn, self._mixed, optimize=True)
        turned = np.einsum("fxy,fxz,yzed->fed", turn, turn, self._turned, optimize=True)
        matrix[:, :num, :num] = self._still + mixed + mixed.transpose(0, 2, 1) + turned
        for axis in range(3):
            matrix[:, :num, num + axis] = matrix[:, num + axis, :num] = self._along(jaw[axis], turn)
        matrix[:, num:, num:] = np.einsum("afvx,bfvx->fab", jaw, jaw, optimize=True)
        matrix[:, np.arange(num + 3), np.arange(num + 3)] += self._prior
        slope = np.concatenate(
            [self._along(state.left, turn), np.einsum("afvx,fvx->fa", jaw, state.left, optimize=True)], axis=1
        )
        return matrix, slope - self._prior * coeffs

    def _along(self, moved: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """Return how much of `moved` each expression explains, with the jaw where it is."""
        back = self._weights * (moved @ turn)
        frames = len(moved)
        return moved.reshape(frames, -1) @ self._expressions + back.reshape(frames, -1) @ self._around


def _rotations(jaw: Float[np.ndarray, "frames 3"]) -> Float[np.ndarray, "frames 3 3"]:
    return rotation_matrices(torch.from_numpy(jaw)).numpy()


def _choose(better: Bool[np.ndarray, "frames"], tried: _State, before: _State) -> _State:
    where = better[:, None, None]
    return _State(
        np.where(where, tried.left, before.left),
        np.where(where, tried.turn, before.turn),
        np.where(where[None], tried.jaw_slopes, before.jaw_slopes),
        np.where(better, tried.cost, before.cost),
    )
