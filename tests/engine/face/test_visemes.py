"""Visemes: their tables are complete, their poses come back, and tracks keep their times."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.audio.phones import PHONES
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.viseme_cues import Cue, cues_of_phones, cues_of_weights, weights_of_cues
from talkcli.engine.face.visemes import VISEME_SETS, viseme_weights
from talkcli.engine.types import SILENCE, Phone

OCULUS, RHUBARB, VRM = VISEME_SETS["oculus"], VISEME_SETS["rhubarb"], VISEME_SETS["vrm"]


def test_the_sets_have_the_names_of_the_programs() -> None:
    assert OCULUS.names == (
        "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou",
    )  # fmt: skip
    assert VISEME_SETS["microsoft"].names == tuple(map(str, range(22)))
    assert VRM.names == ("aa", "ih", "ou", "ee", "oh")
    assert RHUBARB.names == tuple("ABCDEFGHX")


@pytest.mark.parametrize("name", VISEME_SETS)
def test_every_phone_shows_visemes_of_the_set_for_all_of_its_time(name: str) -> None:
    visemes = VISEME_SETS[name]
    # A set of vowels shows the vowel before a consonant that does not close the lips.
    assert set(visemes.of_phone) <= PHONES | {SILENCE}
    assert name == "vrm" or set(visemes.of_phone) == PHONES | {SILENCE}
    for phone, parts in visemes.of_phone.items():
        assert sum(share for _, share in parts) == pytest.approx(1), phone
        assert {viseme for viseme, _ in parts} <= {*visemes.names, None}
    said = [
        phone
        for _, phones in (*visemes.phones.items(), *visemes.diphthongs.items())
        for phone in phones.split()
    ]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("name", VISEME_SETS)
def test_the_pose_of_a_viseme_is_seen_as_that_viseme(name: str) -> None:
    visemes = VISEME_SETS[name]
    assert all(set(pose) <= set(ARKIT) for pose in visemes.poses.values())
    shown = {
        curve: np.array([visemes.poses[viseme].get(curve, 0.0) for viseme in visemes.names])
        for curve in ARKIT
    }
    seen = viseme_weights(shown, visemes)
    for viseme, row in zip(visemes.names, seen, strict=True):
        if viseme not in visemes.diphthongs:
            assert visemes.names[row.argmax()] == viseme
            assert row.max() == pytest.approx(1, abs=1e-6)


def test_weights_scale_with_the_opening_and_end_at_one() -> None:
    pose = OCULUS.poses["aa"]
    levels = np.array([0.0, 0.25, 0.5, 1.0, 2.0])
    weights = viseme_weights({name: level * levels for name, level in pose.items()}, OCULUS)
    assert np.allclose(weights[:, OCULUS.names.index("aa")], np.minimum(levels, 1), atol=1e-6)
    assert np.allclose(weights[:, OCULUS.names.index("sil")], 1 - np.minimum(levels, 1), atol=1e-6)


def test_lips_on_each_other_are_p_where_the_jaw_is_open_and_rest_where_it_is_shut() -> None:
    jaw = np.array([0.0, 0.01, 0.1, 0.3])
    curves = {"jawOpen": jaw, "mouthClose": np.maximum(jaw, 0.05)}
    seen = [OCULUS.names[row.argmax()] for row in viseme_weights(curves, OCULUS)]
    assert seen == ["sil", "sil", "PP", "PP"]


def test_cues_of_phones_have_their_times_and_no_gaps() -> None:
    phones = [
        Phone("HH", 0.1, 0.2), Phone("AY", 0.2, 0.7), Phone("B", 0.7, 0.8), Phone("M", 0.8, 0.9),
        Phone(SILENCE, 0.9, 1.0), Phone("IY", 1.1, 1.4),
    ]  # fmt: skip
    assert cues_of_phones(phones, OCULUS, 1.2) == (
        Cue(0.0, 0.1, "sil"), Cue(0.1, 0.2, "kk"), Cue(0.2, pytest.approx(0.5), "aa"),
        Cue(pytest.approx(0.5), 0.7, "ih"), Cue(0.7, 0.9, "PP"), Cue(0.9, 1.1, "sil"), Cue(1.1, 1.2, "ih"),
    )  # fmt: skip
    vowels = cues_of_phones([Phone("AA", 0.0, 1.0), Phone("T", 1.0, 2.0), Phone("P", 2.0, 3.0)], VRM, 4.0)
    assert vowels == (Cue(0, 2, "aa"), Cue(2, 4, None))
    assert cues_of_phones([], RHUBARB, 0.5) == (Cue(0, 0.5, "X"),)


def test_cues_of_weights_are_the_largest_and_leave_out_what_is_too_short() -> None:
    weights = np.zeros((10, 5))
    weights[2:6, VRM.names.index("aa")] = 0.6
    weights[2:6, VRM.names.index("oh")] = 0.3
    weights[6, VRM.names.index("ih")] = 0.9
    assert cues_of_weights(weights, VRM, 25.0) == (
        Cue(0, 0.08, None), Cue(0.08, 0.24, "aa"), Cue(0.24, 0.28, "ih"), Cue(0.28, 0.4, None),
    )  # fmt: skip
    assert [cue.viseme for cue in cues_of_weights(weights, VRM, 60.0)] == [None, "aa", None]


@pytest.mark.parametrize("name", ["oculus", "microsoft", "rhubarb"])
def test_a_contact_of_one_frame_stays_and_the_first_cue_joins_the_next(name: str) -> None:
    visemes = VISEME_SETS[name]
    closed, opened, hushed = (visemes.of_phone[phone][0][0] for phone in ("P", "AA", "UW"))
    assert closed is not None
    assert opened is not None
    assert hushed is not None
    weights = np.zeros((30, len(visemes.names)))
    weights[:, visemes.names.index(opened)] = 1.0
    for frame, shown in ((0, hushed), (10, closed), (20, hushed)):
        weights[frame] = np.eye(len(visemes.names))[visemes.names.index(shown)]
    cues = cues_of_weights(weights, visemes, 30.0)
    assert [cue.viseme for cue in cues] == [opened, closed, opened]
    assert [cue.start_s for cue in cues] == pytest.approx([0, 1 / 3, 11 / 30])
    assert cues_of_weights(weights[:1], visemes, 30.0) == (Cue(0, 1 / 30, hushed),)


@pytest.mark.parametrize("fps", [25.0, 29.97, 60.0])
def test_weights_of_cues_are_full_in_the_middle_and_sum_to_one(fps: float) -> None:
    cues = (Cue(0, 0.5, "X"), Cue(0.5, 0.9, "D"), Cue(0.9, 1.5, "A"))
    count = round(1.5 * fps)
    weights = weights_of_cues(cues, RHUBARB, count, fps)
    at = (np.arange(count) + 0.5) / fps
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    assert np.allclose(weights[(at > 0.53) & (at < 0.87), RHUBARB.names.index("D")], 1)
    assert not weights[at < 0.46, RHUBARB.names.index("D")].any()
    assert cues_of_weights(weights, RHUBARB, fps)[1].start_s == pytest.approx(0.5, abs=1 / fps)
