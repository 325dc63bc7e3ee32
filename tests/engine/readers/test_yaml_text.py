"""YAML by hand: plain values as YAML 1.2 has them; hostile documents are in tests/test_config.py."""

from __future__ import annotations

from typing import Any

import pytest

from talkcli.engine.readers.yaml_text import parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing", None),
        ("~", None),
        ("3", 3),
        ("+1_000", 1000),
        ("010", 10),
        ("-0.5e-3", -0.0005),
        ("1e3", 1000.0),
        ("'3'", "3"),
        ('"yes"', "yes"),
        ("yes", True),
        ("Off", False),
        ("oFF", "oFF"),
        ("2001-12-14", "2001-12-14"),
        ("12:30:00", "12:30:00"),
        ("0x1F", "0x1F"),
        ("=", "="),
        ("[1, [a, null], {b: }]", [1, ["a", None], {"b": None}]),
        ("a:\n  - b: 1\n    c: 2\nd: |\n  text\n", {"a": [{"b": 1, "c": 2}], "d": "text\n"}),
        ("on: 1\n2: x\nnull: y\n'<<': z", {"on": 1, "2": "x", "null": "y", "<<": "z"}),
        ("? a\n: 1", {"a": 1}),
    ],
)
def test_plain_values(text: str, value: Any) -> None:
    found = parse_yaml(text)
    assert found == value
    assert type(found) is type(value)


def test_where_it_is_wrong_is_told() -> None:
    with pytest.raises(ValueError, match="the key b stands there twice, line 3, column 3"):
        parse_yaml("a:\n  b: 1\n  b: 2\n")
    with pytest.raises(ValueError, match="line 2, column 1"):
        parse_yaml("a: [\n")


def test_as_deep_as_it_may_be() -> None:
    assert parse_yaml("[" * 32 + "]" * 32)
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        parse_yaml("[" * 33 + "]" * 33)
    with pytest.raises(ValueError, match="5 characters, more than 4"):
        parse_yaml("[1,2]", longest=4)
