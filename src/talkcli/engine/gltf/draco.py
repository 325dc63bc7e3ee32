"""Primitives that Draco compressed (KHR_draco_mesh_compression), by the package DracoPy.

Source: Khronos, extension KHR_draco_mesh_compression. Axis names: `verts`, `indices`.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from talkcli.engine.gltf.document import Document
from talkcli.engine.optional import require

DRACO = "KHR_draco_mesh_compression"
_HEADER = struct.Struct("<5sBBBBH")


def read_draco(
    document: Document, packed: dict[str, Any], attributes: dict[str, Any], *, most: int
) -> dict[str, np.ndarray]:
    """Return the attributes of a primitive by their names in glTF, float32 or as they are stored, and its
    `indices`.

    Args:
        document: Document of the primitive.
        packed: Object of the extension in the primitive.
        attributes: Accessors of the primitive by name, which say what whole numbers mean.
        most: Number of vertices that it may have.

    Raises:
        InputError: For a stream that cannot be decoded.
        ExtraError: Without DracoPy.
    """
    draco = require("DracoPy", purpose="A mesh that Draco compressed")
    data = bytes(document.view(packed.get("bufferView")))
    names = packed.get("attributes")
    if not isinstance(names, dict) or "POSITION" not in names:
        raise document.wrong("has a Draco mesh without positions")
    try:
        if _HEADER.unpack_from(data)[0] != b"DRACO":
            raise ValueError("it does not begin as Draco does")
        mesh = draco.decode(data)
        points, faces = np.asarray(mesh.points), np.asarray(mesh.faces)
        stored = {attribute["unique_id"]: np.asarray(attribute["data"]) for attribute in mesh.attributes}
    # What the decoder raises for damage is any of these.
    except (
        ValueError,
        TypeError,
        RuntimeError,
        MemoryError,
        KeyError,
        AttributeError,
        struct.error,
    ) as error:
        raise document.wrong(f"has a damaged Draco mesh: {error}") from error
    if len(points) > most or faces.ndim != 2:
        raise document.wrong(f"has a Draco mesh of {len(points)} vertices")
    found: dict[str, np.ndarray] = {"indices": faces.reshape(-1)}
    for name, number in names.items():
        values = stored.get(number)
        if values is None:
            raise document.wrong(f"has a Draco mesh without the attribute {str(name)[:40]}")
        values = values.reshape(len(values), -1)
        stated = document.element("accessors", attributes.get(name))
        found[name] = _shares(values) if stated.get("normalized") is True else values
    points = found["POSITION"] = found["POSITION"].astype(np.float32)
    if points.shape[1] != 3 or not np.isfinite(points).all():
        raise document.wrong("has a Draco mesh whose positions are no finite numbers")
    return found


def _shares(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as the shares in [-1, 1] or [0, 1] that they stand for; floats as they are."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    return np.maximum(values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max), np.float32(-1.0))
