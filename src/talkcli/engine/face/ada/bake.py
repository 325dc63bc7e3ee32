"""Writes the heads' assets: `python -m talkcli.engine.face.ada.bake [folder]`; the same bytes every time.

Axis names: `verts`, `shapes`. Coordinates are rounded to whole micrometres, so that the last bits of
libraries do not show.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from talkcli.engine.face.ada.assemble import assemble
from talkcli.engine.face.ada.head import ASSETS, FORMAT, SHAPE_STEP_M, TEMPLATE_STEP_M, asset_path
from talkcli.engine.face.ada.person import PEOPLE, Person
from talkcli.engine.face.ada.whole import Whole
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.files import atomic_path

MM = 1e-3
# Displacements below this are noise of the fall-offs, and are dropped.
SMALLEST_MM = 0.02


def pack(whole: Whole) -> bytes:
    """Return the asset as bytes. Raises ValueError for a shape too large for them."""
    shapes = [*whole.linear, *(corrective.deltas for corrective in whole.correctives)]
    rows, values, starts = [], [], [0]
    for deltas in shapes:
        moved = np.flatnonzero(np.abs(deltas).max(1) > SMALLEST_MM)
        rows.append(moved)
        values.append(np.round(deltas[moved] * MM / SHAPE_STEP_M))
        if np.abs(values[-1]).max(initial=0.0) > np.iinfo(np.int16).max:
            raise ValueError(
                f"a shape moves a vertex by {np.abs(deltas).max():.0f} mm, more than an asset holds"
            )
        starts.append(starts[-1] + len(moved))
    index = {name: i for i, name in enumerate((*ADA, *TONGUE))}
    ramp_weights = np.zeros((len(whole.correctives), 2, len(index)), np.float32)
    ramp_biases = np.zeros((len(whole.correctives), 2), np.float32)
    for i, corrective in enumerate(whole.correctives):
        for k, (drive, bias) in enumerate(corrective.ramps):
            ramp_biases[i, k] = bias
            for name, weight in drive.items():
                ramp_weights[i, k, index[name]] = weight
    arrays = {
        "template": np.round(whole.vertices * MM / TEMPLATE_STEP_M).astype(np.int32),
        "faces": whole.faces.astype(np.uint16),
        "part_of_face": whole.part_of_face.astype(np.uint8),
        "colours": whole.colours.astype(np.float16),
        "shape_rows": np.concatenate(rows).astype(np.uint16),
        "shape_values": np.concatenate(values).astype(np.int16),
        "shape_starts": np.array(starts, np.int32),
        "ramp_weights": ramp_weights,
        "ramp_biases": ramp_biases,
        "jaw": np.round(whole.jaw, 4).astype(np.float32),
        "hinge": (whole.hinge * MM).astype(np.float32),
        "eye_of_vertex": whole.eye_of_vertex.astype(np.uint8),
        "eye_centres": (whole.eye_centres * MM).astype(np.float32),
        "lid_rows": whole.lid_rows.astype(np.uint16),
        "lid_eyes": whole.lid_eyes.astype(np.uint8),
        "lid_radii": np.round(whole.lid_radii * MM, 6).astype(np.float32),
        "seal_pairs": whole.seal.pairs.astype(np.uint16),
        "seal_rows": whole.seal.rows.astype(np.uint16),
        "seal_neighbours": whole.seal.neighbours.astype(np.uint8),
        "seal_mix": np.round(whole.seal.mix, 4).astype(np.float32),
        "seal_amounts": np.round(whole.seal.amounts, 4).astype(np.float32),
        "landmarks": whole.landmarks.astype(np.uint16),
        **{f"region.{name}": ids.astype(np.uint16) for name, ids in sorted(whole.regions.items())},
    }
    meta = {"format": FORMAT, "parts": list(whole.parts)}
    # One key only: safetensors does not keep the order of several.
    return save(
        {key: np.ascontiguousarray(value) for key, value in arrays.items()}, {"ada": json.dumps(meta)}
    )


def bake(person: Person) -> bytes:
    """Generate the head of `person` and pack it."""
    return pack(assemble(person))


def main(folder: Path = ASSETS) -> None:
    """Generate the heads of all `PEOPLE` into `folder`."""
    for name, person in PEOPLE.items():
        content = bake(person)
        with atomic_path(asset_path(name, folder)) as temporary:
            temporary.write_bytes(content)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:2]))
