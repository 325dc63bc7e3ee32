"""The card of a data set, for people: what is in it, what was left out and why, and how it was made.

The card holds no date, so that equal data have equal cards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from talkcli.engine.data.motion_report import ODDITIES
from talkcli.engine.data.statistics import amount, group, torn_speakers
from talkcli.engine.files import atomic_path, real_path
from talkcli.engine.prepare.build import Built, Dropped
from talkcli.engine.version import __version__
from talkcli.engine.wording import counted

# Most kinds of reasons that the card lists.
_MOST_REASONS = 20
# Title of a table, its group of the statistics, and the header of the column of labels.
_TABLES = (
    ("Emotions", "emotions", "emotion"), ("Contents", "contents", "files"),
    ("Where motion comes from", "origins", "origin"),
    ("Sexes", "sexes", "sex"), ("Licences", "licences", "licence"),
    ("Frames per second", "rates", "fps"),
)  # fmt: skip
# The parts in which reasons of one kind differ: paths, names of files, numbers.
_SPECIFIC = re.compile(r"\S*/\S*|\S+\.\w+\b|[-+]?\d+(?:\.\d+)?")


def write_card(out: Path, built: Built, command: str, note: str = "") -> None:
    """Write `out`/CARD.md of the clips in `out`; `command` is the command that made them, `note` holds what
    else readers must know of all clips.
    """
    with atomic_path(out / "CARD.md") as temporary:
        temporary.write_text(_card(real_path(out).name, built, command, note), encoding="utf-8")


def _card(name: str, built: Built, command: str, note: str) -> str:
    entries = built.entries
    splits = group(entries, "splits", {})
    parts = [
        f"# {_plain(name)}",
        f"{counted(len(entries), 'clip')}, {amount(entries, built.seconds)}, "
        f"{counted(len({entry.speaker for entry in entries}), 'speaker')}. "
        f"Made by `{command}` of talk {__version__}. The fields of manifest.jsonl are described in "
        "docs/formats.md; `talk preprocess check` verifies the files, `talk preprocess stats` measures them.",
        *([note] if note else []),
        "## Splits",
        _table(
            ("split", "clips", "speakers"),
            [(label, str(found.clips), str(found.speakers)) for label, found in splits.items()],
        ),
    ]
    torn = torn_speakers(entries)
    if torn:
        parts.append(f"Speakers in more than one split: {_plain(', '.join(torn))}.")
    for title, kind, header in _TABLES:
        rows = [
            (label, str(found.clips), f"{100 * found.clips / len(entries):.1f} %", str(found.speakers))
            for label, found in group(entries, kind, {}).items()
        ]
        parts += [f"## {title}", _table((header, "clips", "share", "speakers"), rows)]
    if built.oddities:
        rows = [(ODDITIES[odd.kind], str(len(odd.clips)), odd.clips[0], odd.text) for odd in built.oddities]
        parts += [
            "## Doubtful", "These clips are kept; report.jsonl has every clip's numbers.",
            _table(("what", "clips", "for example", "because"), rows),
        ]  # fmt: skip
    parts += ["## Left out", _left_out(built.dropped)]
    return "\n\n".join(parts) + "\n"


def _left_out(dropped: Sequence[Dropped]) -> str:
    if not dropped:
        return "Nothing."
    kinds: dict[str, list[Dropped]] = {}
    for item in dropped:
        kinds.setdefault(_SPECIFIC.sub("…", item.reason), []).append(item)
    ordered = sorted(kinds.values(), key=len, reverse=True)
    rows = [(str(len(items)), items[0].id, items[0].reason) for items in ordered[:_MOST_REASONS]]
    more = len(ordered) - len(rows)
    text = f"{counted(len(dropped), 'clip')}; every one is in quarantine.jsonl.\n\n"
    text += _table(("clips", "for example", "because"), rows)
    return text + (f"\n\nAnd {counted(more, 'more kind')} of reasons." if more else "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Return `text`, which may hold anything, on one line that adds no cell, tag or code to the table."""
    for sign, escaped in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;"), ("`", "\\`")):
        text = text.replace(sign, escaped)
    # File names need not be Unicode.
    return " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
