"""Numbers that papers publish, as printed there; this file holds data alone.

Sources: DEEPTalk (Kim et al., AAAI 2025), tables 1 to 4; EmoFace (Lin et al., arXiv 2408.11518, version 3),
table of LVE and EVE. The text of DEEPTalk that the rows are copied from has lost some headings: the columns
of table 1 belong to data sets as the paper's text groups them, the two "without" rows of table 4 to losses as
its discussion does, and the temperatures of table 3 are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Row = tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table: what the paper calls it, and the metrics of talk that measure it."""

    name: str
    """Heading in the paper."""
    metric: str | None
    """Name in `METRICS` of the metric that uses the paper's judge, if the paper has one; None where that
    judge is not published."""
    own: str | None = None
    """Name of the metric of the same kind by a judge of ours, whose numbers do not compare; None for a column
    without a judge, and where there is none of ours."""
    factor: float = 1.0
    """Factor from the unit of the metric to that of the column."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a paper."""

    source: str
    """Paper and number of the table."""
    truth: str
    """What the paper measures against, and on which face."""
    columns: Mapping[str, tuple[Column, ...]]
    """Columns by the name of the data set that they are measured on."""
    rows: Mapping[str, Mapping[str, Row]]
    """Numbers by method and data set; None where the paper prints none."""


_FID = Column(name="FID", metric="fid")
_FFD = Column(name="FFD", metric=None, own="ffd")
_EMO_FID = Column(name="Emo-FID", metric=None, own="emo_fid")
_LSE_D = Column(name="LSE-D", metric="lse_d@syncnet", own="lse_d")
_LSE_C = Column(name="LSE-C", metric="lse_c@syncnet", own="lse_c")
_LIPS = (_LSE_D, _LSE_C)
# EmoFace states its unit as 1e-5 mm; its numbers are those of CodeTalker's script, squared metres.
_LVE = Column(name="LVE (1e-5)", metric="lve_m2", factor=1e5)
_EVE = Column(name="EVE (1e-5)", metric="eve_m2", factor=1e5)
_FLAME = "FLAME, rendered; pseudo ground truth that EMOCA reconstructs from the films"

