"""Kill commands at random moments and run them again: `python -m tests.fuzz.kills --kills 60 --seed 0`.

After the next run the files are byte for byte those of an uninterrupted run (but for `_FREE`, and for the
seconds in a training's log), what was valid before is still there or whole anew, and no temporary file is
left. Ends with 1 when that was not so.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz import seeds, seeds_data
from tests.fuzz.__main__ import environment
from tests.fuzz.seeds_models import FAST, options

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# What two equal runs need not have in common: order of work, times, host names.
_FREE = {"journal.jsonl", ".lock", "CARD.md", "run.json", "tensorboard"}
_LOG = "log.jsonl"
_TEMPORARY = re.compile(r"\..*\.[a-z0-9_]{8}(\..*)?|\.?talk-.*|tmp[a-z0-9_]{8}.*|partial-.*|UNFINISHED.*")
_GRACE_S = 120


@dataclass(frozen=True)
class Job:
    """A command in a folder of its own that writes `out`; `before` is what is there beforehand."""

    name: str
    argv: tuple[str, ...]
    out: str
    before: bytes | None = None

    @property
    def trains(self) -> bool:
        return self.argv[0].startswith("train")


def jobs(files: Path) -> list[Job]:
    speech, model = str(files / "speech.wav"), str(files / "gen")
    animate = ("animate", speech, "--model", model, "--device", "cpu", "--size", "64", "--out")
    manifest = str(files / "debug/manifest.jsonl")
    saved = options(*FAST[2:], "train.steps=12", "train.validate_every=3", "train.save_every=3")
    parts = ("--dee", str(files / "dee"), "--prior", str(files / "vq"))
    trainings = {
        "train-fer": ("train-fer", manifest, "--recipe", "fer.debug"),
        "train-dee": ("train-dee", manifest, "--recipe", "dee.debug"),
        "train-phones": ("train-phones", manifest, "--recipe", "phones.debug"),
        "train-vq": ("train-vq", manifest, "--recipe", "th_vqvae.debug"),
        "train-gen": ("train-gen", manifest, "--recipe", "deeptalk.debug", *parts),
        "train vqvae": ("train", "vqvae", manifest, "--recipe", "vqvae.debug"),
    }
    return [
        Job("animate npz", (*animate, "o.npz"), "o.npz", (files / "other.npz").read_bytes()),
        Job("animate mp4", (*animate, "o.mp4"), "o.mp4", b"an older film"),
        Job("animate frames", (*animate, "frames/"), "frames"),
        Job(
            "animate many",
            (
                "animate",
                str(files / "takes"),
                "--model",
                model,
                "--device",
                "cpu",
                "--out-dir",
                "out",
                "--format",
                "npz,csv",
                "--workers",
                "2",
            ),
            "out",
        ),
        Job("preprocess debug", ("preprocess", "debug", "--out", "out"), "out"),
        Job(
            "preprocess folder",
            ("preprocess", "folder", str(files / "takes"), "--out", "out", "--workers", "2"),
            "out",
        ),
        *(
            Job(name, (*argv, *saved, "--device", "cpu", "--out", "out"), "out")
            for name, argv in trainings.items()
        ),
    ]


def make(files: Path) -> None:
    """What the jobs read: two seconds of sound, models, corpora."""
    files.mkdir(parents=True)
    (files / "speech.wav").write_bytes(seeds.wav(seeds.speech(), times=4))
    seeds.talk("preprocess", "debug", "--out", files / "debug", "--quiet")
    manifest, few = files / "debug/manifest.jsonl", options("train.steps=2")
    for method, recipe in (("vq", "th_vqvae.debug"), ("dee", "dee.debug")):
        seeds.talk(f"train-{method}", manifest, "--recipe", recipe, *few, "--out", files / method, "--quiet")
    parts = ("--dee", files / "dee", "--prior", files / "vq")
    seeds.talk(
        "train-gen", manifest, "--recipe", "deeptalk.debug", *parts, *few, "--out", files / "gen", "--quiet"
    )
    takes = files / "takes"
    for number in range(30):
        takes.mkdir(exist_ok=True)
        (takes / f"take{number:02d}.wav").write_bytes(seeds.wav(seeds.speech() * (1 - number / 60)))
        seeds_data.motion(takes / f"take{number:02d}.npz", frames=seeds.FRAMES)
    seeds_data.motion(files / "other.npz")


def command(job: Job, *more: str) -> list[str]:
    return [sys.executable, "-m", "talkcli", *job.argv, *more, "--quiet"]


def start(job: Job, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        command(job, *more), cwd=folder, env={**environment(), "TMPDIR": str(folder / "tmp")}, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def prepared(job: Job, folder: Path) -> Path:
    folder.mkdir(parents=True)
    if job.before is not None:
        (folder / job.out).write_bytes(job.before)
    return folder


def result(job: Job, folder: Path) -> dict[str, str]:
    """Digests of what the job wrote."""
    out = folder / job.out
    paths = [out] if out.is_file() else sorted(path for path in out.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(_content(path)).hexdigest()
        for path in paths
        if not _FREE & set(path.relative_to(folder).parts)
    }


def _content(path: Path) -> bytes:
    """The bytes of `path`; of a training's log without the seconds that steps took."""
    if path.name != _LOG:
        return path.read_bytes()
    records = [json.loads(line) for line in path.read_text().splitlines()]
    timeless = [{key: value for key, value in record.items() if key != "s"} for record in records]
    return json.dumps(timeless).encode()


