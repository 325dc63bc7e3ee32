"""The judge tells an option from the value of another option."""

from __future__ import annotations

import pytest

from tests.fuzz.judge import json_parsed


@pytest.mark.parametrize(
    ("argv", "parsed"),
    [
        (("score", "ada.npz", "--json"), True),
        (("preprocess", "shards", "corpus", "--out", "out", "--json", "--quiet"), True),
        (("preprocess", "shards", "corpus", "--out", "--json"), False),
        (("animate", "hello.wav", "-o", "--json"), False),
        (("preprocess", "shards", "corpus", "--out", "--json", "--json"), True),
        (("score", "--quiet", "--json"), True),
        (("score", "ada.npz", "--", "--json"), False),
        (("preprocess", "shards", "corpus", "--out=out", "--json"), True),
    ],
)
def test_json_is_an_option_only_where_no_other_option_takes_it(argv: tuple[str, ...], parsed: bool) -> None:
    assert json_parsed(argv) is parsed
