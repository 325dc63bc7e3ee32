"""Results of made-up raters, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

METHODS, CLIPS, QUESTIONS = ["ours", "theirs"], [f"clip{index}" for index in range(8)], ["emotion", "lips"]


def answer(step: int, kind: str = "pair", **changes: Any) -> dict[str, Any]:
    return {
        "step": step, "kind": kind, "clip": 0, "left": 0, "right": 1, "late": None, "want": None,
        "answers": dict.fromkeys(QUESTIONS, 3), "seconds": 9.5, "plays": [1, 2],
    } | changes  # fmt: skip


def result(number: int, answers: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "format": "talk-study-results", "version": 1,
        "study": {
            "id": "ab" * 8, "title": "A study", "methods": METHODS, "clips": CLIPS, "questions": QUESTIONS,
            "seed": 0,
        },
        "rater": f"{number:016x}", "code": "", "form": 0, "started": "a", "finished": "b", "answers": answers,
    } | changes  # fmt: skip


def preferring(number: int, lips: dict[int, int], rng: np.random.Generator) -> dict[str, Any]:
    """A rater who scores the lips of `ours` on each clip as `lips` says, on random sides."""
    answers = []
    for clip, score in lips.items():
        flipped = bool(rng.integers(2))
        value = score if flipped else 6 - score
        answers.append(
            answer(
                clip,
                clip=clip,
                left=int(flipped),
                right=int(not flipped),
                answers={"emotion": 3, "lips": value},
            )
        )
    return result(number, answers)


def write(folder: Path, documents: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, document in enumerate(documents):
        (folder / f"r{index:03d}.json").write_text(json.dumps(document))
    return folder
