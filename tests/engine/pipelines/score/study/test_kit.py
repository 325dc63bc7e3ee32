from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest

from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.pipelines.score.study.kit import build_study
from talkcli.engine.pipelines.score.study.tabulate import study_results
from talkcli.engine.pipelines.score.study.videos import parse_methods
from talkcli.engine.render.video import write_video
from talkcli.engine.types import Silent, Speech
from tests.browser import Browser, browser, missing_browser

_NO_BROWSER = missing_browser()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `ours` and `theirs` with the videos a and b of 0.8 s, which differ in brightness."""
    folder = tmp_path_factory.mktemp("videos")
    for method, brightness in (("ours", 200), ("theirs", 60)):
        for index, clip in enumerate("ab"):
            (folder / method).mkdir(exist_ok=True)
            time = np.arange(12_800) / 16_000
            write_video(
                folder / method / f"{clip}.mp4",
                (np.full((32, 32, 3), brightness + frame + index, np.uint8) for frame in range(20)),
                num_frames=20,
                fps=25.0,
                size=(32, 32),
                speech=Speech(samples=(0.1 * np.sin(2000 * time)).astype(np.float32)),
                metadata={},
                reporter=Silent(),
            )
    return folder


def _build(videos: Path, out: Path, **changes: Any) -> dict[str, Any]:
    settings = {
        "title": "Which <face>?", "questions": ["emotion", "lips"], "trials": 2, "checks": 3,
        "videos_beside": False, "seed": 3,
    } | changes  # fmt: skip
    folders = {"ours": videos / "ours", "theirs": videos / "theirs"}
    return build_study(folders, out, reporter=Silent(), **settings)


def _data(page: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_holds_every_video_once_and_loads_nothing(videos: Path, tmp_path: Path) -> None:
    done = _build(videos, tmp_path / "study.html")
    text, data = (tmp_path / "study.html").read_text(), _data(tmp_path / "study.html")
    assert done["pairs_in_form"] == 2 and done["checks_in_form"] == 3 and done["pairs"] == 2
    sources = [source for row in data["videos"] for source in row]
    assert len(set(sources)) == 4 and all(source.startswith("data:video/mp4;base64,") for source in sources)
    assert set(data["late"].values()).isdisjoint(sources)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]*", "", text).replace("http-equiv", "")
    assert "Which <face>?" not in text and "Which &lt;face&gt;?" in text
    assert {str(step["clip"]) for form in data["forms"] for step in form if step["kind"] == "late"} == set(
        data["late"]
    )


def test_the_same_study_has_the_same_bytes_and_another_seed_another_name(
    videos: Path, tmp_path: Path
) -> None:
    first, again, other = (
        _build(videos, tmp_path / f"{name}.html", seed=seed) for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert first["study"] == again["study"] != other["study"]


def test_videos_beside_the_page_do_not_tell_the_method(videos: Path, tmp_path: Path) -> None:
    _build(videos, tmp_path / "study.html", videos_beside=True)
    data = _data(tmp_path / "study.html")
    sources = [source for row in data["videos"] for source in row] + list(data["late"].values())
    assert all(re.fullmatch(r"study-videos/\d{4}\.mp4", source) for source in sources)
    assert {path.name for path in (tmp_path / "study-videos").iterdir()} == {Path(s).name for s in sources}
    for row, method in zip(data["videos"], ("ours", "theirs"), strict=True):
        for source, clip in zip(row, "ab", strict=True):
            assert (tmp_path / source).read_bytes() == (videos / method / f"{clip}.mp4").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        _build(videos, tmp_path / "study.html", videos_beside=True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["ours=a"], "2 to 8 methods"),
        (["ours=a", "ours=b"], "twice"),
        (["ours", "b=c"], "METHOD=DIR"),
        (["=a", "b=c"], "METHOD=DIR"),
        (["a\n=a", "b\x00=c"], "odd"),
        ([f"m{index}=d" for index in range(9)], "2 to 8 methods"),
    ],
)
def test_methods_that_cannot_be_compared_are_refused(given: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_methods(given)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder / "theirs")


def _empty(folder: Path) -> None:
    for path in (folder / "theirs").iterdir():
        path.unlink()


def _not_utf8(folder: Path) -> None:
    for method in ("ours", "theirs"):
        (folder / method / "b.mp4").rename(folder / method / os.fsdecode(b"\xff.mp4"))


def _twice(folder: Path) -> None:
    shutil.copy(folder / "ours" / "a.mp4", folder / "ours" / "a.webm")


def _extra(folder: Path) -> None:
    shutil.copy(folder / "theirs" / "a.mp4", folder / "theirs" / "d.mp4")


def _missing(folder: Path) -> None:
    (folder / "theirs" / "b.mp4").unlink()


def _text(folder: Path) -> None:
    (folder / "theirs" / "b.mp4").write_text("no video, but long enough to be one")


def _cut(folder: Path) -> None:
    path = folder / "theirs" / "b.mp4"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 6])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_not_utf8, "is not UTF-8"),
        (_remove, "is no folder"), (_empty, "holds no video"), (_twice, "both called a"),
        (_extra, "ours lacks: d"), (_missing, "has no video of b"), (_text, "b.mp4"), (_cut, "b.mp4"),
    ],
)  # fmt: skip
def test_unusable_videos_are_refused_before_anything_is_written(
    videos: Path, tmp_path: Path, damage: Any, words: str
) -> None:
    folder = tmp_path / "videos"
    shutil.copytree(videos, folder)
    damage(folder)
    with pytest.raises(TalkError, match=words):
        _build(folder, tmp_path / "out" / "study.html")
    assert not (tmp_path / "out").exists()


def test_pages_of_any_name_find_their_videos(videos: Path, tmp_path: Path) -> None:
    for name in (b"a#1 50%?", b"\xff\xe4"):
        _build(videos, tmp_path / os.fsdecode(name + b".html"), videos_beside=True)
        data = _data(tmp_path / os.fsdecode(name + b".html"))
        for source in [source for row in data["videos"] for source in row]:
            assert not set(source) & set("#?") and source.isascii()
            assert (tmp_path / os.fsdecode(unquote_to_bytes(source))).is_file()


def test_a_title_that_is_not_utf8_is_spelt_out(videos: Path, tmp_path: Path) -> None:
    _build(videos, tmp_path / "study.html", title=os.fsdecode(b"a\xff"))
    assert _data(tmp_path / "study.html")["title"] == "a\\udcff"


def test_unknown_questions_and_one_folder_for_two_methods_are_refused(videos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lip") as caught:
        _build(videos, tmp_path / "study.html", questions=["lip"])
    assert caught.value.hint == "Did you mean lips?"
    with pytest.raises(UsageError, match="questions"):
        _build(videos, tmp_path / "study.html", questions=[])
    shutil.copytree(videos / "ours", tmp_path / "ours")
    (tmp_path / "theirs").symlink_to(tmp_path / "ours")
    with pytest.raises(UsageError, match="same folder"):
        _build(tmp_path, tmp_path / "study.html")


_DO_PAIR = """
const data = JSON.parse(document.getElementById("data").textContent);
const told = document.querySelector(".told");
const want = told ? data.scale.findIndex((label) => told.textContent.includes(label)) + 1 : 0;
for (const asked of data.questions) document.getElementById(`${asked.name}-${want || arguments[0]}`).click();
for (const video of document.querySelectorAll("video")) { video.playbackRate = 4; video.play(); }
return document.getElementById("next").disabled;
"""


def _take_part(window: Browser, page: Path, choice: int) -> None:
    """Rate every pair as `choice`, obey what checks tell, and download the answers."""
    window.open(page)
    window.run(
        "document.getElementById('code').value = 'rater one'; document.getElementById('start').click()"
    )
    for number in range(1, 6):
        window.wait(f"return document.querySelector('h1').textContent === 'Pair {number} of 5'")
        assert window.run(_DO_PAIR, choice) is True
        window.wait("return !document.getElementById('next').disabled")
        window.run("document.getElementById('next').click()")
    window.run("document.getElementById('download').click()")


# A name of a file that means something else in an address.
@pytest.mark.slow
@pytest.mark.skipif(_NO_BROWSER is not None, reason=_NO_BROWSER or "")
@pytest.mark.parametrize(("videos_beside", "name"), [(False, "study.html"), (True, "a#1 50%?.html")])
def test_a_rater_takes_part_and_the_answers_are_tabulated(
    videos: Path, tmp_path: Path, videos_beside: bool, name: str
) -> None:
    page = tmp_path / name
    _build(videos, page, videos_beside=videos_beside)
    data = _data(page)
    with browser(tmp_path / "browser") as window:
        _take_part(window, page, 3)
        downloads = tmp_path / "browser" / "downloads"
        text = window.run("return document.getElementById('text').value")
        for _ in range(100):
            files = list(downloads.glob("study-*.json"))
            if files:
                break
            window.run("return new Promise((done) => setTimeout(done, 100))")
        assert window.errors() == []
    assert len(files) == 1 and files[0].read_text() == text
    document = json.loads(text)
    shown = [
        (step["kind"], step["clip"], step["left"], step["right"]) for step in data["forms"][document["form"]]
    ]
    assert [(a["kind"], a["clip"], a["left"], a["right"]) for a in document["answers"]] == shown
    assert document["code"] == "rater one"
    assert all(min(item["plays"]) >= 1 for item in document["answers"])
    # This rater hears no difference, also where the sound is late.
    table = study_results([files[0]], scores={}, allowed=1, seed=0, reporter=Silent())
    assert table["raters"]["kept"] == 1 and [row["tie"] for row in table["pairs"]] == [1.0, 1.0]
    with pytest.raises(InputError, match=r"failed 1 of 3 checks \(late\)"):
        study_results([files[0]], scores={}, allowed=0, seed=0, reporter=Silent())
