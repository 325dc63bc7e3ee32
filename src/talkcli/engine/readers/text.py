"""Reader of text files from any program: UTF-8, UTF-16 and UTF-32, each with or without a byte order mark,
and the single-byte encodings of Windows (cp1252) and ISO (latin-1).

Line ends become newlines. The reader refuses a file that is not text before it loads the whole file. All
errors are InputErrors that name the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.errors import InputError
from talkcli.engine.readers.regular import open_file

# Size in bytes of the largest text file: the words of a day of speech, or its TextGrid, fit into it.
LARGEST_BYTES = 1 << 26
# Size in bytes of the largest list: a list of a million clips fits into it.
LARGEST_LIST_BYTES = 1 << 32
# Greatest number of characters in a line of a list.
_LONGEST_LINE = 1 << 20
# Number of bytes that are decoded at a time.
_BLOCK = 1 << 20
# Byte order marks and their encodings, longer marks first: UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# Characters that text does not hold. Tab, line ends and form feed are allowed, and 0x1a, with which DOS ends
# files.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f\ufffe\uffff]")
# First bytes of word processors' files and of Praat's binary files.
_NOT_PLAIN = (b"{\\rtf", b"%PDF-", b"PK\x03\x04", b"ooBinaryFile")
_HINT = "Save it as plain text, UTF-8."
# Encoding of a file that is not Unicode.
_SINGLE_BYTES = "cp1252"


def _iso(error: UnicodeError) -> tuple[str, int]:
    """Decode the five bytes that cp1252 leaves undefined as ISO's control characters."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("talk-iso", _iso)


def read_text(path: Path, *, largest: int = LARGEST_BYTES) -> str:
    """Return the text of `path`, of at most `largest` bytes, without a byte order mark.

    Raises InputError for a file that is not regular, not text, or larger.
    """
    with open_text(path, largest=largest) as file:
        return file.read().rstrip("\x1a")


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a list without their line ends; the list has at most 4 GiB.

    Raises InputError as `read_text` does, and for a line of more than 1,048,576 characters.
    """
    with open_text(path, largest=LARGEST_LIST_BYTES) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise InputError(f"{path}, line {number} has more than {_LONGEST_LINE} characters.")
            yield line.rstrip("\n").rstrip("\x1a")


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not empty, as the number of its last line and its cells.

    Commas separate the cells. When the first line has no comma, semicolons or tabs do, as in the files of
    some spreadsheets. Raises InputError as `read_text` does, and for a file that is not CSV.
    """
    with open_text(path, largest=LARGEST_LIST_BYTES) as file:
        first = file.readline(_LONGEST_LINE)
        file.seek(0)
        rows = csv.reader(file, strict=True, delimiter="," if "," in first else max(";\t", key=first.count))
        try:
            for row in rows:
                if row:
                    yield rows.line_num, row
        except csv.Error as error:
            raise InputError(f"{path}, line {rows.line_num} is not readable CSV ({error}).") from error


def open_text(path: Path, *, largest: int) -> io.TextIOWrapper:
    """Return `path` as an open text file, after a check that all of it is text.

    Raises InputError as `read_text` does.
    """
    file = open_file(path, text=True)
    try:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise InputError(
                f"{path} has {size} bytes, more than the {largest} bytes that a file of this type may have."
            )
        encoding = _encoding(path, file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    errors = "talk-iso" if encoding == _SINGLE_BYTES else "strict"
    return io.TextIOWrapper(file, encoding=encoding, errors=errors)


def _encoding(where: object, file: BinaryIO) -> str:
    head = file.read(4096)
    if head.startswith(_NOT_PLAIN):
        raise InputError(
            f"{where} is a document, plain text is needed.", hint="Save it as plain text, UTF-8."
        )
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    for encoding in [marked] if marked else [*_unmarked(head), "utf-8", _SINGLE_BYTES]:
        file.seek(0)
        odd = _first_oddity(file, encoding)
        if odd is None:
            return encoding
    raise InputError(f"{where} is not text ({odd}).", hint=_HINT)


def _unmarked(head: bytes) -> list[str]:
    """Return the encoding, UTF-16 or UTF-32, that text without a byte order mark seems to have.

    In UTF-32 every fourth byte is zero, and the byte beside it is a plane from 0 to 16. In UTF-16 most
    letters of western text have a zero as every other byte.
    """
    wide = len(head) // 4 * 4
    for top, plane, name in ((3, 2, "utf-32-le"), (0, 1, "utf-32-be")):
        if wide and not any(head[top:wide:4]) and max(head[plane:wide:4]) <= 0x10:
            return [name]
    pairs = len(head) // 2
    low, high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if max(low, high) <= pairs // 2 or not pairs:
        return []
    return ["utf-16-le"] if high > low else ["utf-16-be"]


def _first_oddity(file: BinaryIO, encoding: str) -> str | None:
    """Return a description of the first part of `file` that is not text in `encoding`, None for text."""
    errors = "talk-iso" if encoding == _SINGLE_BYTES else "strict"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    at = 0
    try:
        while True:
            block = file.read(_BLOCK)
            words = decoder.decode(block, not block)
            if odd := _NO_TEXT.search(words):
                return f"it holds the character {ord(odd[0]):#04x}, {at + odd.start()} characters in"
            if not block:
                return None
            at += len(words)
    except UnicodeError as error:
        return str(error)
