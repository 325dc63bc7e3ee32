"""What the score's own rows tell apart on the vertices of ada: late lips, muted brows, jitter."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.pipelines.score.clip import score_clip
from talkcli.engine.types import Alignment, Motion, Phone, Speech

FRAMES, EXTRA, FPS = 150, 20, 25.0
# Syllables of 14 frames: the lips meet in the first four, for a p.
SYLLABLE, CLOSED = 14, 4
SHIFTS = (0, 1, 3, 8)
BROWS = [index for index, name in enumerate(ADA) if name.startswith("brow")]
JAW = ADA.index("jawPitch")
METRICS = [
    "mtm_ms", "envelope_lag_ms", "sync_r", "lve_mm", "fdd_m2", "bilabial_closure", "jerk_ratio_lips",
    "silence_closed", "mod_mm",
]  # fmt: skip


def coefficients() -> np.ndarray:
    """Syllables that open the jaw by unequal amounts, and brows that swing; `EXTRA` frames before frame 0."""
    draw = np.random.default_rng(0)
    coeffs = np.zeros((FRAMES + EXTRA, len(ADA)), np.float32)
    for start in range(EXTRA % SYLLABLE, len(coeffs) - SYLLABLE, SYLLABLE):
        open_frames = SYLLABLE - CLOSED
        bump = np.hanning(open_frames + 2)[1:-1]
        coeffs[start + CLOSED : start + SYLLABLE, JAW] = draw.uniform(0.1, 0.25) * bump
    swing = 0.3 + 0.3 * np.sin(0.3 * np.arange(len(coeffs))[:, None] + np.arange(len(BROWS)))
    coeffs[:, BROWS] = swing
    return coeffs


MADE = coefficients()


def phones() -> Alignment:
    found = []
    for start in range(0, FRAMES, SYLLABLE):
        middle, end = min(start + CLOSED, FRAMES), min(start + SYLLABLE, FRAMES)
        for symbol, first, last in (("P", start, middle), ("AA", middle, end)):
            if last > first:
                found.append(Phone(symbol=symbol, start_s=first / FPS, end_s=last / FPS))
    return Alignment(phones=tuple(found), method="aligned")


def speech() -> Speech:
    """Noise as loud as the mouth is open."""
    loud = MADE[EXTRA:, JAW].repeat(640)
    samples = np.random.default_rng(1).normal(0, 1, len(loud)) * loud
    return Speech(samples=samples.astype(np.float32))


def score(coeffs: np.ndarray) -> dict[str, float | None]:
    head = load_head("ada")
    takes = [
        Surface(Motion(coeffs=each, fps=FPS, head="ada", channels=ADA), head)
        for each in (coeffs, MADE[EXTRA:])
    ]
    reference = {"jerk_ratio_lips": 1.0}
    found = score_clip(takes[:1], takes[1], speech(), phones(), reference, METRICS)
    return {name: value.value for name, value in found.items()}


def number(found: dict[str, float | None], name: str) -> float:
    value = found[name]
    assert value is not None, name
    return value


@pytest.fixture(scope="module")
def right() -> dict[str, float | None]:
    return score(MADE[EXTRA:])


def test_later_lips_are_worse_for_timing(right: dict[str, float | None]) -> None:
    found = [right, *(score(MADE[EXTRA - shift : EXTRA - shift + FRAMES]) for shift in SHIFTS[1:])]
    assert [number(one, "envelope_lag_ms") for one in found] == [40.0 * shift for shift in SHIFTS]
    for name in ("mtm_ms", "lve_mm", "mod_mm"):
        values = [number(one, name) for one in found]
        assert all(one < other for one, other in pairwise(values)), (name, values)
    closures = [number(one, "bilabial_closure") for one in found]
    assert closures[0] == 1 and closures[3] < closures[0]


def test_muted_brows_are_worse_for_fdd_alone(right: dict[str, float | None]) -> None:
    half, still = MADE[EXTRA:].copy(), MADE[EXTRA:].copy()
    half[:, BROWS] *= 0.5
    still[:, BROWS] = 0.0
    found = [right, score(half), score(still)]
    values = [number(one, "fdd_m2") for one in found]
    assert values[0] == 0 and values[0] < values[1] < values[2]
    for name in ("bilabial_closure", "mtm_ms", "envelope_lag_ms", "mod_mm"):
        assert number(found[2], name) == pytest.approx(number(right, name), abs=1e-6), name


def test_jitter_is_worse_for_jerk_alone(right: dict[str, float | None]) -> None:
    shaken = MADE[EXTRA:].copy()
    shaken[:, JAW] += np.random.default_rng(2).normal(0, 0.002, FRAMES).astype(np.float32)
    found = score(shaken)
    assert number(found, "jerk_ratio_lips") > 1.2 * number(right, "jerk_ratio_lips")
    assert abs(number(found, "sync_r") - number(right, "sync_r")) < 0.02
    assert number(found, "envelope_lag_ms") == number(right, "envelope_lag_ms")
    assert number(found, "bilabial_closure") == number(right, "bilabial_closure")
    assert abs(number(found, "fdd_m2")) < 1e-9
