"""Many speech files into one folder: what is whole stays, what is missing or changed is made, nothing stops
the others.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.pipelines import animated_file
from talkcli.engine.pipelines.animate_many import Plan, Run, animate_files
from talkcli.engine.pipelines.animated_file import Animated, Failure
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import SPEECH_RATE_HZ, Silent, Speech
from tests.engine.fakes import Told

_OPTIONS: dict[str, Any] = {
    "sampling": Sampling(), "controls": {}, "emotion_from": None, "model_name": "embedded", "text": None,
    "head_name": None, "fps": None, "shot": Shot(size=Size(64, 64)), "renderer": "software",
    "device_name": "cpu", "precision": "fp32", "layers": {}, "template": (), "topology": None,
}  # fmt: skip


def tone(hz: float) -> Speech:
    return Speech(samples=np.sin(np.arange(SPEECH_RATE_HZ // 2) * hz / 2500).astype(np.float32) / 3)


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Three files, one of them below, and one that is no sound."""
    folder = tmp_path / "takes"
    (folder / "anna").mkdir(parents=True)
    for number, name in enumerate(("a", "b.1", "anna/a")):
        write_wav(folder / f"{name}.wav", tone(200 + 50 * number))
    (folder / "broken.wav").write_bytes(b"RIFF" + bytes(60))
    return folder


def run(speech: Path | list[Path], out: Path, reporter: Any = None, **more: Any) -> Run:
    given = speech if isinstance(speech, list) else [speech]
    plan = {"formats": ["npz"], "num_workers": 0} | {
        key: more.pop(key) for key in list(more) if key in vars(Plan(formats=[]))
    }
    return animate_files(given, out, Plan(**plan), reporter or Silent(), **(_OPTIONS | more))


def states(made: Run) -> dict[str, str]:
    return {
        path.name if path.parent.name != "anna" else f"anna/{path.name}": (
            "failed" if isinstance(result, Failure) else "kept" if result.id in made.kept else "made"
        )
        for path, result in made.files
    }


def times(out: Path) -> dict[str, int]:
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in out.rglob("*.npz")}


