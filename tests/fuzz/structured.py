"""Damage that knows the format: values in JSON, YAML and text, arrays of npz, heads of safetensors."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from random import Random
from typing import Any

import numpy as np

NUMBERS = (
    0, -1, 1, 2, 3, 7, 0.5, -0.0, 1e-300, 1e308, -1e308, 2**31, 2**53 + 1, 2**63, 2**64, 10**400, 99999999,
    float("nan"), float("inf"), float("-inf"),
)  # fmt: skip
TEXTS = (
    "", " ", "0", "-1", "nan", "inf", "null", "true", "../../outside/secret", "/etc/hostname", "a" * 5000,
    "\x00", "\ud800", "\u202e", "é", "日本", "\r\n", "%s%n", "{0}", "[bold]", "$(id)", "-rf", "CON", "a/b", "\\",
    "\x1b[2J", "1e999", "0x10", "1_000", "!!python/object:os.system", "1" * 5000,
)  # fmt: skip


def odd(drawn: Random, depth: int = 0) -> Any:
    """A value no reader should expect."""
    sort = drawn.randrange(10)
    if sort < 4:
        return drawn.choice(NUMBERS)
    if sort < 7:
        return drawn.choice(TEXTS)
    if sort == 7:
        return drawn.choice((None, True, False))
    if depth > 2:
        return []
    if sort == 8:
        return [odd(drawn, depth + 1) for _ in range(drawn.choice((0, 1, 2, 30)))]
    return {drawn.choice(TEXTS): odd(drawn, depth + 1) for _ in range(drawn.choice((0, 1, 3)))}


def edited(drawn: Random, document: Any) -> tuple[Any, str]:
    """`document` (of JSON) with one value changed, left out, added, renamed or nested; and what was done."""
    document = json.loads(json.dumps(document))
    places = _places(document)
    if not places:
        return odd(drawn), "whole"
    holder, key = drawn.choice(places)
    sort = drawn.choice(("value", "value", "value", "value", "drop", "add", "rename", "deep", "double"))
    if sort == "value":
        holder[key] = _near(drawn, holder[key]) if drawn.random() < 0.4 else odd(drawn)
    elif sort == "drop":
        del holder[key]
    elif sort == "double":
        holder[key] = [holder[key], holder[key]]
    elif isinstance(holder, dict) and sort == "add":
        holder[drawn.choice(TEXTS)] = odd(drawn)
    elif isinstance(holder, dict) and sort == "rename":
        holder[str(key) + "x"] = holder.pop(key)
    else:
        holder[key] = nested(drawn.choice((5, 90, 500)))
    return document, f"{sort} {str(key)[:40]}"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def _near(drawn: Random, value: Any) -> Any:
    """A value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return drawn.choice((0, -value, value + 1, value - 1, value * 2, value * 1000, 10**9, -1, value / 3))
    if isinstance(value, float):
        return drawn.choice((0.0, -value, value * 2, value / 1e9, value * 1e9, 1e308, float("nan")))
    if isinstance(value, str):
        return drawn.choice((value.upper(), value[:-1], value + "x", value[::-1], value * 50, ""))
    return drawn.choice(([], {}, None, [value]))


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    todo = [document]
    while todo:
        holder = todo.pop()
        items = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, value in list(items):
            found.append((holder, key))
            if isinstance(value, dict | list) and len(value) < 200:
                todo.append(value)
    return found


def dumped(value: Any) -> str:
    """JSON with what JSON lacks: NaN, infinities, numbers of any length, lone surrogates as escapes."""
    return json.dumps(value)


def edited_lines(drawn: Random, text: str) -> tuple[str, str]:
    """JSON lines: one of them edited, doubled, cut, moved, or something else put between."""
    lines = text.splitlines()
    at = drawn.randrange(max(len(lines), 1))
    sort = drawn.choice(("edit", "edit", "edit", "double", "cut", "move", "blank", "other"))
    if not lines:
        return dumped(odd(drawn)) + "\n", "other"
    if sort == "edit":
        document, note = edited(drawn, json.loads(lines[at]))
        lines[at], sort = dumped(document), note
    elif sort == "double":
        lines.insert(at, lines[at])
    elif sort == "cut":
        lines[at] = lines[at][: drawn.randrange(len(lines[at]) + 1)]
    elif sort == "move":
        lines.append(lines.pop(at))
    elif sort == "blank":
        lines.insert(at, drawn.choice(("", " ", "\x0c", "\ufeff", "// no", "{}", "[]", "null", "{" * 3000)))
    else:
        lines.insert(at, dumped(odd(drawn)))
    return "\n".join(lines) + drawn.choice(("\n", "\n", "", "\r\n")), sort


