"""Every variant of the catalogue gives its public script's number on the standard data.

The numbers were computed with the public scripts, or with their core lines; beside each stand a few lines of
numpy from the definition that docs/metrics.md states, which share nothing with the engine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from talkcli.engine.metrics.paper_metrics import PAPER_METRICS
from tests.engine.metrics import standard as data

TRUE = [data.truth(c) for c in data.CLIPS]
PREDICTED = [data.prediction(c) for c in data.CLIPS]
SCALED = [data.scaled(c) for c in data.CLIPS]
TAKES = [[data.take(c, s) for s in range(10)] for c in data.CLIPS]
FIRST = [takes[0] for takes in TAKES]

Clips = list[np.ndarray]
Formula = Callable[[Clips, Clips], float]


def e2(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    return ((p - t) ** 2).sum(-1)


def pooled(per_frame: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Formula:
    return lambda p, t: float(np.concatenate([per_frame(a, b) for a, b in zip(p, t, strict=True)]).mean())


def clip_mean(per_clip: Callable[[np.ndarray, np.ndarray], float]) -> Formula:
    return lambda p, t: float(np.mean([per_clip(a, b) for a, b in zip(p, t, strict=True)]))


def worst(chosen: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda p, t: e2(p, t)[:, chosen].max(1)


def moved(x: np.ndarray, chosen: np.ndarray = data.UPPER) -> np.ndarray:
    return ((x - data.TEMPLATE) ** 2).sum(-1)[:, chosen]


def fdd(p: np.ndarray, t: np.ndarray, ddof: int = 0) -> float:
    return float((moved(t).std(0, ddof=ddof) - moved(p).std(0, ddof=ddof)).mean())


def fdd_unils(p: np.ndarray, t: np.ndarray) -> float:
    x, y = (a[:, data.UPPER_TWICE].sum(-1).std(0, ddof=1) for a in (p, t))
    return float(np.abs(x - y).mean() * 1000 * 100)


def fdd_deeptalk(p: np.ndarray, t: np.ndarray) -> float:
    spreads = []
    for x in (t, p):
        sums = (x - data.TEMPLATE).sum(-1)
        masked = np.zeros_like(sums)
        masked[:, data.UPPER] = sums[:, data.UPPER]
        spreads.append(masked.std(1, ddof=1))
    return float(np.abs(spreads[0] - spreads[1]).mean())


def centred(p: np.ndarray, t: np.ndarray) -> np.ndarray:
    p, t = p[:, data.LIPS], t[:, data.LIPS]
    return np.sqrt(e2(p - p.mean(1)[:, None], t - t.mean(1)[:, None]).max(1))


def fdd_all_frames(p: Clips, t: Clips) -> float:
    return float((moved(np.concatenate(t)).std(0) - moved(np.concatenate(p)).std(0)).mean())


def summed_over_frames(per_clip: Callable[[np.ndarray, np.ndarray], float]) -> Formula:
    return lambda p, t: sum(per_clip(a, b) for a, b in zip(p, t, strict=True)) / sum(map(len, t))


def steps_over_frames(p: Clips, t: Clips) -> float:
    steps = sum(np.abs(np.diff(a, axis=0) - np.diff(b, axis=0)).sum() for a, b in zip(p, t, strict=True))
    return float(steps / sum(map(np.size, t)))


def l1div(p: Clips, t: Clips) -> float:
    return float(sum(np.abs(a - a.mean(0)).sum() for a in p) / sum(map(len, p)))


def mod(p: np.ndarray, t: np.ndarray) -> float:
    o, q = (np.sqrt(((a[:, 51] - a[:, 57]) ** 2).mean(-1)) for a in (p, t))
    return float(np.sqrt(((o - q) ** 2).mean()))


lve = pooled(worst(data.LIPS))
lve_clips = clip_mean(lambda p, t: float(worst(data.LIPS)(p, t).mean()))
lve_mm = pooled(lambda p, t: 1000 * np.sqrt(worst(data.LIPS)(p, t)))
mve = pooled(lambda p, t: np.sqrt(e2(p, t)).mean(1))
mse = pooled(lambda p, t: e2(p, t).mean(1) / 3)
mse_clips = clip_mean(lambda p, t: float(e2(p, t).mean() / 3))
lips_m = clip_mean(lambda p, t: float(np.sqrt(e2(p, t))[:, data.LIPS].mean()))

VARIANTS: dict[str, tuple[Clips, float, Formula]] = {
    "lve@codetalker": (PREDICTED, 3.50556345675e-06, lve),
    "lve@multitalk": (PREDICTED, 3.50556345675e-06, lve),
    "lve@talkingstyle": (PREDICTED, 3.50556345675e-06, lve),
    "lve@facediffuser": (PREDICTED, 3.50556345675e-06, lve),
    "lve@facediffuser|scaled": (SCALED, 4.37704364775e-06, lve),
    "lve@scantalk": (PREDICTED, 3.50556345675e-06, lve),
    "lve@facediffusionmodel": (PREDICTED, 3.50556345675e-06, lve),
    "lve@torchmetrics": (PREDICTED, 3.50556345675e-06, lve),
    "lve@unitalker": (PREDICTED, 3.50535634229e-06, lve_clips),
    "lve@diffspeaker": (PREDICTED, 3.50535634229e-06, lve_clips),
    "lve@lom-v1": (PREDICTED, 3.50535634229e-06, lve_clips),
    "lve@faceformer": (PREDICTED, 1.87216963842, lve_mm),
    "lve@facemetrics-fork": (PREDICTED, 1.87216963842, lve_mm),
    "lvd@unitalker": (
        PREDICTED, 0.0018721138256, clip_mean(lambda p, t: float(np.sqrt(worst(data.LIPS)(p, t)).mean()))
    ),
    "lve@unils": (
        PREDICTED, 1.87225965179,
        clip_mean(lambda p, t: 1000 * float(np.sqrt(worst(data.LIPS)(p, t).mean()))),
    ),
    "lip_error@meshtalk": (PREDICTED, 0.00190836245418, pooled(centred)),
    "eve@emotalk": (PREDICTED, 3.50404798019e-06, pooled(worst(data.UPPER))),
    "all@facediffusionmodel": (
        PREDICTED, 2.81408475401e-06,
        lambda p, t: float(e2(np.concatenate(p), np.concatenate(t)).max(0).mean()),
    ),
    "mve@facediffuser": (PREDICTED, 0.00153304531707, mve),
    "mve@scantalk": (PREDICTED, 0.00153304531707, mve),
    "mpvpe_face@lom-v1": (
        PREDICTED, 1.53304230395, clip_mean(lambda p, t: 1000 * float(np.sqrt(e2(p, t)).mean()))
    ),
    "mpvpe_face@facemetrics-fork": (
        PREDICTED, 0.0356521466036, summed_over_frames(lambda p, t: 1000 * float(np.sqrt(e2(p, t)).mean()))
    ),
    "mhd@unils": (PREDICTED, 1.54317891221, clip_mean(lambda p, t: 1000 * float(np.sqrt(e2(p, t).mean())))),
    "mod@facemetrics-fork": (
        PREDICTED, 1.53864534127, pooled(lambda p, t: 1000 * np.sqrt(e2(p, t))[:, data.LIPS].mean(1))
    ),
    "vertex_error_lips@deeptalk": (PREDICTED, 0.00153863079757, lips_m),
    "vertex_error_upper@deeptalk": (
        PREDICTED, 0.00153755586734, clip_mean(lambda p, t: float(np.sqrt(e2(p, t))[:, data.UPPER].mean()))
    ),
    "rec_l2@unitalker": (PREDICTED, 7.93800389501e-07, mse_clips),
    "mse@emage": (PREDICTED, 7.93803148073e-07, mse),
    "full_dist@unils-meshloss": (PREDICTED, 0.793800389501, lambda p, t: 1e6 * mse_clips(p, t)),
    "lips_dist@unils-meshloss": (
        PREDICTED, 0.795407595427,
        clip_mean(lambda p, t: 1e6 * float(e2(p, t)[:, data.LIPS_TWICE].mean() / 3)),
    ),
    "eme@facediffusionmodel": (
        PREDICTED, 2.39561232637e-06, pooled(lambda p, t: e2(p, t)[:, data.UPPER].mean(1))
    ),
    "reconstruction_l1@voca": (
        PREDICTED, 0.00239552394681, pooled(lambda p, t: np.abs(p - t).sum(-1).mean(1))
    ),
    "reconstruction_l2@voca": (PREDICTED, 2.38140944422e-06, lambda p, t: 3 * mse(p, t)),
    "fdd@codetalker": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "fdd@multitalk": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "fdd@talkingstyle": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "fdd@facediffuser": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "fdd@facediffuser|scaled": (SCALED, 4.65058780574e-07, clip_mean(fdd)),
    "absfdd@facediffuser": (PREDICTED, 7.22651668039e-07, clip_mean(lambda p, t: abs(fdd(p, t)))),
    "absfdd@facediffuser|scaled": (SCALED, 1.06296604473e-06, clip_mean(lambda p, t: abs(fdd(p, t)))),
    "fdd@scantalk": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "absfdd@scantalk": (PREDICTED, 7.22651668039e-07, clip_mean(lambda p, t: abs(fdd(p, t)))),
    "fdd@diffspeaker": (PREDICTED, 7.22651668039e-07, clip_mean(fdd)),
    "ffd@lom-v1": (PREDICTED, 7.31397088141e-07, clip_mean(lambda p, t: fdd(p, t, ddof=1))),
    "ffd@facemetrics-fork": (
        PREDICTED, 0.0168058527451, summed_over_frames(lambda p, t: 1e6 * fdd(p, t))
    ),
    "fdd@torchmetrics-pr3238": (PREDICTED, 7.22595124415e-07, fdd_all_frames),
    "fdd@unils": (PREDICTED, 78.5647164422, clip_mean(fdd_unils)),
    "fdd@deeptalk": (PREDICTED, 0.000489269967842, clip_mean(fdd_deeptalk)),
    "lvd@emage": (PREDICTED, 0.00024083042559, steps_over_frames),
    "l1div@emage": (PREDICTED, 0.3984542086, l1div),
    "l1div@emage2024": (PREDICTED, 0.3984542086, l1div),
    "mod@msmd": (PREDICTED, 0.000324651792919, clip_mean(mod)),
    "lve@probtalk3d": (FIRST, 6.13250847085e-06, lve),
    "mve@probtalk3d": (FIRST, 0.00159614664164, mve),
    "fdd@probtalk3d": (FIRST, -1.50546126796e-06, clip_mean(fdd)),
}  # fmt: skip


# Rows whose numbers the other tests of this folder hold: of takes, coefficients and sets, of lips and head
# with sound, and of spoken frames (a mask there).
ELSEWHERE = {
    "fve@facediffusionmodel", "mee@probtalk3d", "ce@probtalk3d", "diversity@facediffuser",
    "multimodality@facediffuser", "diversity@probtalk3d", "diversity@humanml3d-quartiles",
    "multimodality@humanml3d-quartiles",
    "pdd@unils", "jdd@unils", "mean_l2@probtalk3d-val", "mean_var@probtalk3d-val", "s_lve@unils",
    "s_mhd@unils", "s_fdd@unils", "mtm@perceptual3d", "mtm@perceptual3d-halved",
    "lip_intensity@perceptual3d", "rms@perceptual3d", "rms@perceptual3d-overflow",
    "slcc@perceptual3d", "slcc@perceptual3d-pooled",
    "bas@kdtalker-accents", "ba@bailando-accents", "pose_std@kdtalker",
    "mve@facediffuser-rig192", "lve@facediffuser-rig192", "fdd@facediffuser-rig192",
    "absfdd@facediffuser-rig192", "mve@facediffuser-beat51", "lve@facediffuser-beat51",
    "fdd@facediffuser-beat51", "absfdd@facediffuser-beat51",
}  # fmt: skip


def test_no_row_is_without_a_public_number() -> None:
    here = {case.split("|")[0] for case in VARIANTS}
    assert not here & ELSEWHERE
    assert here | ELSEWHERE == set(PAPER_METRICS)


def test_the_face_of_lips_and_upper_face_has_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # The public number was computed on vertices 0 to 54.
    monkeypatch.setitem(data.Numbering.regions, "upper_face", np.arange(20, 55))
    found = data.overall("fve@facediffusionmodel", [[one] for one in PREDICTED], TRUE)
    assert found == pytest.approx(3.52703414459e-06, rel=1e-9)
    assert found == pytest.approx(pooled(worst(np.arange(55)))(PREDICTED, TRUE), rel=1e-9)


def test_the_standard_data_are_those_of_the_public_numbers() -> None:
    assert data.truth(1)[5, 7] == pytest.approx([0.030596020799538, 0.016616400015295, -0.052706057272061])
    assert data.take(2, 3)[4, 9] == pytest.approx([0.017475233375194, -0.052471043839484, 0.021275037351752])
    assert [x.sum() for x in TRUE] == pytest.approx(
        [-0.08805920374605, -0.077247513079375, -0.0060959124903779]
    )
    assert [(x**2).sum() for x in PREDICTED] == pytest.approx(
        [9.0386651484409, 8.3615472207597, 11.752052868957]
    )


@pytest.mark.parametrize("case", VARIANTS)
def test_a_row_gives_the_scripts_number_and_that_of_its_formula(case: str) -> None:
    predicted, public, formula = VARIANTS[case]
    takes = TAKES if predicted is FIRST else [[one] for one in predicted]
    found = data.overall(case.split("|", maxsplit=1)[0], takes, TRUE)
    assert found == pytest.approx(public, rel=1e-9)
    assert found == pytest.approx(formula(predicted, TRUE), rel=1e-9)


@pytest.mark.parametrize("case", VARIANTS)
def test_truth_scores_zero_against_itself(case: str) -> None:
    name = case.split("|", maxsplit=1)[0]
    if not name.startswith("l1div"):
        assert data.overall(name, [[one] for one in TRUE], TRUE) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("case", VARIANTS)
def test_the_order_of_clips_does_not_matter(case: str) -> None:
    predicted = VARIANTS[case][0]
    takes = [[one] for one in predicted]
    name = case.split("|", maxsplit=1)[0]
    turned = data.overall(name, takes[::-1], TRUE[::-1])
    assert turned == pytest.approx(data.overall(name, takes, TRUE), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("lve@talkingstyle", 3.50559786797e-06),
        ("fdd@talkingstyle", 7.2117742737e-07),
        ("mve@facediffuser", 0.00153298122116),
        ("fdd@scantalk", 7.2117742737e-07),
        ("lve@torchmetrics", 3.50559786797e-06),
    ],
)
def test_clips_of_two_lengths_are_cut_to_the_shorter(name: str, public: float) -> None:
    lengths = (40, 36, 52)
    predicted = [[data.prediction(c, frames)[: lengths[c]]] for c, frames in enumerate((42, 36, 55))]
    true = [one[: lengths[c]] for c, one in enumerate(TRUE)]
    assert data.overall(name, predicted, true) == pytest.approx(public, rel=1e-9)


_UNITS = {"m": 2.0, "mm": 2.0, "0.01 mm": 2.0, "m2": 4.0, "mm2": 4.0}


@pytest.mark.parametrize("case", VARIANTS)
def test_a_value_scales_as_its_unit_says(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from talkcli.engine.metrics.catalogue import METRICS

    name = case.split("|", maxsplit=1)[0]
    takes = [[one] for one in VARIANTS[case][0]]
    once = data.overall(name, takes, TRUE)
    monkeypatch.setattr(data, "TEMPLATE", 2 * data.TEMPLATE)
    twice = data.overall(name, [[2 * one for one in made] for made in takes], [2 * one for one in TRUE])
    assert twice == pytest.approx(_UNITS[METRICS[name].unit] * once, rel=1e-9)
