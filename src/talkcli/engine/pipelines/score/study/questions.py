"""What raters of a study are asked about each pair of videos.

Comparisons on five points, as DEEPTalk's study has them for emotion and lips (its Figure 5 and Table B, after
Stan et al. 2023 and Daněček et al. 2023). The other questions answer the criticism that two are too few: it
asks for realism, naturalness, enjoyment and diversity as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from talkcli.engine.errors import UsageError

QUESTIONS: dict[str, str] = {
    "emotion": "In which video does the expression of the face fit the emotion in the voice better?",
    "lips": "In which video do the lips fit the speech better?",
    "naturalness": "In which video does the face move more naturally?",
    "diversity": "In which video are the movements of the face more varied?",
    "realism": "Which video looks more like a real person?",
    "enjoyment": "Which video would you rather watch?",
}
USUAL = ("emotion", "lips", "naturalness", "diversity")
# Answers 1 to 5.
SCALE = ("Left, clearly", "Left, slightly", "No difference", "Right, slightly", "Right, clearly")
MIDDLE = 3


def chosen_questions(names: Sequence[str]) -> list[str]:
    """Return `names` without repeats. Raises UsageError for an unknown name, and for none."""
    if not names:
        raise UsageError("A study needs one question or more in `questions`.")
    for name in names:
        if name not in QUESTIONS:
            near = difflib.get_close_matches(name, QUESTIONS, n=1)
            raise UsageError(
                f"There is no question called {name}.",
                hint=f"Did you mean {near[0]}?" if near else f"Questions: {', '.join(QUESTIONS)}.",
            )
    return list(dict.fromkeys(names))
