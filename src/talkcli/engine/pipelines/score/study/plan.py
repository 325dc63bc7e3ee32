"""The plan of a study: which pairs a rater sees, in which order, on which sides, and the checks between them.

A plan has several forms, and each rater gets one of them. Forms come in twos: the second has the pairs of the
first with sides exchanged, in another order, so that neither side nor place in the order favours a method.
Within a study every pair and clip occurs equally often, give or take one form's share.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from talkcli.engine.errors import UsageError

# Number of forms.
NUM_FORMS = 12
KINDS = ("pair", "told", "same", "late")


def make_forms(
    num_methods: int,
    num_clips: int,
    *,
    trials: int,
    checks: int,
    late_clips: list[int],
    seed: int,
) -> list[list[dict[str, Any]]]:
    """Return the steps of every form, ready for JSON.

    A step has a `kind`, a `clip`, and the methods on the `left` and on the `right`. Kinds of checks: `told`
    (the page says which answer to give: `want`), `same` (both sides show the same video), and `late` (both
    show the same video, and the sound of the side `late` is a second late).

    Args:
        num_methods: Number of methods.
        num_clips: Number of clips.
        trials: Largest number of pairs in a form.
        checks: Number of checks in a form.
        late_clips: Clips that the check `late` may show; empty for none.
        seed: Seed of every choice.

    Raises:
        UsageError: For fewer than one trial or a negative number of checks.
    """
    if trials < 1 or checks < 0:
        raise UsageError("A study needs `trials=1` or more, and `checks=0` or more.")
    rng = np.random.default_rng(seed)
    pairs = list(combinations(range(num_methods), 2))
    everything = [(pair, clip) for pair in pairs for clip in range(num_clips)]
    everything = [everything[index] for index in rng.permutation(len(everything))]
    count = min(trials, len(everything))
    forms = []
    for base in range(NUM_FORMS // 2):
        chosen = [everything[(base * count + index) % len(everything)] for index in range(count)]
        flips = rng.permutation(np.arange(count) % 2)
        extra = _checks(num_methods, num_clips, checks, late_clips, rng)
        for mirrored in (0, 1):
            steps = [
                {
                    "kind": "pair",
                    "clip": clip,
                    "left": pair[flip ^ mirrored],
                    "right": pair[1 - flip ^ mirrored],
                }
                for (pair, clip), flip in zip(chosen, flips.tolist(), strict=True)
            ]
            forms.append(_mixed([steps[index] for index in rng.permutation(count)], extra, rng))
    return forms


def _checks(
    num_methods: int, num_clips: int, checks: int, late_clips: list[int], rng: np.random.Generator
) -> list[dict[str, Any]]:
    kinds = ["told", "same", *(["late"] if late_clips else [])]
    found = []
    for index in range(checks):
        kind = kinds[index % len(kinds)]
        clip = int(rng.choice(late_clips)) if kind == "late" else int(rng.integers(num_clips))
        left, right = (int(method) for method in rng.choice(num_methods, 2, replace=False))
        step: dict[str, Any] = {"kind": kind, "clip": clip, "left": left, "right": right}
        if kind == "told":
            step["want"] = int(rng.choice([1, 2, 4, 5]))
        else:
            # The late copy is made of the first method's video.
            step["left"] = step["right"] = 0 if kind == "late" else left
        if kind == "late":
            step["late"] = str(rng.choice(["left", "right"]))
        found.append(step)
    return found


def _mixed(
    steps: list[dict[str, Any]], checks: list[dict[str, Any]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the steps with checks at random places, none of them the first."""
    for check in checks:
        steps.insert(int(rng.integers(1, len(steps) + 1)), check)
    return steps
