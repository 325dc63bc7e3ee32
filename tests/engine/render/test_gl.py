"""pyrender behind the same protocol: the same head in the same place; skipped where it does not run."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.errors import DeviceError, ExtraError, TalkError, UsageError
from talkcli.engine.optional import is_installed
from talkcli.engine.render import gl
from talkcli.engine.render.renderer import Renderer
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from tests.engine.render.shapes import BallHead


def _gl(head: BallHead, size: int) -> Renderer:
    if not is_installed("pyrender"):
        pytest.skip("pyrender is not installed: pip install -e '.[gl]'")
    try:
        return open_renderer("pyrender", studio_scene(head), size, size)
    except DeviceError as error:
        pytest.skip(f"{error.problem}")


@pytest.mark.filterwarnings("ignore")
def test_both_renderers_draw_the_head_in_the_same_place() -> None:
    head = BallHead()
    gl = _gl(head, 96)
    software = open_renderer("software", studio_scene(head), 96, 96)
    for vertices in (head.template, head.template + np.array([0.03, 0.02, 0.0], np.float32)):
        pictures = [renderer.render(vertices).astype(int) for renderer in (gl, software)]
        walls = [renderer.render(vertices + 100).astype(int) for renderer in (gl, software)]
        seen = [np.abs(p - w).max(axis=2) > 12 for p, w in zip(pictures, walls, strict=True)]
        assert np.mean(seen[0] != seen[1]) < 0.02
        assert np.mean(seen[0]) > 0.2
    gl.close()


def test_an_unknown_renderer_is_a_usage_error_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        open_renderer("sofware", studio_scene(BallHead()), 16, 16)
    assert "software" in str(caught.value.hint)


@pytest.mark.parametrize(("installed", "error"), [(True, DeviceError), (False, ExtraError)])
def test_a_missing_gl_library_is_told_from_a_missing_package(
    installed: bool, error: type[TalkError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(package: str, *, purpose: str) -> None:
        raise ExtraError("does not import", hint="pip") from ImportError("libEGL.so.1")

    monkeypatch.setattr(gl, "require", refuse)
    monkeypatch.setattr(gl, "is_installed", lambda package: installed)
    with pytest.raises(error) as caught:
        open_renderer("pyrender", studio_scene(BallHead()), 16, 16)
    assert ("libEGL.so.1" in str(caught.value)) is installed
