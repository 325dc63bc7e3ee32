"""The renderers for watching, by name, and the differentiable one for losses."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from talkcli.engine.errors import UsageError
from talkcli.engine.optional import is_installed
from talkcli.engine.render.renderer import Renderer, Scene

if TYPE_CHECKING:
    from talkcli.engine.render.differentiable import DifferentiableRenderer

RENDERERS: dict[str, str] = {
    "software": "our own rasteriser on the CPU: the same bytes on every run, needs nothing",
    "pyrender": "OpenGL through EGL; needs the extra gl",
}


def check_renderer(name: str) -> None:
    """Raise UsageError when there is no renderer called `name`."""
    if name not in RENDERERS:
        near = difflib.get_close_matches(name, RENDERERS, n=1)
        raise UsageError(
            f"There is no renderer {name}.",
            hint=f"Did you mean {near[0]}?" if near else f"Renderers: {', '.join(RENDERERS)}.",
        )


def open_renderer(name: str, scene: Scene, width: int, height: int) -> Renderer:
    """Return the renderer called `name`, to be closed by the caller. Raises UsageError for any other name."""
    check_renderer(name)
    if name == "software":
        from talkcli.engine.render.software import SoftwareRenderer

        return SoftwareRenderer(scene, width, height)
    from talkcli.engine.render.gl import GlRenderer

    return GlRenderer(scene, width, height)


def open_differentiable(
    scene: Scene, width: int, height: int, *, prefer_pytorch3d: bool = True
) -> DifferentiableRenderer:
    """Return pytorch3d's rasteriser where it is installed, else ours."""
    if prefer_pytorch3d and is_installed("pytorch3d"):
        from talkcli.engine.render.pytorch3d import Pytorch3dRenderer

        return Pytorch3dRenderer(scene, width, height)
    from talkcli.engine.render.torch_raster import TorchRenderer

    return TorchRenderer(scene, width, height)
