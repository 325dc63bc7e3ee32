"""Reader of LMDB databases (data.mdb) that needs no LMDB library.

The file consists of pages. Two meta pages, which LMDB writes in turn, name the root of the tree. The tree's
pages lead from keys to values, which lie within a page or in a run of overflow pages. The reader reads only
the values that the caller asks for, checks every position against the size of the file, and visits no page
twice. Source: the structures MDB_meta, MDB_page and MDB_node of LMDB 0.9 (data version 1, 64 bits,
little-endian).
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NoReturn

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file
from talkcli.engine.wording import counted

# First fields of a meta page: LMDB's magic number and the version of its data format.
_MAGIC, _VERSION = 0xBEEFC0DE, 1
# Size in bytes of a page's header.
_HEADER_BYTES = 16
# Header of a page: page number, padding, flags, lower and upper bound of the free space.
_PAGE_HEADER = struct.Struct("<QHHHH")
# Record of one tree (MDB_db): padding (the page size in the tree of free pages), flags, depth, three page
# counts, number of entries, root page.
_DATABASE = "IHHQQQQQ"
# Meta page: magic, version, address, size; tree of free pages; tree of values; last page, transaction.
_META = struct.Struct(f"<IIQQ{_DATABASE}{_DATABASE}QQ")
# Header of a node: low and high half of the value's length, flags, length of the key in bytes. In a branch
# the first three fields hold the number of the child page.
_NODE = struct.Struct("<HHHH")
# Flags of pages.
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 0x01, 0x02, 0x04, 0x08
# Flags of nodes: the value lies in overflow pages; the value is itself a tree or holds duplicates.
_BIG, _NESTED = 0x01, 0x06
# Smallest and largest size of a page in bytes.
_PAGE_SIZES = (1 << 9, 1 << 16)
# Root page of an empty tree.
_NO_PAGE = (1 << 64) - 1
# Greatest depth of a tree that the reader follows.
_DEEPEST = 32
# Greatest number of entries, and greatest size of a value in bytes. HDTF_TFHP has some 20,000 entries of
# 100 KB; a million entries take seconds and 200 MB.
_MOST_ENTRIES, _LARGEST_VALUE_BYTES = 1 << 20, 1 << 27


@dataclass(frozen=True, kw_only=True)
class Place:
    """Place of a value in the file."""

    start: int
    """Position of the value's first byte in the file."""
    length: int
    """Length of the value in bytes."""