TABLES: Mapping[str, Table] = {
    "main": Table(
        source="DEEPTalk, table 1",
        truth=_FLAME,
        columns={
            "crema-d": (_FID, _FFD, _EMO_FID, _LSE_D, _LSE_C),
            "ravdess": (_FID, _FFD, _EMO_FID),
            "hdtf": _LIPS,
            "mead": (_FID, _FFD, _EMO_FID, _LSE_D, _LSE_C),
        },
        rows={
            "FaceFormer": {
                "crema-d": (17.05, 62.88, 27.69, 8.659, 1.460), "ravdess": (27.43, 50.40, 40.45),
                "hdtf": (11.88, 0.900), "mead": (31.40, 78.62, 35.67, 10.70, 1.106),
            },
            "EmoTalk": {
                "crema-d": (64.75, None, 149.1, 9.132, 1.413), "ravdess": (None, None, None),
                "hdtf": (None, None), "mead": (88.33, None, 228.9, 10.77, 0.896),
            },
            "FaceDiffuser": {
                "crema-d": (14.78, 79.45, 23.24, 8.686, 1.507), "ravdess": (17.06, 81.74, 31.23),
                "hdtf": (12.48, 0.515), "mead": (30.93, 119.2, 68.30, 10.93, 0.784),
            },
            "EMOTE": {
                "crema-d": (22.24, 85.13, 33.72, 8.612, 1.573), "ravdess": (20.22, 62.05, 27.40),
                "hdtf": (12.38, 0.491), "mead": (27.22, 93.17, 16.83, 10.73, 1.035),
            },
            "DEEPTalk": {
                "crema-d": (11.58, 50.00, 11.99, 8.535, 1.523), "ravdess": (11.94, 32.82, 11.44),
                "hdtf": (11.83, 0.917), "mead": (26.07, 64.02, 15.16, 10.65, 1.103),
            },
        },
    ),
    "emovox": Table(
        source="DEEPTalk, table 2",
        truth="sound alone; 1.3 hours of VoxCeleb2 that the authors chose, and whose list is not published",
        columns={"emovox": _LIPS},
        rows={
            "FaceFormer (VOCASET)": {"emovox": (11.55, 0.763)},
            "MeshTalk (VOCASET)": {"emovox": (11.54, 0.555)},
            "CodeTalker (VOCASET)": {"emovox": (11.51, 0.782)},
            "FaceDiffuser (VOCASET)": {"emovox": (11.82, 0.707)},
            "EmoTalk (RAVDESS, HDTF)": {"emovox": (11.40, 0.658)},
            "FaceDiffuser (MEAD)": {"emovox": (11.61, 0.569)},
            "FaceFormer (MEAD)": {"emovox": (11.31, 0.893)},
            "EMOTE (MEAD)": {"emovox": (11.40, 0.879)},
            "DEEPTalk (MEAD)": {"emovox": (11.28, 0.889)},
        },
    ),
    "ablation": Table(
        source="DEEPTalk, table 4, whose numbers on Emo-Vox differ from those of table 2",
        truth=_FLAME,
        columns={"emovox": _LIPS, "mead": (_LSE_D, _LSE_C, _EMO_FID, _FID, _FFD)},
        rows={
            "VAE prior": {"emovox": (10.92, 0.868), "mead": (10.78, 0.828, 102.2, 43.40, 325.1)},
            "VQ-VAE prior": {"emovox": (10.87, 1.102), "mead": (10.70, 1.075, 16.58, 30.10, 66.98)},
            "without lip loss": {"emovox": (10.98, 1.000), "mead": (10.91, 0.901, 19.94, 28.23, 63.51)},
            "without emotion loss": {"emovox": (10.67, 1.187), "mead": (10.66, 1.107, 28.78, 32.47, 91.35)},
            "DEEPTalk": {"emovox": (10.74, 1.140), "mead": (10.65, 1.103, 15.15, 26.07, 64.02)},
        },
    ),
    "vocaset": Table(
        source="EmoFace, on VOCASET",
        truth="FLAME's 5023 vertices, scanned; lists of lip and eye vertices that the authors do not publish",
        columns={"vocaset": (_LVE, _EVE)},
        rows={
            "VOCA": {"vocaset": (4.9245, None)},
            "MeshTalk": {"vocaset": (4.5441, None)},
            "FaceFormer": {"vocaset": (4.1090, 0.4858)},
            "CodeTalker": {"vocaset": (3.9445, 0.5074)},
            "EmoTalk": {"vocaset": (3.7798, 0.4862)},
            "SelfTalk": {"vocaset": (3.2238, 0.4562)},
            "TalkingStyle": {"vocaset": (3.5245, 0.4686)},
            "EmoFace": {"vocaset": (2.8669, 0.4664)},
        },
    ),
    "ravdess3d": Table(
        source="EmoFace, on 3D-RAVDESS",
        truth="FLAME's 5023 vertices, reconstructed from RAVDESS's films; neither these nor the lists of lip "
        "and eye vertices are published",
        columns={"ravdess": (_LVE, _EVE)},
        rows={
            "FaceFormer": {"ravdess": (5.8462, 1.4149)},
            "CodeTalker": {"ravdess": (15.6160, 3.4675)},
            "EmoTalk": {"ravdess": (6.6076, 1.5994)},
            "SelfTalk": {"ravdess": (6.2560, 1.5685)},
            "TalkingStyle": {"ravdess": (5.9737, 1.4471)},
            "EmoFace": {"ravdess": (4.8863, 0.9509)},
        },
    ),
}  # fmt: skip

# DEEPTalk, table 3, on MEAD: diversity and LSE-D. Rows of sigma with the most probable codes; then rows of
# the emotion's mean, in the paper's order, for temperatures that rise as diversity does; then FaceDiffuser.
DIVERSITY_OF_SIGMA: Mapping[float, tuple[float, float]] = {
    1.0: (19.23, 10.65), 0.1: (25.48, 10.60), -2.0: (25.50, 10.60), -4.0: (25.55, 10.60),
}  # fmt: skip
DIVERSITY_OF_CODES: tuple[tuple[float, float], ...] = ((9.91, 10.65), (13.03, 10.65), (23.22, 10.68))
DIVERSITY_OF_FACEDIFFUSER = (21.56, 10.93)
