"""Heads that talk generates, as rigs.

Axis names: `frames`, `coeffs`, `verts`, `rows` (vertices of a choice). Jaw and eyeballs turn as joints do, so
that these are exact. Targets are ARKit's 52 and the tongue's channels, each what the channel alone does at 1.
`jawOpen`, `jawLeft` and `jawRight` are for programs that turn no joint, and rest in motion of talk. What is
not linear (lids that slide on eyeballs, lips that meet, correctives of the head) is fitted: correctives,
which belong to one motion, add what the named targets miss.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.exports.rig.correctives import bounded_weights, fit_correctives
from talkcli.engine.exports.rig.rig import AtRest, Joint, Moves, Rig, Target
from talkcli.engine.face.ada.head import EYE_TURN_RAD, AdaHead
from talkcli.engine.face.arkit import JAW_TURNS, arkit_curves
from talkcli.engine.face.channels import ADA, ARKIT, JAW, JAW_OPEN_RAD, TONGUE
from talkcli.engine.face.quaternions import quaternions
from talkcli.engine.face.turning import Neck
from talkcli.engine.types import Motion

_CHANNELS = ADA + TONGUE
_TARGETS = ARKIT + TONGUE
_BASE, _HEAD, _JAW, _EYES = 0, 1, 2, (3, 4)
_SIDES = ("Left", "Right")
# Correctives of one motion; frames that they are fitted to; the error that needs none, in metres.
MOST_CORRECTIVES, _FITTED_FRAMES, _TOLERANCE_M = 24, 600, 2e-6
# How much more an error of the lips counts.
_LIPS_COUNT = 3.0
# Frames whose vertices are in memory at once.
_BLOCK = 256
LICENCE = "MIT"


class AdaRig:
    """Makes rigs of one head, and the moves of a motion."""

    def __init__(self, head: AdaHead) -> None:
        self._head = head
        self._jaw_share = head.tables["jaw"].astype(np.float64)
        self._hinge = head.tables["hinge"].astype(np.float64)
        self._template = head.template.astype(np.float64)
        self._at_rest = AtRest(head.template, head.faces)
        self._named = [self._at_rest.target(*both) for both in zip(_TARGETS, self._alone(), strict=True)]
        self._bent = _bent_rows(head)
        self._known = np.stack(
            [target.dense(len(head.template))[self._bent].ravel() for target in self._named]
        )

    def rig(self, correctives: tuple[Target, ...] = ()) -> Rig:
        """Return the rig with the named targets, then `correctives`."""
        neck, tables = Neck(self._head), self._head.tables
        places = [neck.pivot, neck.pivot, tables["hinge"], *tables["eye_centres"]]
        names = ("neck", "head", "jaw", "leftEye", "rightEye")
        parents = (None, _BASE, _HEAD, _HEAD, _HEAD)
        shares = np.zeros((len(self._template), len(names)))
        shares[:, _JAW] = self._jaw_share
        for eye, joint in enumerate(_EYES):
            shares[:, joint] = tables["eye_of_vertex"] == eye + 1
        rest = 1 - shares.sum(axis=1)
        # What turns with the head goes to the joints that it carries first.
        shares[:, _BASE] = np.minimum(1 - neck.share, rest)
        shares[:, _HEAD] = rest - shares[:, _BASE]
        return Rig(
            topology=self._head,
            normals=self._at_rest.normals,
            targets=(*self._named, *correctives),
            joints=tuple(map(Joint, names, places, parents)),
            shares=shares.astype(np.float32),
            licence=LICENCE,
        )

    def moved(self, motion: Motion) -> tuple[Rig, Moves]:
        """Return the rig with correctives for `motion`, and the moves that show it."""
        stretch = max(motion.num_frames // _FITTED_FRAMES, 1)
        lips = np.isin(self._bent, self._head.regions["lips"])
        count = np.repeat(np.where(lips, _LIPS_COUNT, 1.0), 3)
        sample = np.concatenate(list(self._missed(motion.coeffs[::stretch], motion.channels)))
        fitted = fit_correctives(sample * count, MOST_CORRECTIVES, _TOLERANCE_M)
        weights = [
            bounded_weights(missed * count, fitted) for missed in self._missed(motion.coeffs, motion.channels)
        ]
        correctives = []
        for number, values in enumerate(fitted / count, start=1):
            moves = np.zeros_like(self._template)
            moves[self._bent] = values.reshape(-1, 3)
            correctives.append(self._at_rest.target(f"corrective{number:02d}", moves))
        named = _named_weights(motion.coeffs, motion.channels)
        moves_of = Moves(
            fps=motion.fps,
            weights=np.concatenate([named, np.concatenate(weights)], axis=1).astype(np.float32),
            turns=_turns(motion),
        )
        return self.rig(tuple(correctives)), moves_of

    def _alone(self) -> Float[np.ndarray, "targets verts 3"]:
        """Return what each target does at 1, the eyeballs left alone: joints turn them."""
        coeffs = np.zeros((len(_TARGETS) + 2, len(_CHANNELS)), np.float32)
        for row, name in enumerate(_TARGETS):
            channel, scale = JAW_TURNS.get(name, (name, 1.0))
            coeffs[row, _CHANNELS.index(channel)] = scale
        # `mouthClose` closes what the jaw has opened, as ARKit's does: the row before the last is its start.
        close, open_jaw = _TARGETS.index("mouthClose"), len(_TARGETS)
        coeffs[[close, open_jaw], _CHANNELS.index("jawPitch")] = JAW_OPEN_RAD
        made = _vertices(self._head, coeffs)
        moves = made[:-2] - made[-1]
        moves[close] = made[close] - made[open_jaw]
        moves[:, self._head.tables["eye_of_vertex"] > 0] = 0.0
        return moves

    def _missed(
        self, coeffs: Float[np.ndarray, "frames coeffs"], channels: tuple[str, ...]
    ) -> Iterator[Float[np.ndarray, "frames numbers"]]:
        """Yield, block by block, what the named targets miss of the bent vertices before joints turn."""
        for start in range(0, len(coeffs), _BLOCK):
            block = coeffs[start : start + _BLOCK]
            straight = self._before_the_jaw(block) - self._template[self._bent]
            yield straight.reshape(len(block), -1) - _named_weights(block, channels) @ self._known

    def _before_the_jaw(
        self, coeffs: Float[np.ndarray, "frames coeffs"]
    ) -> Float[np.ndarray, "frames rows 3"]:
        """Return where the bent vertices must lie so that the turn of the jaw takes them to their places."""
        after = _vertices(self._head, coeffs, self._bent) - self._hinge
        turn = _matrices(quaternions(coeffs[:, _jaw_columns()]))
        share = self._jaw_share[self._bent, None, None]
        turned = np.eye(3) + share * (turn - np.eye(3))[:, None]
        return np.linalg.solve(turned, after[..., None])[..., 0] + self._hinge


def _jaw_columns() -> list[int]:
    return [_CHANNELS.index(name) for name in JAW]


def _bent_rows(head: AdaHead) -> Int[np.ndarray, "rows"]:
    """Return the vertices that move in ways which are not linear, before jaw and eyes turn."""
    tables = head.tables
    first = tables["shape_starts"][len(_CHANNELS) - len(JAW)]
    rows = (
        tables["shape_rows"][first:],
        tables["lid_rows"],
        tables["seal_rows"],
        tables["seal_pairs"].ravel(),
    )
    return np.unique(np.concatenate(rows))


def _vertices(
    head: AdaHead, coeffs: Float[np.ndarray, "frames coeffs"], only: Int[np.ndarray, "rows"] | None = None
) -> Float[np.ndarray, "frames rows 3"]:
    """Return the head's own vertices, whose turn is that of its neck only later."""
    import torch

    with torch.inference_mode():
        chosen = None if only is None else torch.from_numpy(only)
        made = head(torch.from_numpy(np.ascontiguousarray(coeffs, np.float32)), only=chosen)
    return made.numpy().astype(np.float64)


