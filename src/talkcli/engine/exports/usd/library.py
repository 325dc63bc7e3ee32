"""The modules of usd-core, the extra `usd`."""

from __future__ import annotations

import os
from typing import Any

from talkcli.engine.optional import require

_SETTINGS = {
    # Binary files have version 0.9.0 from the start: by default the library begins with an older version,
    # raises it when the sound is added, and prints that it did.
    "USD_WRITE_NEW_USDC_FILES_AS_VERSION": "0.9.0",
    # The library does not print which settings differ from its defaults.
    "TF_ENV_SETTING_ALERTS_ENABLED": "0",
}


def pxr(name: str = "Usd") -> Any:
    """Return a module of the library, such as UsdGeom. Raises ExtraError where it is not installed."""
    for key, value in _SETTINGS.items():
        os.environ.setdefault(key, value)
    return require(f"pxr.{name}", purpose="USD")
