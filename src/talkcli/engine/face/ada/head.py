"""Generated heads: named numbers to vertices, from the baked asset.

Axis names: `frames`, `coeffs` (53, or 56 with those of the tongue), `verts`, `shapes`, `factors` = 2.
Vertices = rest + linear shapes + correctives; then the jaw and the eyes turn, the lids keep off the eyeballs,
and the lips meet. Built by `talkcli.engine.face.ada.bake`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from safetensors import safe_open

from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, NUM_EXPRESSION, SMALL_PITCH_RAD, TONGUE

if TYPE_CHECKING:
    from torch import Tensor

ASSETS = Path(__file__).resolve().parent.parent / "assets"
FORMAT = 2
TEMPLATE_STEP_M = 1e-6
SHAPE_STEP_M = 2e-6
EYE_TURN_RAD = 0.52
_INDEX = {name: i for i, name in enumerate(ADA)}


def asset_path(name: str, folder: Path = ASSETS) -> Path:
    """Return the file of the head called `name`."""
    return folder / f"{name}.safetensors"


class AdaHead:
    """A `Head`. Load once, call often; evaluation is float32 and follows the device of the coefficients.

    What the head does is defined by its call, which takes torch. `tables` are the numbers behind it, for
    drawing, which takes none (`render/moving.py`): `shape_starts`, `shape_rows` and `shape_values` (metres)
    list the vertices that each shape moves, the other tables are those of the asset.
    """

    channels = ADA

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, object]) -> None:
        self.name = name
        self.template = (arrays["template"] * TEMPLATE_STEP_M).astype(np.float32)
        self.faces: Int[np.ndarray, "faces 3"] = arrays["faces"].astype(np.int64)
        self.part_of_face: Int[np.ndarray, "faces"] = arrays["part_of_face"].astype(np.int64)
        self.colours = arrays["colours"].astype(np.float32)
        self.parts = tuple(str(part) for part in json.loads(str(meta["parts"])))
        self.regions: Mapping[str, Int[np.ndarray, "..."]] = {
            key.removeprefix("region."): value.astype(np.int64)
            for key, value in arrays.items()
            if key.startswith("region.")
        }
        self.landmark_vertices = arrays["landmarks"].astype(np.int64)
        self.tables: Mapping[str, np.ndarray] = {
            "template": self.template,
            "shape_starts": arrays["shape_starts"].astype(np.int64),
            "shape_rows": arrays["shape_rows"].astype(np.int64),
            "shape_values": (arrays["shape_values"] * SHAPE_STEP_M).astype(np.float32),
            **{key: arrays[key].astype(np.float32) for key in _FLOATS},
            **{key: arrays[key].astype(np.int64) for key in _INTEGERS},
        }
        self._on_device = cache(self._tensors)

    @classmethod
    def load(cls, name: str = "ada", folder: Path = ASSETS) -> AdaHead:
        """Return the head called `name` that comes with talk. Raises AssetError when its file is missing or
        of another format.
        """
        path = asset_path(name, folder)
        if not path.is_file():
            raise AssetError(f"{path} does not exist.", hint="Run: python -m talkcli.engine.face.ada.bake")
        with safe_open(path, framework="numpy") as file:
            meta = json.loads((file.metadata() or {}).get("ada", "{}"))
            if meta.get("format") != FORMAT:
                raise AssetError(
                    f"{path} has format {meta.get('format')}, this version reads {FORMAT}.",
                    hint="Update talk.",
                )
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return cls(name, arrays, {**meta, "parts": json.dumps(meta["parts"])})

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Return vertices in metres of each frame; `only` chooses them (all when None)."""
        import torch

        rest = self._on_device(coeffs.device)
        coeffs = coeffs.to(torch.float32)
        if only is None:
            return self._evaluate(coeffs, rest, rest)
        # The lips' meeting needs both lips, whatever was asked for.
        chosen = torch.cat([only.to(coeffs.device), rest["seal_pairs"].flatten()])
        return self._evaluate(coeffs, rest, _select(rest, chosen))[:, : len(only)]

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """Return the 68 iBUG landmarks out of all vertices."""
        return vertices[:, self.landmark_vertices]

    def _tensors(self, device: Any) -> dict[str, Tensor]:
        """Return the tables on a device, with the shapes as a matrix: gradients go through it fast."""
        import torch

        tables = {"shapes": _dense(self.tables), **{key: self.tables[key] for key in _CALLED}}
        # Also for gradients, whoever calls first.
        with torch.inference_mode(False):
            return {key: torch.from_numpy(table).to(device) for key, table in tables.items()}

    def _evaluate(
        self, coeffs: Float[Tensor, "frames coeffs"], rest: Mapping[str, Tensor], at: Mapping[str, Tensor]
    ) -> Float[Tensor, "frames chosen 3"]:
        import torch
        from torch.nn import functional

        from talkcli.engine.face.rotation import rotation_matrices

        # Motion without the tongue's channels.
        coeffs = functional.pad(coeffs, (0, len(ADA) + len(TONGUE) - coeffs.shape[1]))
        ramps = torch.einsum("fc,skc->fsk", coeffs, rest["ramp_weights"]) + rest["ramp_biases"]
        linear = [coeffs[:, :NUM_EXPRESSION], coeffs[:, len(ADA) :]]
        levels = torch.cat([*linear, ramps.clamp(0.0, 1.0).prod(-1)], 1)
        vertices = torch.addmm(at["template"].view(-1), levels, at["shapes"]).view(len(coeffs), -1, 3)

        # What turns is written in place, for speed; no step's gradient needs the values overwritten.
        turn = rotation_matrices(coeffs[:, NUM_EXPRESSION : len(ADA)]) - torch.eye(3, device=coeffs.device)
        ids = torch.nonzero(at["jaw"]).flatten()
        part = vertices[:, ids]
        turned = torch.bmm((part - rest["hinge"]) * at["jaw"][ids, None], turn.mT)
        vertices.index_copy_(1, ids, part + turned)
        for eye, side in enumerate(("Left", "Right")):
            ids = torch.nonzero(at["eye_of_vertex"] == eye + 1).flatten()
            turned = torch.bmm(vertices[:, ids] - rest["eye_centres"][eye], _gaze(coeffs, side).mT)
            vertices.index_copy_(1, ids, turned + rest["eye_centres"][eye])
        vertices = _lift_off_eyeballs(vertices, rest["eye_centres"], at)
        return _meet_lips(coeffs, vertices, at)


