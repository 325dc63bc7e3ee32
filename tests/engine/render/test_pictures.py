"""Order, laziness and endings of the threaded picture maker."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from talkcli.engine.face.surface import Surface
from talkcli.engine.render.pictures import pictures
from talkcli.engine.types import Motion
from tests.engine.render.shapes import BallHead


class Recorder:
    """A renderer that writes down who called it; the "picture" is the nod of the ball."""

    def __init__(self, *, concurrent: bool, fail_at: int | None = None) -> None:
        self.concurrent = concurrent
        self.threads: set[str] = set()
        self.calls = 0
        self._fail_at = fail_at
        self._lock = threading.Lock()

    def render(self, vertices: np.ndarray) -> np.ndarray:
        with self._lock:
            self.calls += 1
            self.threads.add(threading.current_thread().name)
            number = self.calls
        # Later calls finish first.
        time.sleep(0.002 if number % 3 == 1 else 0)
        if number == self._fail_at:
            raise RuntimeError("the driver went away")
        return np.full((1, 1, 3), round(float(vertices[:, 1].mean()) / 0.02 * 100), np.uint8)

    def close(self) -> None:
        pass


def _surface(frames: int) -> Surface:
    nod = np.arange(frames, dtype=np.float32) / 100
    coeffs = np.stack([nod, 0 * nod], axis=1)
    return Surface(Motion(coeffs=coeffs, fps=25.0, head="ball", channels=("nod", "swell")), BallHead())


@pytest.mark.parametrize("concurrent", [True, False])
def test_pictures_come_in_order(concurrent: bool) -> None:
    renderer = Recorder(concurrent=concurrent)
    values = [int(picture[0, 0, 0]) for picture in pictures(_surface(150), renderer, threads=3)]
    assert values == list(range(150))


def test_a_renderer_that_is_not_concurrent_stays_on_the_callers_thread() -> None:
    renderer = Recorder(concurrent=False)
    list(pictures(_surface(5), renderer, threads=3))
    assert renderer.threads == {threading.current_thread().name}


def test_few_pictures_are_made_ahead_of_need() -> None:
    renderer = Recorder(concurrent=True)
    stream = pictures(_surface(200), renderer, threads=2)
    next(stream)
    time.sleep(0.1)
    assert renderer.calls <= 20
    stream.close()
    made = renderer.calls
    time.sleep(0.05)
    assert renderer.calls == made
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("render")]


def test_a_failure_in_a_thread_reaches_the_caller_and_ends_the_threads() -> None:
    stream = pictures(_surface(200), Recorder(concurrent=True, fail_at=30), threads=2)
    with pytest.raises(RuntimeError, match="driver went away"):
        list(stream)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("render")]
