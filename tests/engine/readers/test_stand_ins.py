"""What lies in a file's place is named, whatever reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.readers.npy import map_array, read_floats
from talkcli.engine.readers.safe_pickle import read_pickle
from talkcli.engine.readers.stand_ins import stand_in
from talkcli.engine.readers.text import read_text

_LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1234\n"
_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in - Big Drive</title></head><body>" + b"x" * 9000
STAND_INS = {
    "lfs": (_LFS, "git-lfs pointer for 1234 bytes"),
    "lfs with windows' line ends": (_LFS.replace(b"\n", b"\r\n"), "git-lfs pointer for 1234"),
    "lfs with a mark": (b"\xef\xbb\xbf" + _LFS, "git-lfs pointer"),
    "lfs before its name": (_LFS.replace(b"git-lfs.github.com", b"hawser.github.com"), "git-lfs pointer"),
    "annex": (b"/annex/objects/SHA256E-s77--abc.wav\n", "git-annex pointer"),
    "annex link": (b"../.git/annex/objects/Xx/0f/SHA256E-s7--abc.npz", "git-annex pointer"),
    "xet": (b"# xet version 0\nfilesize = 7\n", "git-xet pointer"),
    "html": (_HTML, "web page.*Sign in - Big Drive"),
    "html in capitals": (b"\r\n  <HTML><HEAD>", "web page"),
    "html after a comment": (b"<!-- saved from url -->\n<html>", "web page"),
    "xhtml": (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">', "web page"),
    "html in utf-16": ("<!doctype html><title>Login</title>".encode("utf-16"), "web page.*Login"),
    "html with a mark": (b"\xef\xbb\xbf<!doctype HTML>", "web page"),
    "head": (b"<head><meta charset=utf-8>", "web page"),
    "script": (b"<script>window.location='/login'</script>", "web page"),
    "s3": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "XML: 'AccessDenied'"),
    "json": (b'{"message": "Not Found", "documentation_url": "x"}', "JSON: 'Not Found'"),
    "json error": (b'{"error":{"code":403}}', "JSON"),
    "json error list": (b'[{"error": "gone"}]', "JSON: 'gone'"),
    "json detail": (b'\n {\n "detail" : "Authentication credentials were not provided."}', "JSON"),
    "json status": (b'{"timestamp":1,"status":404,"error":"Not Found"}', "JSON: 'Not Found'"),
    "zeros": (b"\0" * 5000, "nothing but 5000 zero bytes"),
    "one zero": (b"\0", "nothing but 1 zero bytes"),
    "many zeros": (b"\0" * 3_000_000, "nothing but 3000000 zero bytes"),
    "mac": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X", "macOS"),
    "windows": (b"L\x00\x00\x00\x01\x14\x02\x00\0\0", "Windows shortcut"),
    "url": (b"[InternetShortcut]\r\nURL=https://x\r\n", "shortcut"),
}
PLAIN = {
    "github": (b"404: Not Found", "404: Not Found"),
    "hub": (b"Entry not found", "Entry not found"),
    "hub login": (b"Invalid credentials in Authorization header", "Invalid credentials"),
    "nginx": (b"502 Bad Gateway\n", "502"),
    "access": (b"Access denied", "Access denied"),
    "many": (b"Too Many Requests", "Too Many"),
    "http": (b"HTTP/1.1 403 Forbidden\r\n", "403"),
}


@pytest.mark.parametrize(("content", "named"), (STAND_INS | PLAIN).values(), ids=(STAND_INS | PLAIN).keys())
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("clip.npy", read_floats),
        ("clip.npy", map_array),
        ("clip.npz", read_motion),
        ("clip.pkl", read_pickle),
    ],
)
def test_readers_name_it(
    tmp_path: Path, content: bytes, named: str, name: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name} is .*{named}.*not the file itself"):
        read(path)


@pytest.mark.parametrize(("content", "named"), STAND_INS.values(), ids=STAND_INS.keys())
def test_in_place_of_words_too(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "said.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=named):
        read_text(path)


@pytest.mark.parametrize(("content", "named"), PLAIN.values(), ids=PLAIN.keys())
def test_words_may_be_those_of_an_error(content: bytes, named: str) -> None:
    assert named in content.decode()
    assert stand_in(io.BytesIO(content), text=True) is None


@pytest.mark.parametrize(
    "content", [ b"", b"RIFF\0\0\0\0WAVE", b"\0" * 4096 + b"\1", b"\0\0\0\x18ftypmp42", b"\x93NUMPY\1\0",
    b"PK\3\4", b'{"id": "a", "text": "x", "error": 1}', b"(dp0\nS'x'\np1\nL5L\ns.", b"ID3\3\0\0\0\0\0\0",
    b"\x80\x04]", b"\x1aE\xdf\xa3", b"OggS\0", b"fLaC\0\0", b"id,emotion\n", b"Timecode,BlendshapeCount\n",
    b"<p> hello", b"[laughter] hello", b"version two of this speech", b"The annex is here.", b"<unk> well",
    b"{\x00\0\0\0\0\0\0{}", b'{"__metadata__": {}}', b"I get no error message", ],
)  # fmt: skip
def test_what_is_the_file_itself(content: bytes) -> None:
    stream = io.BytesIO(content)
    assert stand_in(stream) is None
    assert stream.tell() == 0