_FLOATS = (
    "jaw",
    "hinge",
    "eye_centres",
    "ramp_weights",
    "ramp_biases",
    "lid_radii",
    "seal_mix",
    "seal_amounts",
)
_INTEGERS = ("eye_of_vertex", "lid_rows", "lid_eyes", "seal_pairs", "seal_rows", "seal_neighbours")
# What a call reads, beside the shapes.
_CALLED = ("template", *_FLOATS, *_INTEGERS)


def _gaze(coeffs: Float[Tensor, "frames coeffs"], side: str) -> Float[Tensor, "frames 3 3"]:
    """Return rotation of one eyeball: outwards is to the subject's left for the left eye."""
    import torch

    from talkcli.engine.face.rotation import rotation_matrices

    look = {way: coeffs[:, _INDEX[f"eyeLook{way}{side}"]] for way in ("Up", "Down", "In", "Out")}
    outwards = (look["Out"] - look["In"]) * (1.0 if side == "Left" else -1.0)
    down = look["Down"] - look["Up"]
    return rotation_matrices(EYE_TURN_RAD * torch.stack([down, outwards, torch.zeros_like(down)], -1))


def _lift_off_eyeballs(
    vertices: Float[Tensor, "frames verts 3"], centres: Float[Tensor, "2 3"], at: Mapping[str, Tensor]
) -> Float[Tensor, "frames verts 3"]:
    """Skin round the eyes never comes nearer to an eyeball's centre than its lid is thick."""
    out = vertices[:, at["lid_rows"]] - centres[at["lid_eyes"]]
    short = (at["lid_radii"] / out.norm(dim=-1) - 1.0).clamp(min=0.0)
    return vertices.index_add_(1, at["lid_rows"], out * short[..., None])


