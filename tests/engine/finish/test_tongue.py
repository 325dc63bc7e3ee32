"""The tongue goes where the phones need it, smoothly, and never through closed teeth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from talkcli.engine.audio.phones import LINGUALS
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.heads import load_head
from talkcli.engine.finish.stack import Layers, lay_over
from talkcli.engine.finish.tongue import part_teeth, tongue_of_phones, tongue_of_shares, with_tongue
from talkcli.engine.types import Motion, Phone
from tests.engine.finish.sounds import talking

JAW, SEAL, OUT = (ADA.index(name) for name in ("jawPitch", "lipSeal", "tongueOut"))
FRAMES, FPS = 25, 25.0
TIP, BETWEEN, BACK = range(3)


def still(frames: int = FRAMES, **levels: float) -> np.ndarray:
    coeffs = np.zeros((frames, len(ADA)), np.float32)
    for name, value in levels.items():
        coeffs[:, ADA.index(name)] = value
    return coeffs


def heard(symbol: str, first: int, last: int, share: float = 0.9) -> np.ndarray:
    """Probabilities at 50 Hz of one phone in steps `first` to `last` (excluded)."""
    shares = np.full((2 * FRAMES, len(LINGUALS)), 0.01, np.float32)
    (sound,) = (index for index, symbols in enumerate(LINGUALS) if symbol in symbols)
    shares[first:last, sound] = share
    return shares


@pytest.mark.parametrize(
    ("symbol", "channel"),
    [*((symbol, TIP) for symbol in "LTDN"), ("TH", BETWEEN), ("DH", BETWEEN)]
    + [(symbol, BACK) for symbol in ("K", "G", "NG")],
)
def test_every_sound_has_its_channel_in_the_frames_of_the_phone(symbol: str, channel: int) -> None:
    said = tongue_of_phones([Phone(symbol, 0.4, 0.5)], FRAMES, FPS)
    listened = tongue_of_shares(heard(symbol, 20, 25), FRAMES, FPS)
    np.testing.assert_allclose(said, listened)
    # Frame 11 shows 0.44 to 0.48 s.
    assert said[11, channel] == 1
    assert said.sum() == said[:, channel].sum()
    assert said[:7].max() == said[16:].max() == 0


def test_sounds_without_a_gesture_leave_the_tongue_alone() -> None:
    phones = [
        Phone(symbol, 0.1 * i, 0.1 * i + 0.1) for i, symbol in enumerate(("AA", "IY", "S", "R", "SIL", "M"))
    ]
    assert tongue_of_phones(phones, FRAMES, FPS).max() == 0
    assert tongue_of_shares(heard("L", 20, 25, share=0.1), FRAMES, FPS).max() == 0


def test_an_l_is_held_longer_than_a_tap_and_no_sound_is_too_short_for_a_frame() -> None:
    held, tapped = (tongue_of_phones([Phone(name, 0.3, 0.5)], 100, 100.0)[:, TIP] for name in "LT")
    assert (held == 1).sum() > 1.5 * (tapped == 1).sum() > 0
    for start_s in np.arange(0.4, 0.44, 0.005):
        short = tongue_of_phones([Phone("D", start_s, start_s + 0.03)], FRAMES, FPS)
        assert short[:, TIP].max() == 1


def test_gestures_last_as_long_at_every_rate_and_have_no_steps() -> None:
    phones = [Phone("L", 0.2, 0.3), Phone("AA", 0.3, 0.5), Phone("K", 0.5, 0.6)]
    fine = tongue_of_phones(phones, 1000, 1000.0)
    # The quickest way takes 60 ms, and a smooth step of that length goes by 0.025 in 1 ms at most.
    assert np.abs(np.diff(fine, axis=0)).max() < 0.026
    coarse = tongue_of_phones(phones, FRAMES, FPS)
    np.testing.assert_allclose(coarse, fine[20::40], atol=0.02)


def test_sounds_of_one_channel_count_together() -> None:
    shares = heard("L", 20, 25, share=0.2) + heard("N", 20, 25, share=0.2)
    assert tongue_of_shares(heard("L", 20, 25, share=0.2), FRAMES, FPS).max() == 0
    assert tongue_of_shares(shares, FRAMES, FPS)[11, TIP] == 1


def test_the_tip_comes_between_teeth_only_where_they_are_apart() -> None:
    degrees = tongue_of_phones([Phone("TH", 0.4, 0.5)], FRAMES, FPS)
    for jaw, shown in ((0.0, 0), (0.02, 0), (0.045, 1), (0.2, 1)):
        wide = with_tongue(still(jawPitch=jaw), degrees)
        assert wide.shape == (FRAMES, 56) and wide.dtype == np.float32
        assert wide[11, 53 + BETWEEN] == shown
    assert with_tongue(still(jawPitch=0.1, lipSeal=1.0), degrees)[:, 53:].max() == 0


def test_a_tip_that_had_to_go_does_not_return() -> None:
    degrees = tongue_of_phones([Phone("TH", 0.3, 0.6)], FRAMES, FPS)
    coeffs = still(jawPitch=0.1)
    coeffs[12, JAW] = 0
    shown = with_tongue(coeffs, degrees)[:, 53 + BETWEEN]
    assert shown[:12].max() == 1 and shown[12:].max() == 0
    again = tongue_of_phones([Phone("TH", 0.1, 0.2), Phone("DH", 0.6, 0.7)], FRAMES, FPS)
    twice = with_tongue(still(jawPitch=0.1), again)[:, 53 + BETWEEN]
    assert twice[3] == twice[16] == 1


def test_the_jaw_opens_for_th_unless_lips_touch() -> None:
    degrees = tongue_of_phones([Phone("TH", 0.4, 0.5)], FRAMES, FPS)
    free, held = np.zeros(FRAMES, bool), np.ones(FRAMES, bool)
    opened = part_teeth(still(), degrees, free)
    assert opened[11, JAW] == pytest.approx(0.045)
    others = np.delete(np.arange(len(ADA)), JAW)
    assert np.abs(opened[:, others]).max() == opened[:7, JAW].max() == 0
    np.testing.assert_array_equal(part_teeth(still(), degrees, held), still())
    np.testing.assert_array_equal(part_teeth(still(lipSeal=1), degrees, free), still(lipSeal=1))
    for wide in (-0.01, 0.1):
        coeffs = still(jawPitch=wide)
        other = tongue_of_phones([Phone("L", 0.4, 0.5)], FRAMES, FPS)
        np.testing.assert_array_equal(part_teeth(coeffs, other, free), coeffs)
    np.testing.assert_array_equal(part_teeth(still(jawPitch=0.1), degrees, free), still(jawPitch=0.1))


def test_a_gesture_takes_the_place_of_the_tongue_out() -> None:
    degrees = tongue_of_phones([Phone("L", 0.4, 0.5)], FRAMES, FPS)
    wide = with_tongue(still(tongueOut=0.4), degrees)
    assert wide[11, OUT] == 0
    assert wide[2, OUT] == pytest.approx(0.4)


def test_the_layer_adds_channels_and_changes_nothing_else_where_no_th_is() -> None:
    motion = Motion(coeffs=still(jawPitch=0.1), fps=FPS, head="ada", channels=ADA)
    degrees = tongue_of_phones([Phone("L", 0.4, 0.5)], FRAMES, FPS)
    head, speech = load_head("ada"), talking(1)
    layers = Layers.chosen("ada", {"contacts": False})
    laid, without = (
        lay_over(motion, speech, chosen, head, tongue=degrees)
        for chosen in (layers, replace(layers, tongue=False))
    )
    assert laid.channels == ADA + TONGUE and without.channels == ADA
    np.testing.assert_array_equal(laid.coeffs[:, :53], without.coeffs)
    np.testing.assert_allclose(laid.coeffs[:, 53:], degrees, atol=1e-6)
    again = lay_over(motion, speech, layers, head, tongue=degrees)
    assert again.coeffs.tobytes() == laid.coeffs.tobytes()
    # Phones that nobody knows move nothing.
    assert lay_over(motion, speech, layers, head).channels == ADA
    assert not Layers.steady("ada").tongue
    assert layers.channels(ADA) == ADA + TONGUE and Layers().channels(ADA) == ADA


def test_lips_keep_their_limit_when_the_jaw_opens_for_th() -> None:
    motion = Motion(coeffs=still(), fps=FPS, head="ada", channels=ADA)
    degrees = tongue_of_phones([Phone("TH", 0.4, 0.5)], FRAMES, FPS)
    laid = lay_over(
        motion, talking(1), Layers(tongue=True, limit_lips=True), load_head("ada"), tongue=degrees
    )
    assert laid.coeffs[11, JAW] > 0.04
    assert laid.coeffs[11, 53 + BETWEEN] > 0.9
