"""Kernels that unfold meshopt's streams; each returns False for a stream that does not fit.

Source: Khronos, extension EXT_meshopt_compression, appendix A. Axis names: `bytes`, `elements`, `stride`.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.jit import inlined, kernel

_GROUP, _BLOCK_BYTES, _BLOCK_ELEMENTS = 16, 8192, 256
_TAIL = 32
_FIFO = 16


@kernel
def attributes(data, count, stride, out):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Fill `out` (elements x stride bytes) from a stream of deltas of each byte of successive elements."""
    end = len(data) - max(stride, _TAIL)
    if end < 1:
        return False
    last = data[len(data) - stride :].copy()
    deltas = np.empty(_GROUP, np.uint8)
    most = min((_BLOCK_BYTES // stride) & ~15, _BLOCK_ELEMENTS)
    at, first = 1, 0
    while first < count:
        elements = min(most, count - first)
        groups = (elements + _GROUP - 1) // _GROUP
        for column in range(stride):
            header = at
            at += (groups + 3) // 4
            if at > end:
                return False
            value = last[column]
            for group in range(groups):
                kind = (data[header + group // 4] >> np.uint8(2 * (group % 4))) & 3
                if kind == 0:
                    deltas[:] = 0
                elif kind == 3:
                    if at + _GROUP > end:
                        return False
                    deltas[:] = data[at : at + _GROUP]
                    at += _GROUP
                else:
                    bits = 2 * kind
                    packed, at = at, at + 2 * bits
                    if at > end:
                        return False
                    sentinel = (1 << bits) - 1
                    for k in range(_GROUP):
                        place = k * bits
                        small = (data[packed + place // 8] >> np.uint8(8 - bits - place % 8)) & sentinel
                        if small == sentinel:
                            if at >= end:
                                return False
                            small = data[at]
                            at += 1
                        deltas[k] = small
                start = group * _GROUP
                for k in range(min(_GROUP, elements - start)):
                    delta = np.int64(deltas[k])
                    step = (delta >> 1) ^ -(delta & 1)
                    value = np.uint8((np.int64(value) + step) & 255)
                    out[(first + start + k) * stride + column] = value
            last[column] = value
        first += elements
    return at == end


@inlined
def _varint(data, at, end):  # type: ignore[no-untyped-def]
    """Return an unsigned LEB128 number of up to five bytes, and where the next begins: beyond `end` where it
    does not end before."""
    value = np.int64(0)
    shift = 0
    while True:
        if at >= end or shift > 28:
            return value, end + 1
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & 0xFFFFFFFF, at


@kernel
def triangles(data, out):  # type: ignore[no-untyped-def] # noqa: PLR0912
    """Fill `out` (3 x triangles indices, int64) from a code of each triangle and what the codes refer to."""
    count = len(out) // 3
    end = len(data) - 16
    if 1 + count > end:
        return False
    table = data[end:]
    edges = np.zeros((_FIFO, 2), np.int64)
    verts = np.zeros(_FIFO, np.int64)
    edge_at, vert_at = 0, 0
    following, last = np.int64(0), np.int64(0)
    at = 1 + count
    corner = np.empty(3, np.int64)
    for t in range(count):
        code = np.int64(data[1 + t])
        x, y = code >> 4, code & 15
        if x < 15:
            a, b = edges[(edge_at - 1 - x) & 15]
            push = True
            if y == 0:
                c = following
                following += 1
            elif y < 13:
                c = verts[(vert_at - 1 - y) & 15]
                push = False
            elif y < 15:
                c = last + (1 if y == 14 else -1)
                last = c
            else:
                delta, at = _varint(data, at, end)
                if at > end:
                    return False
                c = last + ((delta >> 1) ^ -(delta & 1))
                last = c
            if push:
                verts[vert_at & 15] = c
                vert_at += 1
        else:
            explicit = y >= 14
            if explicit:
                if at >= end:
                    return False
                refers = np.int64(data[at])
                at += 1
                if refers == 0:
                    following = np.int64(0)
            else:
                refers = np.int64(table[y])
            z, w = refers >> 4, refers & 15
            if not explicit and (z == 15 or w == 15):
                return False
            # What each corner refers to: 0 is the next vertex, 15 an index in the data, others recent ones.
            before = vert_at
            for k in range(3):
                kind = (15 if y == 15 else 0) if k == 0 else (z if k == 1 else w)
                if kind == 0:
                    corner[k] = following
                    following += 1
                elif kind == 15:
                    delta, at = _varint(data, at, end)
                    if at > end:
                        return False
                    last += (delta >> 1) ^ -(delta & 1)
                    corner[k] = last
                else:
                    corner[k] = verts[(before - kind) & 15]
            a, b, c = corner[0], corner[1], corner[2]
            for k in range(3):
                kind = 0 if k == 0 else (z if k == 1 else w)
                if kind in (0, 15):
                    verts[vert_at & 15] = corner[k]
                    vert_at += 1
            edges[edge_at & 15, 0], edges[edge_at & 15, 1] = b, a
            edge_at += 1
        edges[edge_at & 15, 0], edges[edge_at & 15, 1] = c, b
        edge_at += 1
        edges[edge_at & 15, 0], edges[edge_at & 15, 1] = a, c
        edge_at += 1
        out[3 * t], out[3 * t + 1], out[3 * t + 2] = a, b, c
    return at == end


@kernel
def indices(data, out):  # type: ignore[no-untyped-def]
    """Fill `out` (indices, int64) from steps of two running indices."""
    end = len(data) - 4
    last = np.zeros(2, np.int64)
    at = 1
    for k in range(len(out)):
        value, at = _varint(data, at, end)
        if at > end:
            return False
        delta = value >> 2
        last[value & 1] += delta ^ -((value >> 1) & 1)
        out[k] = last[value & 1]
    return at == end
