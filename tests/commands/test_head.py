"""`talk head` and the options of pictures, from the outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.app import main
from talkcli.engine.exports import drawing
from talkcli.engine.face.ada.person import PEOPLE, Person
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import HEADS, load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines import head as pipeline
from talkcli.engine.render.renderer import Scene
from talkcli.engine.types import Motion, Reporter, VertexMotion

Talk = Callable[..., int]


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Run a command in a folder with a motion of ada, m.npz."""
    monkeypatch.chdir(tmp_path)
    motion = Motion(coeffs=np.zeros((2, len(ADA)), np.float32), fps=25.0, head="ada", channels=ADA)
    write_motion(tmp_path / "m.npz", motion)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["talk", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    return run


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[Person]:
    """Persons whose heads were generated; what comes of them is abe, at once."""
    made: list[Person] = []

    def generate(person: Person, reporter: Reporter) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
        made.append(person)
        return pipeline.load(pipeline.asset_path("abe").read_bytes()), load_head("abe").parts

    monkeypatch.setattr(pipeline, "_generate", generate)
    return made


def test_the_list(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("head", "--list", "--json") == 0
    heads = json.loads(capsys.readouterr().out)["heads"]
    assert [row["head"] for row in heads] == list(HEADS)
    assert talk("head") == 0
    assert "neither man nor woman" in capsys.readouterr().out


def test_who_a_head_is(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("head", "ada", "--set", "age=40", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["person"]["age"], shown["person"]["iris"]) == (40, PEOPLE["ada"].iris)
    assert talk("head", "ada") == 0
    assert "18 to 90" in capsys.readouterr().out


def test_a_head_of_ones_own_is_written_drawn_and_changed_again(
    talk: Talk, generated: list[Person], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("--set", "age=60", "--set", "sex=0.2", "--seed", "9", "--out", "my.npz", "--out", "my.png")
    assert talk("head", "abe", *made, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["outputs"] == ["my.npz", "my.png"]
    assert (generated[0].age, generated[0].sex, generated[0].seed) == (60, 0.2, 9)
    with Image.open(tmp_path / "my.png") as sheet:
        assert sheet.size == (5 * 512, 512)
    assert talk("head", "my.npz", "--set", "age=70", "--out", "older.npz", "--quiet") == 0
    assert (generated[1].age, generated[1].seed) == (70, 9)
    assert talk("render", "m.npz", "--head", "my.npz", "--out", "mine", "--size", "64x80", "--json") == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["head"], report["size"]) == ("my.npz", [64, 80])
    with Image.open(tmp_path / "mine/frame_000000.png") as picture:
        assert picture.size == (64, 80)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "m.npz",
        "mine",
        "my.npz",
        "my.png",
        "older.npz",
    ]


def test_heads_that_come_with_talk_are_not_made_anew(talk: Talk, generated: list[Person]) -> None:
    assert talk("head", "bust", "--out", "bust.npz") == 0
    assert not generated
    np.testing.assert_array_equal(load_head("bust.npz").template, load_head("bust").template)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["head", "adda"], 2, "Did you mean ada?"),
        (["head", "flame"], 2, "does not change"),
        (["head", "ada", "--set", "aeg=60"], 2, "--set aeg"),
        (["head", "ada", "--set", "age=160", "--out", "x.npz"], 2, "--set age=160"),
        (["head", "ada", "--out", "x.obj"], 2, "--out x.obj"),
        (["head", "ada", "--out", "x.npz", "--out", "x.npz"], 2, "given twice"),
        (["head", "--set", "age=60"], 2, "talk head NAME"),
        (["head", "ada", "--list"], 2, "no other option"),
        (["head", "gone.npz"], 3, "gone.npz"),
        (["head", "m.npz"], 3, "no head of talk"),
        (["render", "m.npz", "--head", "m.npz", "--out", "x.mp4"], 3, "no head of talk"),
        (["render", "m.npz", "--out", "x.mp4", "--size", "64x65"], 2, "--size 64x66"),
        (["render", "m.npz", "--out", "x.mp4", "--size", "32"], 2, "--size 32"),
        (["render", "m.npz", "--out", "x", "--look", "claay"], 2, "Did you mean clay?"),
        (["render", "m.npz", "--out", "x", "--camera", "nose"], 2, "--camera nose"),
        (["render", "m.npz", "--out", "x", "--background", "bleu"], 2, "Did you mean blue?"),
        (["render", "m.npz", "--out", "x", "--background", "gone.png"], 3, "gone.png"),
        (["render", "m.npz", "--out", "x", "--background", "m.png"], 3, "m.png is neither a PNG"),
        (["render", "m.npz", "--out", "x.mp4", "--background", "transparent"], 2, "PNG frames"),
        (["animate", "m.wav", "--out", "x.mp4", "--background", "transparent"], 2, "PNG frames"),
        (["bench", "render", "--size", "8x8"], 2, "--size 8x8"),
        (["bench", "render", "--head", "adda"], 2, "Did you mean ada?"),
    ],
)
def test_mistakes_are_sentences(
    talk: Talk, tmp_path: Path, arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.png").write_bytes((tmp_path / "m.npz").read_bytes())
    assert talk(*arguments) == code
    said = capsys.readouterr()
    assert says in said.err and "bug" not in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.npz", "m.png"]


def test_an_input_is_never_replaced(talk: Talk, generated: list[Person], tmp_path: Path) -> None:
    assert talk("head", "abe", "--out", "my.npz") == 0
    before = (tmp_path / "my.npz").read_bytes()
    assert talk("head", "my.npz", "--set", "age=50", "--out", "./my.npz") == 2
    assert (tmp_path / "my.npz").read_bytes() == before
    assert not generated


class Flat:
    """A renderer that draws a grey square, half transparent where nothing lies behind it."""

    concurrent = True

    def __init__(self, name: str, scene: Scene, width: int, height: int) -> None:
        self.picture = np.full((height, width, 4 if scene.background is None else 3), 128, np.uint8)

    def render(self, vertices: np.ndarray) -> np.ndarray:
        return self.picture

    def close(self) -> None:
        pass


def test_transparent_frames_have_alpha(talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "open_renderer", Flat)
    assert talk("render", "m.npz", "--background", "transparent", "--out", "clear") == 0
    assert talk("render", "m.npz", "--background", "white", "--out", "white") == 0
    modes = []
    for name in ("clear", "white"):
        with Image.open(tmp_path / name / "frame_000001.png") as picture:
            modes.append((picture.mode, picture.getpixel((5, 5))))
    assert modes == [("RGBA", (128,) * 4), ("RGB", (128,) * 3)]


def test_a_colour_behind_the_head_is_even(talk: Talk, tmp_path: Path) -> None:
    assert talk("render", "m.npz", "--background", "#00ff00", "--size", "64", "--out", "green") == 0
    with Image.open(tmp_path / "green/frame_000000.png") as picture:
        off = np.abs(np.asarray(picture).astype(int) - (0, 255, 0))
    assert max(off[:4].max(), off[:, :4].max()) <= 1
    assert off[32, 32].max() > 50


def test_vertices_of_ada_are_drawn_as_the_person_who_is_named(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn: list[np.ndarray] = []

    class Kept(Flat):
        def render(self, vertices: np.ndarray) -> np.ndarray:
            drawn.append(vertices)
            return super().render(vertices)

    monkeypatch.setattr(drawing, "open_renderer", Kept)
    abe = load_head("abe")
    neutral = abe.template * np.float32(1.1)
    moved = neutral + np.float32([0.0, -0.01, 0.0])
    motion = VertexMotion(vertices=np.stack([neutral, moved]), neutral=neutral, fps=25.0, topology="ada")
    write_motion(tmp_path / "v.npz", motion)
    for head, rest in (((), neutral), (("--head", "abe"), abe.template)):
        drawn.clear()
        assert talk("render", "v.npz", *head, "--out", "x", "--overwrite", "--json") == 0
        assert json.loads(capsys.readouterr().out)["head"] == (head[1] if head else "ada")
        np.testing.assert_allclose(
            sorted(drawn, key=lambda each: -each[0, 1]), [rest, rest + moved - neutral], atol=1e-7
        )
