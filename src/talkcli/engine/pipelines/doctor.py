"""Examination of the installation: what is there, what is missing, and what each missing part
would enable.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import torch

from talkcli.engine.assets import cache_dir
from talkcli.engine.checkpoints.judge_weights import PUBLISHED_JUDGES, own_file, published_file
from talkcli.engine.checkpoints.model_file import read_header, shipped_weights
from talkcli.engine.checkpoints.own_judges import OWN_JUDGES
from talkcli.engine.device import usable_cores
from talkcli.engine.errors import TalkError
from talkcli.engine.face.ada.head import asset_path
from talkcli.engine.face.heads import FLAME_FILE, GENERATED, flame_path, load_head
from talkcli.engine.face.surface import surface_of
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.files import sha256, temporary_folder
from talkcli.engine.lifetime import run_child
from talkcli.engine.methods import EMBEDDED, SHIPPED
from talkcli.engine.optional import OPTIONAL_PACKAGES, how_to_install, is_installed
from talkcli.engine.pipelines.training.usable_memory import memory
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import SPEECH_RATE_HZ, Reporter, Speech
from talkcli.engine.version import __version__
from talkcli.engine.video.bundle import HOW_TO_GET, bundle_path, read_bundle
from talkcli.engine.wording import counted

# Longest time in seconds that a child process may take.
_SUBPROCESS_S = 60
# Side in pixels of the picture that the self check draws.
_PICTURE_SIDE = 64
# Program that draws one picture with pyrender, for a child process.
_EGL_PROGRAM = """
from talkcli.engine.face.surface import surface_of
from talkcli.engine.face.heads import load_head
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
head = load_head("ada")
renderer = open_renderer("pyrender", studio_scene(head), 64, 64)
assert renderer.render(head.template).std() > 0
"""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding about the installation."""

    name: str
    """Name of the part that was examined."""
    state: Literal["ok", "missing", "broken"]
    """`missing` is for an optional part, `broken` for a part that the embedded model needs."""
    found: str
    """What was found, in words."""
    unlocks: str = ""
    """What the part would enable; empty when it is there."""


# What a step raises where its part is broken: also a child process that fails, and a package that is gone.
_FINDINGS = (
    TalkError, OSError, RuntimeError, ValueError, AssertionError, ImportError, subprocess.SubprocessError,
)  # fmt: skip


def examine(reporter: Reporter) -> dict[str, Any]:
    """Return all findings, ready for JSON: `checks` is their list, `ok` is whether no part is broken.

    An error of `_FINDINGS` in a step becomes a broken finding.
    """
    steps: list[Callable[[], list[Check]]] = [
        _machine,
        _packages,
        _sound_formats,
        _ffmpeg,
        _cache,
        _heads,
        _weights,
        _self_check,
        _flame,
        _face_landmarker,
        _own_judges,
        _published_judges,
        _cuda,
        _optional,
    ]
    checks: list[Check] = []
    for index, step in enumerate(steps):
        try:
            checks.extend(step())
        except _FINDINGS as error:
            hint = f" {error.hint}" if isinstance(error, TalkError) and error.hint else ""
            name = step.__name__.strip("_").replace("_", " ")
            checks.append(Check(name=name, state="broken", found=f"{error}{hint}", unlocks="talk animate"))
        reporter.progress("looking", index + 1, len(steps))
    return {
        "ok": all(check.state != "broken" for check in checks),
        "talk": __version__,
        "checks": [asdict(check) for check in checks],
    }


def _machine() -> list[Check]:
    cores = usable_cores()
    memory_gib = memory() / 2**30
    return [
        Check(name="talk", state="ok", found=f"{__version__} in {Path(sys.prefix)}"),
        Check(name="python", state="ok", found=f"{platform.python_version()} on {platform.platform()}"),
        Check(name="machine", state="ok", found=f"{counted(cores, 'core')}, {memory_gib:.1f} GiB of memory"),
    ]


