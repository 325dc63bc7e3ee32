"""What shuffled emotions do to Emo-FID and to retrieval, on generated features of four emotions."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.metrics.retrieval import chance_at, forced_choice, recall_at
from talkcli.engine.metrics.take import Compared
from talkcli.engine.pipelines.score.clip import Value
from talkcli.engine.pipelines.score.gathered import gathered
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.work import Scored

EMOTIONS = ("neutral", "happy", "sad", "angry")
FEATURES, CLIPS, FRAMES = 8, 48, 12
LABELS = np.arange(CLIPS) % len(EMOTIONS)
CENTRES = np.random.default_rng(0).normal(0, 3, (len(EMOTIONS), FEATURES))


def _pictures(labels: np.ndarray, seed: int) -> np.ndarray:
    """Features (clips frames features) of pictures of faces with these emotions."""
    noise = np.random.default_rng(seed).normal(size=(CLIPS, FRAMES, FEATURES))
    return CENTRES[labels][:, None] + noise


def _emo_fid(shown: np.ndarray) -> tuple[float, list[float]]:
    """Of all clips, and of the clips of each emotion, when faces show the emotions `shown`."""
    made, true = _pictures(shown, 1), _pictures(LABELS, 2)
    clips = [
        Scored(
            id=str(at), emotion=EMOTIONS[LABELS[at]], takes=1, frames=FRAMES, fps=25.0,
            values={"emo_fid": Value(value=None, observations=Compared(made[at], true[at]))},
            head="ada", vertex_sets={}, origins=(None,), has_truth=True, truth=None,
        )
        for at in range(CLIPS)
    ]  # fmt: skip
    values = [(clip.emotion, clip.values["emo_fid"]) for clip in gathered(clips)]
    entries = [over_clips("emo_fid", [value for _, value in values])]
    for emotion in EMOTIONS:
        entries.append(over_clips("emo_fid", [value for of, value in values if of == emotion]))
    assert [entry["clips"] for entry in entries] == [CLIPS, 12, 12, 12, 12]
    return entries[0]["value"], [entry["value"] for entry in entries[1:]]


def test_emo_fid_of_each_emotion_sees_emotions_that_are_shuffled_across_clips() -> None:
    _, right = _emo_fid(LABELS)
    _, shuffled = _emo_fid(np.random.default_rng(3).permutation(LABELS))
    _, swapped = _emo_fid((LABELS + 1) % len(EMOTIONS))
    assert max(right) < 1
    assert min(shuffled) > 10 * max(right)
    assert np.mean(swapped) > np.mean(shuffled)


def test_emo_fid_of_all_clips_does_not() -> None:
    """It compares sets, and shuffling leaves the set of faces as it is."""
    right, _ = _emo_fid(LABELS)
    shuffled, _ = _emo_fid(np.random.default_rng(3).permutation(LABELS))
    assert shuffled == pytest.approx(right, rel=0.5)


def test_retrieval_falls_to_chance() -> None:
    def distances(of: np.ndarray) -> np.ndarray:
        speech, motion = (_pictures(labels, seed).mean(axis=1) for labels, seed in ((LABELS, 1), (of, 2)))
        return np.linalg.norm(speech[:, None] - motion[None], axis=2)

    shown = np.random.default_rng(3).permutation(LABELS)
    right, shuffled = distances(LABELS), distances(shown)
    assert recall_at(1, right, LABELS, LABELS) == 1
    assert forced_choice(right, LABELS, LABELS) > 0.99
    chance = chance_at(1, LABELS, LABELS)
    assert recall_at(1, shuffled, LABELS, LABELS) < chance + 0.2
    assert forced_choice(shuffled, LABELS, LABELS) < 0.5
