from __future__ import annotations

import json
from typing import Any

import pytest

from talkcli.engine.readers.json_text import parse_json


@pytest.mark.parametrize("document", [None, 1, "\u00e4", [1, {"a": [2.5, "x"]}], {"a": {"b": {}}}, 10**300])
def test_documents_arrive(document: Any) -> None:
    text = json.dumps(document)
    assert parse_json(text) == document
    assert parse_json(text.encode()) == document
    json.dumps(parse_json(text), allow_nan=False).encode()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "nope", b"\xff\xfe", "[1,]",
        "NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "[-1e400]",
        "9" * 5000, "-" + "9" * 400_000, '{"a": [' + "1" * 310 + "]}",
        '"\\ud800"', '{"\\udfff": 1}', '[["\\ud83d"]]',
        "[" * 100 + "]" * 100, "[" * 1_000_000, '{"a":' * 100_000, '{"a":' * 65 + "1" + "}" * 65,
        " " * (1 << 20) + "1",
    ],
)  # fmt: skip
def test_everything_else_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError) as caught:
        parse_json(text)
    assert len(str(caught.value)) < 2000
    assert "sys." not in str(caught.value)


def test_depth_and_length_at_the_border() -> None:
    assert parse_json("[" * 63 + "]" * 63)
    assert parse_json("[1]", longest=3) == [1]
    with pytest.raises(ValueError, match="4 characters, more than 3"):
        parse_json("[12]", longest=3)
