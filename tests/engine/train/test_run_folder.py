"""Run folders: made, continued, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.train.run_folder import open_run
from tests.engine.fakes import left_by_a_kill, small_disk

ASKED = {"method": "dee", "recipe": {"train": {"steps": 5}}, "manifest": "a", "manifest_sha256": "0"}


def test_new_run_writes_what_was_asked(tmp_path: Path) -> None:
    open_run(tmp_path / "run", ASKED, resume=False, overwrite=False)
    written = json.loads((tmp_path / "run" / "run.json").read_text())
    assert {key: written[key] for key in ASKED} == ASKED
    assert written["torch"] == torch.__version__


def test_existing_run_needs_a_word(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.write_state({"step": 3})
    with pytest.raises(UsageError, match="already"):
        open_run(tmp_path, ASKED, resume=False, overwrite=False)
    assert open_run(tmp_path, {**ASKED, "manifest": "moved"}, resume=True, overwrite=False).read_state() == {
        "step": 3
    }
    assert open_run(tmp_path, ASKED, resume=False, overwrite=True).read_state() is None


def test_other_settings_are_named(tmp_path: Path) -> None:
    open_run(tmp_path, ASKED, resume=False, overwrite=False)
    with pytest.raises(UsageError, match=r"recipe\.train\.steps: 5 -> 6"):
        open_run(tmp_path, {**ASKED, "recipe": {"train": {"steps": 6}}}, resume=True, overwrite=False)


def test_nobody_elses_folder_is_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="not a training run"):
            open_run(tmp_path, ASKED, resume=False, overwrite=overwrite)
    with pytest.raises(UsageError, match="is a file"):
        open_run(tmp_path / "thesis.tex", ASKED, resume=False, overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "x"


def test_a_run_with_something_of_the_users_is_not_replaced(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.write_state({"step": 3})
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


def test_damaged_state(tmp_path: Path) -> None:
    run = open_run(tmp_path, ASKED, resume=False, overwrite=False)
    run.write_state({"step": 3, "model": {"w": torch.ones(100)}})
    run.state.write_bytes(run.state.read_bytes()[:300])
    with pytest.raises(InputError, match="not a readable training state"):
        run.read_state()


def test_a_full_disk_keeps_the_state_from_before(tmp_path: Path) -> None:
    run = open_run(tmp_path / "run", ASKED, resume=False, overwrite=False)
    run.write_state({"step": 1})
    with small_disk(), pytest.raises(InputError, match="cannot be written; the disk may be full"):
        run.write_state({"step": 2, "model": {"weight": torch.zeros(100_000)}})
    assert run.read_state() == {"step": 1}
    assert not list(run.path.glob(".state*"))


def test_other_files_are_refused_other_places_are_not(tmp_path: Path) -> None:
    asked = {**ASKED, "inputs": {"--dee": "12ab"}, "input_paths": {"--dee": "/here"}}
    open_run(tmp_path, asked, resume=False, overwrite=False)
    open_run(tmp_path, {**asked, "input_paths": {"--dee": "/there"}}, resume=True, overwrite=False)
    with pytest.raises(UsageError, match="started with other files than those of --dee now"):
        open_run(tmp_path, {**asked, "inputs": {"--dee": "34cd"}}, resume=True, overwrite=False)


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
