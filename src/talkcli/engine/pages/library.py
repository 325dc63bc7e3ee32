"""three.js, which draws in pages: a file that `make viewer` builds, not part of the repository."""

from __future__ import annotations

from importlib import resources

from talkcli.engine.errors import AssetError

THREE = "three.js"


def three_js() -> str:
    """Return the bundle of three.js with its licence. Raises AssetError where it was not built."""
    file = resources.files(__package__).joinpath(THREE)
    if not file.is_file():
        raise AssetError(
            "Pages with a face need three.js, which is not here: it is fetched when talk is set up.",
            hint="In the repository, run: make viewer (it needs npm; make node installs that)",
        )
    return file.read_text(encoding="utf-8")
