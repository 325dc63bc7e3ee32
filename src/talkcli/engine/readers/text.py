"""Text files of whatever program wrote them: UTF-8, UTF-16 and UTF-32 with a byte order mark or without, and
Windows' and ISO's single bytes.

Line ends become newlines. What is no text is refused, before it is read as a whole. All errors are
InputErrors that name the file.
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

# The words of a day of speech, and its TextGrid.
LARGEST_BYTES = 1 << 26
# Lists of a million clips.
LARGEST_LIST_BYTES = 1 << 32
_LONGEST_LINE = 1 << 20
_BLOCK = 1 << 20
# Longer marks first: that of UTF-32 begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# Tab, line ends, form feed; DOS ends files with 0x1a.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f\x7f\ufffe\uffff]")
# Word processors' files, and Praat's binary ones.
_NOT_PLAIN = (b"{\\rtf", b"%PDF-", b"PK\x03\x04", b"ooBinaryFile")
_HINT = "Save it as plain text, UTF-8."
_SINGLE_BYTES = "cp1252"


def _iso(error: UnicodeError) -> tuple[str, int]:
    """Return the five bytes that Windows leaves out are ISO's control characters."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("talk-iso", _iso)


def read_text(path: Path, *, largest: int = LARGEST_BYTES) -> str:
    """Return the text of `path`, of at most `largest` bytes, without a byte order mark.

    Raises InputError for what is no regular file, no text, or larger.
    """
    with open_text(path, largest=largest) as file:
        return file.read().rstrip("\x1a")


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a list of any length, without their ends. Raises InputError as `read_text`, and for
    a line of more than 1 MiB.
    """
    with open_text(path, largest=LARGEST_LIST_BYTES) as file:
        number = 0
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise InputError(f"{path}, line {number} has more than {_LONGEST_LINE} characters.")
            yield line.rstrip("\n").rstrip("\x1a")


def csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of its last line, and the cells, of every row that is not empty. Cells are parted by
    commas; where the first line has none, by semicolons or tabs, as spreadsheets write them.

    Raises InputError as `read_text`, and for what is no CSV.
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
    """Return `path`, decoded while it is read; all of it has been found to be text. Raises InputError as
    `read_text` does.
    """
    file = open_file(path, text=True)
    try:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            raise InputError(
                f"{path} has {size} bytes, more than the {largest} that are read of such a file."
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
    """Return UTF-32 without a mark shows in every fourth byte, which is zero beside one of 0 to 16, the last
    plane; UTF-16 in letters of one byte: every other byte is zero.
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
    """Return what in all of `file` is no text in `encoding`."""
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
