"""What came of a case, and whether it may."""

from __future__ import annotations

import hashlib
import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import typer
from PIL import Image

from talkcli.app import app
from tests.fuzz import child
from tests.fuzz.case import Case
from tests.fuzz.child import Seen

# Exit codes of docs/conventions.md; 7 needs a threshold, which hardly any case sets.
_CODES = (0, 1, 2, 3, 4, 5, 6, 7, 130)
_LONGEST_STDERR = 4_000
_MEMORY_WORDS = re.compile(
    rb"MemoryError|Unable to allocate|[Cc]annot allocate|CPUAllocator|bad_alloc|not enough memory"
)
_TEMPORARY = re.compile(r"\..*\.[a-z0-9_]{8}(\..*)?|tmp[a-z0-9_]{8}.*|\.?talk-.*")
_BUG = re.compile(rb"a bug in\s+talk|Traceback \(most recent call last\)")
OUTSIDE = ".. outside"
SECRET = b"CANARY-7f3a91-SECRET"

Reference = Callable[[Case], "Result | None"]


class Result(NamedTuple):
    """What a command wrote, in a form that can be compared."""

    digest: str
    frames: int | None


class Verdict(NamedTuple):
    """`ok`, or what is wrong: traceback, crash, hang, blow-up, wrong; with one line of evidence."""

    name: str
    evidence: str
    accepted: bool = False


def judge(case: Case, seen: Seen, folder: Path, before: dict[str, str], reference: Reference) -> Verdict:
    """The verdict on `case`; `before` are the digests of the folder's files before it ran.

    `reference` gives the result of the undamaged files.
    """
    for check in (_ended, _spoke):
        found = check(case, seen)
        if found is not None:
            return found
    found = _left(case, seen, folder, before)
    if found is not None:
        return found
    if seen.code != 0:
        if case.expected == "accept":
            return Verdict("wrong", f"sound input refused: {_tail(seen.stderr)}")
        return Verdict("ok", "")
    if case.expected == "refuse":
        return Verdict("wrong", "hostile input accepted", accepted=True)
    try:
        result = result_of(case, folder)
    except Exception as error:  # noqa: BLE001  whatever is in the output
        return Verdict("wrong", f"output: {type(error).__name__}: {error}", accepted=True)
    if result.frames is not None and not case.frames[0] <= result.frames <= case.frames[1]:
        return Verdict("wrong", f"{result.frames} frames, not {case.frames}", accepted=True)
    if case.expected == "same":
        right = reference(case)
        if right is not None and right != result:
            return Verdict("wrong", "damage accepted, with another result", accepted=True)
    return Verdict("ok", "", accepted=True)


def _ended(case: Case, seen: Seen) -> Verdict | None:
    if seen.timed_out:
        return Verdict("hang", f"{seen.cpu_s:.0f} s of processor time")
    if _MEMORY_WORDS.search(seen.stderr):
        return Verdict("blow-up", _tail(seen.stderr))
    if seen.memory > child.MORE_MEMORY:
        return Verdict("blow-up", f"{seen.memory >> 20} MiB of memory")
    if _BUG.search(seen.stderr) or _BUG.search(seen.stdout):
        return Verdict("traceback", _bug(seen.stderr + seen.stdout))
    if seen.signal is not None:
        return Verdict("crash", signal.Signals(seen.signal).name)
    silent = case.stream.endswith("stderr")
    if seen.code not in _CODES and not (case.stream and seen.code == 120):
        return Verdict("wrong", f"exit code {seen.code}: {_tail(seen.stderr)}")
    if seen.code not in (0, 7, 130) and not silent:
        words = seen.stderr.strip()
        if not words or words == b"Aborted.":
            return Verdict("traceback", f"exit code {seen.code} without an error")
    if b"File too large" in seen.stderr:
        return Verdict("blow-up", f"a file beyond {child.LARGEST_FILE >> 20} MiB")
    return None


def _spoke(case: Case, seen: Seen) -> Verdict | None:
    if len(seen.stderr) > _LONGEST_STDERR:
        return Verdict("blow-up", f"{len(seen.stderr)} bytes on stderr: {_tail(seen.stderr)}")
    if SECRET in seen.stdout + seen.stderr:
        return Verdict("wrong", "content of a file outside was printed")
    json_asked = "--json" in case.argv and (seen.code not in (0, 7) or json_parsed(case.argv))
    if json_asked and not case.stream.endswith("stdout") and "--help" not in case.argv:
        try:
            document = json.loads(seen.stdout)
            if not isinstance(document, dict):
                raise ValueError("no object")
            # Python reads NaN, which is no JSON.
            json.dumps(document, allow_nan=False)
        except ValueError as error:
            return Verdict("wrong", f"stdout is not one JSON document ({error}): {seen.stdout[:80]!r}")
    elif seen.code not in (0, 3, 7) and seen.stdout.strip():
        return Verdict("wrong", f"a failure on stdout: {seen.stdout[:80]!r}")
    return None


