"""Stack machine that reads a pickle into inert records: it imports nothing and calls nothing.

The machine knows the instructions that data of any protocol (0 to 5) needs, as CPython's `pickletools`
describes them, and refuses all others. It leaves long strings in the file and keeps only their positions, so
that gigabytes of arrays take no memory until somebody reads them.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, ClassVar

from talkcli.engine.readers.pickle_records import Global, Record, RefusedError, Span, decode

# Length in bytes of the longest string that the machine reads at once; longer ones become `Span`s.
LONGEST_INLINE = 256
# Length in bytes of the longest line of protocol 0.
_LONGEST_LINE = 1 << 28
# Length in bytes of the largest integer.
_LONGEST_INTEGER_BYTES = 32
# Greatest number of instructions. VOCASET's index of frames takes 0.4 million in protocol 0; a pickle with
# this many takes seconds and up to 500 MB.
_MOST_STEPS = 1 << 21
# Integer dictionary keys lie below this magnitude: huge integers can be chosen so that their hashes collide.
_LARGEST_KEY = 1 << 63
# Indices of the memo lie below this bound: Python counts from 0, and hashes of huge ones can collide.
_LARGEST_MEMO = 1 << 32
# Full name (module and attribute) that a global may have.
_NAME = re.compile(r"[\w.]{1,100}", re.ASCII)


def run(
    stream: BinaryIO | io.BytesIO,
    size: int,
    is_allowed: Callable[[str], bool],
    refer: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the content of the pickle at the current position of `stream`, and leave the stream behind it.

    The content is None, numbers, text, bytes, lists (also for sets), tuples and dictionaries of these,
    `Global`, `Record` and `Span`.

    Args:
        stream: File that holds the pickle.
        size: Size of the file in bytes; the pickle ends before it.
        is_allowed: Whether the pickle may name a global of this full name.
        refer: Returns the value of a persistent id; None refuses persistent ids.

    Raises:
        RefusedError: The pickle names a global that `is_allowed` refuses, or uses an instruction that data
            does not need. A malformed pickle raises this or any of ArithmeticError, LookupError, TypeError,
            ValueError, struct.error.
    """
    return _Machine(stream, size, is_allowed, refer).run()


