from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from talkcli.engine.face.channels import ADA, JAW
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.pages.tsne import tsne
from talkcli.engine.pipelines.score.emotion.listener import Embedded
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.pipelines.score.labelled import Labelled
from talkcli.engine.pipelines.score.report.joint import JointSpace, joint_space, shown
from talkcli.engine.pipelines.score.report.page import Material, Table, collect, write_report
from talkcli.engine.pipelines.score.report.pictures import cosines
from talkcli.engine.pipelines.score.report.worst import worst_clips
from talkcli.engine.pipelines.score.sources import Sources
from talkcli.engine.types import EMOTIONS, Motion, Silent
from tests.browser import browser, missing_browser

_NO_BROWSER = missing_browser()
_EMOTIONS = ("happy", "sad")


def _report(values: dict[str, list[float | None]]) -> dict[str, Any]:
    """A report of `score_motions` with a clip for every value."""
    count = len(next(iter(values.values())))
    clips = [
        {
            "id": f"<clip>{index}",
            "emotion": _EMOTIONS[index % 2],
            "metrics": {name: {"value": found[index], "reason": None} for name, found in values.items()},
        }
        for index in range(count)
    ]
    overall = {name: {"value": 1.0, "unit": "mm"} for name in values}
    return {
        "talk": "9.9",
        "dataset": {"name": "<set>"},
        "generation": None,
        "overall": overall,
        "clips": clips,
    }


def _joint() -> JointSpace:
    rng = np.random.default_rng(0)
    labels = np.tile([2, 3], 10)
    shares = (np.full(32, 1 / 32).tolist(), np.full(32, 1 / 32).tolist())
    return JointSpace(
        model_name="<model>",
        placed=tsne(rng.normal(0, 0.3, (20, 8)) + labels[:, None]),
        labels=labels,
        is_motion=np.arange(20) >= 10,
        num_clips=10,
        edges=np.linspace(-1, 1, 33).tolist(),
        cosines={"happy": shares, "sad": shares},
        retrieval={"speech to true motion": [[4, 1], [0, 5]], "true motion to speech": [[5, 0], [2, 3]]},
        emotions=["happy", "sad"],
    )


@pytest.mark.parametrize(
    ("name", "values", "worst"),
    [
        ("lve_mm", [1.0, 5.0, 3.0, 2.0], [1, 2, 3]),
        ("sync_r", [0.1, 0.9, 0.5, None], [0, 2]),
        # Clips as good as the best are not among the worst.
        ("lve_mm", [0.0, 2.0, 0.0, 0.0], [1]),
        ("fdd_m2", [-4.0, 1.0, 3.0, 0.0], [0, 2, 1]),
        # Neither low nor high is better: the farthest from the median.
        ("gap_mean_mm", [2.0, 2.5, 9.0, -3.0, 2.1], [2, 3, 1]),
        ("lve_mm", [7.0], [0]),
    ],
)
def test_the_worst_clips_are_those_of_the_metrics_direction(
    name: str, values: list[float | None], worst: list[int]
) -> None:
    found = worst_clips(_report({name: values}))[name]
    assert [(id_, value) for id_, value in found] == [(f"<clip>{index}", values[index]) for index in worst]


def test_values_of_single_clips_are_drawn_where_they_differ(tmp_path: Path) -> None:
    report = _report({"lve_mm": [1.0, 2.0, 2.0], "sync_r": [0.5, 0.5, 0.5], "jump_mm": [3.0, None, None]})
    write_report(report, tmp_path / "a.html", tables=[])
    text = (tmp_path / "a.html").read_text()
    assert text.count("<svg") == 1 and "The same for all clips: sync_r 0.5." in text


def test_metrics_without_values_or_differences_have_no_worst_clips() -> None:
    assert worst_clips(_report({"lve_mm": [None, None], "sync_r": [0.5, 0.5]})) == {}


def test_the_page_escapes_names_and_loads_nothing(tmp_path: Path) -> None:
    report = _report({"lve_mm": [1.0, 2.0, 3.0], "sync_r": [None, None, None]})
    tables = [Table(title="a <title>", header=("metric", "value"), rows=[("lve_mm", "2 mm vs performed")])]
    material = Material(joint=_joint(), clips={"<clip>2": "it <failed>"})
    write_report(report, tmp_path / "a.html", tables=tables, notes=["a <note>"], material=material)
    text = (tmp_path / "a.html").read_text()
    for hostile in ("<clip>", "<title>a", "<failed>", "<note>", "<set>"):
        assert hostile not in text
    assert "2 mm vs performed" in text and "Not shown: it &lt;failed&gt;" in text
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', text) == []
    write_report(report, tmp_path / "b.html", tables=tables, notes=["a <note>"], material=material)
    assert (tmp_path / "b.html").read_text() == text


