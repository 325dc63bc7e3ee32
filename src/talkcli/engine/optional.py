"""The only place that asks whether an optional package is installed."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from talkcli.engine.errors import ExtraError

# Package -> (the extra that installs it or None, what it unlocks).
OPTIONAL_PACKAGES: dict[str, tuple[str | None, str]] = {
    "pyrender": ("gl", "hardware-lit rendering through EGL (`renderer=pyrender`)"),
    "trimesh": ("gl", "mesh exchange for pyrender"),
    "DracoPy": ("draco", "avatars whose meshes Draco compressed"),
    "pocketsphinx": ("align", "phone alignment for procedural training motion (preprocess corpus)"),
    "lightning_fabric": ("train", "training (train-dee, train-fer, train-vq, train-gen)"),
    "tensorboard": ("train", "training curves in TensorBoard"),
    "mediapipe": ("video", "faces in videos (preprocess video)"),
    "distributed": ("cluster", "work on a Dask cluster (`cluster` of preprocess and score)"),
    "pxr": ("usd", "USD files (`out` that ends in .usd, .usda, .usdc or .usdz)"),
    "pytorch3d": (None, "a faster differentiable renderer; build it from source beside torch"),
}


def is_installed(package: str) -> bool:
    """Return whether `package` can be found, without importing it."""
    return importlib.util.find_spec(package) is not None


def how_to_install(package: str) -> str:
    """Return what to run for `package`, from this checkout: the project is on no package index."""
    extra = OPTIONAL_PACKAGES.get(package.partition(".")[0], (None, ""))[0]
    return f"in the repository, run: pip install -e '.[{extra}]'" if extra else f"install {package}"


def require(package: str, *, purpose: str) -> ModuleType:
    """Import an optional package, or raise ExtraError that names the extra."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise ExtraError(
            f"{purpose} needs the package {package}, which does not import here ({error}).",
            hint=how_to_install(package),
        ) from error
