"""What the pixels see: a list of surfaces, each with a place and a share of its pixel.

Axis names: `height`, `width`, `faces`, `marked` pixels, `samples` of one of them, `seen` surfaces.
A pixel that is not marked sees one surface, where its centre is. In a marked pixel, samples of one part at
nearly one distance are one surface; it is lit at the centre where that sees it, else at one of its samples.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.jit import kernel
from talkcli.engine.render.columns import OPEN, SHARE, X, Y

# Samples of one part whose distances differ by less than this fraction are lit as one surface.
_APART = 0.002


@kernel
def list_surfaces(  # type: ignore[no-untyped-def] # noqa: PLR0912
    face_at, nearness, faces, slot_at, offsets, sample_nearness, sample_face, of_pixel, places
):
    """Fill `of_pixel` (seen 2: row x width + column, face) and `places` (seen 4) pixel by pixel; return the
    number of surfaces.

    A marked pixel that sees nothing is not listed, nor is any other one without a face. The arrays have room
    for a surface of each pixel and one of each sample of the marked pixels.
    """
    height, width = face_at.shape
    samples = offsets.shape[1]
    one, half = np.float32(1.0 / samples), np.float32(0.5)
    apart = np.float32(_APART)
    num = np.uintp(0)
    for row in range(np.uintp(height)):
        for column in range(np.uintp(width)):
            f, pixel = face_at[row, column], row * np.uintp(width) + column
            slot, x, y = slot_at[row, column], np.float32(np.int32(column)), np.float32(np.int32(row))
            if slot < 0:
                if f >= 0:
                    of_pixel[num, 0], of_pixel[num, 1] = pixel, f
                    places[num, X], places[num, Y] = x + half, y + half
                    places[num, SHARE], places[num, OPEN] = np.float32(1.0), np.float32(0.0)
                    num += np.uintp(1)
                continue
            slot = np.uintp(slot)
            start = num
            # The first surface is what the centre sees; it is dropped where no sample is on it.
            of_pixel[num, 1] = f
            places[num, X], places[num, Y], places[num, SHARE] = x + half, y + half, np.float32(0.0)
            places[num, OPEN] = nearness[row, column]
            num += np.uintp(1)
            uncovered = np.float32(0.0)
            for s in range(np.uintp(samples)):
                f, near = sample_face[slot, s], sample_nearness[slot, s]
                if f < 0:
                    uncovered += one
                    continue
                found = num
                for i in range(start, num):
                    g = of_pixel[i, 1]
                    if f == g or (
                        g >= 0
                        and faces[np.uintp(f), 3] == faces[np.uintp(g), 3]
                        and abs(near - places[i, OPEN]) < apart * near
                    ):
                        found = np.uintp(i)
                        break
                if found == num:
                    of_pixel[num, 1] = f
                    places[num, X], places[num, Y] = x + offsets[0, s], y + offsets[1, s]
                    places[num, SHARE], places[num, OPEN] = np.float32(0.0), near
                    num += np.uintp(1)
                places[found, SHARE] += one
            if places[start, SHARE] == np.float32(0.0):
                # The last one takes its place.
                num -= np.uintp(1)
                for k in range(4):
                    places[start, k] = places[num, k]
                of_pixel[start, 1] = of_pixel[num, 1]
            for i in range(start, num):
                of_pixel[i, 0] = pixel
                places[i, OPEN] = np.float32(0.0)
            if num > start:
                places[num - np.uintp(1), OPEN] = uncovered
    return num


@kernel
def seen_vertices(num, of_pixel, faces, used):  # type: ignore[no-untyped-def]
    """Fill `used` (verts): whether a vertex is a corner of any of the first `num` surfaces' faces."""
    used[:] = False
    before = np.int32(-1)
    for i in range(np.uintp(num)):
        face = of_pixel[i, 1]
        if face != before:
            before = face
            for k in range(3):
                used[faces[np.uintp(face), k]] = True