def edited_text(drawn: Random, text: str, words: tuple[str, ...] = ()) -> tuple[str, str]:
    """A text of lines and fields (CSV, TextGrid): one field or line changed."""
    lines = text.split("\n")
    at = drawn.randrange(len(lines))
    sort = drawn.choice(("field", "field", "field", "line", "swap", "double", "drop", "quote", "long"))
    separator = "," if "," in lines[at] else " "
    if sort == "field":
        fields = lines[at].split(separator)
        fields[drawn.randrange(len(fields))] = str(drawn.choice((*NUMBERS, *TEXTS, *words)))
        lines[at] = separator.join(fields)
    elif sort == "line":
        lines[at] = str(drawn.choice((*TEXTS, *words)))
    elif sort == "swap":
        other = drawn.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif sort == "double":
        lines[at:at] = lines[at : at + 1] * drawn.choice((1, 2, 300))
    elif sort == "drop":
        del lines[at : at + drawn.choice((1, 1, 5))]
    elif sort == "quote":
        lines[at] = lines[at].replace(separator, '"', 1)
    else:
        lines[at] += separator + "9" * drawn.choice((30, 5000, 200_000))
    return "\n".join(lines), sort


def encoded(drawn: Random, text: str) -> bytes:
    """Mostly UTF-8, sometimes what other systems write."""
    name = drawn.choice(("utf-8",) * 6 + ("utf-16", "utf-8-sig", "latin-1", "utf-16-le", "utf-32"))
    return text.encode(name, "surrogatepass" if name.startswith("utf") else "replace")


def edited_npz(drawn: Random, content: bytes, texts: tuple[str, ...] = ("meta",)) -> tuple[bytes, str]:
    """An npz with one array exchanged, left out or added; checksums fit."""
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    name = drawn.choice(list(arrays))
    if name in texts and drawn.random() < 0.7:
        document, note = edited(drawn, json.loads(str(arrays[name])) or {"a": 1})
        arrays[name] = np.array(dumped(document))
    else:
        note = drawn.choice(("drop", "add", "odd", "odd", "odd", "odd", "odd", "values"))
        if note == "drop":
            del arrays[name]
        elif note == "add":
            arrays[drawn.choice(("x", "../x", "é", "pose", "coeffs2"))] = odd_array(drawn, arrays[name])
        elif note == "values" and arrays[name].dtype.kind == "f" and arrays[name].size:
            flat = arrays[name].copy().reshape(-1)
            flat[drawn.randrange(flat.size)] = drawn.choice((np.nan, np.inf, 1e30, -1e30, 50.0, -0.5))
            arrays[name] = flat.reshape(arrays[name].shape)
        else:
            arrays[name] = odd_array(drawn, arrays[name])
    file = io.BytesIO()
    members = {key: value for key, value in arrays.items() if value.dtype.kind != "O"}
    np.savez_compressed(file, **members)  # type: ignore[arg-type]
    return file.getvalue(), f"{note} {name}"


def odd_array(drawn: Random, like: np.ndarray) -> np.ndarray:
    """Another type, shape or value in the place of `like`."""
    choices = (
        lambda: np.array(drawn.choice([value for value in NUMBERS if isinstance(value, float)])),
        lambda: np.array(drawn.choice(TEXTS).encode("utf-8", "replace").decode()),
        lambda: np.zeros((0,) * max(like.ndim, 1), like.dtype),
        lambda: like.astype("U8") if like.size < 10_000 else like,
        lambda: like.astype(np.complex64) if like.dtype.kind in "fiu" else np.array(1j),
        lambda: like.reshape(-1),
        lambda: like[None],
        lambda: like[..., None],
        lambda: np.concatenate([like.reshape(1, -1)] * 3, axis=0),
        lambda: like[:1] if like.ndim else like,
        lambda: like.astype(np.float16) if like.dtype.kind in "fiu" else np.array(True),
        lambda: like.astype(">f8") if like.dtype.kind in "fiu" else np.array([[1]]),
        lambda: np.zeros(like.shape, np.int64),
        lambda: np.full(like.shape, 2**62) if like.size < 10_000 else like,
        lambda: np.zeros((2, 2), "M8[s]"),
        lambda: np.zeros(3, [("a", "f4"), ("b", "i8")]),
    )
    with np.errstate(all="ignore"):
        return np.asarray(drawn.choice(choices)())


def npy_header(shape: str, kind: str = "<f4", tail: bytes = bytes(64)) -> bytes:
    """An .npy whose head promises what is not there."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text + b"\n" + tail


def zipped(members: dict[str, bytes], *, deflate: bool = True) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED if deflate else None)
    return file.getvalue()


def safetensors_parts(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The head as a document, and the bytes of all tensors."""
    length = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def safetensors(head: Any, tensors: bytes) -> bytes:
    packed = dumped(head).encode()
    return struct.pack("<Q", len(packed)) + packed + tensors


def edited_model(drawn: Random, content: bytes) -> tuple[bytes, str]:
    """A model file with one thing changed in its own header, or in that of safetensors."""
    head, tensors = safetensors_parts(content)
    if drawn.random() < 0.75:
        own = json.loads(head["__metadata__"]["talk"])
        # Without it whatever is edited would only ever be found by its checksum.
        own.pop("header_checksum", None)
        own, note = edited(drawn, own)
        head["__metadata__"]["talk"] = dumped(own)
    else:
        head, note = edited(drawn, head)
    return safetensors(head, tensors), note
