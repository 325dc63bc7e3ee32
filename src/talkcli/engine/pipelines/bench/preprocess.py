"""Speed of `talk preprocess` on one process and on several: whole commands on generated clips."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from talkcli.engine.errors import TalkError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import check_file, sha256, temporary_folder
from talkcli.engine.pipelines.bench.report import Ran, compare_workers, run_talk, write_report
from talkcli.engine.types import MODEL_FPS, Motion, Reporter
from talkcli.engine.wording import counted

# Samples per second and number of channels of the generated sound: those of cameras and of RAVDESS's
# originals.
_RATE_HZ = 48_000
_CHANNELS = 2
# Largest number of clips in the runs that warm up and that time the start.
_FEW_CLIPS = 10


def bench_preprocess(
    *, num_clips: int, num_workers: int, rounds: int, out: Path | None, reporter: Reporter
) -> dict[str, Any]:
    """Measure `talk preprocess folder` with 1 and with `num_workers` processes.

    The clips last 2 to 3 s each (48 kHz stereo WAV, motion of ada). A shorter run before the rounds of
    `compare_workers` fills the caches of compiled Python, as an installation would have them.

    Args:
        num_clips: Number of clips.
        num_workers: Number of processes to compare with one.
        rounds: Number of rounds that count.
        out: File for the report as JSON; None writes none.
        reporter: Receiver of the progress.

    Returns:
        The report of `compare_workers`.

    Raises:
        TalkError: When the command fails, leaves out a clip, or writes a manifest that depends on the number
            of processes.
    """
    if out is not None:
        check_file(out)
    with temporary_folder() as folder:
        few, many = folder / "few", folder / "many"
        write_clips(few, min(num_clips, _FEW_CLIPS))
        write_clips(many, num_clips)
        _run(folder, few, num_workers)
        report = compare_workers(
            "preprocess",
            partial(_run, folder),
            few=few,
            many=many,
            num_few=min(num_clips, _FEW_CLIPS),
            num_clips=num_clips,
            num_workers=num_workers,
            rounds=rounds,
            reporter=reporter,
        )
    write_report(report, out)
    return report


def write_clips(folder: Path, num_clips: int) -> None:
    """Write `num_clips` pairs of NAME.wav and NAME.npz, the same every time.

    The sound is noise, and its loudness opens the jaw of the motion.
    """
    folder.mkdir()
    drawn = np.random.default_rng(0)
    for number in range(num_clips):
        frames = round((2 + drawn.random()) * MODEL_FPS)
        loudness = np.abs(np.convolve(drawn.standard_normal(frames + 4), np.ones(5) / 5, "valid"))
        coeffs = np.zeros((frames, len(ADA)), np.float32)
        coeffs[:, ADA.index("jawPitch")] = 0.2 * loudness
        samples = drawn.standard_normal((frames * _RATE_HZ // MODEL_FPS, _CHANNELS), np.float32)
        samples *= 0.1 * np.repeat(loudness, _RATE_HZ // MODEL_FPS)[:, None].astype(np.float32)
        path = folder / f"clip{number:04d}"
        soundfile.write(path.with_suffix(".wav"), samples, _RATE_HZ, subtype="PCM_16")
        motion = Motion(coeffs=coeffs, fps=float(MODEL_FPS), head="ada", channels=ADA)
        write_motion(path.with_suffix(".npz"), motion)


def _run(folder: Path, root: Path, num_workers: int) -> tuple[Ran, str]:
    """Run the command once on the clips in `root`; also return the SHA-256 of the manifest.

    `folder` is for the output, which is removed again, and for compiled Python.
    """
    out = folder / "out"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    options = ["--workers", str(num_workers), "--quiet", "--json", "--out", str(out)]
    ran = run_talk(["preprocess", "folder", str(root), *options], environment)
    summary = json.loads(ran.stdout)
    if summary["dropped"]:
        left_out = counted(len(summary["dropped"]), "generated clip")
        raise TalkError(f"talk preprocess left out {left_out}.")
    digest = sha256(out / "manifest.jsonl")
    shutil.rmtree(out)
    return ran, digest
