"""A surface to pictures, in order, on all cores, with a bounded number of them in memory.

Axis names: `frames`, `verts`, `height`, `width`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np

from talkcli.engine.cores import usable_cores
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.head import Posable
from talkcli.engine.face.surface import Surface
from talkcli.engine.render.renderer import Renderer
from talkcli.engine.types import VertexMotion

_CHUNK_FRAMES = 64


def pictures(surface: Surface, renderer: Renderer, threads: int | None = None) -> Generator[np.ndarray]:
    """Draw pictures (height width 3) of every frame in order; `threads` is the number of usable cores when
    None.

    A renderer that is not concurrent runs in the caller's thread. Closing the iterator ends the work.
    """
    if not renderer.concurrent:
        for draw in _frames(surface, renderer):
            yield draw()
        return
    threads = threads or usable_cores()
    # Enough in flight to keep every core busy while the next chunk of vertices is computed.
    in_flight = 2 * threads + 8
    pending: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="render") as pool:
        try:
            for draw in _frames(surface, renderer):
                pending.append(pool.submit(draw))
                if len(pending) > in_flight:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def vertices_by_frame(surface: Surface) -> Callable[[int], np.ndarray] | None:
    """Return a function from the number of a frame to its vertices (verts 3); None for a head that torch
    moves, which takes many frames at once.
    """
    motion, topology = surface.motion, surface.topology
    if isinstance(motion, VertexMotion) or isinstance(topology, Posable):
        return lambda frame: surface.vertices(slice(frame, frame + 1))[0]
    if not isinstance(topology, AdaHead):
        return None
    from talkcli.engine.render.moving import MovingAda

    coeffs, pose, ada = motion.coeffs, motion.pose, MovingAda(topology, surface.neck)
    return lambda frame: ada.vertices(coeffs[frame], None if pose is None else pose[frame])


def _frames(surface: Surface, renderer: Renderer) -> Iterator[Callable[[], np.ndarray]]:
    """Return what draws each frame; its vertices are computed with it where single frames can be."""
    by_frame = vertices_by_frame(surface)
    if by_frame is None:
        for vertices in _moving_vertices(surface):
            yield partial(renderer.render, vertices)
        return
    for frame in range(surface.num_frames):
        yield partial(_draw, by_frame, frame, renderer)


def _draw(by_frame: Callable[[int], np.ndarray], frame: int, renderer: Renderer) -> np.ndarray:
    return renderer.render(by_frame(frame))


def _moving_vertices(surface: Surface) -> Iterator[np.ndarray]:
    """Compute the vertices (verts 3) of every frame, a chunk of frames at a time."""
    for start in range(0, surface.num_frames, _CHUNK_FRAMES):
        yield from surface.vertices(slice(start, start + _CHUNK_FRAMES))
