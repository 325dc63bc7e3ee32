"""A process that has loaded everything, and runs one case after another in forks of itself.

It reads lines of JSON `{"kind": ..., "number": ...}` and answers each with one line.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import importlib
import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import Any

import typer

from tests.fuzz import child, judge, seeds
from tests.fuzz.case import Case, Kind
from tests.fuzz.kinds_avatars import KINDS as AVATARS
from tests.fuzz.kinds_calls import KINDS as CALLS
from tests.fuzz.kinds_data import KINDS as DATA
from tests.fuzz.kinds_exports import KINDS as EXPORTS
from tests.fuzz.kinds_media import KINDS as MEDIA
from tests.fuzz.kinds_models import KINDS as MODELS
from tests.fuzz.kinds_studies import KINDS as STUDIES

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (*MEDIA, *MODELS, *AVATARS, *DATA, *EXPORTS, *CALLS, *STUDIES)
}


class Worker:
    """Runs cases in `place`, with valid files from `files`; `seed` fixes what each does."""

    def __init__(self, files: Path, place: Path, seed: int, found: Path) -> None:
        self.files = files
        self.place = place
        self.seed = seed
        self.found = found
        self._references: dict[str, judge.Result | None] = {}

    def do(self, kind: str, number: int) -> dict[str, Any]:
        """Make, run and judge one case; what is wrong is kept in `found`."""
        folder = self._fresh()
        drawn = Random(f"{self.seed} {kind} {number}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case = KINDS[kind].build(drawn, self.files, folder)
        before = judge.digests(folder)
        seen = child.run(case, folder, self.place)
        verdict = judge.judge(case, seen, folder, before, lambda case: self._reference(kind, number, case))
        if verdict.name != "ok":
            self._keep(kind, number, case, verdict, seen)
        return {
            "kind": kind, "number": number, "verdict": verdict.name, "evidence": verdict.evidence,
            "accepted": verdict.accepted, "note": case.note, "code": seen.code, "cpu_s": round(seen.cpu_s, 3),
            "said": seen.stderr.decode("utf-8", "replace")[:300],
        }  # fmt: skip

    def _fresh(self) -> Path:
        shutil.rmtree(self.place, ignore_errors=True)
        for name in ("case", "outside", "tmp"):
            (self.place / name).mkdir(parents=True)
        (self.place / "outside/secret.txt").write_bytes(judge.SECRET + b"\n")
        shutil.copy(self.files / "sounds/a.wav", self.place / "outside/secret.wav")
        # What tempfile gave before belongs to the worker.
        tempfile.tempdir = None
        os.environ["TMPDIR"] = str(self.place / "tmp")
        return self.place / "case"

    def _reference(self, kind: str, number: int, case: Case) -> judge.Result | None:
        """The result of the same command on the undamaged files; kept, since it is often the same one."""
        told = [*case.argv, *sorted(case.undamaged)]
        told = [part for part in told if part not in ("--json", "--quiet")]
        told += [hashlib.sha256(content or b"").hexdigest() for content in case.undamaged.values()]
        key = "\n".join(told)
        if key not in self._references:
            folder = self._fresh()
            case = KINDS[kind].build(Random(f"{self.seed} {kind} {number}"), self.files, folder)
            for name, content in case.undamaged.items():
                if content is None:
                    (folder / name).unlink()
                else:
                    (folder / name).write_bytes(content)
            seen = child.run(case, folder, self.place)
            self._references[key] = judge.result_of(case, folder) if seen.code == 0 else None
        return self._references[key]

    def _keep(self, kind: str, number: int, case: Case, verdict: judge.Verdict, seen: child.Seen) -> None:
        """The inputs as they were, the command, and what it said."""
        kept = self.found / f"{verdict.name}-{kind}-{number}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        folder = self._fresh()
        KINDS[kind].build(Random(f"{self.seed} {kind} {number}"), self.files, folder)
        shutil.copytree(folder, kept / "case", symlinks=True, ignore=_special)
        told = {
            "argv": case.argv,
            "note": case.note,
            "environment": dict(case.environment),
            "stream": case.stream,
        }
        (kept / "case.json").write_text(
            json.dumps({**told, "verdict": verdict.name, "evidence": verdict.evidence})
        )
        (kept / "stderr").write_bytes(seen.stderr[-20_000:])
        (kept / "stdout").write_bytes(seen.stdout[-20_000:])


def _special(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if not ((path := Path(folder, name)).is_symlink() or path.is_file() or path.is_dir())
    ]


def warm(files: Path, place: Path) -> None:
    """Load and compile, in this process, what cases use."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    os.environ.setdefault("TALK_CACHE", str(files / "cache"))
    cpu, few = (
        ("--device", "cpu"),
        ("--set", "train.steps=1", "--set", "data.size=2", "--set", "data.frames=8"),
    )
    sound, model = files / "sounds/a.wav", files / "runs/gen"
    calls: list[tuple[object, ...]] = [
        ("animate", sound, "--model", model, "--out", place / "o.npz", *cpu),
        (
            "animate",
            files / "sounds/a.m4a",
            "--model",
            "rules",
            "--text",
            files / "texts/long.TextGrid",
            "--out",
            place / "r.npz",
        ),
        ("render", files / "ada.npz", "--size", "64", "--out", place / "fr"),
        (
            "render",
            files / "flame.npz",
            "--head",
            files / "heads/head.pkl",
            "--size",
            "64",
            "--out",
            place / "fl",
        ),
        ("score", files / "ada.npz", "--truth", files / "ada.npz"),
        ("train-fer", files / "corpus", "--recipe", "fer.debug", "--out", place / "fer", *cpu, *few),
        ("train-vq", files / "corpus", "--recipe", "th_vqvae.debug", "--out", place / "vq", *cpu, *few),
        ("preprocess", "check", files / "corpus", "--workers", "0"),
        ("preprocess", "folder", files / "sets/folder", "--out", place / "out", "--workers", "0"),
    ]
    # Only loaded: its threads would not be there in a fork.
    importlib.import_module("mediapipe")
    for call in calls:
        try:
            seeds.talk(*call, "--quiet")
        except RuntimeError as error:
            print(f"warning: {error}", file=sys.stderr)
    shutil.rmtree(place)


def keep_commands() -> None:
    """typer builds all commands from their functions anew for every call: half of the time of a short one."""
    typer.main.get_command = functools.cache(typer.main.get_command)
    from talkcli.app import app

    typer.main.get_command(app)


def main() -> None:
    """`worker FILES PLACE SEED FOUND`."""
    import torch

    torch.set_num_threads(1)
    files, place, seed, found = sys.argv[1:]
    os.environ["TALK_DEBUG"] = "1"
    # The answers keep the real stdout; commands that warm up print elsewhere.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(Path(files), Path(place), int(seed), Path(found))
    keep_commands()
    warm(worker.files, worker.place)
    gc.collect()
    gc.freeze()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(worker.do(asked["kind"], asked["number"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
