"""The FLAME head with the mean identity: 50 expression components and a jaw that turns.

Axis names: `frames`, `coeffs` = 53, `verts`, `joints` = 5.
Source: Li et al. 2017. Root, neck and eyes rest, so linear blend skinning comes down to one turning joint
without children: exact, not an approximation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.channels import FLAME, NUM_EXPRESSION
from talkcli.engine.face.flame_file import (
    DECA_LANDMARKS_FILE,
    EYE_JOINTS,
    JAW_JOINT,
    MASKS_FILE,
    RINGNET_DYNAMIC_FILE,
    RINGNET_STATIC_FILE,
    Embedding,
    FlameArrays,
    read_embedding,
    read_flame,
    read_masks,
)
from talkcli.engine.face.rotation import rotation_matrices

# Linear RGB; FLAME's own files carry no colours.
_SKIN = (0.58, 0.36, 0.26)
_LIPS = (0.48, 0.19, 0.17)
_EYEBALL = (0.75, 0.73, 0.70)
# Joint 0 has no correctives, so the jaw's nine are the second group.
JAW_FEATURES = slice(9 * (JAW_JOINT - 1), 9 * JAW_JOINT)


class _Regions(dict[str, np.ndarray]):
    """Knows why a region is missing."""

    def __init__(self, masks: Mapping[str, np.ndarray], folder: Path) -> None:
        super().__init__(masks)
        self._folder = folder
        if {"eye_region", "forehead", "nose"} <= set(masks):
            self["eyes"] = masks["eye_region"]
            # DEEPTalk's region for upper-face dynamics.
            self["upper_face"] = np.unique(
                np.concatenate([masks[name] for name in ("eye_region", "forehead", "nose")])
            )

    def __missing__(self, name: str) -> np.ndarray:
        raise AssetError(
            f"FLAME's vertex region {name} is unknown: {self._folder} has no {MASKS_FILE} that names it.",
            hint=f"Put {MASKS_FILE} from https://flame.is.tue.mpg.de (vertex masks) beside the model.",
        )


class FlameHead:
    """See `Head`. Regions come from FLAME_masks.pkl and landmarks from a landmark embedding beside the model.

    `regions` raises AssetError for a region that no file names, `landmarks` when there is no embedding.
    """

    name = "flame"
    channels = FLAME
    parts: tuple[str, ...] = ("skin", "eye", "lips")

    def __init__(
        self, arrays: FlameArrays, masks: Mapping[str, np.ndarray], embedding: Embedding | None, folder: Path
    ) -> None:
        num_verts, num_faces = len(arrays.template), len(arrays.faces)
        if any(len(index) and not 0 <= index.min() <= index.max() < num_verts for index in masks.values()):
            raise InputError(f"{folder / MASKS_FILE} names vertices beyond the model's {num_verts}.")
        if embedding is not None and not 0 <= embedding.faces.min() <= embedding.faces.max() < num_faces:
            raise InputError(f"The landmarks in {folder} name triangles beyond the model's {num_faces}.")
        self.arrays = arrays
        self.template = arrays.template
        self.faces = arrays.faces
        self.regions: Mapping[str, np.ndarray] = _Regions(masks, folder)
        # Eyeballs are the vertices that follow an eye joint.
        in_eyeball = arrays.weights[:, EYE_JOINTS].max(axis=1) > 0.5
        self.part_of_face = in_eyeball[arrays.faces].all(axis=1).astype(np.int64)
        self.colours = np.where(in_eyeball[:, None], _EYEBALL, _SKIN).astype(np.float32)
        if "lips" in masks:
            self.colours[masks["lips"]] = _LIPS
            in_lips = np.isin(arrays.faces, masks["lips"]).all(axis=1)
            self.part_of_face[in_lips] = self.parts.index("lips")
        self._folder = folder
        self._embedding = embedding
        self._template = torch.from_numpy(arrays.template)
        self._expressions = torch.from_numpy(arrays.expressions)
        self._correctives = torch.from_numpy(arrays.pose_correctives[..., JAW_FEATURES].copy())
        self._jaw_weights = torch.from_numpy(arrays.weights[:, JAW_JOINT].copy())
        regressor = arrays.joint_regressor[JAW_JOINT]
        self._jaw_rest = torch.from_numpy(regressor @ arrays.template)
        self._jaw_shift = torch.from_numpy(np.einsum("v,vxe->xe", regressor, arrays.expressions))

    @classmethod
    def load(cls, path: Path) -> FlameHead:
        """From generic_model.pkl or a converted npz, with what lies beside it.

        Raises InputError for files that are not what their names say.
        """
        folder = path.parent
        masks = read_masks(folder / MASKS_FILE) if (folder / MASKS_FILE).is_file() else {}
        return cls(read_flame(path), masks, read_embedding(folder), folder)

    def __call__(
        self, coeffs: Float[Tensor, "frames coeffs"], only: Int[Tensor, "chosen"] | None = None
    ) -> Float[Tensor, "frames chosen 3"]:
        """Return vertices in metres, in the dtype and on the device of `coeffs`."""
        chosen = slice(None) if only is None else only.to(self._template.device)
        template, expressions, correctives, weights, jaw_rest, jaw_shift = (
            table.to(coeffs)
            for table in (
                self._template[chosen],
                self._expressions[chosen],
                self._correctives[chosen],
                self._jaw_weights[chosen],
                self._jaw_rest,
                self._jaw_shift,
            )
        )
        expression, jaw = coeffs[:, :NUM_EXPRESSION], coeffs[:, NUM_EXPRESSION:]
        turn = rotation_matrices(jaw) - torch.eye(3, dtype=coeffs.dtype, device=coeffs.device)
        shaped = template + torch.einsum("fe,vxe->fvx", expression, expressions)
        hinge = jaw_rest + torch.einsum("fe,xe->fx", expression, jaw_shift)
        posed = shaped + torch.einsum("fk,vxk->fvx", turn.flatten(1), correctives)
        return posed + weights[:, None] * torch.einsum("fxy,fvy->fvx", turn, posed - hinge[:, None])

    def landmarks(self, vertices: Float[Tensor, "frames verts 3"]) -> Float[Tensor, "frames 68 3"]:
        """Return the 68 iBUG landmarks; the contour is the frontal one. Raises AssetError without an
        embedding.
        """
        if self._embedding is None:
            raise AssetError(
                f"FLAME's landmarks are unknown: {self._folder} holds neither {DECA_LANDMARKS_FILE} nor "
                f"{RINGNET_STATIC_FILE} with {RINGNET_DYNAMIC_FILE}.",
                hint="Put the landmark files of DECA or RingNet beside the model.",
            )
        corners = torch.from_numpy(self.faces[self._embedding.faces]).to(vertices.device)
        weights = torch.from_numpy(self._embedding.weights).to(vertices)
        return torch.einsum("flcx,lc->flx", vertices[:, corners], weights)
