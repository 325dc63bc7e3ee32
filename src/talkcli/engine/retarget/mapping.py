"""Mappings: weights with which channels of a target are sums of channels of a source.

Axis names: `frames`, `targets`, `sources`. A mapping that a user gives is used as it is: nothing is clipped
or smoothed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.wording import some

# Epic's names of MetaHuman's controls. No public mapping to them is known, so that one needs a source.
CONTROLS = "CTRL_"


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """`weights` times the `sources` of a frame are its `targets`. `origin` says whose mapping it is."""

    targets: tuple[str, ...]
    sources: tuple[str, ...]
    weights: Float[np.ndarray, "targets sources"]
    origin: str = ""

    def __post_init__(self) -> None:
        if self.weights.shape != (len(self.targets), len(self.sources)):
            raise ValueError(f"weights {self.weights.shape} do not fit {len(self.targets)} targets")

    def apply(
        self, values: Float[np.ndarray, "frames channels"], channels: Sequence[str]
    ) -> Float[np.ndarray, "frames targets"]:
        """Return the targets of every frame. Channels that the mapping does not name have no effect.

        Raises InputError where `channels` lack a source of the mapping.
        """
        missing = [name for name in self.sources if name not in channels]
        if missing:
            raise InputError(
                f"The mapping takes {some(missing)}, which the motion does not have.",
                hint=f"It has {some(list(channels), 6)}.",
            )
        chosen = values[:, [list(channels).index(name) for name in self.sources]]
        with np.errstate(over="ignore", invalid="ignore"):
            found: np.ndarray = (chosen.astype(np.float64) @ self.weights.T).astype(np.float32)
        return found


def check_origin(mapping: Mapping) -> None:
    """Raise InputError for a mapping to MetaHuman's controls that does not say where it comes from."""
    named = [name for name in mapping.targets if name.upper().startswith(CONTROLS)]
    if named and not mapping.origin:
        raise InputError(
            f"The mapping has {named[0]}, a control of MetaHuman, and does not say where it comes from.",
            hint="Name the source: a first line `# source: WHO, WHICH VERSION` of the .csv, or `origin` in "
            "the .npz.",
        )