def _meet_lips(
    coeffs: Float[Tensor, "frames coeffs"],
    vertices: Float[Tensor, "frames verts 3"],
    at: Mapping[str, Tensor],
) -> Float[Tensor, "frames verts 3"]:
    """Close the gap between the lips as far as `lipSeal` and `mouthClose` ask, and never let them cross."""
    upper, lower = (vertices[:, at["seal_pairs"][:, i]] for i in (0, 1))
    gap = lower - upper
    # mouthClose follows ARKit: 1 closes what jawOpen 1 opens, so at half that opening half of it does.
    pitch = coeffs[:, _INDEX["jawPitch"]].clamp(min=SMALL_PITCH_RAD)
    close = coeffs[:, _INDEX["lipSeal"]] + coeffs[:, _INDEX["mouthClose"]] * JAW_OPEN_RAD / pitch
    close = close.clamp(0.0, 1.0)[:, None, None]
    crossing = gap * gap.new_tensor([0.0, 1.0, 0.0])
    step = close * gap + (1.0 - close) * crossing.clamp(min=0.0)
    near, mix = at["seal_neighbours"], at["seal_mix"][:, None]
    moved = (step[:, near[:, 0]] * (1.0 - mix) + step[:, near[:, 1]] * mix) * at["seal_amounts"]
    return vertices.index_add_(1, at["seal_rows"], moved)


def _select(rest: Mapping[str, Tensor], chosen: Int[Tensor, "chosen"]) -> dict[str, Tensor]:
    """Return the same tables for a choice of vertices whose last ones are the pairs of the lips,
    flattened.
    """
    import torch

    pairs = rest["seal_pairs"]
    shapes = rest["shapes"].view(len(rest["shapes"]), -1, 3)[:, chosen]

    def picked(table: Tensor) -> tuple[Tensor, Tensor]:
        """Return places among `chosen` of the vertices listed in `table`, and their rows there."""
        row_of_vertex = torch.full((len(rest["jaw"]),), -1, device=chosen.device)
        row_of_vertex[table] = torch.arange(len(table), device=chosen.device)
        rows = row_of_vertex[chosen]
        places = torch.nonzero(rows >= 0).flatten()
        return places, rows[places]

    lid_places, lids = picked(rest["lid_rows"])
    seal_places, seals = picked(rest["seal_rows"])
    return {
        "template": rest["template"][chosen],
        "shapes": shapes.reshape(len(shapes), -1),
        "jaw": rest["jaw"][chosen],
        "eye_of_vertex": rest["eye_of_vertex"][chosen],
        "seal_pairs": torch.arange(len(chosen) - pairs.numel(), len(chosen), device=chosen.device).view(
            -1, 2
        ),
        "lid_rows": lid_places,
        "lid_eyes": rest["lid_eyes"][lids],
        "lid_radii": rest["lid_radii"][lids],
        "seal_rows": seal_places,
        "seal_neighbours": rest["seal_neighbours"][seals],
        "seal_mix": rest["seal_mix"][seals],
        "seal_amounts": rest["seal_amounts"][seals],
    }


def _dense(tables: Mapping[str, np.ndarray]) -> Float[np.ndarray, "shapes flat"]:
    """Return the sparse shapes as a matrix, metres."""
    starts = tables["shape_starts"]
    dense = np.zeros((len(starts) - 1, *tables["template"].shape), np.float32)
    for shape, (first, last) in enumerate(pairwise(starts)):
        dense[shape, tables["shape_rows"][first:last]] = tables["shape_values"][first:last]
    return dense.reshape(len(dense), -1)
