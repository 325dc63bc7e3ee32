"""The folders of what comes with the package, and of the cache."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PACKAGE_DIR = Path(__file__).resolve().parent.parent
WEIGHTS_DIR = PACKAGE_DIR / "weights"
RECIPES_DIR = PACKAGE_DIR / "recipes"
# Script that runs in Blender, and imports nothing of this package.
BLENDER_SCRIPT = PACKAGE_DIR / "blender" / "talk_import.py"


def cache_dir() -> Path:
    """Return `$TALK_CACHE`, else the platform's cache folder. Whoever writes there makes it."""
    return Path(os.environ.get("TALK_CACHE") or platformdirs.user_cache_dir("talk"))
