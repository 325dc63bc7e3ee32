"""The wheel says what it holds, and works in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from talkcli.engine.methods import SHIPPED
from talkcli.engine.version import __version__

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md", "docs/model-card.md")


def run(*command: object, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves folders beside the sources; without any package index."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    out = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-index")
    run(*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", out, source)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_tells_the_terms_of_all_that_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        fields = HeaderParser().parsestr(packed.read(metadata).decode())
        assert fields["License-Expression"] == "MIT AND CC-BY-NC-SA-4.0"
        assert set(fields.get_all("License-File")) == {"LICENSE", "THIRD_PARTY.md", "docs/model-card.md"}
        folder = metadata.removesuffix("METADATA") + "licenses/"
        card = packed.read(f"{folder}docs/model-card.md").decode()
        assert "CC BY-NC-SA 4.0" in card
        assert packed.read(f"{folder}THIRD_PARTY.md") == (ROOT / "THIRD_PARTY.md").read_bytes()
    for name in (
        *(f"weights/{file}.safetensors" for file in SHIPPED.values()),
        "engine/face/assets/ada.safetensors",
    ):
        assert f"talkcli/{name}" in names
    assert any(name.startswith("talkcli/recipes/") for name in names)


def test_it_requires_what_the_project_says(wheel: Path) -> None:
    """The names and versions of pyproject.toml, no more and no less; an extra's only with the extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    for extra, lines in extras.items():
        for wish in map(Requirement, lines):
            own = f"({wish.marker}) and " if wish.marker else ""
            wish.marker = Marker(f"{own}extra == '{extra}'")
            wanted.append(wish)
    with zipfile.ZipFile(wheel) as packed:
        (metadata,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        fields = HeaderParser().parsestr(packed.read(metadata).decode())
    required = [Requirement(line) for line in fields.get_all("Requires-Dist", [])]
    assert sorted(map(str, required)) == sorted(map(str, wanted))
    assert set(fields.get_all("Provides-Extra", [])) == set(extras)
    assert fields["Requires-Python"] == project["requires-python"]


def test_it_works_in_a_bare_environment(wheel: Path, tmp_path: Path) -> None:
    """Its own files come from the wheel, all other packages from here: nothing is downloaded."""
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install")
    run(*pip, "--quiet", "--no-index", "--no-deps", wheel)
    packages = sysconfig.get_paths()["purelib"]
    place = run(python, "-c", "import talkcli; print(talkcli.__file__)", PYTHONPATH=packages)
    assert Path(place).is_relative_to(environment)
    talk = environment / "bin" / "talk"
    assert run(talk, "--version", PYTHONPATH=packages).split() == ["talk", __version__]
    out = tmp_path / "x.npz"
    speech = ROOT / "examples" / "hello.wav"
    run(talk, "animate", speech, "--quiet", "--out", out, PYTHONPATH=packages)
    assert out.stat().st_size > 1000
