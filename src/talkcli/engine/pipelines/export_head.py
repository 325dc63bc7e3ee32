"""Export of a head without motion: an avatar to start with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.formats import FORMATS, check_distinct, check_output, format_of
from talkcli.engine.face.heads import head_file, load_head
from talkcli.engine.methods import resolve
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Reporter
from talkcli.engine.wording import parameter


def export_head(head_name: str | None, outs: Sequence[Path], reporter: Reporter) -> dict[str, Any]:
    """Write the head called `head_name` to every path of `outs`, and return them, ready for JSON.

    Raises UsageError where no head is named, or a format needs motion, and what `load_head` raises; before
    anything is written.
    """
    if head_name is None:
        raise UsageError(
            "There is neither a motion file nor a head to write.",
            hint="Give a motion file, or `head=ada` for an avatar without motion.",
        )
    for out in outs:
        if format_of(out).write_head is None:
            able = ", ".join(suffix for suffix, row in FORMATS.items() if row.write_head)
            raise UsageError(
                f"{parameter('out', out)} needs motion; a head without motion is written to {able} files.",
                hint="Name a motion file first.",
            )
        check_output(out, shot=Shot())
    check_distinct(outs, [head_file(head_name)])
    head = load_head(head_name)
    for done, out in enumerate(outs):
        reporter.progress("writing", done, len(outs))
        write = format_of(out).write_head
        assert write is not None
        resolve(write)(out, head)
    reporter.progress("writing", len(outs), len(outs))
    return {"command": "export", "outputs": [str(out) for out in outs], "head": head.name}