def test_a_second_run_makes_what_is_missing_or_changed(speech: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", Told()
    first = run(speech, out, told)
    assert states(first) == {"a.wav": "made", "anna/a.wav": "made", "b.1.wav": "made", "broken.wav": "failed"}
    failure = next(result for _, result in first.files if isinstance(result, Failure))
    assert failure.exit_code == InputError.exit_code and "broken.wav" in failure.problem
    assert any("left out broken" in text for text in told.warnings)
    assert set(times(out)) == {"a.npz", "anna/a.npz", "b.1.npz"}
    before = times(out)
    assert set(states(run(speech, out)).values()) == {"kept", "failed"} and times(out) == before

    (out / "b.1.npz").write_bytes(b"damaged")
    write_wav(speech / "anna" / "a.wav", tone(90))
    again = run(speech, out)
    assert states(again) == {"a.wav": "kept", "anna/a.wav": "made", "b.1.wav": "made", "broken.wav": "failed"}
    assert times(out)["a.npz"] == before["a.npz"]
    assert read_motion(out / "b.1.npz")[0].num_frames == 13

    happy = run(speech, out, sampling=Sampling(emotion=parse_emotion("happy")))
    assert list(states(happy).values()) == ["made", "made", "made", "failed"]


def test_another_format_leaves_what_is_there(speech: Path, tmp_path: Path) -> None:
    out, one = tmp_path / "out", [speech / "a.wav"]
    run(one, out)
    before = times(out)
    more = run(one, out, formats=["npz", "frames", "CSV"], plot="p.png", contact_sheet="s.png")
    assert states(more) == {"a.wav": "made"} and times(out) == before
    result = more.files[0][1]
    assert isinstance(result, Animated)
    assert set(result.outputs) == {"a.npz", "a/frames", "a.csv", "a.p.png", "a.s.png"}
    assert len(list((out / "a" / "frames").iterdir())) == 13
    # The journal knows them all: npz alone is kept, and so is everything.
    assert states(run(one, out)) == states(run(one, out, formats=["frames"])) == {"a.wav": "kept"}
    (out / "a" / "frames" / "frame_000003.png").unlink()
    assert states(run(one, out, formats=["frames"])) == {"a.wav": "made"}
    # Of what is there, or was, each run reports what it was asked for.
    (out / "a.csv").unlink()
    for formats, names in ((["npz"], {"a.npz"}), (["frames", "npz"], {"a/frames", "a.npz"})):
        kept = run(one, out, formats=formats).files[0][1]
        assert isinstance(kept, Animated) and set(kept.outputs) == names
    # What pictures say of their look stays when another output comes.
    run(one, tmp_path / "next", formats=["frames"])
    later = run(one, tmp_path / "next").files[0][1]
    assert isinstance(later, Animated) and "look" in later.report and set(later.outputs) == {"a.npz"}


def test_what_the_performer_says_at_its_opening_is_heard(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = animated_file.open_performer

    def warns(*given: Any, reporter: Any, **more: Any) -> Any:
        reporter.warn("the words do not fit")
        return opened(*given, reporter=reporter, **more)

    monkeypatch.setattr(animated_file, "_kept", [])
    monkeypatch.setattr(animated_file, "open_performer", warns)
    told = Told()
    run([speech / "a.wav"], tmp_path / "out", told)
    assert "a: the words do not fit" in told.warnings


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cluster_takes_paths_of_this_folder(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from tests.engine.test_cluster import two_workers

    with two_workers() as address:
        # The workers stay where they started.
        monkeypatch.chdir(tmp_path)
        made = run([Path("takes/a.wav")], Path("out"), cluster=address)
    assert states(made) == {"a.wav": "made"} and (made.out_dir / "a.npz").is_file()


def test_an_interrupted_run_loses_only_the_file_under_work(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, calls = tmp_path / "out", []
    whole = animated_file.animate_file

    def interrupted(path: Path, *more: Any, **options: Any) -> Any:
        calls.append(path.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(path, *more, **options)

    monkeypatch.setattr(animated_file, "animate_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(speech, out)
    monkeypatch.setattr(animated_file, "animate_file", whole)
    # As after a kill in the middle of a line.
    with (out / "journal.jsonl").open("a") as file:
        file.write('{"id": "b.1", "finger')
    assert sorted(states(run(speech, out)).values()) == ["failed", "kept", "kept", "made"]


def test_a_bug_or_a_full_memory_costs_one_file(
    speech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = animated_file.animate_file

    def odd(path: Path, *more: Any, **options: Any) -> Any:
        if path.name == "b.1.wav":
            raise MemoryError
        if path.parent.name == "anna":
            raise ZeroDivisionError("division by zero")
        return whole(path, *more, **options)

    monkeypatch.setattr(animated_file, "animate_file", odd)
    made = run(speech, tmp_path / "out")
    problems = [result.problem for _, result in made.files if isinstance(result, Failure)]
    assert [state for state in states(made).values() if state == "made"] == ["made"]
    assert "a bug in talk: ZeroDivisionError" in problems[0] and "more memory" in problems[1]

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(animated_file, "animate_file", full)
    with pytest.raises(OSError, match="No space"):
        run(speech, tmp_path / "out")


def test_a_journal_of_others_leads_nowhere(speech: Path, tmp_path: Path) -> None:
    out, one = tmp_path / "out", [speech / "a.wav"]
    run(one, out)
    record = json.loads((out / "journal.jsonl").read_text())
    for outputs in ({"../secret": "0"}, {"/etc/passwd": "0"}, {"a.npz": 3}, ["a.npz"], None):
        document = {key: value for key, value in record.items() if key != "crc"} | {"outputs": outputs}
        crc = zlib.crc32(json.dumps(document).encode())
        (out / "journal.jsonl").write_text(json.dumps(document | {"crc": crc}) + "\n")
        assert states(run(one, out)) == {"a.wav": "made"}


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (["a.wav", "anna/a.wav"], {}, "would both be called a"),
        (["a.wav"], {"formats": ["npz", "avi"]}, "`format=avi` is unknown"),
        (["a.wav"], {"formats": ["npz", ".npz"]}, None),
        (["a.wav"], {"plot": "../x.png"}, "no end of a file's name"),
        (["a.wav"], {"plot": "x.svg"}, "PNG file"),
        (["a.wav"], {"formats": ["mp4"], "shot": Shot(size=Size(65, 64))}, "even"),
        (["a.wav"], {"controls": {"level": 1.0}}, "`level` is no control"),
        (["-"], {}, "stdin"),
    ],
)
def test_mistakes_are_told_before_any_work(
    given: list[str], more: dict[str, Any], words: str | None, speech: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    paths = [Path(name) if name == "-" else speech / name for name in given]
    if words is None:
        assert states(run(paths, out, **more)) == {"a.wav": "made"}
        return
    with pytest.raises(UsageError, match=words):
        run(paths, out, **more)
    assert not out.exists()


def test_the_folder_of_the_speech_is_not_written_to(speech: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lies in"):
        run(speech, speech / "faces")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no speech"):
        run(tmp_path / "empty", tmp_path / "out")


@pytest.mark.slow
def test_workers_make_the_same_bytes(speech: Path, tmp_path: Path) -> None:
    for workers in (0, 2):
        run(speech, tmp_path / f"w{workers}", num_workers=workers, formats=["npz", "mp4"])
    for name in ("a.npz", "anna/a.npz", "a.mp4", "b.1.mp4"):
        assert (tmp_path / "w0" / name).read_bytes() == (tmp_path / "w2" / name).read_bytes()
    assert not list((tmp_path / "w2").glob(".talk-*"))
