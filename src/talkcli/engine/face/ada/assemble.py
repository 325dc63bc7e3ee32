"""Everything of the head put together: pieces, shapes and what drives them.

Axis names: `verts`, `shapes`, `factors` = 2. Millimetres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from talkcli.engine.face.ada import (
    arch,
    brows,
    deform,
    ear,
    eyeball,
    field,
    gums,
    hair,
    lashes,
    lids,
    marks,
    paint,
    seal,
    skin,
    tears,
    teeth,
    tongue,
    weights,
)
from talkcli.engine.face.ada.canvas import Canvas
from talkcli.engine.face.ada.fitting import fitted
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.piece import Piece
from talkcli.engine.face.ada.whole import ONE, Corrective, Deltas, Ramp, Whole
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, NUM_EXPRESSION, TONGUE


@cache
def canvas_of_skin() -> Canvas:
    """Return the canvas, which is the same for all people."""
    return Canvas(skin.build())


class Assembly:
    """Collects pieces behind the skin and spreads skin shapes over those that ride on it."""

    def __init__(self, person: Person) -> None:
        self.shape = skin.build()
        self.canvas = canvas_of_skin()
        self.vertices = [self.shape.vertices]
        self.faces = [self.shape.faces]
        self.colours = [paint.skin(self.shape, self.canvas.normals, person)]
        self.part_names = ["skin", "lips", "mouth"]
        self.part_of_face = [self._skin_parts()]
        self.jaw = [self.canvas.jaw]
        self.eye = [np.zeros(len(self.shape.vertices), int)]
        self.riders: list[tuple[int, csr_array]] = []
        self.count = len(self.shape.vertices)

    def _skin_parts(self) -> Int[np.ndarray, "faces"]:
        lips = (self.canvas.red[self.shape.faces] >= 0).all(1)
        bag = np.zeros(len(self.shape.vertices), bool)
        hidden = self.shape.lips[: self.shape.bag_rings]
        bag[hidden] = bag[self.shape.mirror[hidden]] = True
        return np.where(bag[self.shape.faces].any(1), 2, np.where(lips, 1, 0))

    def add(self, piece: Piece, *, jaw: Float[np.ndarray, "verts"] | float = 0.0, eye: int = 0) -> int:
        """Append a piece; returns where its vertices start."""
        start = self.count
        if piece.material not in self.part_names:
            self.part_names.append(piece.material)
        self.vertices.append(piece.vertices)
        self.faces.append(piece.faces + start)
        self.colours.append(piece.colours)
        self.part_of_face.append(np.full(len(piece.faces), self.part_names.index(piece.material)))
        self.jaw.append(np.broadcast_to(np.asarray(jaw, float), len(piece.vertices)).copy())
        self.eye.append(np.full(len(piece.vertices), eye))
        self.count += len(piece.vertices)
        return start

    def ride(self, piece: Piece, share: Float[np.ndarray, "verts"] | float = 1.0) -> int:
        """Append a piece whose vertices follow the skin next to them, `share` of its way."""
        matrix = weights.attachment(self.shape, piece.vertices)
        matrix = csr_array(matrix.multiply(np.broadcast_to(share, len(piece.vertices))[:, None]))
        start = self.add(piece, jaw=matrix @ self.canvas.jaw)
        self.riders.append((start, matrix))
        return start

    def spread(self, on_skin: Float[np.ndarray, "skin 3"]) -> Deltas:
        """Return a skin shape over all vertices."""
        out = np.zeros((self.count, 3))
        out[: len(on_skin)] = on_skin
        for start, matrix in self.riders:
            out[start : start + matrix.shape[0]] = matrix @ on_skin
        return out


@dataclass(frozen=True)
class LidFollower:
    """A piece that sits on the edge of the left eye's lid, and where it starts on both sides."""

    upper: bool
    places: Callable[[Deltas], Deltas]
    start: dict[str, int]


def lid_correctives(body: Assembly, followers: list[LidFollower]) -> list[Corrective]:
    """Build the lids' correctives for closing, opening and following the gaze, for both eyes."""
    shape = body.shape
    profile = lids.open_profile()
    moves: list[tuple[tuple[dict[str, float], float], str | None, np.ndarray, np.ndarray, bool]] = []
    for upper, knots, drive in (
        (True, lids.UPPER_KNOTS, {"eyeBlink": 1.0, "eyeLookDown": 0.58, "eyeSquint": 0.14}),
        (
            False,
            lids.LOWER_KNOTS,
            {"eyeBlink": 1.0, "eyeSquint": 0.6, "cheekSquint": 0.4, "mouthSmile": 0.12},
        ),
    ):
        way = lids.way_closed(upper)
        for low, high in pairwise(knots):
            span = high - low
            ramp = ({name: value / span for name, value in drive.items()}, -low / span)
            moves.append((ramp, None, low * way, high * way, upper))
    for name, up, amount in (
        ("eyeWide", True, 2.0), ("eyeWide", False, -0.7), ("eyeLookUp", True, 1.7), ("eyeLookUp", False, 0.4),
        ("eyeLookDown", False, -2.5),
    ):  # fmt: skip
        moves.append((({name: 1.0}, 0.0), "eyeBlink", 0.0 * profile, amount * profile, up))

    out = []
    flip = np.array([-1.0, 1.0, 1.0])
    for (drive, bias), unless, start_way, end_way, upper in moves:
        ids, before = lids.moved(shape, start_way, upper)
        _, after = lids.moved(shape, end_way, upper)
        for side in ("Left", "Right"):
            deltas = np.zeros((body.count, 3))
            deltas[ids if side == "Left" else shape.mirror[ids]] = (after - before) * (
                1 if side == "Left" else flip
            )
            rows = np.full(len(shape.vertices), len(ids))
            rows[ids] = np.arange(len(ids))
            for follower in followers:
                if follower.upper == upper:
                    edge = lids.edge(shape, upper)
                    # The corners of the eye stay where they are.
                    start_edge, end_edge = (
                        shape.vertices[edge] + np.vstack([move, np.zeros(3)])[rows[edge]]
                        for move in (before, after)
                    )
                    way = follower.places(end_edge) - follower.places(start_edge)
                    first = follower.start[side]
                    deltas[first : first + len(way)] = way * (1 if side == "Left" else flip)
            block: Ramp = ({f"{unless}{side}": -1.0}, 1.0) if unless else ONE
            out.append(Corrective((({f"{name}{side}": v for name, v in drive.items()}, bias), block), deltas))
    return out


