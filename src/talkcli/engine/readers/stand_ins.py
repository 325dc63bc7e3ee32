"""Stand-ins: files that a failed download, clone or copy leaves in place of the real file.

Stand-ins are git-lfs, git-xet and git-annex pointers, web pages (most often a login page), a server's error
as JSON, XML or plain text, shortcuts to the file, macOS's AppleDouble files, and zeros. The first bytes
identify them; a reader of the real format would wrongly call them damaged.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, NamedTuple

from talkcli.engine.errors import InputError

# Number of bytes at the beginning of a file that identify a stand-in.
_HEAD_BYTES = 4096
# Number of zero bytes after which a file counts as zeros: an interrupted copy may be preallocated with
# gigabytes of them, which need not all be read.
_MOST_ZEROS = 1 << 24
# Number of bytes that are read at a time when zeros are counted.
_BLOCK = 1 << 20
# Number of characters of a server's text that a message quotes.
_SHOWN = 60

_AGAIN = "Download it again, logged in where the site asks for it, and check what was saved."
# Beginning of the text of a pointer, the program that wrote the pointer, and the next step.
_POINTERS = (
    (
        re.compile(r"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/"),
        "git-lfs",
        "Run git lfs pull in the repository, or download the file itself.",
    ),
    (re.compile(r"# xet version "), "git-xet", "Download the file itself."),
    (
        re.compile(r"[^\n]{0,300}\bannex[/\\]objects[/\\]"),
        "git-annex",
        "Run git annex get in the repository, or download the file itself.",
    ),
)
_SIZE = re.compile(r"^size (\d{1,20})\s*$", re.MULTILINE)
_COMMENTS = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,2000}?-->\s*)*", re.DOTALL)
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|meta|title|iframe|form|center)\b", re.IGNORECASE
)
_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,200}?)\s*</title", re.IGNORECASE)
_XML_ERROR = re.compile(r"<(?:\w+:)?(?:Error|ErrorResponse|Fault|Envelope)\b", re.IGNORECASE)
_XML_CODE = re.compile(r"<(?:Code|faultstring|Message)>\s*([^<]{1,200}?)\s*<", re.IGNORECASE)
_JSON_ERROR = re.compile(
    r'"(?:error|errors|message|detail|details|error_\w{1,30}|errorMessage|statusCode|documentation_url|fault)"\s*:'
    r'\s*(?:"([^"]{0,200}))?'
)
_HTTP_ERROR = re.compile(
    r"(?:error:?\s*)?(?:http[ /.\d]*\s*)?(?:4\d\d|5\d\d)\b|(?:\w+ )?(?:not found|access denied|forbidden|"
    r"unauthori[sz]ed|bad gateway|service unavailable|too many requests|invalid credentials|"
    r"invalid username or password|gateway time-?out|internal server error|permission denied|"
    r"access to \w+ .{0,100} is restricted)\b",
    re.IGNORECASE,
)
# First bytes of stand-ins that are not text, and what these files are.
_MAGIC = (
    (b"\x00\x05\x16\x07", "macOS's metadata of a file (AppleDouble)"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut"),
)
_SHORTCUT = re.compile(
    r"\[InternetShortcut\]|\[Desktop Entry\]|<\?xml.{0,300}<plist.{0,300}<key>URL", re.DOTALL
)


class StandIn(NamedTuple):
    """Stand-in that was found in place of a file."""

    what: str
    """Kind of the stand-in, with its article, for messages."""
    hint: str
    """Next step for the user."""


def refuse_stand_in(path: object, file: BinaryIO | io.BytesIO, *, text: bool = False) -> None:
    """Raise InputError, which names `path`, when `file` holds a stand-in; else leave `file` at its beginning.

    With `text` the caller expects a text file: short plain-text messages pass.
    """
    found = stand_in(file, text=text)
    if found is not None:
        raise InputError(f"{path} is {found.what}, not the file itself.", hint=found.hint)


def stand_in(file: BinaryIO | io.BytesIO, *, text: bool = False) -> StandIn | None:
    """Return the stand-in that `file` holds, None when it holds none, and leave `file` at its beginning."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    found = _zeros(head, file) if head and not head.strip(b"\0") else _recognised(head, text=text)
    file.seek(0)
    return found


def _zeros(head: bytes, file: BinaryIO | io.BytesIO) -> StandIn | None:
    num_zeros = len(head)
    while num_zeros < _MOST_ZEROS and (block := file.read(_BLOCK)):
        if block.strip(b"\0"):
            return None
        num_zeros += len(block)
    whole = "nothing but" if num_zeros < _MOST_ZEROS else "more than"
    return StandIn(
        f"{whole} {num_zeros} zero bytes",
        "The copy or download was not finished: get the file again.",
    )


def _recognised(head: bytes, *, text: bool) -> StandIn | None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            return StandIn(what, "Give the file that it belongs to.")
    words = _words(head)
    if words is None:
        return None
    found = _pointer(words) or _answer(words)
    # A longer text is not an error message, and where the caller expects text a short one may be the content.
    if found is None and not text and len(head) < _HEAD_BYTES // 4 and _HTTP_ERROR.match(words):
        found = StandIn(f"a server's error ({words.strip()[:_SHOWN]!r})", _AGAIN)
    return found


def _pointer(words: str) -> StandIn | None:
    """Return the stand-in for a pointer or shortcut, which states where the real file is."""
    for pattern, name, hint in _POINTERS:
        if pattern.match(words):
            size = _SIZE.search(words)
            stands_for = f" for {size[1]} bytes" if size else ""
            return StandIn(f"a {name} pointer{stands_for}", hint)
    if _SHORTCUT.match(words):
        return StandIn("a shortcut to the file", "Give the file that it leads to.")
    return None


def _answer(words: str) -> StandIn | None:
    """Return the stand-in for a server's answer to the request for the file (HTML, XML or JSON)."""
    begin = _COMMENTS.match(words)
    start = words[begin.end() if begin else 0 :]
    if _HTML.match(start):
        return StandIn(f"a web page (HTML{_quoted(_TITLE.search(words), ', titled')})", _AGAIN)
    if _XML_ERROR.match(start):
        return StandIn(f"a server's error in XML{_quoted(_XML_CODE.search(words), ':')}", _AGAIN)
    said = _JSON_ERROR.search(words) if start.startswith(("{", "[{")) else None
    # A clip's own JSON may hold a key such as "message", but it holds the key "id" before it.
    if said and '"id"' not in words[: said.start()]:
        return StandIn(f"a server's error in JSON{_quoted(said, ':')}", _AGAIN)
    return None


def _words(head: bytes) -> str | None:
    """Return the beginning of a file as text, None when it is not text."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        words = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        words = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    words = words.lstrip()
    return None if re.search(r"[\0-\x08\x0e-\x1f]", words) else words


def _quoted(found: re.Match[str] | None, before: str) -> str:
    said = " ".join((found[1] or "").split()) if found else ""
    return f"{before} {said[:_SHOWN]!r}" if said else ""
