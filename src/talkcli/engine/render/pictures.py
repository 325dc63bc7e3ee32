"""Motion to pictures, in order, on all cores, with a bounded number of them in memory.

Axis names: `frames`, `coeffs`, `verts`, `height`, `width`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from talkcli.engine.device import usable_cores
from talkcli.engine.face.head import Head
from talkcli.engine.face.turning import Neck
from talkcli.engine.render.renderer import Renderer
from talkcli.engine.types import Motion

_CHUNK_FRAMES = 64


def moving_vertices(motion: Motion, head: Head) -> Iterator[np.ndarray]:
    """Vertices (verts 3) of every frame, turned where the motion has a pose; a chunk of frames at a time."""
    neck = None if motion.pose is None else Neck(head)
    for start in range(0, len(motion.coeffs), _CHUNK_FRAMES):
        chunk = slice(start, start + _CHUNK_FRAMES)
        with torch.inference_mode():
            vertices = head(torch.from_numpy(np.ascontiguousarray(motion.coeffs[chunk])))
            if neck is not None and motion.pose is not None:
                vertices = neck.turn(vertices, torch.from_numpy(np.ascontiguousarray(motion.pose[chunk])))
            yield from vertices.numpy()


def pictures(
    motion: Motion, head: Head, renderer: Renderer, threads: int | None = None
) -> Generator[np.ndarray]:
    """Pictures (height width 3) of every frame in order; `threads` is the number of usable cores when None.

    A renderer that is not concurrent is used from the caller's thread. Closing the iterator ends the work.
    """
    if not renderer.concurrent:
        for vertices in moving_vertices(motion, head):
            yield renderer.render(vertices)
        return
    threads = threads or usable_cores()
    # Enough in flight to keep every core busy while the next chunk of vertices is computed.
    in_flight = 2 * threads + 8
    pending: deque[Future[np.ndarray]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="render") as pool:
        try:
            for vertices in moving_vertices(motion, head):
                pending.append(pool.submit(renderer.render, vertices))
                if len(pending) > in_flight:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
