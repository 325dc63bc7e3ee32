"""Lids that meet at a plausible rate, and two eyes that look at one thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talkcli.engine.face.ada.head import EYE_TURN_RAD, AdaHead
from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.eyes import lay_eyes, without_blinks
from talkcli.engine.finish.phrasing import Phrasing, phrasing
from tests.engine.finish.sounds import talking

FPS, FRAMES = 25.0, 1500
_LEFT, _RIGHT = ADA.index("eyeBlinkLeft"), ADA.index("eyeBlinkRight")


@pytest.fixture(scope="module")
def minute() -> Phrasing:
    return phrasing(talking(60), 6000)


def eyes(heard: Phrasing, seed: int, coeffs: np.ndarray | None = None) -> np.ndarray:
    still = np.zeros((FRAMES, 53), np.float32) if coeffs is None else coeffs
    return lay_eyes(still, None, heard, FPS, np.random.default_rng(seed))


def runs(shut: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shut, [False]]).astype(int)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


@pytest.mark.parametrize("seed", range(8))
def test_a_minute_has_a_talker_s_blinks_and_each_is_whole(minute: Phrasing, seed: int) -> None:
    lids = eyes(minute, seed)[:, [_LEFT, _RIGHT]]
    np.testing.assert_array_equal(lids[:, 0], lids[:, 1])
    found = runs(lids[:, 0] > 0.5)
    assert 12 <= len(found) <= 32
    # Lids meet for a frame at least (but for a blink that the end cuts short), and open again soon.
    for start, end in found:
        assert end == FRAMES or lids[start:end, 0].max() == pytest.approx(1, abs=1e-6)
        assert end - start <= 12


def test_blinks_seek_the_starts_of_pauses(minute: Phrasing) -> None:
    starts = np.array([pause.start_s for pause in minute.pauses])
    blinks = [start / FPS for seed in range(8) for start, _ in runs(eyes(minute, seed)[:, _LEFT] > 0.5)]
    near = np.abs(np.array(blinks)[:, None] - starts).min(axis=1) < 0.25
    # By chance it would be 12 %.
    assert near.mean() > 0.2


def test_lids_meet_on_the_head_whatever_the_face_does(minute: Phrasing) -> None:
    coeffs = np.zeros((FRAMES, 53), np.float32)
    for name in ("eyeWideLeft", "eyeWideRight", "eyeSquintLeft", "eyeSquintRight", "browInnerUp"):
        coeffs[:, ADA.index(name)] = 0.7
    laid = eyes(minute, 1, coeffs)
    chosen = [start + int(laid[start:end, _LEFT].argmax()) for start, end in runs(laid[:, _LEFT] > 0.9)]
    head = AdaHead.load()
    marks = head.landmarks(head(torch.from_numpy(laid[chosen])))
    upper, lower = marks[:, [37, 38, 43, 44]], marks[:, [41, 40, 47, 46]]
    assert (upper - lower).norm(dim=-1).max() * 1000 < 0.5
    open_eyed = head.landmarks(head(torch.from_numpy(coeffs[:1])))
    assert (open_eyed[:, 37] - open_eyed[:, 41]).norm() * 1000 > 5


def test_both_eyes_look_the_same_way(minute: Phrasing) -> None:
    coeffs = np.zeros((FRAMES, 53), np.float32)
    coeffs[:, ADA.index("eyeLookOutLeft")] = coeffs[:, ADA.index("eyeLookOutRight")] = 0.4
    laid = eyes(minute, 2, coeffs)
    value = {name: laid[:, index] for index, name in enumerate(ADA)}
    for one, other in (("OutLeft", "InRight"), ("InLeft", "OutRight"), ("UpLeft", "UpRight")):
        np.testing.assert_array_equal(value[f"eyeLook{one}"], value[f"eyeLook{other}"])
    side = value["eyeLookOutLeft"] - value["eyeLookInLeft"]
    assert 0.03 < side.std() < 0.2 and abs(side).max() < 0.4


def test_eyes_stay_with_the_viewer_when_the_head_turns(minute: Phrasing) -> None:
    still, turned = (
        lay_eyes(np.zeros((FRAMES, 53), np.float32), pose, minute, FPS, np.random.default_rng(3))
        for pose in (None, np.tile(np.float32([0.05, 0.1, 0]), (FRAMES, 1)))
    )
    out, into, up, down = (ADA.index(f"eyeLook{way}Left") for way in ("Out", "In", "Up", "Down"))
    change = turned - still
    np.testing.assert_allclose(change[:, out] - change[:, into], -0.1 / EYE_TURN_RAD, atol=1e-5)
    np.testing.assert_allclose(change[:, up] - change[:, down], 0.05 / EYE_TURN_RAD, atol=1e-5)


def test_a_motion_s_own_blinks_go_and_its_low_lids_stay() -> None:
    coeffs = np.full((200, 53), 0.2, np.float32)
    coeffs[100:160, [_LEFT, _RIGHT]] = 0.5
    blinking = coeffs.copy()
    blinking[50:55, [_LEFT, _RIGHT]] = 1
    freed = without_blinks(blinking, FPS)
    assert freed[:, _LEFT].max() <= 0.5
    assert freed[50:55, _LEFT].max() <= 0.35 + 1e-6
    np.testing.assert_array_equal(freed[100:160], coeffs[100:160])
