"""What is true of every command."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from talkcli.app import app
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines.preprocess import DATA_SETS
from talkcli.engine.types import Motion

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    "preprocess",
    "methods",
    "train",
    "train-fer",
    "train-dee",
    "train-vq",
    "train-gen",
    "animate",
    "render",
    "retarget",
    "rig",
    "head",
    "score",
    "convert",
    "doctor",
    "bench",
)
HEAVY = ("torch", "torchaudio", "numba", "scipy", "soundfile", "numpy")


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for command in COMMANDS:
        assert command in result.stdout


# Some commands are groups: the options stand behind what they do.
ACTIONS = (*DATA_SETS, "corpus", "debug", "check", "stats", "shards", "emovox")
CALLS = [
    *((name,) for name in COMMANDS if name not in ("preprocess", "convert", "bench")),
    *(("preprocess", action) for action in ACTIONS),
    *(
        ("score", action)
        for action in ("motions", "dataset", "diversity", "emotion", "compare", "study", "study-results")
    ),
    ("convert", "deeptalk"),
    ("convert", "faceformer"),
    ("bench", "render"),
]


@pytest.mark.parametrize("command", CALLS, ids=" ".join)
def test_every_command_has_help_and_common_options(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    for option in ("--json", "--quiet"):
        assert option in result.stdout, f"{command} lacks {option}"


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['talk', '--help']\n"
        "from talkcli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "LOADED []"


def test_drawing_coefficients_of_ada_loads_no_torch(tmp_path: Path) -> None:
    coeffs = np.zeros((2, len(ADA)), np.float32)
    motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA, pose=coeffs[:, :3])
    write_motion(tmp_path / "a.npz", motion)
    code = (
        "import sys; sys.argv = 'talk render a.npz --size 64 --out a.mp4'.split()\n"
        "from talkcli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('LOADED', {'torch', 'scipy.ndimage', 'numba'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.splitlines() == ["a.mp4", "LOADED {'numba'}"]


def test_a_process_that_scores_does_not_load_all_of_scipy() -> None:
    slow = ("scipy.signal", "scipy.stats")
    code = (
        "import sys, talkcli.engine.pipelines.score.motions, talkcli.engine.metrics.beats\n"
        f"print('LOADED', [name for name in {slow!r} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "LOADED []"


def test_cli_reference_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "cli.md"
    command = ["-m", "typer", "talkcli.app", "utils", "docs", "--name", "talk", "--output"]
    subprocess.run([sys.executable, *command, str(fresh)], check=True, capture_output=True, cwd=ROOT)
    assert fresh.read_text() == (ROOT / "docs" / "cli.md").read_text(), "run make docs"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["animate"], 2, "Missing argument"),
        (["animate", "absent.wav", "--out", "x.mp4"], 3, "absent.wav"),
        (["animate", "absent.wav", "--out", "x.doc"], 2, ".doc"),
        (["render", "absent.npz", "--out", "x.mp4"], 3, "absent.npz"),
        (["train-vq", "absent.jsonl", "--recipe", "th_vqvae.debgu", "--out", "run"], 2, "th_vqvae.debug"),
        (["score", "absent.npz"], 3, "absent.npz"),
    ],
)
def test_mistakes_are_sentences_with_exit_codes(
    arguments: list[str], exit_code: int, words: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "talkcli", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == exit_code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_lock_pins_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    lock = (ROOT / "requirements.lock").read_text().lower()
    for requirement in wanted:
        name = requirement.split(">")[0].split("=")[0].split("<")[0].strip().lower()
        assert f"\n{name}==" in lock, f"{name} is not in requirements.lock: run make lock"
    assert "://" not in lock
