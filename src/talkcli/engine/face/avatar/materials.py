"""Colours of an avatar: materials of glTF and their pictures, for drawing with and without OpenGL.

Axis names: `height`, `width`, `points`. Pictures are sRGB with alpha, 0 to 255; colours are linear.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8, UInt32
from PIL import Image

from talkcli.engine.errors import InputError
from talkcli.engine.face.avatar.names import LONGEST
from talkcli.engine.face.avatar.nodes import numbers
from talkcli.engine.gltf.document import Document, object_of
from talkcli.engine.gltf.pictures import mime_type

# A face of 1024 pixels shows no more. Pictures beyond the others are not decoded.
_SIDE, _MOST_PIXELS, _MOST_TOTAL = 1024, 1 << 26, 1 << 28
_MOST_MATERIALS = 1000
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
OPAQUE, MASK, BLEND = "OPAQUE", "MASK", "BLEND"
# Of a material that lets light through: nearer to what is drawn, if pixels are whole or not there.
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Paint:
    """The look of a material."""

    name: str
    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    picture: UInt8[np.ndarray, "height width 4"] | None = None
    """Picture of its colour, repeated beyond 0 to 1; None: it has one colour."""
    moved: Float[np.ndarray, "3 3"] | None = None
    """What is done to the coordinates (KHR_texture_transform); None: nothing."""
    cut: float | None = None
    """Alpha below which nothing is drawn; None: all is drawn."""
    two_sided: bool = False

    def sample(
        self, uv: Float[np.ndarray, "points 2"], *, smooth: bool = True
    ) -> Float[np.ndarray, "points 4"]:
        """Return colour, linear, and alpha at places of the picture: between its pixels linearly if `smooth`,
        else those of the pixel there.
        """
        colour = np.array(self.colour, np.float32)
        if self.picture is None:
            return np.tile(colour, (len(uv), 1))
        height, width = self.picture.shape[:2]
        pixels = np.ascontiguousarray(self.picture).view(np.uint32).reshape(-1)
        x, y = uv[:, 0] * np.float32(width), uv[:, 1] * np.float32(height)
        if not smooth:
            rows, columns = np.floor(y).astype(np.int32) % height, np.floor(x).astype(np.int32) % width
            return _linear_of(pixels[rows * width + columns]) * colour
        x, y = x - np.float32(0.5), y - np.float32(0.5)
        left, top = np.floor(x), np.floor(y)
        across, down = x - left, y - top
        found = np.zeros((len(uv), 4), np.float32)
        for step_y, share_y in ((0, 1 - down), (1, down)):
            rows = (top.astype(np.int32) + step_y) % height * width
            for step_x, share_x in ((0, 1 - across), (1, across)):
                columns = (left.astype(np.int32) + step_x) % width
                found += (share_x * share_y)[:, None] * _linear_of(pixels[rows + columns])
        return found * colour


def _linear(srgb: np.ndarray) -> np.ndarray:
    """Return sRGB in [0, 1] as linear light (IEC 61966-2-1)."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


_LINEAR_OF_BYTE = _linear(np.arange(256) / 255.0).astype(np.float32)
_ALPHA_OF_BYTE = (np.arange(256) / 255.0).astype(np.float32)


def _linear_of(pixels: UInt32[np.ndarray, "points"]) -> Float[np.ndarray, "points 4"]:
    """Return colours and alpha of pixels of four bytes."""
    stored = pixels.view(np.uint8).reshape(-1, 4)
    found = _LINEAR_OF_BYTE[stored]
    found[:, 3] = _ALPHA_OF_BYTE[stored[:, 3]]
    return found


_PLAIN = Paint(name="")


