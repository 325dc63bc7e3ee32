"""Contacts that are heard are seen."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, NUM_COEFFS
from talkcli.engine.face.heads import load_head
from talkcli.engine.finish.contacts import heard_contacts, reach_contacts
from talkcli.engine.finish.smoothing import lip_opening_mm
from talkcli.engine.finish.stack import Layers, lay_over
from talkcli.engine.types import Motion, Speech


@pytest.fixture(scope="module")
def ada() -> AdaHead:
    head = load_head("ada")
    assert isinstance(head, AdaHead)
    return head


def _open_mouth(frames: int) -> np.ndarray:
    """A laughing shout: everything that parts lips."""
    coeffs = np.zeros((frames, NUM_COEFFS), np.float32)
    for name, value in {
        "jawPitch": 0.15, "mouthLowerDownLeft": 0.5, "mouthLowerDownRight": 0.5, "mouthUpperUpLeft": 0.5,
        "mouthUpperUpRight": 0.5, "mouthSmileLeft": 0.6, "mouthSmileRight": 0.6,
    }.items():  # fmt: skip
        coeffs[:, ADA.index(name)] = value
    return coeffs


def test_lips_meet_where_a_bilabial_is_heard_and_nowhere_else(ada: AdaHead) -> None:
    shares = np.zeros((9, 2), np.float32)
    shares[4, 0] = 0.6
    coeffs, held = reach_contacts(_open_mouth(9), shares, ada)
    opening = lip_opening_mm(coeffs, ada)
    assert opening[4] < 1.0
    assert opening[[0, 1, 2, 6, 7, 8]].min() > 10
    assert held.tolist() == [False] * 4 + [True] + [False] * 4


def test_the_lower_lip_leaves_the_upper_one_for_the_teeth(ada: AdaHead) -> None:
    shares = np.zeros((5, 2), np.float32)
    shares[2, 1] = 0.9
    resting = np.zeros((5, NUM_COEFFS), np.float32)
    resting[:, ADA.index("lipSeal")] = 1.0
    coeffs, _ = reach_contacts(resting, shares, ada)
    assert coeffs[2, ADA.index("lipSeal")] == 0
    assert coeffs[2, ADA.index("mouthRollLower")] > 0.8
    assert np.array_equal(coeffs[[0, 4]], resting[[0, 4]])


def test_one_contact_for_one_sound() -> None:
    """The front-end goes on hearing a closure for some frames; it is shown where it is surest."""
    shares = np.zeros((12, 2), np.float32)
    shares[3:7, 0] = 0.1, 0.3, 0.2, 0.1
    shares[9, 0] = 0.04
    lips, teeth = heard_contacts(shares, np.full(12, 5.0))
    assert lips == pytest.approx([0, 0, 0, 0.68, 1, 0.68, 0, 0, 0, 0, 0, 0])
    assert not teeth.any()
    shares[3:7, 0] = 0.99
    assert heard_contacts(shares, np.full(12, 5.0))[0][3:7].tolist() == [1] * 4


def test_the_clearer_contact_wins() -> None:
    shares = np.array([[0, 0], [0.1, 0.3], [0, 0], [0.3, 0.1], [0, 0]], np.float32)
    lips, teeth = heard_contacts(shares, np.full(5, 5.0))
    assert (lips[1], teeth[1], lips[3], teeth[3]) == (0, 1, 1, 0)


def test_lips_far_apart_ask_for_a_surer_bite() -> None:
    shares = np.array([[0, 0], [0, 0.03], [0, 0]], np.float32)
    assert heard_contacts(shares, np.full(3, 2.0))[1][1] == 1
    assert heard_contacts(shares, np.full(3, 12.0))[1][1] == 0


def test_the_top_speed_does_not_open_a_contact(ada: AdaHead) -> None:
    shares = np.zeros((9, 2), np.float32)
    shares[4, 0] = 1.0
    motion = Motion(coeffs=_open_mouth(9), fps=25.0, head="ada", channels=ADA)
    silence = Speech(samples=np.zeros(9 * 640, np.float32))
    layers = Layers(contacts=True, smooth=True, limit_lips=True)
    laid = lay_over(motion, silence, layers, ada, contacts=shares)
    assert lip_opening_mm(laid.coeffs, ada)[4] < 1.0
    without = lay_over(motion, silence, Layers(limit_lips=True), ada, contacts=shares)
    assert lip_opening_mm(without.coeffs, ada)[4] > 10