def json_parsed(argv: tuple[str, ...]) -> bool:
    """Whether `--json` stands in `argv` as an option, not as the value of the option before it."""
    command = typer.main.get_command(app)
    words = list(argv)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    valued = {
        name for option in command.params if not getattr(option, "is_flag", False) for name in option.opts
    }
    while words:
        word = words.pop(0)
        if word in ("--json", "--"):
            return word == "--json"
        if word.startswith("-") and word in valued:
            del words[:1]
    return False


def _left(case: Case, seen: Seen, folder: Path, before: dict[str, str]) -> Verdict | None:
    if before[OUTSIDE] != outside_digest(folder.parent / "outside"):
        return Verdict("wrong", "a file outside was changed")
    temporary = folder.parent / "tmp"
    left = list(temporary.iterdir()) if temporary.is_dir() else []
    left += [
        path
        for path in folder.rglob("*")
        if _TEMPORARY.fullmatch(path.name) and str(path.relative_to(folder)) not in before
    ]
    if left:
        return Verdict("wrong", f"left behind: {left[0].name}")
    size = sum(path.lstat().st_size for path in folder.rglob("*"))
    if size > 2 * child.LARGEST_FILE:
        return Verdict("blow-up", f"{size >> 20} MiB of files")
    for name in case.outputs:
        path = folder / name
        if seen.code not in (0, 7) and path.is_file() and digest(path) != before.get(name):
            return Verdict("wrong", f"failed, and wrote {name}")
        if seen.code == 0 and not path.exists():
            return Verdict("wrong", f"no {name}")
    return None


def result_of(case: Case, folder: Path) -> Result:
    """The outputs, told by their arrays where they are motion or models: their metadata name the input.

    Raises whatever numpy does for broken outputs, ValueError for values that are not finite.
    """
    total, frames = hashlib.sha256(), None
    for name in case.outputs:
        path = folder / name
        if path.is_dir():
            for part in sorted(path.rglob("*")):
                if part.name == "manifest.jsonl" or part.suffix in (".png", ".flac", ".npz"):
                    total.update(f"{part.relative_to(folder)} {_content(part)}".encode())
        elif path.suffix == ".npz":
            with np.load(path) as file:
                coeffs = file["exp" if name.endswith(".flame.npz") else "coeffs"]
                if not np.isfinite(coeffs).all() or np.abs(coeffs).max(initial=0) > 1e4:
                    raise ValueError("values that no face takes")
                frames = len(coeffs)
                total.update(coeffs.tobytes())
                total.update(file["pose"].tobytes() if "pose" in file else b"")
        else:
            if path.stat().st_size == 0:
                raise ValueError(f"{name} is empty")
            total.update(_tensors(path) if path.suffix == ".safetensors" else path.read_bytes())
    return Result(total.hexdigest(), frames)


def _content(path: Path) -> str:
    if path.suffix != ".png":
        return digest(path)
    # The text in a picture names the file it was drawn from.
    with Image.open(path) as picture:
        return hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()


def _tensors(path: Path) -> bytes:
    from safetensors import safe_open

    total = b""
    with safe_open(path, framework="np") as file:
        for name in sorted(file.keys()):
            values: Any = file.get_tensor(name)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise ValueError("weights that are not finite")
            total += hashlib.sha256(values.tobytes()).digest()
    return total


def outside_digest(outside: Path) -> str:
    """Names and content of the files that no command is to touch."""
    parts = [f"{path.name} {digest(path)}" for path in sorted(outside.rglob("*")) if path.is_file()]
    return "; ".join(parts + [path.name for path in sorted(outside.iterdir())])


def digests(folder: Path) -> dict[str, str]:
    """Digests of the regular files of a case, and of what lies outside, before it runs."""
    found = {OUTSIDE: outside_digest(folder.parent / "outside")}
    return found | {
        str(path.relative_to(folder)): digest(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _tail(stderr: bytes) -> str:
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("error:")] or lines[-1:]
    return told[0][:300] if told else ""


def _bug(output: bytes) -> str:
    """The last line of talk's own in the traceback, and the exception."""
    text = output.decode("utf-8", "replace")
    places = re.findall(r'File "[^"]*?/(talkcli/[^"]+)", line (\d+), in (\S+)', text)
    told = re.search(r"a bug in\s+talk: (.*)", text) or re.search(r"^(\w+(?:Error|Exception).*)$", text, re.M)
    where = "{}:{} {}".format(*places[-1]) if places else "?"
    return f"{where}: {told[1][:200] if told else text.strip()[-200:]}"