@pytest.mark.parametrize(
    "name", ["\udcff", "</script><script>", "a\"b'c", "&amp;", "\u202e", "#x y", "é" * 99]
)
def test_hostile_names_of_clips_are_text(tmp_path: Path, name: str) -> None:
    report = _report({"lve_mm": [1.0, 2.0]})
    report["clips"][1]["id"] = name
    material = Material(joint=os.fsdecode(b"no \xfe"), clips={name: f"{name} is damaged"})
    tables = [Table(title=name, header=("id", name), rows=[(name, "2 mm")])]
    write_report(report, tmp_path / "a.html", tables=tables, notes=[name], material=material)
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    shown = escape(name.replace("\udcff", "\\udcff"))
    # Title, header, row, note, worst clip, heading of the clip, and its reason.
    assert text.count(shown) >= 7 and "<script>" not in text and "no \\udcfe" in text


def test_every_named_part_is_there_once(tmp_path: Path) -> None:
    report = _report({"lve_mm": [1.0, 2.0, 3.0], "sync_r": [0.1, 0.3, 0.2]})
    material = Material(joint=_joint(), clips={"<clip>2": "x", "<clip>0": "y"})
    write_report(report, tmp_path / "a.html", tables=[], material=material)
    text = (tmp_path / "a.html").read_text()
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_diversity_and_emotion_reports_have_their_pictures(tmp_path: Path) -> None:
    cell = {"value": 2.0}
    rows = [
        {"sigma": sigma, "tau_top": tau, "diversity_mm": cell, "diversity_l2": {"value": None},
         "sync_r": cell, "bilabial_closure": cell}
        for sigma, tau in ((None, 0.0), (1.0, 0.0), (None, 0.5))
    ]  # fmt: skip
    diversity = {"table": "diversity", "talk": "9", "dataset": None, "generation": None, "rows": rows}
    write_report(diversity, tmp_path / "a.html", tables=[])
    text = (tmp_path / "a.html").read_text()
    assert text.count("<svg") == 3 and "sigma 1" in text and "diversity_l2" not in text
    emotion = {
        "table": "emotion", "talk": "9", "dataset": None, "generation": None,
        "labels": ["neutral", "happy", "sad"],
        "confusion": {"emotion_uar": [[0, 0, 0], [0, 3, 1], [0, 0, 2]]},
    }  # fmt: skip
    write_report(emotion, tmp_path / "b.html", tables=[], material=Material(joint="no labels"))
    text = (tmp_path / "b.html").read_text()
    assert "5 of 6 clips named right" in text and "no labels" in text
    assert ">neutral<" not in text


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Material]:
    """Two motions of 0.6 s with their sound, and what the page shows of them."""
    folder = tmp_path_factory.mktemp("motions")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        coeffs = np.zeros((15, len(ADA)), np.float32)
        coeffs[:, ADA.index(JAW[0])] = rng.uniform(0, 0.3, 15)
        write_motion(folder / f"{name}.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA))
        soundfile.write(folder / f"{name}.wav", rng.normal(0, 0.1, 9600), 16_000)
    values = {"jump_mm": [1.0, 2.0], "gap_mean_mm": [1.0, 5.0]}
    report = _report(values)
    for clip, name in zip(report["clips"], "ab", strict=True):
        clip["id"] = name
    (folder / "sounds").mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.wav").rename(folder / "sounds" / f"{name}.wav")
    sources = Sources(predictions=[folder], audio=folder / "sounds")
    return report, collect(report, sources, Generation(), Silent())


def test_worst_clips_are_drawn_with_sound_and_curves(scored: tuple[dict[str, Any], Material]) -> None:
    _, material = scored
    assert list(material.clips) == ["b", "a"]
    for clip in material.clips.values():
        assert not isinstance(clip, str), clip
        assert b"ftyp" in clip.video[:16] and b"mp4a" in clip.video
        assert clip.opening_mm.shape == clip.seconds.shape == (15,) and np.ptp(clip.opening_mm) > 1
        assert clip.loudness is not None and clip.true_mm is None and not clip.is_cut
    assert isinstance(material.joint, str)


def test_motion_without_labelled_speech_has_a_reason_for_its_joint_space() -> None:
    assert joint_space(Sources(), Generation(), Silent()) == "no speech with labels is given"


@pytest.mark.parametrize("labels", [[0, 0, 2, 2, 3], [2, 2, 2, 2, 2]])
def test_the_joint_space_shows_the_pairs_of_each_emotion(labels: list[int]) -> None:
    rng = np.random.default_rng(0)
    speech, motion = rng.normal(size=(5, 4)), rng.normal(size=(4, 4))
    # The second clip has no true motion.
    seen = np.array([0, 2, 3, 4])
    clips = [
        Labelled(case=Case(id=str(index)), emotion=label, speaker="a") for index, label in enumerate(labels)
    ]
    embedded = Embedded(
        speech=_gaussian(speech), motion=_gaussian(motion), seen=seen, truths=[], truth_origins=[],
        speeches=[], heard=[],
    )  # fmt: skip
    joint = shown("x", clips, embedded)
    assert joint.labels.tolist() == [*labels, *np.array(labels)[seen]] and joint.is_motion.sum() == 4
    kept, units = (
        np.array(labels)[seen],
        [of / np.linalg.norm(of, axis=1)[:, None] for of in (speech[seen], motion)],
    )
    for label in np.unique(kept) if len(np.unique(kept)) > 1 else []:
        values = (units[0] @ units[1].T)[kept == label]
        for shares, chosen in zip(
            joint.cosines[EMOTIONS[label]], (values[:, kept == label], values[:, kept != label]), strict=True
        ):
            assert shares == (np.histogram(chosen, joint.edges)[0] / chosen.size).tolist()
    nearest = kept[np.linalg.norm(speech[seen][:, None] - motion[None], axis=2).argmin(axis=1)]
    counts = np.array(joint.retrieval["speech to true motion"])
    assert np.trace(counts) == (nearest == kept).sum() and counts.sum() == 4
    if len(set(labels)) == 1:
        assert joint.cosines == {} and "have one emotion" in cosines(joint)
    else:
        assert list(joint.cosines) == [EMOTIONS[label] for label in sorted(set(labels))]


def _gaussian(mean: np.ndarray) -> Gaussian:
    return Gaussian(torch.from_numpy(mean).float(), torch.zeros(mean.shape))


def test_a_missing_browser_skips_tests_unless_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("TALK_TEST_BROWSER", raising=False)
    assert "make browser" in (missing_browser() or "")
    monkeypatch.setenv("TALK_TEST_BROWSER", "needed")
    assert missing_browser() is None


_LOOK = """
for (const box of document.querySelectorAll("details")) box.open = true;
const shown = [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().width > 50);
const videos = [...document.querySelectorAll("video")];
return {
  charts: shown.length,
  marks: document.querySelectorAll("svg .mark, svg .hollow").length,
  videos: videos.filter((video) => video.videoWidth === 192 && video.duration > 0.5).length,
  tables: [...document.querySelectorAll("table")].every((table) => table.caption.textContent),
  wide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
  colours: [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor],
};
"""


@pytest.mark.slow
@pytest.mark.skipif(_NO_BROWSER is not None, reason=_NO_BROWSER or "")
def test_a_browser_shows_the_pictures_without_errors(
    tmp_path: Path, scored: tuple[dict[str, Any], Material]
) -> None:
    report, collected = scored
    tables = [Table(title="t", header=("metric", "value"), rows=[("jump_mm", "1.5 mm")])]
    material = Material(joint=_joint(), clips=collected.clips)
    write_report(report, tmp_path / "page.html", tables=tables, material=material)
    with browser(tmp_path / "browser") as window:
        window.open(tmp_path / "page.html")
        window.wait("return [...document.querySelectorAll('video')].every((video) => video.readyState > 0)")
        seen = {}
        for scheme in ("light", "dark"):
            window.show(scheme)
            seen[scheme] = window.run(_LOOK)
            picture = window.picture()
            assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
        assert window.errors() == []
    # t-SNE, two histograms of cosines, two matrices, two strips, and two curves.
    assert (seen["light"]["charts"], seen["light"]["videos"]) == (9, 2)
    assert seen["light"]["marks"] >= 20 and seen["light"]["tables"] and not seen["light"]["wide"]
    assert seen["light"]["colours"] != seen["dark"]["colours"]
