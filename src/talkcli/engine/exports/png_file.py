"""A picture that an option of its own asks for: the check of its name, and the PNG file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from talkcli.engine.errors import UsageError
from talkcli.engine.files import atomic_path, check_file
from talkcli.engine.wording import parameter

_SUFFIX = ".png"


def check_name(out: Path, option: str) -> None:
    """Raise UsageError unless `out`, which `option` names, ends in .png; InputError when it is no file."""
    if out.suffix.lower() != _SUFFIX:
        raise UsageError(
            f"{parameter(option, out)}: the picture is a PNG file.",
            hint=f"Use a name that ends in {_SUFFIX}.",
        )
    check_file(out)


def write_png(out: Path, picture: Image.Image, metadata: Mapping[str, Any]) -> None:
    """Write `picture` to `out`, with `metadata` as its comment in JSON. It is whole or not there."""
    text = PngInfo()
    text.add_text("comment", json.dumps(dict(metadata), sort_keys=True))
    with atomic_path(out) as temporary:
        picture.save(temporary, pnginfo=text)
