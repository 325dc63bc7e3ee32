"""Variants that compare lips or head with sound, and timing: numbers of public scripts on standard data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import argrelmin

from talkcli.engine.methods import resolve
from talkcli.engine.metrics import beats, mtm, slcc
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.types import Speech
from tests.engine.metrics import standard as data

AUDIO_BEATS = (0.2, 0.6, 1.1, 1.5)


def opening(vertices: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vertices[:, 4] - vertices[:, 14], axis=1)


@pytest.mark.parametrize(
    ("lag", "public"),
    [
        (0.0, [[0, 0], [0, 0, 0], [0, 0, 0, 0]]),
        (1.0, [[1, 1], [1, 1, 1], [1, 1, 1, 1]]),
        (2.0, [[2, 2], [2, 2, 2], [2, 2, 2, 2]]),
        (4.0, [[4, 4], [4, 4, 4], [4, 4, 4, 4]]),
        (8.0, [[8, 8], [8, 8], [8, 8, 8]]),
        (None, [[3, 2, 0], [2, 1], [3, 0]]),
    ],
)
def test_mtm_pairs_the_extrema_that_the_script_pairs(lag: float | None, public: list[list[int]]) -> None:
    for c in data.CLIPS:
        late = 1 + 2 * np.sin(0.13 * np.arange(data.FRAMES[c])) if lag is None else lag
        # The script drops every second frame of a truth at twice the rate.
        true = data.truth(c, 2 * data.FRAMES[c], rate=2)[::2]
        found = mtm.misalignments(opening(data.prediction(c, lag=late)), opening(true))
        assert found.tolist() == public[c]


def test_mtm_rows_and_the_scripts_fault() -> None:
    made, true = [[data.prediction(c)] for c in data.CLIPS], [data.truth(c) for c in data.CLIPS]
    assert data.overall("mtm@perceptual3d", made, true) == pytest.approx(1.0)
    assert data.overall("mtm_ms", made, true) == pytest.approx(40.0)
    assert data.overall("mtm@perceptual3d-halved", made, true) == pytest.approx(4.0)
    with pytest.raises(UndefinedMetricError, match="counterpart"):
        mtm.mtm_frames(np.zeros(40), opening(data.truth(0)))


def test_lip_intensity_and_loudness() -> None:
    public = (0.00132069183471, 0.00132096956265, 0.00132080187715)
    once = (0.00132054456356, 0.00132103029521, 0.00132082950516)
    for c in data.CLIPS:
        lips = data.prediction(c)[:, data.LIPS_TWICE]
        assert slcc.lip_intensity(lips) == pytest.approx(public[c], rel=1e-9)
        assert slcc.lip_intensity(data.prediction(c)[:, data.LIPS]) == pytest.approx(once[c], rel=1e-9)
        steps = np.sqrt((np.diff(lips, axis=0) ** 2).sum(-1)).mean(1)
        assert slcc.lip_intensity(lips) == pytest.approx(np.sqrt((steps**2).mean()), rel=1e-12)
        samples = data.int16(data.audio(c))
        loud = (5304.04429338, 5018.82545728, 5180.26986532)[c]
        assert slcc.speech_rms(samples) == pytest.approx(loud, rel=1e-9)
        assert slcc.speech_rms(samples) == pytest.approx(np.sqrt((samples.astype(float) ** 2).mean()))
        faulty = (15.8828868204, 14.4886852989, 12.854236665)[c]
        assert slcc.overflowing_rms(samples) == pytest.approx(faulty, rel=1e-9)
    made = [[data.prediction(c)] for c in data.CLIPS]
    rows = {name: data.overall(f"{name}@perceptual3d", made, [one[0] for one in made]) for name in _MEANS}
    assert rows == pytest.approx(_MEANS, rel=1e-5)


_MEANS = {
    "lip_intensity": np.mean([0.00132069183471, 0.00132096956265, 0.00132080187715]),
    "rms": np.mean([5304.04429338, 5018.82545728, 5180.26986532]),
}


def _table() -> tuple[np.ndarray, np.ndarray, list[int], list[int]]:
    lips, sound, identities, levels = [], [], [], []
    for p, level, n in np.ndindex(2, 3, 2):
        amplitude = 0.002 * (1 + p) * (1 + 0.5 * (level + 1) + 0.4 * np.sin(3 * p + 5 * (level + 1) + 7 * n))
        gain = 0.2 + 0.2 * (level + 1) + 0.1 * np.cos(2 * p + 3 * (level + 1) + n)
        lips.append(slcc.lip_intensity(data.truth(0, amplitude=amplitude)[:, data.LIPS]))
        sound.append(slcc.speech_rms(data.int16(gain * data.audio(0))))
        identities.append(p)
        levels.append(level + 1)
    return np.array(lips), np.array(sound), identities, levels


def test_slcc_standardises_each_identity() -> None:
    lips, sound, identities, _ = _table()
    found = slcc.slcc(lips, sound, identities)
    assert found == pytest.approx(0.726426807382, rel=1e-6)
    rows = []
    for p in range(2):
        chosen = np.array(identities) == p
        rows.append([(x[chosen] - x[chosen].mean()) / x[chosen].std(ddof=1) for x in (lips, sound)])
    x, y = np.concatenate(rows, axis=1)
    assert found == pytest.approx((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()), rel=1e-12)
    # An identity that never changes is left out.
    dead = slcc.slcc(np.r_[lips, 1.0, 1.0], np.r_[sound, 2.0, 3.0], [*identities, 7, 7])
    assert dead == pytest.approx(found)
    with pytest.raises(UndefinedMetricError):
        slcc.slcc(lips[:1], sound[:1], [0])


def test_the_row_of_slcc_by_speaker_gives_the_scripts_number() -> None:
    lips, sound, identities, _ = _table()
    values = [
        slcc.SpeakerMoments(str(who), *pair) for who, *pair in zip(identities, lips, sound, strict=True)
    ]
    assert _over(values) == pytest.approx(0.726426807382, rel=1e-6)
    assert _over(values) == pytest.approx(slcc.slcc(lips, sound, identities), rel=1e-12)
    # The order of the clips does not matter, and a third speaker counts with the two others.
    more = [
        *values[::-1],
        *(slcc.SpeakerMoments("c", *pair) for pair in ((1.0, 2.0), (3.0, 1.0), (2.0, 2.0))),
    ]
    wanted = slcc.slcc(np.r_[lips, 1.0, 3.0, 2.0], np.r_[sound, 2.0, 1.0, 2.0], [*identities, 7, 7, 7])
    assert _over(more) == pytest.approx(wanted, rel=1e-12)
    dead = [*values, *(slcc.SpeakerMoments("d", 1.0, loud) for loud in (2.0, 3.0))]
    assert _over(dead) == pytest.approx(_over(values), rel=1e-12)
    with pytest.raises(UndefinedMetricError, match="of a speaker"):
        slcc.pool_speakers(values[0])


def _over(values: list[slcc.SpeakerMoments]) -> float:
    found = over_clips(_BY_SPEAKER, [Value(value=None, observations=value) for value in values])
    assert found["clips"] == len(values)
    return float(found["value"])


_BY_SPEAKER = "slcc@perceptual3d"


def test_the_row_of_slcc_by_speaker_measures_takes_and_sound() -> None:
    made = [data.scaled(c) for c in data.CLIPS]
    values = [
        score_clip(
            [data.surface(one)], None, Speech(samples=data.audio(c).astype(np.float32)), "no phones",
            metrics=[_BY_SPEAKER], speaker="one",
        )[_BY_SPEAKER]
        for c, one in enumerate(made)
    ]  # fmt: skip
    found = over_clips(_BY_SPEAKER, values)["value"]
    pooled = data.overall("slcc@perceptual3d-pooled", [[one] for one in made], made)
    assert found == pytest.approx(pooled, rel=1e-9)


def test_the_row_of_slcc_takes_all_clips_as_one_identity() -> None:
    made = [data.scaled(c) for c in data.CLIPS]
    lips = [slcc.lip_intensity(one[:, data.LIPS_TWICE].astype(np.float32)) for one in made]
    sound = [slcc.speech_rms(data.int16(data.audio(c))) for c in data.CLIPS]
    found = data.overall("slcc@perceptual3d-pooled", [[one] for one in made], made)
    assert found == pytest.approx(np.corrcoef(lips, sound)[0, 1], abs=1e-6)


def test_head_beats_of_kdtalker_and_bailando(monkeypatch: pytest.MonkeyPatch) -> None:
    kdtalker, bailando = [], []
    # With the scripts' beats of the sound in place of our accents, the rows give the scripts' numbers.
    monkeypatch.setattr(beats, "accents_s", lambda take, speech: list(AUDIO_BEATS))
    rows = [resolve(METRICS[name].measure) for name in ("bas@kdtalker-accents", "ba@bailando-accents")]
    for c in data.CLIPS:
        t, k, mark = np.ogrid[: data.FRAMES[c], :3, :68]
        head = (0.1 * np.sin(0.15 * t + 0.4 * k + c) * (1 + 0.01 * mark)).transpose(0, 2, 1)
        assert beats.smooth_beats(head).tolist() == [[7, 28], [22], [15, 36]][c]
        kdtalker.append(beats.bas_kdtalker(head, AUDIO_BEATS, 25.0))
        bailando.append(beats.ba_bailando(head, AUDIO_BEATS, 25.0))
        take = Measured(data.surface(data.truth(c)))
        monkeypatch.setattr(take, "turned_landmarks", lambda head=head: head)
        speech = Speech(samples=data.audio(c).astype(np.float32))
        assert [row(take, speech) for row in rows] == [kdtalker[-1], bailando[-1]]
        apart = np.abs(np.subtract.outer(AUDIO_BEATS, np.array([[7, 28], [22], [15, 36]][c]) / 25)).min(1)
        assert kdtalker[-1] == pytest.approx(np.exp(-(apart**2) / 0.02).mean())
    assert np.mean(kdtalker) == pytest.approx(0.305042720161, rel=1e-9)
    assert bailando == pytest.approx([0.446592842287, 0.0787711426252, 0.490233596396], rel=1e-9)


def test_minima_are_scipys() -> None:
    draw = np.random.default_rng(0)
    for length in (1, 2, 3, 10, 40):
        # Of few whole numbers, many are equal to a neighbour.
        values = draw.integers(0, 4, length).astype(np.float64)
        assert beats.minima(values).tolist() == argrelmin(values)[0].tolist()


def test_spread_of_the_head() -> None:
    spreads = []
    for c in data.CLIPS:
        t = np.arange(data.FRAMES[c])
        angles = np.stack(
            [10 * np.sin(0.2 * t + c), 6 * np.sin(0.13 * t + 0.5 + c), 3 * np.cos(0.27 * t + c)], 1
        )
        spreads.append(beats.pose_spread(angles))
    assert np.mean(spreads) == pytest.approx(4.49296970906, rel=1e-9)


def test_alignment_needs_beats_of_both() -> None:
    assert beats.alignment([1.0], [1.0, 2.0], 0.1) == 1
    with pytest.raises(UndefinedMetricError, match="sound"):
        beats.alignment([], [1.0], 0.1)
    with pytest.raises(UndefinedMetricError, match="motion"):
        beats.alignment([1.0], [], 0.1)


def test_a_head_that_slows_down_at_the_accents_is_aligned() -> None:
    t = np.arange(100) / 25
    # Turning points of the head every half second. Without the shift two frames would be equally slow there,
    # and rounding would decide which of them is a minimum.
    pose = np.stack([0.1 * np.cos(2 * np.pi * (t - 0.005)), 0 * t, 0 * t], axis=1)
    stops = np.arange(0.5, 3.6, 0.5)
    on, off = (beats.head_beats(pose, stops + shift, 25.0) for shift in (0.0, 0.25))
    assert on > 0.95
    assert off < 0.1
    with pytest.raises(UndefinedMetricError, match="never turns"):
        beats.head_beats(0 * pose, stops, 25.0)