def _named_weights(
    coeffs: Float[np.ndarray, "frames coeffs"], channels: tuple[str, ...]
) -> Float[np.ndarray, "frames targets"]:
    """Return the weights of the named targets: the channels' own; of `mouthClose` what ARKit's would be."""
    at: dict[str, Any] = dict(zip(channels, coeffs.T, strict=True))
    at["mouthClose"] = arkit_curves(coeffs, channels)["mouthClose"]
    zero = np.zeros(len(coeffs))
    return np.stack([at.get(name, zero) for name in _TARGETS], axis=1).astype(np.float64)


def _turns(motion: Motion) -> dict[int, Float[np.ndarray, "frames 4"]]:
    """Return the turns of head, jaw and eyes."""
    at = dict(zip(motion.channels, motion.coeffs.T.astype(np.float64), strict=True))
    turns = {_JAW: np.stack([at[name] for name in JAW], axis=1)}
    for joint, side, outwards in zip(_EYES, _SIDES, (1.0, -1.0), strict=True):
        up, down, inwards, out = (at[f"eyeLook{way}{side}"] for way in ("Up", "Down", "In", "Out"))
        aside = (out - inwards) * outwards
        turns[joint] = EYE_TURN_RAD * np.stack([down - up, aside, np.zeros_like(down)], axis=1)
    if motion.pose is not None:
        turns[_HEAD] = motion.pose
    return {joint: quaternions(turn) for joint, turn in turns.items()}


def _matrices(turns: Float[np.ndarray, "frames 4"]) -> Float[np.ndarray, "frames 3 3"]:
    from scipy.spatial.transform import Rotation

    matrices: Float[np.ndarray, "frames 3 3"] = Rotation.from_quat(turns[:, [1, 2, 3, 0]]).as_matrix()
    return matrices
