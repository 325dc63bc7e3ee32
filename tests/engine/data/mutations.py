"""Damage as files meet it: cut off, bits and bytes changed, runs lost, blocks moved, another file's content.

Every reader is tested with 200 of them: a sentence of `InputError` or plausible values, nothing else, soon.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from types import FrameType

import numpy as np

from talkcli.engine.errors import InputError


def mutations(content: bytes, count: int = 200, seed: int = 0) -> Iterator[bytes]:
    """`count` damaged forms of `content`, none equal to it, the same ones for the same arguments.

    The first ones are what happens most (nothing left, half a download, a git-lfs pointer or another kind
    of file under the right name); then all kinds of damage take turns. Half of them hit the first 1 KiB,
    where formats keep what is read first.
    """
    drawn = np.random.default_rng(seed)
    given = 0
    for mutant in _mistaken(content):
        if mutant != content and given < count:
            given += 1
            yield mutant
    while given < count:
        kind = _KINDS[given % len(_KINDS)]
        mutant = kind(content, drawn)
        if mutant == content:
            # A run of zeros made zero, two equal bytes swapped: something that surely differs instead.
            mutant = _flipped(content, drawn)
        given += 1
        yield mutant


def survives(
    read: Callable[[bytes], object],
    content: bytes,
    *,
    count: int = 200,
    seed: int = 0,
    seconds_each: float = 5.0,
    plausible: Callable[[object], bool] = lambda _: True,
) -> int:
    """Read every mutation; returns how many were refused. `read` writes the bytes where its reader looks.

    Raises AssertionError, with the number of the mutation, for any exception but InputError, for a read of
    more than `seconds_each`, and for values that are not `plausible`.
    """
    refused = 0
    for number, mutant in enumerate(mutations(content, count, seed)):
        where = f"mutation {number} of seed {seed} ({len(mutant)} of {len(content)} bytes)"
        started_s = time.monotonic()
        try:
            with _limited(seconds_each):
                values = read(mutant)
        except InputError as error:
            refused += 1
            assert error.problem.strip(), f"{where}: refused without a sentence"
        except Exception as error:
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
        else:
            assert plausible(values), f"{where}: read as {values!r:.300}"
        # C code does not see the alarm: then the clock tells.
        took_s = time.monotonic() - started_s
        assert took_s < seconds_each, f"{where}: took {took_s:.1f} s"
    return refused


def _mistaken(content: bytes) -> Iterator[bytes]:
    yield b""
    yield content[: len(content) // 2]
    yield content[:1]
    yield content[:-1]
    yield bytes(len(content))
    yield content + content
    yield content + b"\x00" * 64
    yield b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    yield b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
    yield b"\xef\xbb\xbf" + content
    yield content.replace(b"\n", b"\r\n")
    yield gzip.compress(content, mtime=0)
    yield b"\x80\x04cos\nsystem\n(S'exit 1'\ntR."
    yield b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
    yield b"\x89HDF\r\n\x1a\n" + bytes(88)
    yield _npy(np.arange(12.0).reshape(3, 4))
    yield _npy(np.array(["a", "b"]))
    yield _npy(np.array(3.0))
    yield _npy(np.full((4, 4), np.nan, np.float32))
    yield _npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 7), }")
    yield _npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }")
    yield _zip()
    yield '{"ungültig": [1, 2, 3]}\n'.encode("latin-1")
    yield np.random.default_rng(7).bytes(4096)


def _truncated(content: bytes, drawn: np.random.Generator) -> bytes:
    return content[: _place(content, drawn)]


def _flipped(content: bytes, drawn: np.random.Generator) -> bytes:
    changed = bytearray(content or b"\x00")
    changed[_place(content, drawn)] ^= 1 << int(drawn.integers(8))
    return bytes(changed)


def _several_flipped(content: bytes, drawn: np.random.Generator) -> bytes:
    for _ in range(8):
        content = _flipped(content, drawn)
    return content


def _changed_bytes(content: bytes, drawn: np.random.Generator) -> bytes:
    at, length = _run(content, drawn, 8)
    return content[:at] + drawn.bytes(length) + content[at + length :]


def _swapped(content: bytes, drawn: np.random.Generator) -> bytes:
    """Two runs of up to 8 bytes change places, as fields of a header do when their order is mistaken."""
    length = int(drawn.integers(1, 9))
    first, second = sorted((_place(content, drawn), _place(content, drawn)))
    if first + length > second:
        return content
    parts = content[:first], content[first : first + length], content[second : second + length]
    return parts[0] + parts[2] + content[first + length : second] + parts[1] + content[second + length :]


def _reversed(content: bytes, drawn: np.random.Generator) -> bytes:
    """A number of 2, 4 or 8 bytes in the other byte order."""
    at, length = _place(content, drawn), int(drawn.choice([2, 4, 8]))
    return content[:at] + content[at : at + length][::-1] + content[at + length :]


def _zeroed(content: bytes, drawn: np.random.Generator) -> bytes:
    at, length = _run(content, drawn, 512)
    return content[:at] + bytes(len(content[at : at + length])) + content[at + length :]


def _all_ones(content: bytes, drawn: np.random.Generator) -> bytes:
    """What sizes and counts look like at their largest, and floats as NaN."""
    at, length = _place(content, drawn), int(drawn.choice([1, 2, 4, 8]))
    return content[:at] + b"\xff" * len(content[at : at + length]) + content[at + length :]


def _cut_out(content: bytes, drawn: np.random.Generator) -> bytes:
    at, length = _run(content, drawn, 512)
    return content[:at] + content[at + length :]


def _doubled(content: bytes, drawn: np.random.Generator) -> bytes:
    at, length = _run(content, drawn, 512)
    return content[: at + length] + content[at : at + length] + content[at + length :]


def _spliced(content: bytes, drawn: np.random.Generator) -> bytes:
    """The beginning goes on with what stood elsewhere, as when blocks of a disk were lost."""
    return content[: _place(content, drawn)] + content[_place(content, drawn) :]


def _inserted(content: bytes, drawn: np.random.Generator) -> bytes:
    at = _place(content, drawn)
    return content[:at] + drawn.bytes(int(drawn.integers(1, 17))) + content[at:]


_KINDS = (
    _truncated, _flipped, _several_flipped, _changed_bytes, _swapped, _reversed,
    _zeroed, _all_ones, _cut_out, _doubled, _spliced, _inserted,
)  # fmt: skip


def _place(content: bytes, drawn: np.random.Generator) -> int:
    near = min(len(content), 1024) if drawn.random() < 0.5 else len(content)
    return int(drawn.integers(max(near, 1)))


def _run(content: bytes, drawn: np.random.Generator, longest: int) -> tuple[int, int]:
    return _place(content, drawn), int(drawn.integers(1, longest + 1))


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00v\x00" + text.ljust(117).encode() + b"\n" + bytes(64)


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("notes.txt"), "not what you look for")
    return file.getvalue()


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Python code that runs longer is ended with TimeoutError."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
