"""The modules of usd-core, the extra `usd`."""

from __future__ import annotations

import os
from typing import Any

from talkcli.engine.optional import require

# Settings of the library: the version of binary files, which it would otherwise begin with an older one,
# and print that a sound needs another; and that it prints nothing of settings.
_SETTINGS = {"USD_WRITE_NEW_USDC_FILES_AS_VERSION": "0.9.0", "TF_ENV_SETTING_ALERTS_ENABLED": "0"}


def pxr(name: str = "Usd") -> Any:
    """Return a module of the library, such as UsdGeom. Raises ExtraError where it is not installed."""
    for key, value in _SETTINGS.items():
        os.environ.setdefault(key, value)
    return require(f"pxr.{name}", purpose="USD")