def leftovers(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if _TEMPORARY.fullmatch(path.name)]


def kill(job: Job, folder: Path, drawn: Random, took_s: float, right: dict[str, str]) -> str:
    """One kill and the next run; what is wrong, or nothing."""
    prepared(job, folder)
    number = drawn.choice(SIGNALS)
    # Most of the time goes by with loading; most kills come after that.
    wait_s = took_s * (drawn.random() if drawn.random() < 0.25 else drawn.uniform(0.5, 1.0))
    process = start(job, folder)
    try:
        process.wait(wait_s)
    except subprocess.TimeoutExpired:
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    told = f"{job.name}, signal {int(number)} after {wait_s:.2f} s"
    try:
        _, stderr = process.communicate(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"{told}: still there after {_GRACE_S} s"
    if b"Traceback" in stderr or b"a bug in talk" in stderr:
        return f"{told}: {stderr.decode('utf-8', 'replace').strip()[-300:]}"
    if number != signal.SIGKILL and (
        left := [name for name in leftovers(folder) if "UNFINISHED" not in name]
    ):
        return f"{told}: it ended and left {left[0]}"
    if job.before is not None:
        there = (folder / job.out).read_bytes() if (folder / job.out).exists() else b""
        if there != job.before and result(job, folder) != right:
            return f"{told}: what was there before is lost"
    return _again(job, folder, right, told)


def _again(job: Job, folder: Path, right: dict[str, str], told: str) -> str:
    more: tuple[str, ...] = ()
    if job.trains and (folder / job.out / "run.json").exists():
        more = ("--resume",)
    if job.name == "animate frames" and (folder / job.out).exists():
        shutil.rmtree(folder / job.out)
    process = start(job, folder, *more)
    try:
        _, stderr = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return f"{told}: the next run hangs"
    if process.returncode:
        return f"{told}: the next run fails: {stderr.decode('utf-8', 'replace').strip()[-300:]}"
    if left := leftovers(folder):
        return f"{told}: after the next run {left[0]} is still there"
    now = result(job, folder)
    if now != right:
        other = sorted(name for name in now.keys() | right.keys() if now.get(name) != right.get(name))
        return f"{told}: after the next run {', '.join(other[:3])} differ from an uninterrupted run"
    return ""


def uninterrupted(job: Job, folder: Path) -> tuple[float, dict[str, str]]:
    """How long the job takes, and what it writes."""
    began_s = time.monotonic()
    process = start(job, prepared(job, folder))
    _, stderr = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{job.name} fails by itself: {stderr.decode()[-1000:]}")
    return time.monotonic() - began_s, result(job, folder)


def main() -> int:
    """Kill, run again, print one row a job."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--jobs", nargs="*", default=[], help="these alone")
    asked = parser.parse_args()
    drawn = Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as place, ThreadPoolExecutor(asked.parallel) as pool:
        files = Path(place) / "files"
        make(files)
        chosen = [job for job in jobs(files) if not asked.jobs or job.name in asked.jobs]
        drawn.shuffle(chosen)
        chosen = chosen[: asked.kills]
        known = dict(
            zip(
                chosen,
                pool.map(lambda job: uninterrupted(job, Path(place) / "right" / job.name), chosen),
                strict=True,
            )
        )
        tasks = [
            (chosen[k % len(chosen)], Path(place) / str(k), Random(f"{asked.seed} {k}"))
            for k in range(asked.kills)
        ]
        lock, wrong = threading.Lock(), []

        def one(task: tuple[Job, Path, Random]) -> None:
            job, folder, chance = task
            found = kill(job, folder, chance, *known[job])
            shutil.rmtree(folder, ignore_errors=True)
            if found:
                with lock:
                    wrong.append(found)
                    print(f"wrong: {found}", file=sys.stderr, flush=True)

        list(pool.map(one, tasks))
    counts = collections.Counter(job.name for job, *_ in tasks)
    for name, count in sorted(counts.items()):
        bad = sum(found.startswith(f"{name},") for found in wrong)
        print(f"{name:18s} {count:3d} kills  {bad:3d} wrong")
    print(f"seed {asked.seed}: {len(tasks)} kills with signals 9, 15, 2 and 1, {len(wrong)} wrong")
    for found in wrong:
        print(f"  {found}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
