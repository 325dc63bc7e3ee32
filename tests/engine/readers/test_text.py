"""Text of whatever program wrote it, and what is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.readers.text import csv_rows, read_lines, read_text

_WORDS = "Ein naïver Café-Besitzer: größer,\nn°1 – œuvre"
_LATIN = "Ein naïver Café-Besitzer: größer,\nn°1"
_ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    "cp1252",
]


@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_end_gives_the_same_text(
    tmp_path: Path, encoding: str, line_end: str
) -> None:
    path = tmp_path / "said.lab"
    path.write_bytes(_WORDS.replace("\n", line_end).encode(encoding))
    assert read_text(path) == _WORDS
    assert list(read_lines(path)) == _WORDS.split("\n")


@pytest.mark.parametrize(
    "content",
    [
        _LATIN.encode("latin-1"),
        b"\xfe\xff" + _LATIN.encode("utf-16-be"),
        b"\xff\xfe" + _LATIN.encode("utf-16-le"),
        b"\xff\xfe\0\0" + _LATIN.encode("utf-32-le"),
        b"\0\0\xfe\xff" + _LATIN.encode("utf-32-be"),
        _LATIN.encode() + b"\x1a",
    ],
)
def test_marks_and_single_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert read_text(tmp_path / "a") == _LATIN


def test_what_windows_leaves_out_is_read_and_scripts_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for text in ("привет мир", "你好，世界", "مرحبا", "🙂 well", "a" * (1 << 20) + "é"):
        for encoding in ("utf-8", "utf-16", "utf-32"):
            path.write_bytes(text.encode(encoding))
            assert read_text(path) == text
        for encoding in ("utf-32-le", "utf-32-be"):
            path.write_bytes(text.encode(encoding))
            assert read_text(path) == text
    path.write_bytes(b"caf\xe9 \x9d")
    assert read_text(path) == "café \x9d"


@pytest.mark.parametrize(
    "content",
    [
        b"RIFF\x24\0\0\0WAVEfmt ",
        bytes(range(256)),
        b"\xff\xfe\0",
        b"words\0words",
        "half a letter".encode("utf-32-le")[:-1],
        "a bell \a".encode("utf-32-be"),
        # The 17th plane, and one beyond.
        b"a\0\0\0\0\0\x11\0",
        b"\0\x11\0\0\0\0\0a",
        b"ooBinaryFile\x08TextGrid",
        b"{\\rtf1\\ansi hello}",
        b"%PDF-1.4\nhello",
        b"PK\x03\x04 a word processor's file",
        b"\x93NUMPY\x01\x00",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"hello \x07 bell",
        b"good words " * 200_000 + b"\0",
    ],
)
def test_what_is_no_text_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.txt is (not text|a document)") as caught:
        read_text(tmp_path / "a.txt")
    assert len(caught.value.problem) < 400


def test_pipes_devices_folders_and_endless_files_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with (tmp_path / "huge").open("wb") as file:
        file.write(b"word ")
        file.truncate(1 << 40)
    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "line").write_bytes(b"x" * (3 << 20))
    paths = [tmp_path / name for name in ("pipe", "loop", "huge", "zeros", "absent", "", "a\0b")]
    for path in [*paths, Path("/dev/zero"), Path("/dev/null")]:
        for read in (read_text, lambda given: list(read_lines(given)), lambda given: list(csv_rows(given))):
            with pytest.raises(InputError):
                read(path)
    with pytest.raises(InputError, match="line 1 has more than"):
        list(read_lines(tmp_path / "line"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_as_spreadsheets_write_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(f'id{delimiter}who\r\n\r\nzoë{delimiter}"a ""b"""\r\n'.encode(encoding))
    assert list(csv_rows(path)) == [(1, ["id", "who"]), (3, ["zoë", 'a "b"'])]
    path.write_bytes(f'id{delimiter}who\n"open'.encode(encoding))
    with pytest.raises(InputError, match="line 2 is not readable CSV"):
        list(csv_rows(path))
