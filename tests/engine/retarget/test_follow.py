"""The bounded least squares of `follow`, against scipy's, and on shapes that an artist made."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

from talkcli.engine.face.heads import load_head
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.face.surface import Surface
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.retarget.convert import retarget
from talkcli.engine.types import Silent
from talkcli.engine.video.solver import Prior, solve


@dataclass
class Linear:
    """Residuals of `matrix` times the values, less a goal for each frame."""

    matrix: np.ndarray
    goals: np.ndarray

    def residuals(self, values: np.ndarray) -> np.ndarray:
        return values @ self.matrix.T - self.goals

    def slopes(self, values: np.ndarray) -> np.ndarray:
        return np.repeat(self.matrix[None], len(values), axis=0)


def test_values_beyond_their_bounds_are_made_up_for() -> None:
    draw = np.random.default_rng(4)
    matrix = draw.normal(size=(40, 25)) + 2 * draw.normal(size=(40, 1))
    goals = draw.normal(size=(6, 40))
    prior = Prior(
        low=np.zeros(25),
        high=np.ones(25),
        precision=np.zeros((25, 25)),
        pull=np.zeros(25),
        bend=np.full(25, 1e6),
    )
    arguments = (Linear(matrix, goals), np.zeros((6, 25)), prior, np.ones(6), np.zeros(4, bool))
    found = solve(*arguments, passes=5, rounds=6)
    exact = np.stack([lsq_linear(matrix, goal, bounds=(0, 1), method="bvls").x for goal in goals])
    lost, least = (np.square(values @ matrix.T - goals).sum() for values in (found, exact))
    assert lost < least * 1.002
    # One round is slower: that is why there are more.
    assert np.square(solve(*arguments, passes=5) @ matrix.T - goals).sum() > least * 1.05


def test_a_capture_closes_the_lips_of_an_artists_shapes(shared_data: Path) -> None:
    """FaceKit's 57 shapes, named in another way, at rest by a hair open: names alone close nothing."""
    folder = shared_data / "mesh"
    stored = np.load(folder / "ict_facekit_light.npz")
    marks = json.loads((folder / "ict_vertex_indices.json").read_text())["idx_to_landmark_verts"]
    rig = ShapeRig(
        name="facekit",
        channels=tuple(map(str, stored["expr_names"])),
        template=stored["neutral"] / 100,
        deltas=stored["expr_delta"] / 100,
        marks=np.array(marks),
    )
    take = read_take(next(iter(sorted((shared_data / "iphone").rglob("S88-001.csv"))))).motion
    take = replace(take, coeffs=take.coeffs[:150], pose=None)
    found = retarget(Surface(take, load_head("ada")), rig, Silent())
    assert found.how == "landmarks beside names"
    assert found.kept is not None
    assert found.kept.closures.total > 100
    assert found.kept.closures.count >= 0.95 * found.kept.closures.total
    assert found.kept.false_closures.count == 0
    assert found.kept.lips_mm < 0.7 * found.kept.at_rest_lips_mm