def _packages() -> list[Check]:
    found, absent = [], []
    for requirement in importlib.metadata.requires("talkcli") or []:
        if "extra ==" in requirement:
            continue
        match = re.match(r"[\w.-]+", requirement)
        assert match is not None
        try:
            found.append(f"{match[0]} {importlib.metadata.version(match[0])}")
        except importlib.metadata.PackageNotFoundError:
            absent.append(match[0])
    checks = [Check(name="packages", state="ok", found=", ".join(found))]
    if absent:
        checks.append(
            Check(
                name="packages",
                state="broken",
                found=f"without {', '.join(absent)}; in the repository, run: make clean setup",
                unlocks="talk animate",
            )
        )
    pair = [importlib.metadata.version(name).partition("+")[0] for name in ("torch", "torchaudio")]
    if pair[0] != pair[1]:
        found_pair = f"torch {pair[0]} beside torchaudio {pair[1]}; they must be equal"
        checks.append(Check(name="torch pair", state="broken", found=found_pair, unlocks="talk animate"))
    return checks


def _sound_formats() -> list[Check]:
    known = soundfile.available_formats()
    found = [name for name in ("WAV", "FLAC", "OGG", "MP3") if name in known]
    state: Literal["ok", "missing"] = "ok" if len(found) == 4 else "missing"
    return [
        Check(
            name="sound files",
            state=state,
            found=f"{', '.join(found)} by libsndfile {soundfile.__libsndfile_version__}",
            unlocks="" if state == "ok" else "talk reads the missing formats with ffmpeg instead",
        )
    ]


def _ffmpeg() -> list[Check]:
    binary = ffmpeg_binary()
    done = run_child(
        [binary, "-hide_banner", "-encoders"],
        capture_output=True,
        text=True,
        timeout=_SUBPROCESS_S,
        check=True,
    )
    lacking = [name for name in ("libx264", "aac") if f" {name} " not in done.stdout]
    if lacking:
        found = f"{binary} has no encoder {', '.join(lacking)}"
        return [Check(name="ffmpeg", state="broken", found=found, unlocks="writing mp4")]
    return [Check(name="ffmpeg", state="ok", found=f"{binary} with libx264 and aac")]


def _cache() -> list[Check]:
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder):
            pass
    except OSError as error:
        # talk keeps only the FLAME file and features for training there.
        found = f"{folder}: {error.strerror}; set TALK_CACHE"
        return [Check(name="cache", state="missing", found=found, unlocks="`head=flame`")]
    return [Check(name="cache", state="ok", found=str(folder))]


def _heads() -> list[Check]:
    return [_head(name) for name in GENERATED]


def _head(name: str) -> Check:
    head = load_head(name)
    digest = sha256(asset_path(name))[:12]
    found = f"{len(head.template)} vertices, {len(head.faces)} triangles, sha256 {digest}"
    return Check(name=f"head {name}", state="ok", found=found)


def _weights() -> list[Check]:
    checks = []
    for name in SHIPPED:
        path = shipped_weights(name)
        header = read_header(path)
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        found = f"{path.name}, {header.method}, {size}, {header.licence}, sha256 {sha256(path)[:12]}"
        checks.append(Check(name=f"{name} model", state="ok", found=found))
    return checks


def _self_check() -> list[Check]:
    """Turn one second of sound into motion, and draw its last frame."""
    from talkcli.engine.performers.open import open_model
    from talkcli.engine.performers.performer import Sampling

    samples = 0.1 * np.sin(np.arange(SPEECH_RATE_HZ) / 10)
    performer = open_model(EMBEDDED, "cpu")
    motion = next(performer.perform(Speech(samples=samples.astype(np.float32)), Sampling()))
    surface = surface_of(motion)
    renderer = open_renderer("software", studio_scene(surface.topology), _PICTURE_SIDE, _PICTURE_SIDE)
    vertices = surface.vertices(slice(-1, None))[0]
    picture = renderer.render(vertices)
    renderer.close()
    if not np.isfinite(vertices).all() or picture.std() == 0:
        raise ValueError("The embedded model or the renderer makes an empty picture.")
    return [Check(name="self check", state="ok", found="a second of sound was animated, a frame of it drawn")]