class Paints:
    """The materials of a document; pictures are decoded when they are first asked for."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._stated = document.json.get("materials", [])
        if len(self._stated) > _MOST_MATERIALS:
            raise document.wrong(f"has more than {_MOST_MATERIALS} materials")
        self._found: dict[int | None, Paint] = {None: _PLAIN}
        self._pictures: dict[int, np.ndarray | None] = {}
        self._left = _MOST_TOTAL
        self.notes: list[str] = []
        """What could not be drawn as the file has it."""

    def coordinates(self, material: int | None) -> int:
        """Return which set of coordinates the picture of a material's colour lies on."""
        if material is None:
            return 0
        texture = self._texture(self._document.element("materials", material))
        if texture is None:
            return 0
        # What transforms the coordinates may name others.
        moved = object_of(object_of(texture, "extensions"), "KHR_texture_transform")
        stated = moved if "texCoord" in moved else texture
        return self._document.whole(stated, "texCoord", 0, most=8)

    def __getitem__(self, material: int | None) -> Paint:
        if material not in self._found:
            self._found[material] = self._read(self._document.element("materials", material), str(material))
        return self._found[material]

    def _texture(self, stated: dict[str, Any]) -> dict[str, Any] | None:
        found = object_of(stated, "pbrMetallicRoughness").get("baseColorTexture")
        return found if isinstance(found, dict) else None

    def _read(self, stated: dict[str, Any], number: str) -> Paint:
        document = self._document
        texture = self._texture(stated)
        factor = numbers(
            document, object_of(stated, "pbrMetallicRoughness"), "baseColorFactor", [1.0, 1.0, 1.0, 1.0]
        )
        picture = None if texture is None else self._picture_of(texture)
        mode = stated.get("alphaMode", OPAQUE)
        cut = None if mode == OPAQUE else _HALF
        if mode == MASK:
            cutoff = stated.get("alphaCutoff", _HALF)
            cut = float(cutoff) if isinstance(cutoff, int | float) else _HALF
        red, green, blue, alpha = (min(max(value, 0.0), 1.0) for value in factor)
        return Paint(
            name=str(stated.get("name") or number)[:LONGEST],
            colour=(red, green, blue, alpha),
            picture=picture,
            moved=None if texture is None else _moved(document, texture),
            cut=cut,
            two_sided=stated.get("doubleSided") is True,
        )

    def _picture_of(self, texture: dict[str, Any]) -> np.ndarray | None:
        """Return the picture of a texture; None, with a note, where it cannot be decoded."""
        document = self._document
        stated = document.element("textures", texture.get("index"))
        extensions = object_of(stated, "extensions")
        webp, basis = object_of(extensions, "EXT_texture_webp"), object_of(extensions, "KHR_texture_basisu")
        source = webp.get("source", stated.get("source", basis.get("source")))
        if source is None:
            return None
        document.element("images", source)
        if source not in self._pictures:
            try:
                self._pictures[source] = self._decoded(document.image(source))
            except ValueError as error:
                self.notes.append(f"The picture {source} is not drawn: {error}.")
                self._pictures[source] = None
            except InputError as error:
                self.notes.append(f"The picture {source} is not drawn: {error.problem}")
                self._pictures[source] = None
        return self._pictures[source]

    def _decoded(self, data: bytes) -> np.ndarray:
        kind = mime_type(data)
        if kind == "image/ktx2":
            raise ValueError(
                "it is KTX2, which talk does not decode; `gltf-transform ktxdecompress in.glb out.glb` "
                "makes PNG of it"
            )
        if kind not in _FORMATS:
            raise ValueError("it is neither PNG, JPEG nor WebP")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(io.BytesIO(data), formats=[_FORMATS[kind]]) as picture:
                    pixels = picture.width * picture.height
                    self._left -= pixels
                    if pixels > _MOST_PIXELS or self._left < 0:
                        raise ValueError(f"it has {picture.width} x {picture.height} pixels, too many")
                    shrink = max(picture.width, picture.height) / _SIDE
                    if shrink > 1:
                        size = math.ceil(picture.width / shrink), math.ceil(picture.height / shrink)
                        picture.draft("RGB", size)
                        return np.asarray(picture.convert("RGBA").resize(size, Image.Resampling.BOX))
                    return np.asarray(picture.convert("RGBA"))
        except (
            ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError, OSError,
            RuntimeError, SyntaxError, TypeError, struct.error, zlib.error, Image.DecompressionBombError,
        ) as error:  # fmt: skip
            raise ValueError(f"it is damaged ({error})") from error


def _moved(document: Document, texture: dict[str, Any]) -> np.ndarray | None:
    """Return the matrix of KHR_texture_transform: scaled, then turned, then moved."""
    stated = object_of(object_of(texture, "extensions"), "KHR_texture_transform")
    if not stated:
        return None
    (x, y), (width, height) = (
        numbers(document, stated, "offset", [0.0, 0.0]),
        numbers(document, stated, "scale", [1.0, 1.0]),
    )
    angle = stated.get("rotation", 0.0)
    angle = float(angle) if isinstance(angle, int | float) else 0.0
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array(
        [[cosine * width, sine * height, x], [-sine * width, cosine * height, y], [0.0, 0.0, 1.0]]
    )
