"""What a mesh gets its shapes from: ada's skin, her 52 shapes of ARKit, and which points of it touch.

Axis names: `verts` of the skin, `shapes` = 52, `pairs`. Metres, in the frame of the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.rigging.surface_mesh import SurfaceMesh

# Shapes that act on another: what they move is taken where that one is at full scale.
ACTS_ON = {"mouthClose": "jawOpen"}
_SKIN_PARTS = ("skin", "lips", "mouth")
_TIP_OF_NOSE = 30
# Lids meet where points that stand apart by the first at rest come nearer than the second in a blink, metres.
_LIDS_OPEN_M, _LIDS_MET_M = 3e-3, 8e-4


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """Pairs of vertices that touch, or will: upper and lower."""

    pairs: Int[np.ndarray, "pairs 2"]
    by_share: bool
    """Whether what is left of the gap counts (lids, which differ in height), or what it grows by (lips)."""


class Donor:
    """The skin of `head`, its vertices numbered anew; `rows` are their numbers in the head."""

    def __init__(self, head: AdaHead) -> None:
        self.head = head
        parts = [head.parts.index(name) for name in _SKIN_PARTS]
        whole = SurfaceMesh(head.template.astype(np.float64), head.faces)
        tip = head.landmark_vertices[_TIP_OF_NOSE]
        kept = np.isin(head.part_of_face, parts) & (
            whole.components[head.faces[:, 0]] == whole.components[tip]
        )
        self.rows, places = np.unique(head.faces[kept], return_inverse=True)
        self.mesh = SurfaceMesh(whole.vertices[self.rows], places.reshape(-1, 3))
        new = np.full(len(head.template), -1)
        new[self.rows] = np.arange(len(self.rows))
        self.marks: Int[np.ndarray, "68"] = new[head.landmark_vertices]
        inside = np.unique(head.faces[head.part_of_face == head.parts.index("mouth")])
        self.hidden = np.isin(self.rows, inside)
        self._new = new

    @cached_property
    def all_deltas(self) -> Float[np.ndarray, "shapes everything 3"]:
        """What each shape moves of the whole head at full scale."""
        found = []
        with torch.inference_mode():
            for name in ARKIT:
                base = {ACTS_ON[name]: np.ones(1)} if name in ACTS_ON else {}
                rows = np.concatenate([ada_coeffs({**base, name: np.ones(1)}, 1), ada_coeffs(base, 1)])
                moved, before = self.head(torch.from_numpy(rows)).numpy()
                found.append(moved - before)
        return np.stack(found)

    @property
    def deltas(self) -> Float[np.ndarray, "shapes verts 3"]:
        """What each shape moves of the skin at full scale."""
        return self.all_deltas[:, self.rows]

    def contacts(self) -> list[Contacts]:
        """Return the pairs of lips, then those of lids."""
        lips = self._new[self.head.tables["seal_pairs"]]
        lids = [self._lids(side) for side in ("left", "right")]
        return [
            Contacts(pairs=lips[(lips >= 0).all(axis=1)], by_share=False),
            Contacts(pairs=np.concatenate(lids), by_share=True),
        ]

    def _lids(self, side: str) -> Int[np.ndarray, "pairs 2"]:
        """Return the points of the lids' edges that meet in a blink, upper ones first."""
        ids = self._new[self.head.regions[f"lids_{side}"]]
        rest = self.mesh.vertices[ids]
        shut = rest + self.deltas[ARKIT.index(f"eyeBlink{side.capitalize()}")][ids]
        apart, met = (np.linalg.norm(at[:, None] - at[None], axis=-1) for at in (rest, shut))
        met = np.where(apart > _LIDS_OPEN_M, met, np.inf)
        others = met.argmin(axis=1)
        upper = np.flatnonzero((met.min(axis=1) < _LIDS_MET_M) & (rest[:, 1] > rest[others, 1]))
        return np.stack([ids[upper], ids[others[upper]]], axis=1)
