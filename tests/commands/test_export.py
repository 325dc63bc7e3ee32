"""`talk export` from the outside, and `talk animate` into the same formats."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.app import main
from talkcli.engine.audio.io import write_wav
from talkcli.engine.exports.formats import FORMATS
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.types import Motion, Speech
from tests.engine.exports.pieces import ReadGlb, moving, of_flame

_CURVES = [suffix for suffix, row in FORMATS.items() if row.space == "ada" and not row.surface]


def _talk(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["talk", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motion") / "face.npz"
    piece = moving(50)
    assert isinstance(piece.motion, Motion)
    write_motion(path, piece.motion, {"seed": 3})
    return path


def test_one_call_writes_every_format_of_curves(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [str(tmp_path / f"o{suffix}") for suffix in _CURVES]
    options = [part for out in outs for part in ("--out", out)]
    assert _talk(monkeypatch, "export", str(motion), *options, "--fps", "50", "--json", "--quiet") == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["outputs"] == outs
    assert (document["frames"], document["fps"], document["head"]) == (100, 50.0, "ada")
    assert document["motion"] == {"seed": 3}
    assert said.err == ""
    assert all(Path(out).stat().st_size > 10 for out in outs)
    with (tmp_path / "o.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 101


def test_a_textgrid_gives_the_phones(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "say.wav", np.full(32_000, 0.1), 16_000)
    tiers = '"phones"\n0\n2\n2\n0\n0.5\n"M"\n0.5\n2\n"AA1"\n'
    (tmp_path / "say.TextGrid").write_text(
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2\n<exists>\n1\n"IntervalTier"\n{tiers}'
    )
    out, sound = tmp_path / "o.rhubarb.json", str(tmp_path / "say.wav")
    arguments = ["export", str(motion), "--out", str(out), "--text", str(tmp_path / "say.TextGrid")]
    assert _talk(monkeypatch, *arguments) == 2
    assert "--speech" in capsys.readouterr().err
    assert _talk(monkeypatch, *arguments, "--speech", sound) == 0
    document = json.loads(out.read_text())
    assert document["metadata"]["soundFile"] == sound
    assert document["metadata"]["source"] == "phones"
    assert [(cue["start"], cue["value"]) for cue in document["mouthCues"]] == [(0.0, "A"), (0.5, "D")]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["export", "absent.npz", "--out", "x.csv"], 3, "absent.npz"),
        (["export", "{motion}", "--out", "x.avi"], 2, ".rhubarb.json"),
        (["export", "{motion}", "--out", "x.flame.npz"], 2, "talk retarget"),
        (["export", "{flame}", "--out", "x.csv"], 2, "motion of flame"),
        (["export", "{motion}", "--out", "x.csv", "--fps", "12.5"], 2, "--fps 60"),
        (["export", "{motion}", "--out", "x.npz", "--out", "x.csv", "--fps", "12.5"], 2, "has 12.5"),
        (["export", "{motion}", "--out", "x.npz", "--out", "x.vrm"], 2, "ada is none"),
        (["animate", "say.wav", "--out", "x.npz", "--out", "x.csv", "--fps", "12.5"], 2, "has 12.5"),
        (["export", "{motion}", "--out", "-"], 2, "stdout"),
        (["export", "{motion}", "--out", "{motion}"], 2, "also read"),
        (["export", "{motion}", "--out", "x.mp4", "--background", "transparent"], 2, ".webm"),
        (["render", "{motion}", "--out", "x.csv"], 2, ".mp4"),
    ],
)
def test_mistakes_are_sentences_with_an_exit_code(
    motion: Path,
    tmp_path: Path,
    arguments: list[str],
    code: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    piece = of_flame()
    assert isinstance(piece.motion, Motion)
    write_motion(tmp_path / "flame.npz", piece.motion)
    monkeypatch.chdir(tmp_path)
    filled = [argument.format(motion=motion, flame="flame.npz") for argument in arguments]
    assert _talk(monkeypatch, *filled) == code
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert says in said.err
    assert said.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flame.npz"]


def test_animate_writes_the_same_formats_and_keeps_its_phones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.random.default_rng(0)
    soundfile.write(tmp_path / "say.wav", drawn.normal(0, 0.05, 16_000), 16_000)
    tiers = '"phones"\n0\n1\n3\n0\n0.3\n""\n0.3\n0.5\n"M"\n0.5\n1\n"AA1"\n'
    (tmp_path / "say.TextGrid").write_text(
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n1\n<exists>\n1\n"IntervalTier"\n{tiers}'
    )
    monkeypatch.chdir(tmp_path)
    rules = ["animate", "say.wav", "--model", "rules", "--text", "say.TextGrid"]
    assert _talk(monkeypatch, *rules, "--out", "a.rhubarb.tsv", "--out", "a.npz", "--out", "a.csv") == 0
    assert (tmp_path / "a.rhubarb.tsv").read_text() == "0.00\tX\n0.30\tA\n0.50\tD\n1.00\tX\n"
    alignment = read_motion(tmp_path / "a.npz")[0].alignment
    assert alignment is not None
    assert [phone.symbol for phone in alignment.phones] == ["SIL", "M", "AA"]
    assert _talk(monkeypatch, "export", "a.npz", "--out", "b.rhubarb.tsv", "--out", "b.csv") == 0
    for suffix in (".rhubarb.tsv", ".csv"):
        assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"a{suffix}").read_bytes()
    assert _talk(monkeypatch, *rules, "--takes", "2", "--out", "t.rhubarb.tsv") == 0
    assert {path.name for path in tmp_path.glob("t*")} == {"t.take01.rhubarb.tsv", "t.take02.rhubarb.tsv"}


def test_files_that_are_read_are_not_replaced(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("say.wav", "face.wav"):
        write_wav(tmp_path / name, Speech(samples=np.full(32_000, 0.1, np.float32)), software="talk")
    (tmp_path / "say.json").write_text("mama")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    spoken = ["export", str(motion), "--speech", "say.wav", "--text", "say.json"]
    rules = ["animate", "say.wav", "--model", "rules", "--text", "say.json"]
    for arguments, says in (
        ([*spoken, "--out", "say.json"], "also read"),
        ([*rules, "--out", "say.json"], "also read"),
        ([*rules, "--emotion-from", "face.wav", "--out", "face.glb"], "face.wav, which is also read"),
    ):
        assert _talk(monkeypatch, *arguments) == 2
        assert says in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_motion_file_of_a_motion_file_keeps_its_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = moving(50)
    assert isinstance(piece.motion, Motion)
    told = {
        "origin": {"kind": "captured", "by": "ARKit"},
        "cleanup": {"smooth": True},
        "emotion": {"label": "calm", "level": 0.5},
    }
    write_motion(tmp_path / "a.npz", piece.motion, {**told, "seed": 3})
    monkeypatch.chdir(tmp_path)
    assert _talk(monkeypatch, "export", "a.npz", "--fps", "30", "--out", "b.npz") == 0
    assert _talk(monkeypatch, "export", "b.npz", "--out", "c.npz", "--out", "c.vrma") == 0
    assert _talk(monkeypatch, "retarget", "a.npz", "--to", "arkit", "--out", "d.npz") == 0
    for name in ("b.npz", "c.npz", "d.npz"):
        meta = read_motion(tmp_path / name)[1]
        assert {key: meta[key] for key in told} == told
        assert meta["motion"]["origin"] == told["origin"]
    presets = ReadGlb(tmp_path / "c.vrma").json["extensions"]["VRMC_vrm_animation"]["expressions"]["preset"]
    assert "relaxed" in presets


def test_words_are_read_only_where_an_output_holds_phones(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("say.wav", np.full(32_000, 0.1), 16_000)
    tiers = '"phones"\n0\n2\n2\n0\n0.5\n"M"\n0.5\n2\n"AA1"\n'
    Path("say.TextGrid").write_text(
        f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2\n<exists>\n1\n"IntervalTier"\n{tiers}'
    )
    spoken = ["export", str(motion), "--speech", "say.wav", "--text"]
    # These words would need the aligner.
    assert _talk(monkeypatch, *spoken, "well now", "--out", "a.json") == 0
    said = capsys.readouterr().err
    assert "--text is not used" in said
    assert "hold no sound" in said
    assert _talk(monkeypatch, *spoken, "say.TextGrid", "--out", "a.vrma") == 0
    assert "not used" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"), [(["--speech", "say.wav"], "--speech"), (["--camera", "mouth"], "--camera")]
)
def test_options_of_motion_need_a_motion(
    given: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _talk(monkeypatch, "export", "--head", "ada", "--out", "ada.glb", *given) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
