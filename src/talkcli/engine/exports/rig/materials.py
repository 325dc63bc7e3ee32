"""What the parts of a head are made of, in glTF's terms: metallic and roughness."""

from __future__ import annotations

from typing import Any

from talkcli.engine.render.studio import MATERIALS

_OTHER_GLOSS = 20.0
# Parts whose backs are never seen.
_CLOSED = ("teeth", "gums", "tongue", "eye", "iris")


def material_of(part: str) -> dict[str, Any]:
    """Return the material of a part of a head. Colours come from the vertices or a texture."""
    gloss = MATERIALS[part].gloss if part in MATERIALS else _OTHER_GLOSS
    return {
        "name": part,
        "doubleSided": part not in _CLOSED,
        # Blinn-Phong's exponent n is the Beckmann slope sqrt(2 / (n + 2)), the square of glTF's roughness.
        "pbrMetallicRoughness": {
            "metallicFactor": 0.0,
            "roughnessFactor": round((2 / (gloss + 2)) ** 0.25, 4),
        },
    }