class _Machine:
    def __init__(
        self,
        stream: BinaryIO | io.BytesIO,
        size: int,
        is_allowed: Callable[[str], bool],
        refer: Callable[[Any], Any] | None,
    ) -> None:
        self._stream, self._size, self._at = stream, size, stream.tell()
        self._is_allowed, self._refer = is_allowed, refer
        self._stack: list[Any] = []
        self._below_marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(_MOST_STEPS):
            code = self._take(1)
            if code == pickle.STOP:
                return self._stack.pop()
            step = self._STEPS.get(code)
            if step is None:
                raise RefusedError(f"it uses an instruction that data files do not need ({code!r})")
            step(self)
        raise RefusedError(f"it takes more than {_MOST_STEPS} steps")

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= self._size - self._at:
            raise RefusedError("it ends too early")
        self._at += count
        return self._stream.read(count)

    def _line(self) -> bytes:
        line = self._stream.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise RefusedError("it ends within a line")
        self._at += len(line)
        return line[:-1]

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _push_constant(self, make: Callable[[], Any]) -> None:
        self._push(make())

    def _push_number(self, form: str) -> None:
        self._push(self._number(form))

    def _push_integer(self, length_form: str) -> None:
        length = self._number(length_form)
        if length > _LONGEST_INTEGER_BYTES:
            raise RefusedError(f"it holds an integer of {length} bytes")
        self._push(int.from_bytes(self._take(length), "little", signed=True))

    def _push_integer_line(self) -> None:
        line = self._line().removesuffix(b"L")
        if len(line) > 3 * _LONGEST_INTEGER_BYTES:
            raise RefusedError(f"it holds an integer of {len(line)} digits")
        # Protocol 0 writes False as 00 and True as 01.
        self._push(line == b"01" if line in (b"00", b"01") else int(line))

    def _push_float_line(self) -> None:
        self._push(float(self._line()))

    def _push_string(self, length_form: str, coding: str) -> None:
        length = self._number(length_form)
        if length <= LONGEST_INLINE:
            self._push(decode(self._take(length), coding))
            return
        if length > self._size - self._at:
            raise RefusedError("it ends too early")
        self._push(Span(self._at, length, coding))
        self._at += length
        self._stream.seek(self._at)

    def _push_text_line(self, coding: str) -> None:
        start, line = self._at, self._line()
        if coding == "escaped":
            if len(line) < 2 or line[0] != line[-1] or line[:1] not in b"'\"":
                raise RefusedError("a string has no quotes around it")
            start, line = start + 1, line[1:-1]
        long = len(line) > LONGEST_INLINE
        self._push(Span(start, len(line), coding) if long else decode(line, coding))

    def _ignore(self, length: int) -> None:
        """Skip a protocol version, or a frame header, which only states how many bytes to read at once."""
        self._take(length)

    def _mark(self) -> None:
        self._below_marks.append(self._stack)
        self._stack = []

    def _pop_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._below_marks.pop()
        return items

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def _tuple(self, length: int) -> None:
        items = tuple(self._stack.pop() for _ in range(length))
        self._push(items[::-1])

    def _marked_tuple(self) -> None:
        items = tuple(self._pop_mark())
        self._push(items)

    def _marked_list(self) -> None:
        items = self._pop_mark()
        self._push(items)

    def _marked_dict(self) -> None:
        items = self._pop_mark()
        self._push({})
        self._set(items)

    def _append(self) -> None:
        self._extend([self._stack.pop()])

    def _appends(self) -> None:
        self._extend(self._pop_mark())

    def _extend(self, items: list[Any]) -> None:
        if isinstance(self._stack[-1], Record):
            return
        if not isinstance(self._stack[-1], list):
            raise RefusedError("it appends to something that is not a list")
        self._stack[-1].extend(items)

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set([key, value])

    def _set_items(self) -> None:
        self._set(self._pop_mark())

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Record):
            target = target.items
        if not isinstance(target, dict):
            raise RefusedError("it sets items of something that is not a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not _is_key(key):
                raise RefusedError(f"a dictionary has a key of type {type(key).__name__}")
            target[key] = value

    def _remember_at(self, form: str) -> None:
        self._memo[self._number(form)] = self._stack[-1]

    def _remember_at_line(self) -> None:
        number = int(self._line())
        if not 0 <= number < _LARGEST_MEMO:
            raise RefusedError("its memo has an index that no pickle needs")
        self._memo[number] = self._stack[-1]

    def _remember(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def _recall(self, form: str) -> None:
        self._push(self._memo[self._number(form)])

    def _recall_line(self) -> None:
        self._push(self._memo[int(self._line())])

    def _global(self) -> None:
        module, name = self._line().decode(), self._line().decode()
        self._push_global(module, name)

    def _stack_global(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._push_global(module, name)

    def _push_global(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise RefusedError("it asks to import something whose name is not text")
        full = f"{module}.{name}"
        # Errors show names on terminals, so control characters must not pass.
        if not _NAME.fullmatch(full):
            raise RefusedError(f"it asks to import something with the name {full[:100]!a}")
        if not self._is_allowed(full):
            raise RefusedError(f"it asks to import {full}")
        self._push(Global(full))

    def _call(self) -> None:
        args, call = self._stack.pop(), self._stack.pop()
        if not isinstance(call, Global) or not isinstance(args, tuple):
            raise RefusedError("it calls something that is not a named global")
        self._push(Record(call, args))

    def _call_with_names(self) -> None:
        self._stack.pop()
        self._call()

    def _persistent(self) -> None:
        self._stand_for(self._stack.pop())

    def _persistent_line(self) -> None:
        self._stand_for(self._line().decode())

    def _stand_for(self, identity: Any) -> None:
        if self._refer is None:
            raise RefusedError("it refers to external data (a persistent id)")
        self._push(self._refer(identity))

    def _build(self) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], Record):
            raise RefusedError("it sets the state of something that is not an object")
        self._stack[-1].state = state

    _STEPS: ClassVar[dict[bytes, Callable[[_Machine], object]]] = {
        pickle.PROTO: partial(_ignore, length=1),
        pickle.FRAME: partial(_ignore, length=8),
        pickle.NONE: partial(_push_constant, make=lambda: None),
        pickle.NEWTRUE: partial(_push_constant, make=lambda: True),
        pickle.NEWFALSE: partial(_push_constant, make=lambda: False),
        pickle.EMPTY_TUPLE: partial(_push_constant, make=tuple),
        pickle.EMPTY_LIST: partial(_push_constant, make=list),
        pickle.EMPTY_DICT: partial(_push_constant, make=dict),
        pickle.INT: _push_integer_line,
        pickle.LONG: _push_integer_line,
        pickle.LONG1: partial(_push_integer, length_form="<B"),
        pickle.LONG4: partial(_push_integer, length_form="<i"),
        pickle.BININT: partial(_push_number, form="<i"),
        pickle.BININT1: partial(_push_number, form="<B"),
        pickle.BININT2: partial(_push_number, form="<H"),
        pickle.FLOAT: _push_float_line,
        pickle.BINFLOAT: partial(_push_number, form=">d"),
        pickle.STRING: partial(_push_text_line, coding="escaped"),
        pickle.UNICODE: partial(_push_text_line, coding="raw_unicode_escape"),
        pickle.SHORT_BINSTRING: partial(_push_string, length_form="<B", coding="latin-1"),
        pickle.BINSTRING: partial(_push_string, length_form="<i", coding="latin-1"),
        pickle.SHORT_BINUNICODE: partial(_push_string, length_form="<B", coding="utf-8"),
        pickle.BINUNICODE: partial(_push_string, length_form="<I", coding="utf-8"),
        pickle.BINUNICODE8: partial(_push_string, length_form="<Q", coding="utf-8"),
        pickle.SHORT_BINBYTES: partial(_push_string, length_form="<B", coding="bytes"),
        pickle.BINBYTES: partial(_push_string, length_form="<I", coding="bytes"),
        pickle.BINBYTES8: partial(_push_string, length_form="<Q", coding="bytes"),
        pickle.BYTEARRAY8: partial(_push_string, length_form="<Q", coding="bytes"),
        pickle.MARK: _mark,
        pickle.POP: _pop,
        pickle.POP_MARK: _pop_mark,
        pickle.TUPLE: _marked_tuple,
        pickle.TUPLE1: partial(_tuple, length=1),
        pickle.TUPLE2: partial(_tuple, length=2),
        pickle.TUPLE3: partial(_tuple, length=3),
        pickle.LIST: _marked_list,
        pickle.DICT: _marked_dict,
        pickle.APPEND: _append,
        pickle.APPENDS: _appends,
        pickle.SETITEM: _set_item,
        pickle.SETITEMS: _set_items,
        pickle.PUT: _remember_at_line,
        pickle.BINPUT: partial(_remember_at, form="<B"),
        pickle.LONG_BINPUT: partial(_remember_at, form="<I"),
        pickle.MEMOIZE: _remember,
        pickle.GET: _recall_line,
        pickle.BINGET: partial(_recall, form="<B"),
        pickle.LONG_BINGET: partial(_recall, form="<I"),
        pickle.GLOBAL: _global,
        pickle.STACK_GLOBAL: _stack_global,
        pickle.REDUCE: _call,
        pickle.NEWOBJ: _call,
        pickle.NEWOBJ_EX: _call_with_names,
        pickle.BUILD: _build,
        pickle.PERSID: _persistent_line,
        pickle.BINPERSID: _persistent,
        pickle.EMPTY_SET: partial(_push_constant, make=list),
        pickle.ADDITEMS: _appends,
        pickle.FROZENSET: _marked_list,
    }


def _is_key(key: Any) -> bool:
    """Return whether `key` is a number, text, bytes, None or an object.

    Tuples are refused because hashing a deeply nested one overflows the C stack, and huge integers because
    their hashes can be made to collide.
    """
    if isinstance(key, int):
        return abs(key) < _LARGEST_KEY
    return isinstance(key, (str, bytes, float, type(None), Record))