def _flame() -> list[Check]:
    unlocks = f"`head=flame`: set TALK_FLAME to {FLAME_FILE} (own licence, https://flame.is.tue.mpg.de)"
    path = flame_path()
    if path is None:
        return [Check(name="head flame", state="missing", found="no file", unlocks=unlocks)]
    try:
        head = load_head(str(path))
    except TalkError as error:
        return [Check(name="head flame", state="missing", found=error.problem, unlocks=unlocks)]
    return [Check(name="head flame", state="ok", found=f"{path}, {len(head.template)} vertices")]


def _face_landmarker() -> list[Check]:
    name, unlocks = "face landmarker", f"`capture=arkit` and `capture=both` of films. {HOW_TO_GET}"
    path = bundle_path()
    if path is None:
        return [Check(name=name, state="missing", found="no file", unlocks=unlocks)]
    try:
        content = read_bundle(path)
    except TalkError as error:
        return [Check(name=name, state="missing", found=error.problem, unlocks=unlocks)]
    found = f"{path}, {len(content) / 1e6:.1f} MB, sha256 {hashlib.sha256(content).hexdigest()[:12]}"
    return [Check(name=name, state="ok", found=found)]


def _own_judges() -> list[Check]:
    checks = []
    for name in OWN_JUDGES:
        try:
            path = own_file(name)
            found = f"{_file(path)}, {read_header(path).licence}"
        except TalkError as error:
            missing = Check(name=f"judge {name}", state="missing", found="no file", unlocks=error.problem)
            checks.append(missing)
            continue
        checks.append(Check(name=f"judge {name}", state="ok", found=found))
    return checks


def _published_judges() -> list[Check]:
    checks = []
    for name, judge in PUBLISHED_JUDGES.items():
        title, path = f"judge {name}", published_file(name)
        unlocks = f"{judge.unlocks}. {judge.how_to_get}"
        if path is None:
            checks.append(Check(name=title, state="missing", found="no file", unlocks=unlocks))
            continue
        try:
            judge.load(path)
        except TalkError as error:
            checks.append(Check(name=title, state="missing", found=error.problem, unlocks=unlocks))
            continue
        # We know no hash of the published file, so that only names and shapes of its tensors are checked.
        found = f"{_file(path)} (published hash unknown)"
        checks.append(Check(name=title, state="ok", found=found))
    return checks


def _file(path: Path) -> str:
    """Return path, size and hash of a file, in words."""
    return f"{path}, {path.stat().st_size / 1e6:.1f} MB, sha256 {sha256(path)[:12]}"


def _cuda() -> list[Check]:
    if not torch.cuda.is_available():
        return [
            Check(
                name="cuda",
                state="missing",
                found=f"torch {torch.__version__} sees none",
                unlocks="fast training",
            )
        ]
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return [Check(name="cuda", state="ok", found=", ".join(names))]


def _optional() -> list[Check]:
    checks = []
    for package, (_, unlocks) in OPTIONAL_PACKAGES.items():
        if is_installed(package):
            checks.append(Check(name=package, state="ok", found=_version(package)))
        else:
            found = f"not installed; {how_to_install(package)}"
            checks.append(Check(name=package, state="missing", found=found, unlocks=unlocks))
    if is_installed("pyrender"):
        checks.append(_egl())
    return checks


def _egl() -> Check:
    """Try EGL in a child process, since a broken driver may end the process."""
    try:
        done = run_child(
            [sys.executable, "-c", _EGL_PROGRAM],
            capture_output=True,
            text=True,
            timeout=_SUBPROCESS_S,
            check=False,
        )
        problem = (
            (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
            if done.returncode
            else ""
        )
    except subprocess.TimeoutExpired:
        problem = f"no picture within {_SUBPROCESS_S} s"
    if problem:
        return Check(name="egl", state="missing", found=problem, unlocks="`renderer=pyrender`")
    return Check(name="egl", state="ok", found="pyrender draws without a display")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "installed without a version"
