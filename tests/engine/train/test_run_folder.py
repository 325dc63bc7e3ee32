"""Run folders: made, continued, refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.train.run_folder import open_run
from talkcli.engine.train.state_file import Moments, State
from tests.engine.fakes import left_by_a_kill, small_disk


def at_step(step: int, size: int = 3) -> State:
    """A state of a model of `size` weights, after `step`."""
    weight = torch.arange(float(size))
    moments = Moments(state={0: {"step": torch.tensor(float(step)), "exp_avg": weight, "exp_avg_sq": weight}})
    best = {"step": float(step), "score": 0.1}
    return State(model={"w": weight}, frozen="0", optimiser=moments, average={}, best=best, step=step)


ASKED = {"method": "dee", "recipe": {"train": {"steps": 5}}, "manifest": "a", "manifest_sha256": "0"}


def test_new_run_writes_what_was_asked(tmp_path: Path) -> None:
    open_run(tmp_path / "run", ASKED, resume=False, overwrite=False)
    written = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {key: written[key] for key in ASKED} == ASKED
    assert written["torch"] == torch.__version__


def test_existing_run_needs_a_word(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.write_state(at_step(3))
    with pytest.raises(UsageError, match="already"):
        open_run(tmp_path, ASKED, resume=False, overwrite=False)
    moved = open_run(tmp_path, {**ASKED, "manifest": "moved"}, resume=True, overwrite=False).read_state()
    assert moved is not None
    assert moved.step == 3
    assert open_run(tmp_path, ASKED, resume=False, overwrite=True).read_state() is None


def test_other_settings_are_named(tmp_path: Path) -> None:
    asked = {**ASKED, "recipe": {"model": {"width": 5}}}
    open_run(tmp_path, asked, resume=False, overwrite=False)
    with pytest.raises(UsageError, match=r"recipe\.model\.width: 5 -> 6"):
        open_run(tmp_path, {**ASKED, "recipe": {"model": {"width": 6}}}, resume=True, overwrite=False)


def test_length_and_pace_may_change_and_are_remembered(tmp_path: Path) -> None:
    open_run(tmp_path, ASKED, resume=False, overwrite=False)
    before = (tmp_path / "run.json").read_bytes()
    open_run(tmp_path, ASKED, resume=True, overwrite=False)
    assert (tmp_path / "run.json").read_bytes() == before
    pace = {"steps": None, "epochs": 9, "log_every": 1, "validate_every": 2, "save_every": 3}
    longer = {**ASKED, "recipe": {"train": pace}, "torch": "other", "manifest": "moved"}
    open_run(tmp_path, longer, resume=True, overwrite=False)
    written = json.loads((tmp_path / "run.json").read_text())
    # Where it was started, and with what, stays.
    assert written == {**json.loads(before), "recipe": {"train": pace}}
    other = {**ASKED, "recipe": {"train": {**pace, "learning_rate": 1}}}
    with pytest.raises(UsageError, match=r"recipe\.train\.learning_rate: None -> 1"):
        open_run(tmp_path, other, resume=True, overwrite=False)


@pytest.mark.parametrize("state", ["missing", "empty", "lock", "leftover"])
def test_there_is_nothing_to_go_on_with(state: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    if state != "missing":
        run.mkdir()
    if state == "lock":
        (run / ".lock").touch()
    if state == "leftover":
        (run / ".talk-0123abcd").mkdir()
    with pytest.raises(UsageError, match=r"no training run in .* that `resume` could continue"):
        open_run(run, ASKED, resume=True, overwrite=False)
    assert not (run / "run.json").exists()
    open_run(run, ASKED, resume=False, overwrite=False)
    with pytest.raises(UsageError, match="`resume` continues a run, but `overwrite` replaces it"):
        open_run(run, ASKED, resume=True, overwrite=True)


DOCUMENTS = {
    "empty": b"",
    "cut": b'{"method": "dee", ',
    "list": b"[]",
    "number": b"3",
    "null": b"null",
    "not-utf8": b'{"method": "\xff"}',
    "deep": b'{"a": ' * 100_000,
    "deep-list": b"[" * 100_000,
    "nan": b'{"seed": NaN}',
    "infinite": b'{"seed": 1e999}',
    "digits": b'{"seed": ' + b"9" * 5000 + b"}",
    "surrogate": b'{"method": "\\ud800"}',
    "recipe-list": b'{"recipe": []}',
    "paths-list": b'{"input_paths": ["--dee"]}',
    "paths-number": b'{"input_paths": {"--dee": 3}}',
    "inputs-null": b'{"inputs": null}',
    "huge": b'{"a": "' + b"x" * 2_000_000 + b'"}',
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_damaged_document(content: bytes, tmp_path: Path) -> None:
    open_run(tmp_path, ASKED, resume=False, overwrite=False)
    (tmp_path / "run.json").write_bytes(content)
    for ask in (
        lambda: open_run(tmp_path, ASKED, resume=True, overwrite=False),
        lambda: GivenParts("deeptalk", {"dee": None}, tmp_path, resume=True),
    ):
        with pytest.raises(InputError, match=r"run\.json is damaged") as caught:
            ask()
        assert "`overwrite`" in str(caught.value.hint)
        assert len(caught.value.problem) < 500
    assert (tmp_path / "run.json").read_bytes() == content
    open_run(tmp_path, ASKED, resume=False, overwrite=True)


def test_places_that_are_no_files(tmp_path: Path) -> None:
    for name in ("run.json", "log.jsonl", "state.pt", "best.safetensors"):
        run = open_run(tmp_path / name, ASKED, resume=False, overwrite=False)
        (run.path / name).unlink(missing_ok=True)
        os.mkfifo(run.path / name)
        with pytest.raises(InputError, match=name):
            open_run(run.path, ASKED, resume=True, overwrite=False)
        (run.path / name).unlink()
        (run.path / name).mkdir()
        with pytest.raises(InputError, match=name):
            open_run(run.path, ASKED, resume=True, overwrite=False)


def test_nobody_elses_folder_is_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="holds no training run"):
            open_run(tmp_path, ASKED, resume=False, overwrite=overwrite)
    with pytest.raises(UsageError, match="is a file"):
        open_run(tmp_path / "thesis.tex", ASKED, resume=False, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_a_run_with_something_of_the_users_is_not_replaced(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.write_state(at_step(3))
    (tmp_path / "notes.md").write_text("x")
    with pytest.raises(UsageError, match=r"more than a training run: notes\.md"):
        open_run(tmp_path, ASKED, resume=False, overwrite=True)
    assert (tmp_path / "notes.md").read_text() == "x"
    (tmp_path / "notes.md").unlink()
    left_by_a_kill(tmp_path)
    assert open_run(tmp_path, ASKED, resume=False, overwrite=True).read_state() is None


def test_log_is_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    for step in (1, 2, 3):
        run.append_log({"step": step})
    with run.log.open("a") as file:
        file.write('{"step": 4, "lo')
    run.cut_log(2)
    assert run.log.read_text() == '{"step": 1}\n{"step": 2}\n'


LINES = {
    "not-utf8": b"\xff\n",
    "not-utf8-inside": b'{"step": 1, "loss\xff": 1}\n',
    "cut-in-the-middle": b'{"step": 1, "lo\n',
    "empty-line": b"\n",
    "list": b"[1]\n",
    "number": b"3\n",
    "no-step": b'{"loss": 1.0}\n',
    "step-text": b'{"step": "1"}\n',
    "step-true": b'{"step": true}\n',
    "step-float": b'{"step": 1.0}\n',
    "digits": b'{"step": ' + b"9" * 5000 + b"}\n",
    "deep": b"[" * 100_000 + b"\n",
    "zeros": b"\0" * 300 + b"\n",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_damaged_line_of_the_log_is_named(line: bytes, tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.append_log({"step": 1})
    with run.log.open("ab") as file:
        file.write(line)
    run.append_log({"step": 2})
    before = run.log.read_bytes()
    with pytest.raises(InputError, match=r"Line 2 of .*log\.jsonl is damaged") as caught:
        run.cut_log(2)
    assert "move the log away" in str(caught.value.hint)
    assert len(caught.value.problem) < 500
    assert run.log.read_bytes() == before
    # What a kill or a full disk leaves at the end is no damage.
    run.log.write_bytes(b'{"step": 1}\n' + line.rstrip(b"\n"))
    run.cut_log(2)
    assert run.log.read_bytes() == b'{"step": 1}\n'


def test_a_full_disk_keeps_the_state_from_before(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", ASKED, resume=False, overwrite=False)
    run.write_state(at_step(1))
    with small_disk(), pytest.raises(InputError, match="cannot be written; the disk may be full"):
        run.write_state(at_step(2, size=100_000))
    state = run.read_state()
    assert state is not None
    assert state.step == 1
    assert not list(run.path.glob(".state*"))


def test_other_files_are_refused_other_places_are_not(tmp_path: Path) -> None:
    asked = {**ASKED, "inputs": {"lip_reader": "12ab"}, "input_paths": {"lip_reader": "/here"}}
    open_run(tmp_path, asked, resume=False, overwrite=False)
    open_run(tmp_path, {**asked, "input_paths": {"lip_reader": "/there"}}, resume=True, overwrite=False)
    with pytest.raises(UsageError, match="started with other files than those that `lip_reader` names now"):
        open_run(tmp_path, {**asked, "inputs": {"lip_reader": "34cd"}}, resume=True, overwrite=False)


def test_runs_of_earlier_versions_named_parts_by_their_options(tmp_path: Path) -> None:
    before = {**ASKED, "inputs": {"--lip-reader": "12ab"}, "input_paths": {"--lip-reader": "/here"}}
    open_run(tmp_path, before, resume=False, overwrite=False)
    (tmp_path / "run.json").write_text(json.dumps(before))
    now = {**ASKED, "inputs": {"lip_reader": "12ab"}, "input_paths": {"lip_reader": "/there"}}
    open_run(tmp_path, now, resume=True, overwrite=False)


def test_curves_belong_to_the_run(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.tensorboard.mkdir()
    (run.tensorboard / "events.out.tfevents.1.host").write_text("x")
    (run.tensorboard / "plot.png").write_text("x")
    with pytest.raises(UsageError, match=r"more than a training run: tensorboard/plot\.png"):
        open_run(tmp_path, ASKED, resume=False, overwrite=True)
    (run.tensorboard / "plot.png").unlink()
    open_run(tmp_path, ASKED, resume=False, overwrite=True)
    assert not run.tensorboard.exists()


def test_what_a_killed_write_left_goes_when_the_run_goes_on(tmp_path: Path) -> None:
    open_run(tmp_path, ASKED, resume=False, overwrite=False)
    left_by_a_kill(tmp_path)
    (tmp_path / "notes.md").write_text("mine")
    open_run(tmp_path, ASKED, resume=True, overwrite=False)
    assert {item.name for item in tmp_path.iterdir()} == {"run.json", "notes.md"}
