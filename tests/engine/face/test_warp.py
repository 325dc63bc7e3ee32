"""The map from the canonical head to people: measures reached, eyes kept round, no fold in space."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.assemble import canvas_of_skin
from talkcli.engine.face.ada.marks import landmarks
from talkcli.engine.face.ada.person import PEOPLE, Person
from talkcli.engine.face.ada.proportions import Measures, measures, wanted
from talkcli.engine.face.ada.warp import Warp, warp_to


@pytest.fixture(scope="module")
def canonical() -> tuple[np.ndarray, Measures]:
    canvas = canvas_of_skin()
    return canvas.p, measures(canvas.p, landmarks(canvas), len(canvas.p), canvas.shape.mirror)


def people() -> list[Person]:
    """Draw people far from the mean."""
    random = np.random.default_rng(8)
    names = ("face_width", "jaw_width", "face_height", "nose_height", "nose_width", "mouth_width")
    return [
        Person(
            sex=float(random.uniform(0.0, 1.0)),
            age=float(random.uniform(18.0, 80.0)),
            build=float(random.uniform(-1.0, 1.0)),
            seed=index,
            **{name: float(random.uniform(-2.0, 2.0)) for name in names},
        )
        for index in range(6)
    ]


@pytest.mark.parametrize("person", [*PEOPLE.values(), *people()])
def test_measures_are_reached(canonical: tuple[np.ndarray, Measures], person: Person) -> None:
    points, where = canonical
    warp = warp_to(person, points, where)
    mirrored = Warp(warp.amounts, warp.eye_scale)
    found, goal = where.of(mirrored(points)), wanted(person)
    assert found == pytest.approx(goal, abs=0.2)
    # The two sides of a usual face differ by some millimetres at most.
    difference = np.abs(warp(points) - mirrored(points)).max()
    assert difference == 0.0 if person.asymmetry == 0.0 else 0.1 < difference < 5.0


@pytest.mark.parametrize("person", [*PEOPLE.values(), *people()])
def test_eyes_stay_round(canonical: tuple[np.ndarray, Measures], person: Person) -> None:
    warp = warp_to(person, *canonical)
    directions = np.random.default_rng(0).normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for eye in (field.EYE, field.EYE * np.array([-1.0, 1.0, 1.0])):
        for radius in (field.EYE_RADIUS, field.LID_RADIUS + 4.0):
            distance = np.linalg.norm(warp(eye + radius * directions) - warp(eye[None]), axis=1)
            assert distance == pytest.approx(radius * warp.eye_scale, abs=1e-6)


@pytest.mark.parametrize("person", [*PEOPLE.values(), *people()])
def test_space_does_not_fold(canonical: tuple[np.ndarray, Measures], person: Person) -> None:
    points, where = canonical
    warp = warp_to(person, points, where)
    step = 0.01
    slopes = np.stack([(warp(points + step * axis) - warp(points)) / step for axis in np.eye(3)], 2)
    assert np.linalg.det(slopes).min() > 0.15


def test_a_mean_person_between_the_sexes_is_between_them(canonical: tuple[np.ndarray, Measures]) -> None:
    points, where = canonical
    woman, both, man = (
        warp_to(Person(sex=sex, asymmetry=0.0), points, where)(points) for sex in (0.0, 0.5, 1.0)
    )
    assert np.abs(0.5 * (woman + man) - both).max() < 1.5
    assert np.abs(woman - man).max() > 5.0
