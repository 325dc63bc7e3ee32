"""What differs between generated people, and what must not: eyes, brows, lashes, hair, ears and skin."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator

from talkcli.engine.face.ada import (
    brows,
    complexion,
    ear,
    eyeball,
    field,
    hair,
    lashes,
    lids,
    paint,
    skin,
    tears,
)
from talkcli.engine.face.ada.hair_styles import COLUMNS, ROWS, STYLES, TURNED
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.ada.person import HAIR_COLOURS, HAIR_STYLES, IRIS_COLOURS, PEOPLE, Person
from talkcli.engine.face.ada.piece import Piece

# A pixel of a picture of 512 pixels in the studio, which the head fills but for its margin.
PIXEL_MM = 0.55


@pytest.fixture(scope="module")
def shape() -> skin.Skin:
    return skin.build()


def pieces(person: Person, shape: skin.Skin) -> list[Piece]:
    """All pieces of `person` that are looks."""
    above, below = (shape.vertices[lids.edge(shape, upper)] for upper in (True, False))
    return [
        *eyeball.build(person), ear.build(person), *(brows.build(person, side) for side in (0, 1)),
        *hair.build(person), lashes.build(above, person, True), lashes.build(below, person, False),
        tears.build(below, person),
    ]  # fmt: skip


def random_people(count: int) -> list[Person]:
    random = np.random.default_rng(4)
    return [
        Person(
            sex=float(random.uniform()), age=float(random.uniform(18, 90)), tone=float(random.uniform()),
            hair=str(random.choice(list(HAIR_STYLES))), hair_colour=str(random.choice(list(HAIR_COLOURS))),
            iris=str(random.choice(list(IRIS_COLOURS))), brows=float(random.uniform(0, 2)),
            asymmetry=float(random.uniform(0, 2)), seed=int(random.integers(1000)),
        )
        for _ in range(count)
    ]  # fmt: skip


EVERYONE = [*PEOPLE.values(), *random_people(10)]


@pytest.fixture(scope="module")
def looks(shape: skin.Skin) -> list[list[Piece]]:
    """Pieces of everyone."""
    return [pieces(person, shape) for person in EVERYONE]


def test_every_style_that_a_person_can_have_is_built() -> None:
    assert set(STYLES) == set(HAIR_STYLES)


def test_topology_is_the_same_for_everyone(looks: list[list[Piece]]) -> None:
    for other_pieces in looks[1:]:
        for one, other in zip(looks[0], other_pieces, strict=True):
            assert one.material == other.material
            assert one.vertices.shape == other.vertices.shape
            assert np.array_equal(one.faces, other.faces)


def test_heads_that_come_with_talk_share_their_topology() -> None:
    first, *others = (AdaHead.load(name) for name in PEOPLE)
    for head in others:
        assert head.parts == first.parts
        assert np.array_equal(head.faces, first.faces)
        assert np.array_equal(head.part_of_face, first.part_of_face)


def test_hair_keeps_to_its_budget() -> None:
    assert sum(len(piece.vertices) for piece in hair.build(PEOPLE["ada"])) <= 3650
    assert len(brows.build(PEOPLE["ada"], 0).vertices) <= 450
    assert sum(len(piece.vertices) for piece in eyeball.build(PEOPLE["ada"])) <= 600


def test_places_and_colours_can_be_shown(shape: skin.Skin, looks: list[list[Piece]]) -> None:
    colours = [piece.colours for made in looks for piece in made]
    normals = field.gradient(shape.vertices)
    colours += [
        paint.skin(shape, normals, replace(PEOPLE["abe"], tone=tone, age=80.0)) for tone in (0.0, 1.0)
    ]
    for colour in colours:
        assert colour.min() >= 0.0
        assert colour.max() <= 1.0
    assert all(np.isfinite(piece.vertices).all() for made in looks for piece in made)


def test_irises_are_round() -> None:
    iris, white = eyeball.build(PEOPLE["ada"])
    rim = iris.vertices[-eyeball.COLUMNS :, :2] - field.EYE[:2]
    middles = 0.5 * (rim + np.roll(rim, 1, 0))
    radii = np.linalg.norm(np.concatenate([rim, middles]), axis=1)
    assert 5.6 < radii.max() < 6.1
    assert np.ptp(radii) < 0.05
    assert np.allclose(rim, white.vertices[: eyeball.COLUMNS, :2] - field.EYE[:2])
    pupil = iris.vertices.reshape(-1, eyeball.COLUMNS, 3)[eyeball.IRIS_RINGS.index(eyeball.PUPIL)]
    assert 3.5 < 2 * np.linalg.norm(pupil[0, :2] - field.EYE[:2]) < 4.0


@pytest.mark.parametrize("name", ["ada", "abe"])
def test_single_hairs_are_not_thinner_than_a_pixel(name: str) -> None:
    brow = brows.build(PEOPLE[name], 0).vertices.reshape(-1, 4, 3)
    assert np.linalg.norm(brow[:, 2] - brow[:, 1], axis=1).min() > PIXEL_MM
    fine = hair.build(PEOPLE[name])[2].vertices.reshape(-1, 4, 3)
    assert np.linalg.norm(fine[:, 2] - fine[:, 1], axis=1).min() > PIXEL_MM


def test_hair_that_a_head_lacks_has_no_area_and_lies_in_the_skull() -> None:
    for piece in hair.build(PEOPLE["bust"]):
        a, b, c = (piece.vertices[piece.faces[:, i]] for i in range(3))
        assert np.linalg.norm(np.cross(b - a, c - a), axis=1).max() < 1e-9
        assert field.face(piece.vertices).max() < -50.0


@pytest.mark.parametrize("style", ["short", "bob", "tied"])
def test_hair_stays_out_of_face_and_ears(style: str) -> None:
    person = replace(PEOPLE["ada"], hair=style)
    sheet = hair.build(person)[0].vertices.reshape(ROWS, COLUMNS, 3)[: ROWS - TURNED]
    # The first and the last row are roots in the skin.
    assert field.face(sheet[1:-1].reshape(-1, 3)).min() > -0.6
    beside = sheet[(sheet[..., 0] > 50.0) & (np.abs(sheet[..., 1] + 15.0) < 70.0)]
    rim = ear.build(person).vertices
    rim = rim[rim[:, 0] > 79.0]
    hair_x = LinearNDInterpolator(beside[:, 1:], beside[:, 0])(rim[:, 1:])
    if style == "bob":
        assert (hair_x > rim[:, 0] + 0.5).all()
    else:
        assert not (hair_x > rim[:, 0]).any()


def test_brows_of_a_woman_are_higher_and_thinner() -> None:
    t = np.linspace(0.0, 1.0, 9)
    woman, man = Person(sex=0.0), Person(sex=1.0)
    assert (brows.line(t, 0.0)[1] > brows.line(t, 1.0)[1] + 1.0).all()
    assert (brows.half_width(t, woman) < brows.half_width(t, man)).all()


def test_sides_differ_as_far_as_the_person_is_asymmetric(shape: skin.Skin) -> None:
    for name, same in (("ada", False), ("bust", True)):
        left, right = (brows.build(PEOPLE[name], side) for side in (0, 1))
        assert np.array_equal(left.vertices, right.vertices) == same
    colours = paint.skin(shape, field.gradient(shape.vertices), PEOPLE["ada"])
    assert np.abs(colours - colours[shape.mirror]).max() > 0.01


def test_tones_darken_and_blood_reddens() -> None:
    tones = [complexion.tint(Person(tone=tone)) for tone in np.linspace(0.0, 1.0, 6)]
    assert all((darker < lighter).all() for lighter, darker in pairwise(tones))
    pale, red = complexion.tint(Person()), complexion.tint(Person(), 0.0, 0.3)
    assert red[0] / red[1] > 1.2 * pale[0] / pale[1]


def test_only_men_have_a_beard_shadow(shape: skin.Skin) -> None:
    assert paint.beard(shape.vertices, PEOPLE["ada"]).max() == 0.0
    assert paint.beard(shape.vertices, PEOPLE["abe"]).max() > 0.8
