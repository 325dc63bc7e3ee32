"""Rows of the metrics that single papers' public scripts compute, as `name@source`.

They are measured when they are asked for by name. Where one name has several formulas, each row reproduces
the number of its script on the same arrays, with its faults; docs/metrics.md has a table of what they differ
in. Rows hold strings only.
"""

from __future__ import annotations

from talkcli.engine.metrics.metric_info import Better, MetricInfo, Needs, OverClips

_METRICS = "talkcli.engine.metrics"


def _row(
    measure: str,
    needs: Needs,
    vertices: str,
    unit: str,
    over_clips: OverClips,
    better: Better,
    meaning: str,
    pool: str | None = None,
) -> MetricInfo:
    return MetricInfo(
        measure=f"{_METRICS}.{measure}",
        pool=None if pool is None else f"{_METRICS}.{pool}",
        needs=needs,
        vertices=vertices,
        unit=unit,
        over_clips=over_clips,
        better=better,
        meaning=meaning,
        group="papers",
        shown=False,
    )


_LIPS = "largest squared lip distance per frame"
_FDD = "spread over time of squared displacements, truth less motion"
_BOTH: Needs = "takes and truth"
_UPPER2 = "eyes+forehead with repeats"
_SPOKEN = "; spoken frames"

PAPER_METRICS: dict[str, MetricInfo] = {
    # Largest error of a vertex.
    "lve@codetalker": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@multitalk": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@talkingstyle": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@facediffuser": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@scantalk": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@facediffusionmodel": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@torchmetrics": _row("lve:measure_m2", "truth", "lips", "m2", "frame mean", "lower", _LIPS),
    "lve@probtalk3d": _row(
        "lve:measure_first_m2", _BOTH, "lips", "m2", "frame mean", "lower",
        f"{_LIPS}, first take",
    ),
    "lve@unitalker": _row("lve:measure_m2", "truth", "lips", "m2", "clip mean", "lower", _LIPS),
    "lve@diffspeaker": _row("lve:measure_m2", "truth", "lips", "m2", "clip mean", "lower", _LIPS),
    "lve@lom-v1": _row("lve:measure_m2", "truth", "lips", "m2", "clip mean", "lower", _LIPS),
    "lve@faceformer": _row(
        "lve:measure_mm", "truth", "lips", "mm", "frame mean", "lower",
        "largest lip distance per frame",
    ),
    "lve@facemetrics-fork": _row(
        "lve:measure_mm", "truth", "lips", "mm", "frame mean", "lower",
        "largest lip distance per frame",
    ),
    "lvd@unitalker": _row(
        "lve:measure_m", "truth", "lips", "m", "clip mean", "lower",
        "largest lip distance per frame",
    ),
    "lve@unils": _row(
        "lve:measure_rms_mm", "truth", "lips", "mm", "clip mean", "lower",
        f"root of the mean of the {_LIPS}",
    ),
    "s_lve@unils": _row(
        "lve:measure_spoken_rms_mm", "truth and audio", "lips", "mm", "clip mean", "lower",
        f"root of the mean of the {_LIPS}{_SPOKEN}",
    ),
    "lip_error@meshtalk": _row(
        "lve:measure_centred_m", "truth", "lips", "m", "frame mean", "lower",
        "largest lip distance per frame, without the lips' centroid",
    ),
    "eve@emotalk": _row(
        "eve:measure_m2", "truth", "eyes+forehead", "m2", "frame mean", "lower",
        "largest squared distance of eye region and forehead per frame",
    ),
    "fve@facediffusionmodel": _row(
        "lve:measure_face_m2", "truth", "lips+upper_face", "m2", "frame mean", "lower",
        "largest squared distance of lips and upper face per frame",
    ),
    "all@facediffusionmodel": _row(
        "lve:measure_worst_moments", "truth", "all", "m2", "pooled", "lower",
        "mean over vertices of their largest squared distance in any frame", "lve:pool_worst_moments",
    ),
    # Mean error of vertices.
    "mve@facediffuser": _row(
        "mve:measure_m", "truth", "all", "m", "frame mean", "lower",
        "mean vertex distance",
    ),
    "mve@scantalk": _row("mve:measure_m", "truth", "all", "m", "frame mean", "lower", "mean vertex distance"),
    "mve@probtalk3d": _row(
        "mve:measure_first_m", _BOTH, "all", "m", "frame mean", "lower",
        "mean vertex distance, first take",
    ),
    "mpvpe_face@lom-v1": _row(
        "mve:measure", "truth", "all", "mm", "clip mean", "lower",
        "mean vertex distance",
    ),
    "mpvpe_face@facemetrics-fork": _row(
        "mve:measure_by_frames", "truth", "all", "mm", "frame mean", "lower",
        "sum of the clips' mean distances over the number of frames",
    ),
    "mhd@unils": _row(
        "mve:measure_mhd_mm", "truth", "all", "mm", "clip mean", "lower",
        "root mean square vertex distance",
    ),
    "s_mhd@unils": _row(
        "mve:measure_spoken_mhd_mm", "truth and audio", "all", "mm", "clip mean", "lower",
        f"root mean square vertex distance{_SPOKEN}",
    ),
    "mod@facemetrics-fork": _row(
        "mve:measure_lips_mm", "truth", "lips", "mm", "frame mean", "lower",
        "mean lip distance: no opening of a mouth",
    ),
    "vertex_error_lips@deeptalk": _row(
        "mve:measure_lips_m", "truth", "lips", "m", "clip mean", "lower",
        "mean lip distance",
    ),
    "vertex_error_upper@deeptalk": _row(
        "mve:measure_upper_m", "truth", "upper_face", "m", "clip mean", "lower",
        "mean upper-face distance",
    ),
    "rec_l2@unitalker": _row(
        "squared_error:measure_mse_m2", "truth", "all", "m2", "clip mean", "lower",
        "mean squared error of a coordinate",
    ),
    "mse@emage": _row(
        "squared_error:measure_mse_m2", "truth", "all", "m2", "frame mean", "lower",
        "mean squared error of a coordinate",
    ),
    "full_dist@unils-meshloss": _row(
        "squared_error:measure_mse_mm2", "truth", "all", "mm2", "clip mean", "lower",
        "mean squared error of a coordinate",
    ),
    "lips_dist@unils-meshloss": _row(
        "squared_error:measure_lips_mse_mm2", "truth", "lips with repeats", "mm2", "clip mean", "lower",
        "mean squared error of a lip coordinate",
    ),
    "eme@facediffusionmodel": _row(
        "squared_error:measure_upper_square_m2", "truth", "upper_face", "m2", "frame mean", "lower",
        "mean squared upper-face distance",
    ),
    "reconstruction_l1@voca": _row(
        "squared_error:measure_absolute_m", "truth", "all", "m", "frame mean", "lower",
        "mean over vertices of the absolute errors' sum",
    ),
    "reconstruction_l2@voca": _row(
        "squared_error:measure_square_m2", "truth", "all", "m2", "frame mean", "lower",
        "mean squared vertex distance",
    ),
    # Dynamics.
    "fdd@codetalker": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "fdd@multitalk": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "fdd@talkingstyle": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "fdd@facediffuser": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "absfdd@facediffuser": _row(
        "fdd:measure_absolute", "truth", "upper_face", "m2", "clip mean", "lower",
        f"{_FDD}, absolute per clip",
    ),
    "fdd@scantalk": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "absfdd@scantalk": _row(
        "fdd:measure_absolute", "truth", "upper_face", "m2", "clip mean", "lower",
        f"{_FDD}, absolute per clip",
    ),
    "fdd@diffspeaker": _row("fdd:measure", "truth", "upper_face", "m2", "clip mean", "near zero", _FDD),
    "fdd@probtalk3d": _row(
        "fdd:measure_first", _BOTH, "upper_face", "m2", "clip mean", "near zero",
        f"{_FDD}, first take",
    ),
    "ffd@lom-v1": _row(
        "fdd:measure_sample_spread", "truth", "upper_face", "m2", "clip mean", "near zero",
        f"{_FDD}, n - 1",
    ),
    "ffd@facemetrics-fork": _row(
        "fdd:measure_by_frames_mm2", "truth", "upper_face", "mm2", "frame mean", "near zero",
        f"sum over clips of the {_FDD}, over the number of frames",
    ),
    "fdd@torchmetrics-pr3238": _row(
        "fdd:measure_moments", "truth", "upper_face", "m2", "pooled", "near zero",
        f"{_FDD}, over the frames of all clips", "fdd:pool_moments",
    ),
    "fdd@unils": _row(
        "fdd:measure_unils", "truth", _UPPER2, "0.01 mm", "clip mean", "lower",
        "difference of the spreads of each vertex's x + y + z",
    ),
    "s_fdd@unils": _row(
        "fdd:measure_spoken_unils", "truth and audio", _UPPER2, "0.01 mm", "clip mean", "lower",
        f"difference of the spreads of each vertex's x + y + z{_SPOKEN}",
    ),
    "fdd@deeptalk": _row(
        "fdd:measure_deeptalk", "truth", "upper_face", "m", "clip mean", "lower",
        "difference of the spreads over vertices, mean over frames",
    ),
    "pdd@unils": _row(
        "code_spread:measure_pdd", "truth", "coefficients", "0.01 rad", "clip mean", "lower",
        "difference of the spreads of the head's rotation",
    ),
    "jdd@unils": _row(
        "code_spread:measure_jdd", "truth", "coefficients", "0.01 rad", "clip mean", "lower",
        "difference of the spreads of the jaw's pitch",
    ),
    "lvd@emage": _row(
        "velocity:measure_lvd_m", "truth", "all", "m", "frame mean", "lower",
        "mean absolute error of a coordinate's step",
    ),
    "l1div@emage": _row(
        "velocity:measure_l1div_m", "motion", "all", "m", "frame mean", None,
        "sum over coordinates of the mean distance from their mean over time",
    ),
    "l1div@emage2024": _row(
        "velocity:measure_l1div_m", "motion", "all", "m", "frame mean", None,
        "sum over coordinates of the mean distance from their mean over time",
    ),
    "pose_std@kdtalker": _row(
        "beats:measure_pose_spread", "motion", "all", "deg", "clip mean", None,
        "mean spread of yaw, pitch and roll",
    ),
    # Coefficients.
    "mean_l2@probtalk3d-val": _row(
        "code_spread:measure_mean_l2", "truth", "coefficients", "", "frame mean", "lower",
        "mean L2 distance of the coefficients of a frame",
    ),
    "mean_var@probtalk3d-val": _row(
        "code_spread:measure_variance_distance", "truth", "coefficients", "", "clip mean", "lower",
        "L2 distance of the coefficients' variances",
    ),
    "mve@facediffuser-rig192": _row(
        "code_spread:measure_rig_error", "truth", "coefficients", "", "clip mean", "lower",
        "mean L2 distance of 192 controls",
    ),
    "lve@facediffuser-rig192": _row(
        "code_spread:measure_rig_mouth", "truth", "coefficients", "", "clip mean", "lower",
        "mean L2 distance of the mouth's 61 controls",
    ),
    "fdd@facediffuser-rig192": _row(
        "code_spread:measure_rig_upper", "truth", "coefficients", "", "clip mean", "near zero",
        "difference of the spreads of the sum of squares of 131 controls",
    ),
    "absfdd@facediffuser-rig192": _row(
        "code_spread:measure_rig_upper_absolute", "truth", "coefficients", "", "clip mean", "lower",
        "the same, absolute per clip",
    ),
    "mve@facediffuser-beat51": _row(
        "code_spread:measure_beat_error", "truth", "coefficients", "", "clip mean", "lower",
        "mean L2 distance of BEAT's 51 shapes",
    ),
    "lve@facediffuser-beat51": _row(
        "code_spread:measure_beat_mouth", "truth", "coefficients", "", "clip mean", "lower",
        "mean L2 distance of the mouth's 12 shapes",
    ),
    "fdd@facediffuser-beat51": _row(
        "code_spread:measure_beat_upper", "truth", "coefficients", "", "clip mean", "near zero",
        "difference of the spreads of the sum of squares of 16 shapes",
    ),
    "absfdd@facediffuser-beat51": _row(
        "code_spread:measure_beat_upper_absolute", "truth", "coefficients", "", "clip mean", "lower",
        "the same, absolute per clip",
    ),
    # Lips and sound.
    "mod@msmd": _row(
        "mod:measure_msmd", "truth", "outer lips", "m", "clip mean", "lower",
        "root mean square difference of the mouth's opening over the root of 3",
    ),
    "mtm@perceptual3d": _row(
        "mtm:measure_frames", "truth", "middle of the lips", "frames", "clip mean", "lower",
        "distance in time of paired extrema of the opening",
    ),
    "mtm@perceptual3d-halved": _row(
        "mtm:measure_halved", "truth", "middle of the lips", "frames", "clip mean", "lower",
        "the same with every second frame of the truth, whatever its rate",
    ),
    "lip_intensity@perceptual3d": _row(
        "slcc:measure_lip_intensity", "motion", "lips with repeats", "m/frame", "clip mean", None,
        "root mean square of the lips' mean step",
    ),
    "rms@perceptual3d": _row(
        "slcc:measure_rms", "audio", "none", "int16", "clip mean", None,
        "root mean square of the sound",
    ),
    "rms@perceptual3d-overflow": _row(
        "slcc:measure_overflowing_rms", "audio", "none", "int16", "clip mean", None,
        "the same with squares that overflow 16 bits",
    ),
    "slcc@perceptual3d": _row(
        "slcc:measure_of_speaker", "speaker and audio", "lips with repeats", "", "pooled", None,
        "correlation of both intensities over clips, standardised for each speaker", "slcc:pool_speakers",
    ),
    "slcc@perceptual3d-pooled": _row(
        "slcc:measure", "audio", "lips with repeats", "", "pooled", None,
        "correlation of both intensities over clips; all clips are one identity", "slcc:pool",
    ),
    "bas@kdtalker-accents": _row(
        "beats:measure_kdtalker", "audio", "landmarks", "", "clip mean", "higher",
        "nearness of the head's beats to those of the speech, in seconds",
    ),
    "ba@bailando-accents": _row(
        "beats:measure_bailando", "audio", "landmarks", "", "clip mean", "higher",
        "nearness of the head's beats to those of the speech, in frames",
    ),
    # Several takes.
    "mee@probtalk3d": _row(
        "takes_error:measure_mee_m2", _BOTH, "lips", "m2", "frame mean", "lower",
        f"{_LIPS} of the mean of the takes",
    ),
    "ce@probtalk3d": _row(
        "takes_error:measure_ce_m2", _BOTH, "lips", "m2", "frame mean", "lower",
        f"{_LIPS} of each clip's best take",
    ),
    "diversity@facediffuser": _row(
        "diversity:measure_m", "takes", "all", "m", "clip mean", None,
        "mean vertex distance of all pairs of takes",
    ),
    "multimodality@facediffuser": _row(
        "diversity:measure_multimodality_m", "takes", "all", "m", "clip mean", None,
        "root of the sum of squares over all pairs of takes",
    ),
    "diversity@probtalk3d": _row(
        "diversity:measure_pairs", "takes", "all", "m", "pooled", None,
        "mean vertex distance of five random pairs of ten takes", "diversity:pool_shuffled",
    ),
    "diversity@humanml3d-quartiles": _row(
        "set_diversity:measure_quartiles", "motion", "coefficients", "", "pooled", None,
        "mean L2 distance of 300 random pairs of clips, of their coefficients' quartiles",
        "set_diversity:pool_diversity",
    ),
    "multimodality@humanml3d-quartiles": _row(
        "set_diversity:measure_takes", "takes", "coefficients", "", "pooled", None,
        "mean L2 distance of 10 random pairs of takes, of their coefficients' quartiles",
        "set_diversity:pool_multimodality",
    ),
}  # fmt: skip
