"""docs/datasets.md has a row and a section for every data set of `talk preprocess`, in alphabetical order."""

from __future__ import annotations

import re
from pathlib import Path

from talkcli.engine.pipelines.preprocess import DATA_SETS

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
# Chosen from other sets, and so no adapter of its own.
CHOSEN = "emovox"


def test_rows_and_sections() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| \[[^]]+\]\(#([\w-]+)\) \|", PAGE, re.MULTILINE)
    commands = [command for command, _ in rows]
    assert commands == sorted([*DATA_SETS, CHOSEN])
    running, *sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert running == "Running"
    assert sections == sorted(sections, key=str.lower)
    # As GitHub makes anchors of headings.
    anchors = [re.sub(r"[^\w -]", "", section.lower()).replace(" ", "-") for section in sections]
    assert sorted(anchor for _, anchor in rows) == sorted(anchors)
    for command, anchor in rows:
        section = PAGE.split(f"\n## {sections[anchors.index(anchor)]}\n")[1].split("\n## ")[0]
        assert section.startswith(f"`talk preprocess {command} "), command
        assert "Licence" in section or command in ("folder", CHOSEN), command