def read_index(path: Path) -> dict[str, Place]:
    """Return the place of the value of every key, in order of keys.

    Raises InputError for anything but a complete database of one table whose keys are ASCII.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file.")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    return _index(path, status.st_size, status.st_mtime_ns)


def read_value(path: Path, place: Place) -> bytes:
    """Return the bytes at `place`.

    Raises InputError when the file has become shorter, or when the value is larger than any clip (128 MiB).
    """
    if place.length > _LARGEST_VALUE_BYTES:
        raise InputError(f"{path} holds a value of {place.length} bytes, more than any clip takes.")
    try:
        with path.open("rb") as file:
            file.seek(place.start)
            content = file.read(place.length)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    if len(content) != place.length:
        raise InputError(f"{path} has become shorter since it was opened.")
    return content


@lru_cache(maxsize=2)
def _index(path: Path, size: int, changed_ns: int) -> dict[str, Place]:  # noqa: ARG001  `changed_ns` is a key of the cache
    try:
        with open_file(path) as file:
            return _Tree(path, file, size).index()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


class _Tree:
    """Walk through the pages of one tree, in order of keys."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path, self._file, self._size = path, file, size
        self._visited: set[int] = set()
        self._places: dict[str, Place] = {}
        self._num_bytes = 0

    def index(self) -> dict[str, Place]:
        page_bytes, first = self._meta(0)
        _, second = self._meta(page_bytes)
        self._page_bytes = page_bytes
        # LMDB writes the two meta pages in turn; the one with the higher transaction number is current.
        entries, root = max(first, second)[1:]
        if entries > _MOST_ENTRIES:
            self._refuse(f"{entries} entries are more than {_MOST_ENTRIES}")
        self._entries = entries
        if root != _NO_PAGE:
            self._walk(root, 0)
        if len(self._places) != entries:
            self._refuse(f"it has {len(self._places)} of {counted(entries, 'entry', 'entries')}")
        return self._places

    def _refuse(self, reason: str) -> NoReturn:
        raise InputError(f"{self._path} is not a complete LMDB database: {reason}.")

    def _at(self, start: int, length: int) -> bytes:
        if start + length > self._size:
            self._refuse(f"it ends before byte {start + length}")
        self._file.seek(start)
        return self._file.read(length)

    def _meta(self, start: int) -> tuple[int, tuple[int, int, int]]:
        """Return page size; transaction, number of entries and root."""
        content = self._at(start, _HEADER_BYTES + _META.size)
        _, _, flags, _, _ = _PAGE_HEADER.unpack_from(content)
        fields = _META.unpack_from(content, _HEADER_BYTES)
        if flags != _META_PAGE or fields[0] != _MAGIC:
            self._refuse("it does not begin with LMDB's meta page")
        if fields[1] != _VERSION:
            self._refuse(f"version {fields[1]} is not known")
        page_bytes, table_flags, entries, root, transaction = (
            fields[4],
            fields[13],
            fields[18],
            fields[19],
            fields[21],
        )
        if not _PAGE_SIZES[0] <= page_bytes <= _PAGE_SIZES[1] or page_bytes & (page_bytes - 1):
            self._refuse(f"its header states pages of {page_bytes} bytes")
        if table_flags:
            self._refuse(f"its table has the unknown flags {table_flags:#x}")
        return page_bytes, (transaction, entries, root)

    def _walk(self, number: int, depth: int) -> None:
        if number in self._visited or depth > _DEEPEST:
            self._refuse(f"page {number} leads back to itself")
        self._visited.add(number)
        page = self._at(number * self._page_bytes, self._page_bytes)
        own_number, _, flags, lower, upper = _PAGE_HEADER.unpack_from(page)
        if own_number != number or flags not in (_BRANCH, _LEAF):
            self._refuse(f"page {number} does not match the tree")
        if not _HEADER_BYTES <= lower <= upper <= self._page_bytes:
            self._refuse(f"page {number} is damaged")
        for (offset,) in struct.iter_unpack("<H", page[_HEADER_BYTES : lower - lower % 2]):
            if not upper <= offset <= self._page_bytes - _NODE.size:
                self._refuse(f"page {number} is damaged")
            low, high, node_flags, key_bytes = _NODE.unpack_from(page, offset)
            key, value_at = page[offset + _NODE.size :][:key_bytes], offset + _NODE.size + key_bytes
            if value_at > self._page_bytes:
                self._refuse(f"page {number} is damaged")
            if flags == _BRANCH:
                self._walk(low | high << 16 | node_flags << 32, depth + 1)
            else:
                place = self._place(number, page, value_at, low | high << 16, node_flags)
                self._add(key, place)

    def _place(self, number: int, page: bytes, value_at: int, length: int, flags: int) -> Place:
        if flags & _NESTED or flags & ~_BIG:
            self._refuse(f"page {number} holds nested tables or duplicates")
        if not flags & _BIG:
            if value_at + length > self._page_bytes:
                self._refuse(f"page {number} is damaged")
            return Place(start=number * self._page_bytes + value_at, length=length)
        if value_at + 8 > self._page_bytes:
            self._refuse(f"page {number} is damaged")
        (first,) = struct.unpack_from("<Q", page, value_at)
        start = first * self._page_bytes
        own_number, _, page_flags, low, high = _PAGE_HEADER.unpack(self._at(start, _HEADER_BYTES))
        num_pages = low | high << 16
        if (
            own_number != first
            or page_flags != _OVERFLOW
            or num_pages * self._page_bytes < length + _HEADER_BYTES
        ):
            self._refuse(f"page {first} does not match the tree")
        if start + _HEADER_BYTES + length > self._size:
            self._refuse(f"it ends before byte {start + _HEADER_BYTES + length}")
        return Place(start=start + _HEADER_BYTES, length=length)

    def _add(self, key: bytes, place: Place) -> None:
        name = key.decode("ascii", "replace")
        if not name or not name.isascii() or not name.isprintable():
            self._refuse("a key is not printable ASCII text")
        if len(self._places) == self._entries:
            self._refuse(f"it has more than {counted(self._entries, 'entry', 'entries')}")
        if self._places and name <= next(reversed(self._places)):
            self._refuse(f"the key {name} is out of order")
        # Keys must not share the bytes of a value: the caller would read them once for every key.
        self._num_bytes += place.length
        if self._num_bytes > self._size:
            self._refuse("its values are longer than the file")
        self._places[name] = place
