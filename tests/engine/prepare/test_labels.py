"""Every table's words are ours, and the numbers are those of the data sets' own documents."""

from __future__ import annotations

from talkcli.engine.prepare import labels
from talkcli.engine.types import EMOTIONS


def test_all_tables_speak_our_words() -> None:
    assert set(labels.EMOTION_OF_RAVDESS.values()) == set(EMOTIONS) - {"contempt"}
    assert set(labels.EMOTION_OF_MEAD.values()) == set(EMOTIONS) - {"calm"}
    assert set(labels.EMOTION_OF_DEEPTALK_DISK.values()) == set(EMOTIONS)
    assert set(labels.EMOTION_OF_AFFECTNET.values()) == set(EMOTIONS) - {"calm"}
    assert set(labels.EMOTION_OF_BEAT.values()) == set(EMOTIONS) - {"calm"}


def test_deeptalk_numbers_on_disk_follow_ravdess() -> None:
    # A reordering of EMOTIONS must not renumber files that exist.
    assert labels.EMOTION_OF_DEEPTALK_DISK == {
        1: "neutral", 2: "calm", 3: "happy", 4: "sad", 5: "angry",
        6: "fear", 7: "disgust", 8: "surprise", 9: "contempt",
    }  # fmt: skip
    for code, emotion in labels.EMOTION_OF_RAVDESS.items():
        assert labels.EMOTION_OF_DEEPTALK_DISK[int(code)] == emotion


def test_levels_rise_to_one() -> None:
    for levels in (labels.LEVEL_OF_MEAD, labels.LEVEL_OF_RAVDESS):
        values = [levels[key] for key in sorted(levels)]
        assert values == sorted(set(values)), levels
        assert 0 < values[0] < values[-1] == 1, levels


def test_every_number_of_beat_has_one_emotion() -> None:
    assert sorted(number for numbers in labels.EMOTION_OF_BEAT for number in numbers) == list(range(119))