def mouth_correctives(body: Assembly) -> list[Corrective]:
    """Build the correctives where two mouth channels conflict."""

    def ramp(name: str) -> Ramp:
        return ({"jawPitch": 1.0 / JAW_OPEN_RAD}, 0.0) if name == "jaw" else ({name: 1.0}, 0.0)

    return [
        Corrective((ramp(first), ramp(second)), body.spread(deltas))
        for (first, second), deltas in deform.combinations(body.canvas).items()
    ]


def tongue_correctives(body: Assembly, rest: Piece, place: slice) -> list[Corrective]:
    """Build the correctives that keep the tongue's contacts in an open jaw and its way off the teeth."""
    out = []
    for ramps, deltas in tongue.correctives(rest):
        whole = np.zeros((body.count, 3))
        whole[place] = deltas
        out.append(Corrective(ramps, whole))
    return out


def add_lid_followers(body: Assembly, person: Person) -> list[LidFollower]:
    """Append lashes and tears."""
    followers = []
    upper, lower = (lids.edge(body.shape, upper) for upper in (True, False))
    above, below = body.shape.vertices[upper], body.shape.vertices[lower]
    for is_upper, piece, places in (
        (True, lashes.build(above, person, True), partial(lashes.upper_places, person=person)),
        (False, lashes.build(below, person, False), partial(lashes.lower_places, person=person)),
        (False, tears.build(below, person), tears.places),
    ):
        start = {"Left": body.add(piece), "Right": body.add(piece.mirrored())}
        followers.append(LidFollower(is_upper, places, start))
    return followers


def assemble(person: Person) -> Whole:
    """Build the whole head of `person`."""
    body = Assembly(person)
    for piece in eyeball.build(person):
        body.add(piece, eye=1)
        body.add(piece.mirrored(), eye=2)
    body.add(teeth.row(arch.UPPER))
    body.add(gums.row(arch.UPPER))
    lower = body.add(teeth.row(arch.LOWER), jaw=1.0)
    body.add(gums.row(arch.LOWER), jaw=1.0)
    lower_end = body.count
    tongue_rest = tongue.build()
    tongue_start = body.add(tongue_rest, jaw=tongue.jaw(tongue_rest))
    left_ear = ear.build(person)
    body.ride(left_ear)
    body.ride(left_ear.mirrored())
    first_brow = body.ride(brows.build(person, 0))
    body.ride(brows.build(person, 1).mirrored())
    brow_ids = np.arange(first_brow, body.count)
    for piece in hair.build(person):
        body.ride(piece, hair.touch(piece.vertices))
    followers = add_lid_followers(body, person)

    shapes = deform.linear(body.canvas)
    linear = [
        body.spread(shapes[name]) if name in shapes else np.zeros((body.count, 3))
        for name in (*ADA[:NUM_EXPRESSION], *TONGUE)
    ]
    linear[ADA.index("jawForward")][lower:lower_end, 2] = 6.5
    in_tongue = slice(tongue_start, tongue_start + len(tongue_rest.vertices))
    linear[ADA.index("jawForward")][in_tongue, 2] = tongue.JAW_FORWARD_MM
    linear[ADA.index("tongueOut")][in_tongue] = tongue.out(tongue_rest)
    for place, name in enumerate(TONGUE, NUM_EXPRESSION):
        linear[place][in_tongue] = tongue.CHANNELS[name](tongue_rest)
    lid_rows, lid_radii = lids.clearance(body.shape)
    canonical = Whole(
        vertices=np.concatenate(body.vertices),
        faces=np.concatenate(body.faces),
        parts=tuple(body.part_names),
        part_of_face=np.concatenate(body.part_of_face),
        colours=np.concatenate(body.colours),
        jaw=np.clip(np.concatenate(body.jaw), 0.0, 1.0),
        hinge=weights.HINGE,
        eye_of_vertex=np.concatenate(body.eye),
        eye_centres=np.stack([field.EYE, field.EYE * np.array([-1.0, 1.0, 1.0])]),
        linear=linear,
        correctives=[
            *lid_correctives(body, followers),
            *mouth_correctives(body),
            *tongue_correctives(body, tongue_rest, in_tongue),
        ],
        lid_rows=lid_rows,
        lid_eyes=(body.shape.vertices[lid_rows, 0] < 0).astype(int),
        lid_radii=lid_radii,
        seal=seal.build(body.canvas),
        regions={**marks.regions(body.canvas), "brows": brow_ids},
        landmarks=marks.landmarks(body.canvas),
    )
    return fitted(canonical, person, len(body.shape.vertices), body.shape.mirror)
