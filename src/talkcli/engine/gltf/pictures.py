"""Which kind of picture some bytes are, by how they begin."""

from __future__ import annotations

# First bytes, and the type that glTF's `mimeType` states.
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "image/ktx2"),
)


def mime_type(data: bytes) -> str | None:
    """Return the type of the picture `data`: PNG, JPEG, KTX2 or WebP; None for another."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _BEGINNINGS if data.startswith(start)), None)
