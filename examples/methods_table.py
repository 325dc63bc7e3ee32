"""Writes the tables of docs/methods/README.md.

talk methods --json | python examples/methods_table.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

GENERATORS = (
    "method", "paper", "takes", "controls", "makes", "parameters", "times real time", "is trained by",
    "builds on",
)  # fmt: skip
OTHERS = ("network", "paper", "is trained by", "builds on")


def tables(methods: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of two Markdown tables: the methods that make motion of speech, and the other networks.

    Args:
        methods: The rows of `talk methods --json`.
    """
    yield from table(
        GENERATORS,
        (
            (
                page(row),
                row["paper"],
                ", ".join(row["inputs"]),
                ", ".join(f"`{option(name)}`" for name in row["controls"]),
                {"either": "coefficients or vertices"}.get(row["motion"], row["motion"]),
                "" if row["parameters"] is None else f"{row['parameters'] / 1e6:.1f} M",
                speed(row["times_real_time"]),
                *training(row),
            )
            for row in methods
            if row["motion"]
        ),
    )
    yield ""
    yield from table(
        OTHERS, ((page(row), row["paper"], *training(row)) for row in methods if not row["motion"])
    )


def table(heading: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table; an empty cell is a dash."""
    yield f"| {' | '.join(heading)} |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        yield f"| {' | '.join(cell or '-' for cell in row)} |"


def page(row: dict[str, Any]) -> str:
    """Return the name of a method with a link to its page, seen from docs/methods/."""
    there = row["page"].removeprefix("methods/")
    return f"[{row['method']}]({there if there != row['page'] else f'../{there}'})"


def training(row: dict[str, Any]) -> tuple[str, str]:
    """Return the command that trains a method, and the parts that it can be given."""
    parts = (
        part["what"] + ("" if part["command"] is None else f" (`talk {part['command']}`)")
        for part in row["needs"]
    )
    return f"`talk {row['command']}`", "; ".join(parts)


def speed(times_real_time: dict[str, float]) -> str:
    """Return the speed to three digits, each with the name of its setting, if that has one."""
    return ", ".join(
        f"{found:.3g}" + ("" if way == "default" else f" ({way})") for way, found in times_real_time.items()
    )


def option(parameter: str) -> str:
    """Return the option of a parameter."""
    return f"--{parameter.replace('_', '-')}"


if __name__ == "__main__":
    print("\n".join(tables(json.load(sys.stdin)["methods"])))
