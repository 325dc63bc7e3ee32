"""Drawing in a process of its own, which loads its libraries while this one loads those of networks.

That process reads jobs and answers with pictures. It writes no file, so that its end, however it comes,
leaves nothing; it ends with the process that started it. Axis names: `height`, `width`.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from talkcli.engine.errors import TalkError
from talkcli.engine.lifetime import start_child, uninterrupted
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Motion

if TYPE_CHECKING:
    from io import BufferedReader

# What an answer begins with: its kind and its length.
_ANSWER = struct.Struct("<cQ")
_PICTURE, _ERROR = b"p", b"e"


class View(NamedTuple):
    """What a process that draws prepares for."""

    head: str
    """Name of the head."""
    shot: Shot
    """What the pictures show, and how."""


class DrawingProcess:
    """A process that draws heads that need no torch with the software renderer. Use it as a context manager.

    It starts at once, and loads everything for `view`.
    """

    def __init__(self, view: View) -> None:
        root = str(Path(__file__).resolve().parents[3])
        program = (
            f"import sys; {root!r} in sys.path or sys.path.insert(0, {root!r}); "
            "from talkcli.engine.render.apart import serve; serve()"
        )
        with uninterrupted():
            # -P: a file in the current folder is no module.
            self._process = start_child(
                [sys.executable, "-P", "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        with contextlib.suppress(BrokenPipeError):
            self._put(view)

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> DrawingProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pictures(self, motion: Motion, view: View) -> Generator[np.ndarray]:
        """Draw pictures (height width 3), sRGB, of every frame in order, turned as the motion's pose says.

        A transparent background makes them (height width 4), with the coverage last. Raises what drawing in
        this process would raise, and TalkError when the process ends. An iterator that is closed early ends
        the process.
        """
        try:
            with contextlib.suppress(BrokenPipeError):
                self._put((motion, view))
            width, height = view.shot.size
            for _ in range(motion.num_frames):
                yield self._answer().reshape(height, width, -1)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, whatever it does."""
        process = self._process
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            # What is still buffered has nowhere to go.
            with contextlib.suppress(OSError):
                pipe.close()

    def _put(self, job: Any) -> None:
        assert self._process.stdin is not None
        pickle.dump(job, self._process.stdin)
        self._process.stdin.flush()

    def _answer(self) -> np.ndarray:
        """Return the next picture's bytes."""
        answers = cast("BufferedReader", self._process.stdout)
        head = answers.read(_ANSWER.size)
        if len(head) == _ANSWER.size:
            kind, length = _ANSWER.unpack(head)
            content = np.empty(length, np.uint8)
            if answers.readinto(content.data) == length:
                if kind == _ERROR:
                    raise pickle.loads(content.tobytes())
                return content
        code = self._process.wait()
        how = f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"
        hint = "Check the free memory, and run again." if code < 0 else "Run: talk doctor."
        raise TalkError(f"The process that draws stopped ({how}).", hint=hint)


def serve() -> None:
    """Be the process that draws: read jobs from stdin until it ends, and answer on stdout."""
    jobs, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a library prints must not come between the pictures.
    os.dup2(2, 1)
    # numba looks for scipy's linear algebra, which no kernel uses and which takes 0.1 s to load.
    sys.modules["scipy"] = None  # type: ignore[assignment]
    # What is loaded lives to the end of the process.
    gc.disable()
    with contextlib.suppress(Exception):
        # Errors are for the job that meets them.
        _warm(pickle.load(jobs))
    gc.freeze()
    gc.enable()
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            motion, view = pickle.load(jobs)
            _work(motion, view, answers)


def _work(motion: Motion, view: View, answers: IO[bytes]) -> None:
    from talkcli.engine.face.surface import Surface
    from talkcli.engine.render.pictures import pictures

    try:
        head, renderer = _opened(view)
        for picture in pictures(Surface(motion, head, turned=True), renderer):
            answers.write(_ANSWER.pack(_PICTURE, picture.nbytes))
            answers.write(picture.data)
            answers.flush()
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  raised again by whoever waits for the pictures
        content = _pickled(error)
        answers.write(_ANSWER.pack(_ERROR, len(content)) + content)
        answers.flush()


def _warm(view: View) -> None:
    """Draw the head at rest, so that all is loaded."""
    from talkcli.engine.face.turning import Neck
    from talkcli.engine.render.moving import MovingAda

    head, renderer = _opened(view)
    still = np.zeros(len(head.channels), np.float32)
    renderer.render(MovingAda(head, Neck(head)).vertices(still, np.zeros(3, np.float32)))


@cache
def _opened(view: View) -> tuple[Any, Any]:
    from talkcli.engine.face.heads import load_head
    from talkcli.engine.render.renderers import open_renderer
    from talkcli.engine.render.setting import scene_of

    head = load_head(view.head)
    return head, open_renderer("software", scene_of(head, view.shot), *view.shot.size)


def _pickled(error: Exception) -> bytes:
    try:
        content = pickle.dumps(error)
        pickle.loads(content)
    except Exception:  # noqa: BLE001  an exception may hold anything
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return content
