"""Rows of the metrics that a network judges: synchrony (LSE) and distances between sets (FID, FFD).

Rows hold strings only. A row whose network the user does not have gives the reason in place of a value.
"""

from __future__ import annotations

from typing import Any

from talkcli.engine.metrics.metric_info import MetricInfo

_METRICS = "talkcli.engine.metrics"
_OURS = "our judge, not comparable with the papers"
_INCEPTION = "FID's Inception on our pictures of the face"
_SYNCNET = "SyncNet v2 on our pictures of the face, before any encoding"
_INCEPTION_OF_VIDEOS = "FID's Inception on crops of videos"
_SYNCNET_OF_VIDEOS = "SyncNet v2 on crops of videos, after their encoding"

_SYNC: dict[str, Any] = {
    "vertices": "landmarks", "needs": "audio", "unit": "", "over_clips": "clip mean",
    "judge": _OURS, "weights": "sync",
}  # fmt: skip
_MOUTHS: dict[str, Any] = {
    "vertices": "all", "needs": "audio", "unit": "", "over_clips": "clip mean", "judge": _OURS,
    "sees": "pictures", "shown": False, "weights": "sync_image",
}  # fmt: skip
_SEEN: dict[str, Any] = {
    "vertices": "all", "needs": "audio", "unit": "", "over_clips": "clip mean", "judge": _SYNCNET,
    "judge_of_videos": _SYNCNET_OF_VIDEOS, "sees": "pictures", "shown": False, "group": "papers",
    "weights": "syncnet",
}  # fmt: skip
_DISTANCE = "mean distance of lips and sound at the best shift within 15 frames; lower is better"
_CONFIDENCE = "how much nearer than at the median shift; higher is better"
_OFFSET = "that shift; negative when sound is late"

JUDGED_METRICS: dict[str, MetricInfo] = {
    "lse_d": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_distance", better="lower",
        meaning=_DISTANCE, **_SYNC
    ),
    "lse_c": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_confidence", better="higher",
        meaning=_CONFIDENCE, **_SYNC
    ),
    "lse_offset": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_offset", better="near zero", meaning=_OFFSET,
        **{**_SYNC, "unit": "frames", "over_clips": "median"},
    ),
    "lse_d@pictures": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_pictures_distance", better="lower",
        meaning=_DISTANCE, **_MOUTHS
    ),
    "lse_c@pictures": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_pictures_confidence", better="higher",
        meaning=_CONFIDENCE, **_MOUTHS
    ),
    "lse_offset@pictures": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_pictures_offset", better="near zero", meaning=_OFFSET,
        **{**_MOUTHS, "unit": "frames", "over_clips": "median"},
    ),
    "lse_d@syncnet": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_syncnet_distance", better="lower",
        meaning=_DISTANCE, **_SEEN
    ),
    "lse_c@syncnet": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_syncnet_confidence", better="higher",
        meaning=_CONFIDENCE, **_SEEN
    ),
    "lse_offset@syncnet": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_syncnet_offset", better="near zero", meaning=_OFFSET,
        **{**_SEEN, "unit": "frames", "over_clips": "median"},
    ),
    "lse_d@wav2lip": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_syncnet_distance", better="lower",
        meaning="the same lines in Wav2Lip's script, mean over videos", **_SEEN,
    ),
    "lse_c@wav2lip": MetricInfo(
        measure=f"{_METRICS}.lse_measures:measure_syncnet_confidence", better="higher",
        meaning="the same lines in Wav2Lip's script, mean over videos", **_SEEN,
    ),
    "ffd": MetricInfo(
        measure=f"{_METRICS}.ffd:measure", pool=f"{_METRICS}.frechet_pool:distance", better="lower",
        unit="", vertices="coefficients", needs="takes and truth", over_clips="pooled", judge=_OURS,
        weights="ffd",
        meaning="Frechet distance of motion and truth in an autoencoder's latents",
    ),
    "emo_fid": MetricInfo(
        measure=f"{_METRICS}.emo_fid:measure", pool=f"{_METRICS}.frechet_pool:distance", better="lower",
        unit="", vertices="all", needs="takes and truth", over_clips="pooled", shown=False, judge=_OURS,
        weights="emotion_image",
        meaning="Frechet distance of pictures of motion and truth in a judge of emotion",
    ),
    "fid": MetricInfo(
        measure=f"{_METRICS}.fid:measure", pool=f"{_METRICS}.frechet_pool:distance", better="lower",
        unit="", vertices="all", needs="takes and truth", over_clips="pooled", shown=False, group="papers",
        judge=_INCEPTION, judge_of_videos=_INCEPTION_OF_VIDEOS, sees="pictures", weights="inception",
        meaning="Frechet distance of pictures of motion and truth",
    ),
    "fid@pytorch-fid": MetricInfo(
        measure=f"{_METRICS}.fid:measure", pool=f"{_METRICS}.frechet_pool:published_distance", better="lower",
        unit="", vertices="all", needs="takes and truth", over_clips="pooled", shown=False, group="papers",
        judge=_INCEPTION, judge_of_videos=_INCEPTION_OF_VIDEOS, sees="pictures", weights="inception",
        meaning="the same of any number of pictures, even fewer than features",
    ),
}  # fmt: skip
