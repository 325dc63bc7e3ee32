"""Variants over several takes, coefficients and sets of features: public numbers on the standard data."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics import code_spread, diversity, fdd, lve, mve, set_diversity
from talkcli.engine.metrics.take import frame_values
from talkcli.engine.metrics.takes_error import best_take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import Motion
from tests.engine.metrics import standard as data

TRUE = [data.truth(c) for c in data.CLIPS]
TAKES = [[data.take(c, s) for s in range(10)] for c in data.CLIPS]
A, _ = data.features()


def lve_frames(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return ((p - t) ** 2).sum(-1)[:, data.LIPS].max(1)


def distance(p: np.ndarray, t: np.ndarray) -> float:
    return float(np.sqrt(((p - t) ** 2).sum(-1)).mean())


def test_mean_and_best_of_ten_takes() -> None:
    mee = np.concatenate([lve_frames(np.mean(x, 0), t) for x, t in zip(TAKES, TRUE, strict=True)]).mean()
    assert data.overall("mee@probtalk3d", TAKES, TRUE) == pytest.approx(3.54253961431e-06, rel=1e-9)
    assert mee == pytest.approx(3.54253961431e-06, rel=1e-9)
    best = [min(x, key=lambda p, t=t: lve_frames(p, t).sum()) for x, t in zip(TAKES, TRUE, strict=True)]
    ce = np.concatenate([lve_frames(p, t) for p, t in zip(best, TRUE, strict=True)]).mean()
    assert data.overall("ce@probtalk3d", TAKES, TRUE) == pytest.approx(6.07901113405e-06, rel=1e-9)
    assert ce == pytest.approx(6.07901113405e-06, rel=1e-9)
    chosen = [
        best_take([p[:, data.LIPS] for p in x], t[:, data.LIPS]) for x, t in zip(TAKES, TRUE, strict=True)
    ]
    assert chosen == [6, 8, 8]
    # In millimetres, and never better than the best take.
    assert data.overall("ce_mm", TAKES, TRUE) <= data.overall("lve_mm", TAKES, TRUE)
    assert data.overall("mee_mm", [x[:1] for x in TAKES], TRUE) == pytest.approx(
        data.overall("lve_mm", [x[:1] for x in TAKES], TRUE)
    )


def test_diversities_of_takes() -> None:
    pairs = [[distance(x[a], x[b]) for a, b in combinations(range(10), 2)] for x in TAKES]
    assert data.overall("diversity@facediffuser", TAKES, TRUE) == pytest.approx(0.000763123603911, rel=1e-9)
    assert np.mean(pairs) == pytest.approx(0.000763123603911, rel=1e-9)
    stacked = [np.sqrt(2 * sum(((a - b) ** 2).sum() for a, b in combinations(x, 2))) for x in TAKES]
    assert data.overall("multimodality@facediffuser", TAKES, TRUE) == pytest.approx(0.435397367223, rel=1e-9)
    assert np.mean(stacked) == pytest.approx(0.435397367223, rel=1e-9)


def test_a_single_take_is_refused_before_its_vertices_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    head = load_head("ada")
    still = np.zeros((3, len(head.channels)), np.float32)
    take = Measured(Surface(Motion(coeffs=still, fps=25.0, head="ada", channels=head.channels), head))
    computed: list[slice] = []
    monkeypatch.setattr(take, "whole", computed.append)
    for measure in (diversity.measure_mm, diversity.measure_multimodality_m, diversity.measure_pairs):
        with pytest.raises(UndefinedMetricError, match="two takes or more"):
            measure([take])
    assert not computed


def test_the_random_pairs_of_probtalk3d() -> None:
    orders = (
        (7, 2, 9, 1, 0, 8, 4, 5, 6, 3),
        (7, 3, 5, 1, 4, 8, 0, 2, 6, 9),
        (7, 1, 9, 5, 8, 4, 3, 0, 2, 6),
    )
    found = [
        np.mean([distance(x[a], x[b]) for a, b in zip(order[:5], order[5:], strict=True)])
        for x, order in zip(TAKES, orders, strict=True)
    ]
    assert np.mean(found) == pytest.approx(0.000814090183928, rel=1e-9)
    assert data.overall("diversity@probtalk3d", TAKES, TRUE) == pytest.approx(0.000814090183928, rel=1e-9)
    with pytest.raises(AssertionError, match="10 takes"):
        data.overall("diversity@probtalk3d", [x[:9] for x in TAKES], TRUE)


def test_unils_counts_vertices_and_frames_as_given() -> None:
    predicted = [data.prediction(c) for c in data.CLIPS]
    even = [np.arange(len(t)) % 2 == 0 for t in TRUE]
    once = [fdd.fdd_unils(p[:, data.UPPER], t[:, data.UPPER]) for p, t in zip(predicted, TRUE, strict=True)]
    assert np.mean(once) == pytest.approx(79.2189332169, rel=1e-9)
    some = [
        (
            lve.lve_rms_mm(p[:, data.LIPS], t[:, data.LIPS], mask),
            mve.mhd_mm(frame_values(len(t), lambda f, p=p, t=t: mve.mean_square_m2(p[f], t[f])), mask),
            fdd.fdd_unils(p[:, data.UPPER], t[:, data.UPPER], mask),
        )
        for p, t, mask in zip(predicted, TRUE, even, strict=True)
    ]
    assert np.mean(some, axis=0) == pytest.approx([1.87338251713, 1.54313977096, 80.5017792548], rel=1e-9)
    # One batch of three clips, cut to 37 frames: the script takes one root over all of its frames.
    p, t = (np.concatenate([clip[:37, data.LIPS] for clip in clips]) for clips in (predicted, TRUE))
    assert lve.lve_rms_mm(p, t) == pytest.approx(1.87218770907, rel=1e-9)


def test_codetalker_with_repeats_and_arguments_swapped() -> None:
    rest = data.TEMPLATE
    pairs = [(data.prediction(c), t) for c, t in enumerate(TRUE)]
    up, twice = data.UPPER, data.UPPER_TWICE
    repeats = [fdd.fdd_m2(p[:, twice], t[:, twice], rest[twice]) for p, t in pairs]
    swapped = [fdd.fdd_m2(t[:, up], p[:, up], rest[up]) for p, t in pairs]
    assert np.mean(repeats) == pytest.approx(7.23728579893e-07, rel=1e-9)
    assert np.mean(swapped) == pytest.approx(-7.22651668039e-07, rel=1e-9)
    centred = [lve.lip_error_m(p[:, data.LIPS_TWICE], t[:, data.LIPS_TWICE]) for p, t in pairs]
    assert np.average(centred, weights=data.FRAMES) == pytest.approx(0.0019310229488, rel=1e-9)


def test_spreads_of_codes() -> None:
    pose, jaw = ([data.codes(c, columns) for c in data.CLIPS] for columns in (3, 1))
    for public, clips in ((1.4116878293, pose), (1.44600396147, jaw)):
        found = np.mean([100 * code_spread.spread_deviation(*pair) for pair in clips])
        formula = np.mean([np.abs(p.std(0, ddof=1) - t.std(0, ddof=1)).mean() * 100 for p, t in clips])
        assert found == pytest.approx(public, rel=1e-9)
        assert formula == pytest.approx(public, rel=1e-9)
    clips = [data.coefficients(c, 53) for c in data.CLIPS]
    l2 = np.average([code_spread.mean_l2(*pair) for pair in clips], weights=data.FRAMES)
    variance = np.mean([code_spread.variance_distance(*pair) for pair in clips])
    assert (l2, variance) == pytest.approx((0.472982176589, 0.0434415692971), rel=1e-9)
    formula = np.mean([np.sqrt(((p.var(0, ddof=1) - t.var(0, ddof=1)) ** 2).sum()) for p, t in clips])
    assert variance == pytest.approx(formula, rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "mouth", "upper", "public"),
    [
        (192, code_spread.RIG_MOUTH, code_spread.RIG_UPPER, (0.902019259921, 0.504138280167, 0.125665252115)),
        (
            51,
            code_spread.BEAT_MOUTH,
            code_spread.BEAT_UPPER,
            (0.466066175129, 0.226762097568, 0.231312977851),
        ),
    ],
)
def test_coefficients_of_facediffuser(
    columns: int, mouth: tuple[int, ...], upper: tuple[int, ...], public: tuple[float, ...]
) -> None:
    clips = [data.coefficients(c, columns) for c in data.CLIPS]
    found = (
        np.mean([code_spread.mean_l2(p, t) for p, t in clips]),
        np.mean([code_spread.mean_l2(p[:, mouth], t[:, mouth]) for p, t in clips]),
        np.mean([code_spread.sum_spread_deviation(p[:, upper], t[:, upper]) for p, t in clips]),
    )
    assert found == pytest.approx(public, rel=1e-9)
    formula = np.mean([(t[:, upper] ** 2).sum(1).std() - (p[:, upper] ** 2).sum(1).std() for p, t in clips])
    assert found[2] == pytest.approx(formula, rel=1e-12)
    assert len(mouth) == {192: 61, 51: 12}[columns]


def test_beats_columns_are_arkits_by_the_alphabet() -> None:
    assert len(code_spread.BEAT) == 51
    assert all(one < other for one, other in pairwise(code_spread.BEAT))
    assert [code_spread.BEAT[column] for column in (8, 21, 49)] == [
        "eyeBlinkLeft", "eyeWideRight", "noseSneerLeft",
    ]  # fmt: skip


def test_pairs_of_humanml3d() -> None:
    first, second = set_diversity.drawn_pairs(50, 20, np.random.RandomState(0))
    assert first.tolist()[:6] == [28, 11, 10, 41, 2, 27]
    assert second.tolist()[-3:] == [22, 29, 44]
    found = set_diversity.set_diversity(A, (first, second))
    assert found == pytest.approx(2.83215209817, rel=1e-9)
    assert np.mean([np.sqrt(((A[i] - A[j]) ** 2).sum()) for i, j in zip(first, second, strict=True)]) == (
        pytest.approx(found, rel=1e-12)
    )
    pairs = set_diversity.drawn_pairs(12, 5, np.random.RandomState(0))
    assert [list(draw) for draw in pairs] == [[6, 11, 4, 10, 2], [5, 2, 3, 4, 9]]
    takes = data.features(36)[0].reshape(3, 12, 8)
    assert set_diversity.multimodality(takes, pairs) == pytest.approx(2.75426220408, rel=1e-9)
    with pytest.raises(UndefinedMetricError, match="more than 20"):
        set_diversity.drawn_pairs(20, 20, np.random.RandomState(0))
