"""Every command of the README works as it stands, in the README's order, on small stand-ins for its files."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import click
import numpy as np
import pytest
import typer

from talkcli.app import app
from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion, Silent, Speech
from tests.engine.face.avatar.samples import ARKIT_FEW, face
from tests.engine.face.flame_twin import flame_arrays, write_flame
from tests.engine.prepare.adapters import test_mead

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What is not run here, and why; options and choices are checked all the same.
NOT_RUN = {
    "talk convert deeptalk --gen": "the authors' files are licensed and 1.6 GB: test_convert.py makes twins",
    "talk convert deeptalk deeptalk.safetensors": "needs the converted model",
    "talk animate speech.wav --model deeptalk.safetensors": "needs the converted model",
    "talk rig scan.obj": "takes a minute: tests/commands/test_retarget.py runs it on a small mesh",
}


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
    return [content for name, content in found if name == language]


def commands() -> list[str]:
    """Calls of talk in code blocks and tables, in the README's order, without comments and redirections."""
    lines = []
    for name, content, row in re.findall(
        r"^```(\w*)\n(.*?)^```$|^\|[^|]+\| `(talk [^`]+)` \|$", README, re.M | re.S
    ):
        lines += [row] if row else content.replace("\\\n", " ").splitlines() if not name else []
    calls = [re.split(r"\s#|\s>\s", line)[0].strip() for line in lines]
    return [call for call in calls if call.startswith("talk ")]


def inline() -> list[str]:
    """Whole commands within sentences."""
    return [call for call in re.findall(r"`(talk [^`]+ --?[^`]+)`", README) if "..." not in call]


def parsed(arguments: list[str]) -> None:
    """Raise click's UsageError for an option, choice or number that the command does not take."""
    command = typer.main.get_command(app)
    context = command.make_context("talk", list(arguments), resilient_parsing=True)
    while hasattr(command, "commands"):
        # The words that the group left to its command, with one that talk score adds.
        arguments = [*context._protected_args, *context.args]
        name, command, arguments = command.resolve_command(context, arguments)  # type: ignore[attr-defined]
        context = command.make_context(
            name, list(arguments), parent=context, resilient_parsing=hasattr(command, "commands")
        )


# So that it takes seconds: fewer steps, smaller pictures, no further processes.
_SMALL = {
    "train-": ("--set", "train.steps=2"),
    "animate": ("--size", "64"),
    "render": ("--size", "64"),
    "preprocess": ("--workers", "0"),
}


def run(arguments: list[str]) -> None:
    more = [option for start, small in _SMALL.items() if arguments[0].startswith(start) for option in small]
    if arguments[1:2] in (["debug"], ["shards"]):
        more = []
    try:
        app([*arguments, *more, "--quiet"], standalone_mode=False)
    except SystemExit as ended:
        assert not ended.code, ended.code


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the README names as the reader's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    whole = read_speech(ROOT / "examples" / "hello.wav", Silent())
    for name in ("speech", "angry", "line", "mine/take", "VoxCeleb2/id00012/abc/00001"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_wav(tmp_path / f"{name}.wav", Speech(samples=whole.samples[:16_640]))
    for actor in ("01", "23"):
        folder = tmp_path / "RAVDESS" / f"Actor_{actor}"
        folder.mkdir(parents=True)
        shutil.copy(tmp_path / "speech.wav", folder / f"03-01-03-01-01-01-{actor}.wav")
    np.save(tmp_path / "mine/take.npy", np.full((62, 52), 0.1, np.float32))
    for actor in ("M003", "W029"):
        test_mead.write_clip(tmp_path / "MEAD", f"{actor}_5_3_001")
    write_flame(tmp_path / "generic_model.pkl", flame_arrays())
    face(ARKIT_FEW).write(tmp_path / "avatar.glb")
    coeffs = np.zeros((5, len(FLAME)), np.float32)
    write_motion(tmp_path / "motion.npz", Motion(coeffs=coeffs, fps=25.0, head="flame", channels=FLAME))
    return tmp_path


@pytest.mark.slow
def test_every_command_runs(stand_ins: Path) -> None:
    for call in commands():
        if any(call.startswith(beginning) for beginning in NOT_RUN):
            continue
        run(shlex.split(call)[1:])
        if "face.npz" in call and not (stand_ins / "truth.npz").exists():
            shutil.copy("face.npz", "truth.npz")
            (stand_ins / "takes").mkdir()
            shutil.copy("face.mp4", "takes/face.mp4")
    for block in blocks("python"):
        exec(block, {})


@pytest.mark.parametrize("call", [*commands(), *inline()])
def test_options_and_choices_exist(call: str) -> None:
    arguments = shlex.split(call)[1:]
    try:
        parsed(arguments)
    except click.UsageError as error:
        pytest.fail(f"{call}: {error.format_message()}")


def test_what_is_not_run_is_there() -> None:
    for beginning in NOT_RUN:
        assert any(call.startswith(beginning) for call in commands()), beginning


def test_make_targets_and_named_options_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))
    assert named <= targets
    known = set(
        re.findall(r"`(?:-\w, )?(--[a-z0-9-]+)| / (--[a-z0-9-]+)", (ROOT / "docs/cli.md").read_text())
    )
    options = {option for pair in known for option in pair if option}
    # Those of pip are its own.
    options |= {"--index-url", "--extra-index-url", "--no-deps"}
    spans = [span for span in re.findall(r"`([^`\n]+)`", README) if span.startswith(("--", "talk "))]
    assert spans
    for span in spans:
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", span)) <= options, span
