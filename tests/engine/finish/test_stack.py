"""Layers together: choices, seeds, ranges, and what an hour would cost."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.finish.stack import Layers, lay_over, within_range
from talkcli.engine.finish.tracks import num_steps, stream
from talkcli.engine.types import Motion
from tests.engine.finish.sounds import talking

_ALL = Layers.chosen("ada")
_LISTENING = Layers(idle=True, blink=True, head_motion=True)


@pytest.fixture(scope="module")
def motion() -> Motion:
    coeffs = np.random.default_rng(0).random((250, 53)).astype(np.float32)
    coeffs[:, [ADA.index(name) for name in ("jawPitch", "jawYaw", "jawRoll")]] *= 0.1
    return Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)


def test_without_layers_motion_stays_as_it_was(motion: Motion) -> None:
    laid = lay_over(motion, talking(10), Layers(), None)
    np.testing.assert_array_equal(laid.coeffs, motion.coeffs)
    assert laid.pose is None


def test_a_seed_and_a_take_fix_everything(motion: Motion) -> None:
    speech, head = talking(10), AdaHead.load()
    first, again, other, next_take = (
        lay_over(motion, speech, _ALL, head, seed=seed, take=take)
        for seed, take in ((3, 0), (3, 0), (4, 0), (3, 1))
    )
    assert first.coeffs.tobytes() == again.coeffs.tobytes()
    assert first.pose is not None and again.pose is not None
    assert first.pose.tobytes() == again.pose.tobytes()
    for laid in (other, next_take):
        assert laid.pose is not None
        assert np.abs(first.pose - laid.pose).max() > 0.01
        assert np.abs(first.coeffs - laid.coeffs).max() > 0.1
    assert first.coeffs.dtype == np.float32 and first.pose.dtype == np.float32


def test_clips_of_one_seed_do_not_move_together(motion: Motion) -> None:
    sounds = [replace(talking(10), samples=talking(10).samples * gain) for gain in np.linspace(0.3, 1, 8)]
    layers = Layers(head_motion=True)
    yaws = []
    for speech in sounds:
        pose = lay_over(motion, speech, layers, None).pose
        assert pose is not None
        yaws.append(pose[:, 1])
    # The sounds have the same accents and pauses; with one stream they would correlate at 1.
    assert abs(np.corrcoef(yaws)[np.triu_indices(8, 1)].mean()) < 0.3
    assert stream("a", 1, 0, 1).random() != stream("a", 1, 0, 2).random()


def test_layers_do_not_disturb_each_other(motion: Motion) -> None:
    speech = talking(10)
    heads = [
        lay_over(motion, speech, layers, None).pose
        for layers in (Layers(head_motion=True), Layers(head_motion=True, blink=True))
    ]
    np.testing.assert_array_equal(heads[0], heads[1])
    assert stream("a", 1, 0).random() != stream("b", 1, 0).random() != stream("a", 0, 1).random()


def test_everything_is_within_range(motion: Motion) -> None:
    wild = replace(motion, coeffs=motion.coeffs * 1.4 - 0.2)
    kept = within_range(wild)
    assert kept.coeffs[:, :50].min() == 0 and kept.coeffs[:, :50].max() == 1
    np.testing.assert_array_equal(kept.coeffs[:, 50:], wild.coeffs[:, 50:])
    laid = lay_over(kept, talking(10), _ALL, AdaHead.load())
    assert laid.coeffs[:, :50].min() >= 0 and laid.coeffs[:, :50].max() <= 1
    flame = Motion(coeffs=wild.coeffs, fps=25.0, head="flame", channels=FLAME)
    np.testing.assert_array_equal(within_range(flame).coeffs, wild.coeffs)


def test_layers_are_for_ada_and_wishes_win() -> None:
    assert all(getattr(_ALL, name) for name in Layers.names())
    assert Layers.chosen("flame") == Layers()
    assert not Layers.chosen("ada", {"blink": False, "idle": None}).blink
    assert Layers.chosen("ada", {"blink": False, "idle": None}).idle
    assert Layers.chosen("flame", {"head_motion": True}) == Layers(head_motion=True)
    with pytest.raises(UsageError, match="`blink`") as caught:
        Layers.chosen("flame", {"blink": True})
    assert "`head_motion`" in str(caught.value.hint)
    steady = Layers.steady("ada")
    assert steady.smooth and steady.limit_lips
    assert not (steady.idle or steady.blink or steady.head_motion or steady.brows)


def test_memory_follows_the_length() -> None:
    """Windows of the sound are never all there at once: with them five minutes would take 500 MB."""
    speech = talking(300)
    frames = np.zeros((7500, 53), np.float32)
    still = Motion(coeffs=frames, fps=25.0, head="ada", channels=ADA)
    tracemalloc.start()
    try:
        lay_over(still, speech, _LISTENING, None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * (speech.samples.nbytes + frames.nbytes)


def test_other_rates_have_as_many_steps_as_they_need() -> None:
    assert [num_steps(frames, fps) for frames, fps in ((25, 25.0), (1, 30.0), (60, 60.0))] == [100, 4, 100]
