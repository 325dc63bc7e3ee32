"""A process that draws: the same pictures, no torch, and nothing is left of it, however it ends."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import TalkError, UsageError
from talkcli.engine.exports.drawing import drawing_apart
from talkcli.engine.exports.formats import export
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.render import apart
from talkcli.engine.render.apart import DrawingProcess, View
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import Motion, Silent

SMALL = Shot(size=Size(64, 64))
VIEW = View("ada", SMALL)


def _motion(frames: int) -> Motion:
    rng = np.random.default_rng(frames)
    channels = (*ADA, *TONGUE)
    coeffs = rng.uniform(0, 0.4, (frames, len(channels))).astype(np.float32)
    pose = rng.normal(0, 0.1, (frames, 3)).astype(np.float32)
    return Motion(coeffs=coeffs, fps=25.0, head="ada", channels=channels, pose=pose)


def _piece(frames: int, drawer: DrawingProcess | None, shot: Shot = SMALL) -> Piece:
    return Piece(motion=_motion(frames), meta={}, reporter=Silent(), shot=shot, drawer=drawer)


@pytest.fixture(scope="module")
def drawer() -> Iterator[DrawingProcess]:
    with DrawingProcess(VIEW) as process:
        yield process


@pytest.mark.parametrize("name", ["x.mp4", "frames"])
def test_files_have_the_bytes_of_those_drawn_here(drawer: DrawingProcess, name: str, tmp_path: Path) -> None:
    for folder, process in (("apart", drawer), ("here", None)):
        export(tmp_path / folder / name, _piece(17, process))
    files = [path for path in (tmp_path / "here").rglob("*") if path.is_file()]
    assert len(files) == (1 if name == "x.mp4" else 17)
    for path in files:
        other = tmp_path / "apart" / path.relative_to(tmp_path / "here")
        assert other.read_bytes() == path.read_bytes()


def test_transparent_frames_are_those_drawn_here(drawer: DrawingProcess, tmp_path: Path) -> None:
    shot = Shot(size=Size(64, 64), background="transparent")
    for folder, process in (("apart", drawer), ("here", None)):
        export(tmp_path / folder, _piece(3, process, shot))
    names = sorted(path.name for path in (tmp_path / "here").iterdir())
    assert len(names) == 3
    for name in names:
        drawn = np.asarray(Image.open(tmp_path / "apart" / name))
        np.testing.assert_array_equal(drawn, np.asarray(Image.open(tmp_path / "here" / name)))
        # Corners show nothing, the face is whole.
        assert drawn.shape == (64, 64, 4) and drawn[0, 0, 3] == 0 and drawn[32, 32, 3] == 255


def test_another_view_needs_no_other_process(drawer: DrawingProcess) -> None:
    shapes = [
        [picture.shape for picture in drawer.pictures(_motion(frames), View(head, shot))]
        for frames, head, shot in (
            (2, "abe", Shot(size=Size(96, 64), view="profile", background="white")),
            (3, "ada", SMALL),
        )
    ]
    assert shapes == [[(64, 96, 3)] * 2, [(64, 64, 3)] * 3]


def test_it_loads_no_torch() -> None:
    program = (
        "from talkcli.engine.render.apart import serve; serve(); import sys\n"
        "print('LOADED', {'numba', 'torch', 'scipy.linalg', 'h5py', 'typer'} & sys.modules.keys())"
    )
    jobs = pickle.dumps(VIEW) + pickle.dumps((_motion(2), VIEW))
    ended = subprocess.run([sys.executable, "-c", program], input=jobs, capture_output=True, check=True)
    assert ended.stderr == b"LOADED {'numba'}\n"
    assert len(ended.stdout) == 2 * (9 + 64 * 64 * 3)


def test_its_errors_are_those_of_drawing_here() -> None:
    nobody = View("adam", SMALL)
    with DrawingProcess(nobody) as process, pytest.raises(UsageError, match="no head called adam") as raised:
        next(process.pictures(_motion(1), nobody))
    assert raised.value.exit_code == 2 and raised.value.hint is not None and "ada" in raised.value.hint


def test_a_killed_process_is_reported_and_leaves_no_file(tmp_path: Path) -> None:
    with DrawingProcess(VIEW) as process:
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(TalkError, match=r"process that draws stopped \(ended by SIGKILL"):
            export(tmp_path / "x.mp4", _piece(5, process))
    assert list(tmp_path.iterdir()) == []


def test_an_iterator_closed_early_ends_the_process() -> None:
    with DrawingProcess(VIEW) as process:
        frames = process.pictures(_motion(100), VIEW)
        next(frames)
        frames.close()
        assert _is_gone(process.pid)


PARENT = """
import sys, time
from talkcli.engine.render import apart
from talkcli.engine.render.apart import DrawingProcess, View
from talkcli.engine.render.shot import Shot
process = DrawingProcess(View("ada", Shot()))
print(process.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it ends with its pipes")
def test_it_ends_with_the_process_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    for _ in range(200):
        if _is_gone(child):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {child} outlives its parent")


def test_it_starts_only_for_what_it_draws() -> None:
    for outs, head, renderer in (
        (["a.npz"], None, "software"),
        (["a.mp4"], "flame", "software"),
        (["a.mp4"], None, "pyrender"),
    ):
        paths = [Path(out) for out in outs]
        with drawing_apart(paths, head_name=head, shot=SMALL, renderer=renderer) as process:
            assert process is None
    with drawing_apart(
        [Path("a.npz"), Path("a.mp4")], head_name="ada", shot=SMALL, renderer="software"
    ) as one:
        assert one is not None and not _is_gone(one.pid)
    assert _is_gone(one.pid)


def test_where_no_process_can_start_this_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(apart, "start_child", refuse)
    with drawing_apart([Path("a.mp4")], head_name=None, shot=SMALL, renderer="software") as process:
        assert process is None


def _is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True
