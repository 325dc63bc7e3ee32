"""The table of captured faces is what the measures give on motion whose numbers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from talkcli.engine.face.captured import TABLE, Captured, Gains, PhoneValues, captured
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.pipelines.captured import gains as fit
from talkcli.engine.pipelines.captured.phones import Said, neighbour_class, phone_values, windows
from talkcli.engine.pipelines.captured.table import write_table
from talkcli.engine.pipelines.captured.whole_face import Face, face_values, whole_face
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import SILENCE, SPEECH_RATE_HZ, Alignment, Motion, Phone, Speech

HEAD = load_head("ada")


def take(seconds: float, pose: np.ndarray | None = None, **channels: np.ndarray | float) -> Measured:
    coeffs = np.zeros((round(seconds * 25), 53), np.float32)
    for name, values in channels.items():
        coeffs[:, ADA.index(name)] = values
    return Measured(Surface(Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA, pose=pose), HEAD))


def phones(*symbols: str, duration_s: float) -> Alignment:
    said = [Phone(symbol, k * duration_s, (k + 1) * duration_s) for k, symbol in enumerate(symbols)]
    return Alignment(tuple(said), "aligned")


def test_values_at_the_middles_of_phones_by_symbol_and_neighbour() -> None:
    symbols = ["B", "AE", "T", "AE"] * 6
    jaw = np.repeat([{"B": 0.0, "AE": 0.2, "T": 0.05}[symbol] for symbol in symbols], 5)
    jaw[-5:] = 0.1
    said = Said(take=take(len(jaw) / 25, jawPitch=jaw), alignment=phones(*symbols, duration_s=0.2))
    found, beside = phone_values([said])
    assert (found["AE"].count, found["B"].count) == (12, 6)
    assert found["AE"].mean["jaw_rad"] == pytest.approx((11 * 0.2 + 0.1) / 12, abs=1e-4)
    assert found["AE"].sd["jaw_rad"] == pytest.approx(np.std([0.2] * 11 + [0.1]), abs=1e-4)
    assert found["T"].mean["gap_mm"] > 1 > abs(found["B"].mean["gap_mm"])
    assert beside["AE after closed"].mean["jaw_rad"] == pytest.approx(0.2, abs=1e-4)
    assert beside["AE after tongue"].mean["jaw_rad"] == pytest.approx((5 * 0.2 + 0.1) / 6, abs=1e-4)
    # Rows of fewer than five phones are left out.
    assert "AE before silence" not in beside
    assert neighbour_class(SILENCE) == "silence"


def test_windows_are_the_half_way_times_of_peaks() -> None:
    # A triangle of 0.2 s up and 0.4 s down: half way after 0.1 and, within the longest window, 0.15 s.
    up, down = np.linspace(0, 0.2, 6), np.linspace(0.2, 0, 11)[1:]
    jaw = np.concatenate([np.zeros(5), up, down, np.zeros(4)])
    said = Said(take=take(1.0, jawPitch=jaw), alignment=Alignment((Phone("AA", 0.36, 0.46),), "aligned"))
    found = windows([said])
    assert found["jaw_rad before"].quartiles[1] == pytest.approx(0.1, abs=0.02)
    assert found["jaw_rad after"].quartiles[1] == pytest.approx(0.15, abs=0.03)
    flat = Said(take=take(1.0, jawPitch=0.1), alignment=said.alignment)
    assert windows([flat]) == {}


def test_a_face_that_blinks_looks_and_turns() -> None:
    lids = np.zeros(250)
    for start in (50, 150):
        lids[start : start + 6] = (0.5, 1.0, 1.0, 0.75, 0.5, 0.25)
    pose = np.zeros((250, 3), np.float32)
    pose[:, 1] = np.radians(0.2) * np.arange(250)
    brow = 0.2 * (np.arange(250) % 125 > 110)
    face = Face(
        take=take(10.0, pose, eyeBlinkLeft=lids, eyeBlinkRight=lids, browInnerUp=brow, mouthSmileLeft=brow)
    )
    found = {name: spread.quartiles[1] for name, spread in whole_face([face, face]).items()}
    assert found["blinks_per_min"] == 12
    assert found["blink_full_share"] == 1
    assert found["blink_closing_s"] == pytest.approx(0.04)
    assert found["blink_shut_s"] == pytest.approx(0.08)
    assert found["blink_opening_s"] == pytest.approx(0.12)
    assert found["head_deg_s"] == pytest.approx(5, rel=1e-3)
    assert found["raises_per_min"] == 12
    assert found["brow_sd"] == pytest.approx(brow.std(), abs=1e-4)
    # The left smile alone: no pair but that one moves.
    assert found["asymmetry"] == pytest.approx(brow.mean(), abs=1e-4)
    # Without sound nothing is said of energy.
    assert "brow_energy_r" not in found


def test_two_blinks_that_follow_each_other_are_measured_apart() -> None:
    # The first has the longest run of lids that are not open, the second the longest of shut lids.
    lids = np.zeros(250)
    lids[50:56] = (0.5, 1.0, 0.75, 0.5, 0.35, 0.25)
    lids[58:63] = (0.5, 1.0, 1.0, 1.0, 0.5)
    found = face_values(Face(take=take(10.0, eyeBlinkLeft=lids, eyeBlinkRight=lids)))
    assert found["blinks_per_min"] == 12
    assert found["blink_closing_s"] == pytest.approx(0.04)
    assert found["blink_shut_s"] == pytest.approx((0.04 + 0.12) / 2)
    assert found["blink_opening_s"] == pytest.approx((0.16 + 0.04) / 2)


def test_a_face_with_equal_sides_still_has_a_head_and_one_without_a_head_has_sides() -> None:
    pose = np.zeros((50, 3), np.float32)
    pose[:, 1] = np.radians(0.2) * np.arange(50)
    even = face_values(Face(take=take(2.0, pose)))
    assert even["head_deg_s"] == pytest.approx(5, rel=1e-3)
    assert "turn_sd_deg" in even
    assert "asymmetry" not in even
    headless = face_values(Face(take=take(2.0, mouthSmileLeft=0.2 * np.arange(50) / 50)))
    assert "asymmetry" in headless
    assert not [name for name in headless if "deg_s" in name]


def test_the_fit_finds_the_factors_that_made_a_mouth(monkeypatch: pytest.MonkeyPatch) -> None:
    symbols = [SILENCE, *("T", "AE", "T", "IY", "T", "UW") * 5, SILENCE]
    alignment = phones(*symbols, duration_s=0.2)
    time = np.arange(round(len(symbols) * 0.2 * SPEECH_RATE_HZ)) / SPEECH_RATE_HZ
    words = [(Speech(samples=(0.1 * np.sign(np.sin(800 * time))).astype(np.float32)), alignment)]
    made = {"AE": Gains(opening=0.9), "UW": Gains(rounding=0.9)}
    filmed = phone_values(fit.performed(words, made))[0]
    monkeypatch.setattr(fit, "PRIOR_PHONES", 0)
    found = fit.fitted_gains(filmed, words)
    assert found["AE"].opening == pytest.approx(0.9, abs=0.04)
    assert found["UW"].rounding == pytest.approx(0.9, abs=0.04)
    assert found["IY"].opening == pytest.approx(1.0, abs=0.04)
    # Contacts and silence keep their shapes.
    assert found.keys() == {"AE", "IY", "T", "UW"}
    monkeypatch.setattr(fit, "PRIOR_PHONES", 1000)
    assert abs(fit.fitted_gains(filmed, words)["AE"].opening - 1) < 0.02


def test_goals_are_weighted_by_counts() -> None:
    seen, by_hand = (
        {"S": PhoneValues(count=count, mean={"gap_mm": gap, "width_mm": 50.0}, sd={})}
        for count, gap in ((10, 2.0), (99, 6.0))
    )
    expected = (10 * 2.0 + fit.PRIOR_PHONES * 6.0) / (10 + fit.PRIOR_PHONES)
    assert fit.shrunk(seen, by_hand)["S"]["gap_mm"] == pytest.approx(expected)


def test_a_table_is_written_and_read_and_small(tmp_path: Path) -> None:
    table = captured()
    write_table(table, tmp_path / "table.json")
    assert (tmp_path / "table.json").read_bytes() == TABLE.read_bytes()
    assert TABLE.stat().st_size <= 60_000
    with pytest.raises(ValidationError):
        Captured.model_validate({**table.model_dump(), "faces": 1})
