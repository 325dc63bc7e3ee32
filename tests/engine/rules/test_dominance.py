"""What becomes of claims: a long sound reaches its shape, lips round early, blocks change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.rules import dominance
from talkcli.engine.rules.dominance import Target, blended
from talkcli.engine.rules.visemes import ARTICULATORS, VISEMES


def said(*symbols: str, duration_s: float) -> list[Target]:
    return [
        Target(VISEMES[symbol], place * duration_s, (place + 1) * duration_s, 1.0)
        for place, symbol in enumerate(symbols)
    ]


def track(targets: list[Target], articulator: str, name: str) -> Float[np.ndarray, "steps"]:
    time = np.arange(round(targets[-1].end_s * STEP_HZ)) / STEP_HZ
    return blended(time, targets, articulator)[:, ARTICULATORS[articulator].index(name)]


def test_long_sounds_reach_their_shape_and_short_ones_less_so() -> None:
    wanted = VISEMES["AA"].pose["jawPitch"]
    long, short = (
        track(said("S", "AA", "S", duration_s=time_s), "jaw", "jawPitch") for time_s in (0.4, 0.05)
    )
    assert long.max() > 0.98 * wanted
    assert 0.3 * wanted < short.max() < 0.8 * wanted


def test_lips_round_before_the_jaw_moves() -> None:
    targets = said("IY", "UW", duration_s=0.4)
    rounding = track(targets, "round", "mouthPucker") / VISEMES["UW"].pose["mouthPucker"]
    targets = said("IY", "AA", duration_s=0.4)
    jaw = track(targets, "jaw", "jawPitch")
    opened = (jaw - jaw.min()) / np.ptp(jaw)
    assert np.argmax(rounding > 0.2) < np.argmax(opened > 0.2)


def test_a_diphthong_goes_from_one_vowel_to_the_other() -> None:
    (whole,) = said("AY", duration_s=0.3)
    parts = whole.in_parts()
    assert [part.viseme for part in parts] == [VISEMES["AA"], VISEMES["IH"]]
    assert (parts[0].start_s, parts[-1].end_s) == (0.0, pytest.approx(0.3))
    (simple,) = said("AA", duration_s=0.3)
    assert simple.in_parts() == [simple]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = said(*["AA", "S", "UW", "T"] * 40, duration_s=0.1)
    whole = track(targets, "round", "mouthPucker")
    monkeypatch.setattr(dominance, "_BLOCK_STEPS", 100)
    np.testing.assert_allclose(track(targets, "round", "mouthPucker"), whole, atol=1e-12)
