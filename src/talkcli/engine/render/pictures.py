"""A surface to pictures, in order, on all cores, with a bounded number of them in memory.

Axis names: `frames`, `verts`, `height`, `width`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from talkcli.engine.device import usable_cores
from talkcli.engine.face.surface import Surface
from talkcli.engine.render.renderer import Renderer

_CHUNK_FRAMES = 64


def moving_vertices(surface: Surface) -> Iterator[np.ndarray]:
    """Compute the vertices (verts 3) of every frame, a chunk of frames at a time."""
    for start in range(0, surface.num_frames, _CHUNK_FRAMES):
        yield from surface.vertices(slice(start, start + _CHUNK_FRAMES))


def pictures(surface: Surface, renderer: Renderer, threads: int | None = None) -> Generator[np.ndarray]:
    """Draw pictures (height width 3) of every frame in order; `threads` is the number of usable cores when
    None.

    A renderer that is not concurrent runs in the caller's thread. Closing the iterator ends the work.
    """
    if not renderer.concurrent:
        for vertices in moving_vertices(surface):
            yield renderer.render(vertices)
        return
    threads = threads or usable_cores()
    # Enough in flight to keep every core busy while the next chunk of vertices is computed.
    in_flight = 2 * threads + 8
    pending: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="render") as pool:
        try:
            for vertices in moving_vertices(surface):
                pending.append(pool.submit(renderer.render, vertices))
                if len(pending) > in_flight:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
