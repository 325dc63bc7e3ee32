"""Attacks on what talk score study-results reads: answers that raters send, and reports of scores."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from tests.engine.pipelines.score.study.answers import CLIPS, METHODS, answer, result
from tests.fuzz import mutate, structured
from tests.fuzz.case import Case, Kind, common


def answers(drawn: Random, files: Path, folder: Path) -> Case:
    """The answers of two raters, one of which is edited or damaged."""
    checks = [answer(8, "told", want=3), answer(9, "same", right=0)]
    for number in (1, 2):
        document = result(number, [*(answer(clip, clip=clip) for clip in range(len(CLIPS))), *checks])
        (folder / f"{number}.json").write_text(json.dumps(document))
    note = _damage(drawn, folder / "2.json")
    return Case(argv=common(drawn, "score", "study-results", "1.json", "2.json"), note=note)


def scores(drawn: Random, files: Path, folder: Path) -> Case:
    """Reports of two methods, one of which is edited or damaged."""
    (folder / "r.json").write_text(
        json.dumps(result(1, [answer(clip, clip=clip) for clip in range(len(CLIPS))]))
    )
    for method in METHODS:
        cell = {"value": drawn.random(), "reason": None}
        report = {"clips": [{"id": clip, "metrics": {"lve_mm": cell}} for clip in CLIPS]}
        (folder / f"{method}.json").write_text(json.dumps(report))
    note = _damage(drawn, folder / f"{METHODS[1]}.json")
    given = [word for method in METHODS for word in ("--scores", f"{method}.json")]
    return Case(argv=common(drawn, "score", "study-results", "r.json", *given), note=note)


def _damage(drawn: Random, path: Path) -> str:
    content = path.read_bytes()
    if drawn.random() < 0.7:
        text, note = structured.edited_lines(drawn, content.decode())
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
    else:
        data, note, _ = mutate.damaged(drawn, content)
        path.write_bytes(data)
    return note


KINDS = (Kind("study-answers", 4, answers), Kind("study-scores", 3, scores))
