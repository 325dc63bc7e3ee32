"""Which buffer views an extension compressed, and by what."""

from __future__ import annotations

from typing import Any

MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")


def packed_by(view: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object of the extension that compressed `view`; None where none did."""
    extensions = view.get("extensions")
    if not isinstance(extensions, dict):
        return None
    return next((found for name in MESHOPT if isinstance(found := extensions.get(name), dict)), None)
