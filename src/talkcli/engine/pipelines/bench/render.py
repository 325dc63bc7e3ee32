"""Speed of this machine: the renderers on the same frames, and the whole `talk animate` as a process."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import DeviceError, ExtraError
from talkcli.engine.face.channels import space_name
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.surface import Surface
from talkcli.engine.files import check_file, temporary_folder
from talkcli.engine.pipelines.bench.report import machine, run_talk, write_report
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import RENDERERS, open_renderer
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import MODEL_FPS, AnyMotion, Motion, Reporter
from talkcli.engine.version import __version__

# Number of rounds that count. Each round runs every renderer once, so that other work on the machine slows
# all of them.
_ROUNDS = 3


def bench_render(
    *, head_name: str, size: Size, num_frames: int, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure the frames per second of every renderer, with the deformation of the head, without encoding.

    Args:
        head_name: Name of the head to draw.
        size: Size of a frame.
        num_frames: Number of frames per round.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. A renderer's `fps` is the median of its rounds, after one frame that
        compiles its kernels; a renderer that does not run here has None, and a reason. `times_real_time` is
        `fps` over the frame rate of motion, and `cpu_ms` the processor time per frame in milliseconds, summed
        over all cores. `command` are the times of `talk render` as a process, as `bench_animate` has them.
    """
    if out is not None:
        check_file(out)
    head = load_head(head_name)
    surface = Surface(moving_face(head, num_frames), head)
    results: dict[str, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        opened = {}
        for name in RENDERERS:
            try:
                renderer = open_renderer(name, scene_of(head, Shot(size=size)), *size)
                stack.enter_context(contextlib.closing(renderer))
                next(pictures(surface, renderer))
                opened[name] = renderer
                results[name] = {"rounds_fps": [], "rounds_cpu_ms": []}
            except (ExtraError, DeviceError) as error:
                results[name] = {"fps": None, "reason": error.problem}
        for done in range(_ROUNDS):
            for name, renderer in opened.items():
                started_s, cpu_started_s = time.perf_counter(), time.process_time()
                for _ in pictures(surface, renderer):
                    pass
                results[name]["rounds_fps"].append(num_frames / (time.perf_counter() - started_s))
                cpu_s = time.process_time() - cpu_started_s
                results[name]["rounds_cpu_ms"].append(1000 * cpu_s / num_frames)
            reporter.progress("bench", done + 1, _ROUNDS)
    for name in opened:
        results[name]["fps"] = statistics.median(results[name]["rounds_fps"])
        results[name]["times_real_time"] = results[name]["fps"] / MODEL_FPS
        results[name]["cpu_ms"] = statistics.median(results[name]["rounds_cpu_ms"])
    ours, theirs = results["software"]["fps"], results["pyrender"]["fps"]
    report = {
        "bench": "render",
        "talk": __version__,
        "head": head.name,
        "verts": len(head.template),
        "faces": len(head.faces),
        "size": list(size),
        "frames": num_frames,
        "renderers": results,
        "software_over_pyrender": None if theirs is None else ours / theirs,
        "command": _bench_command(surface.motion, head_name, size, reporter),
        "machine": machine(),
    }
    write_report(report, out)
    return report


def bench_animate(speech_path: Path, *, size: Size, out: Path | None, reporter: Reporter) -> dict[str, Any]:
    """Measure `talk animate SPEECH --sigma 0.1 --out face.mp4` as a process.

    Args:
        speech_path: Sound file to animate.
        size: Size of the video.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report, ready for JSON. `seconds` is the wall-clock time from start to exit, the median of the
        rounds; `first_s` is that of an earlier run, which fills the caches of compiled kernels. Of the same
        rounds, `first_picture_s` is the median time until the first picture is drawn, and `cpu_s` that of the
        processors.

    Raises:
        TalkError: When the command fails.
    """
    if out is not None:
        check_file(out)
    speech = read_speech(speech_path, reporter)
    with temporary_folder() as folder:
        options = ["--sigma", "0.1", "--size", str(size), "--quiet", "--out", str(folder / "face.mp4")]
        times = _time_command(["animate", str(speech_path), *options], reporter)
    report = {
        "bench": "animate",
        "talk": __version__,
        "size": list(size),
        "speech_s": speech.duration_s,
        **times,
        "times_real_time": speech.duration_s / times["seconds"],
        "machine": machine(),
    }
    write_report(report, out)
    return report


def _bench_command(motion: AnyMotion, head_name: str, size: Size, reporter: Reporter) -> dict[str, Any]:
    with temporary_folder() as folder:
        write_motion(folder / "motion.npz", motion, {})
        options = ["--head", head_name, "--size", str(size), "--quiet", "--out", str(folder / "face.mp4")]
        return _time_command(["render", str(folder / "motion.npz"), *options], reporter)


def _time_command(command: Sequence[str], reporter: Reporter) -> dict[str, Any]:
    """Run a command that draws once to fill caches, and then some rounds; return the times in seconds."""
    rounds = []
    for done in range(_ROUNDS + 1):
        rounds.append(run_talk(command, watched=True))
        reporter.progress("bench", done + 1, _ROUNDS + 1)
    first, *warm = rounds
    return {
        "first_s": first.seconds,
        "rounds_s": [ran.seconds for ran in warm],
        "seconds": statistics.median(ran.seconds for ran in warm),
        "first_picture_s": statistics.median(ran.first_picture_s for ran in warm if ran.first_picture_s),
        "cpu_s": statistics.median(ran.cpu_s for ran in warm),
    }


def moving_face(head: Head, num_frames: int) -> Motion:
    """Return motion of `head` in which no two frames are alike.

    Each coefficient swings between 0 and 0.3 (the jaw's angles in radians) at a rate of its own.
    """
    time_s = np.arange(num_frames)[:, None] / MODEL_FPS
    num_coeffs = len(head.channels)
    rate_hz = 0.3 + 0.05 * np.arange(num_coeffs)[None, :]
    swing = 0.15 - 0.15 * np.cos(2 * np.pi * rate_hz * time_s)
    return Motion(
        coeffs=swing.astype(np.float32),
        fps=float(MODEL_FPS),
        head=space_name(head.name, head.channels),
        channels=tuple(head.channels),
    )
