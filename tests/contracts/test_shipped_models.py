"""The models that come with talk: small, listed by their names, and with lips that follow the sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.checkpoints.model_file import read_header, shipped_weights
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import surface_of
from talkcli.engine.methods import EMBEDDED, SHIPPED
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.list_methods import list_methods
from talkcli.engine.pipelines.score.clip import score_clip
from talkcli.engine.types import SAMPLES_PER_FRAME, Silent

HELLO = Path(__file__).resolve().parents[2] / "examples" / "hello.wav"


def test_the_two_for_comparison_are_small() -> None:
    sizes = [shipped_weights(name).stat().st_size for name in SHIPPED if name != EMBEDDED]
    assert len(sizes) == 2
    assert sum(sizes) < 10 * 2**20


def test_they_are_listed_with_their_methods() -> None:
    listed = {row["weights"]: row["method"] for row in list_methods() if row["weights"]}
    assert listed == {name: read_header(shipped_weights(name)).method for name in SHIPPED}


@pytest.mark.parametrize("name", SHIPPED)
def test_lips_follow_the_sound(name: str) -> None:
    speech = read_speech(HELLO, Silent())
    performer = open_model(name, "cpu")
    sampling, _ = performer.cast(Sampling(), Silent())
    motion = next(performer.perform(speech, sampling))
    assert motion.num_frames == -(-len(speech.samples) // SAMPLES_PER_FRAME)
    metrics = ("sync_r", "sync_lag_ms", "jump_mm", "gap_mean_mm")
    values = score_clip(
        [surface_of(motion)], None, speech, "not needed", reference="not needed", metrics=metrics
    )
    found = {metric: values[metric].value for metric in metrics}
    assert found["sync_r"] > 0.4
    assert abs(found["sync_lag_ms"]) <= 40
    # Lips neither hang open nor jump.
    assert 1 < found["gap_mean_mm"] < 8
    assert found["jump_mm"] < 8


def test_a_model_of_a_head_s_vertices_has_as_many_as_the_head() -> None:
    """The number follows from the shape: a head that changes takes its models along (`emoface/carry.py`)."""
    headers = [read_header(shipped_weights(name)) for name in SHIPPED]
    counts = {header.head: header.num_verts for header in headers if header.num_verts is not None}
    assert counts == {"ada": len(load_head("ada").template)}
