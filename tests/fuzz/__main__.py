"""Attack every reader and option of talk: `python -m tests.fuzz --cases 10000 --seed 0`.

Prints one row a kind and ends with 1 when anything was found; each finding is in --out with its command.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.worker import KINDS

ROOT = Path(__file__).resolve().parents[2]
BAD = ("traceback", "crash", "hang", "blow-up", "wrong")
# A worker that answers nothing for so long is replaced: a case ends earlier by its own limits.
_LOST_S = 400


def main() -> int:
    """Run the cases, print the table; 1 when something was found."""
    options = _options()
    found = options.out.resolve()
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    files = options.seeds.resolve() if options.seeds else found / "seeds"
    if not options.seeds or not files.exists():
        _make_seeds(files)
    work: queue.Queue[tuple[str, int]] = queue.Queue()
    for item in chosen_cases(options.cases, options.seed, options.kinds, options.only):
        work.put(item)
    results: list[dict[str, Any]] = []
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as places:
        threads = [
            threading.Thread(
                target=_serve,
                args=(
                    work,
                    results,
                    files,
                    Path(places) / str(k),
                    options.seed,
                    found,
                    began_s + 60 * options.minutes,
                ),
            )
            for k in range(options.jobs)
        ]
        for thread in threads:
            thread.start()
        _watch(threads, results, options.cases, found)
    took_s = time.monotonic() - began_s
    text = report(results, options.seed, took_s)
    print(text)
    (found / "report.txt").write_text(text + "\n")
    (found / "results.jsonl").write_text("".join(json.dumps(result) + "\n" for result in results))
    return int(any(result["verdict"] != "ok" for result in results))


def chosen_cases(count: int, seed: int, kinds: list[str], only: int | None) -> list[tuple[str, int]]:
    """`count` cases, each kind by its weight, in mixed order."""
    names = kinds or list(KINDS)
    if only is not None:
        return [(name, only) for name in names]
    total = sum(KINDS[name].weight for name in names)
    items = []
    for name in names:
        items += [(name, number) for number in range(max(1, round(count * KINDS[name].weight / total)))]
    Random(seed).shuffle(items)
    return items


def report(results: list[dict[str, Any]], seed: int, took_s: float) -> str:
    """The table of kinds, and below it the findings, grouped by what they say."""
    head = ("kind", "cases", "refused", "accepted", *BAD)
    rows = [head]
    names = [name for name in KINDS if any(result["kind"] == name for result in results)]
    for name in [*names, "all"]:
        of = [result for result in results if name in (result["kind"], "all")]
        accepted = sum(result["accepted"] for result in of)
        bad = collections.Counter(result["verdict"] for result in of)
        refused = sum(result["verdict"] == "ok" and not result["accepted"] for result in of)
        rows.append((name, *map(str, (len(of), refused, accepted, *(bad[verdict] for verdict in BAD)))))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.append(
        f"seed {seed}: {len(results)} cases in {took_s:.0f} s, {len(results) / max(took_s, 1):.1f} a second"
    )
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = collections.defaultdict(list)
    for result in results:
        if result["verdict"] != "ok":
            # Numbers and names differ from case to case.
            evidence = "".join("#" if letter.isdigit() else letter for letter in result["evidence"])[:90]
            groups[result["kind"], result["verdict"], evidence].append(result)
    for (kind, verdict, _), group in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1]))):
        first = group[0]
        lines.append(f"{kind}: {len(group)} x {verdict}: {first['evidence']}")
        lines.append(f"    {verdict}-{kind}-{first['number']} ({first['note']})")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no case after so long")
    parser.add_argument("--kinds", nargs="*", default=[], choices=list(KINDS), help="these alone")
    parser.add_argument("--only", type=int, help="the case of this number of each kind")
    parser.add_argument("--seeds", type=Path, help="valid files of an earlier run")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz")
    return parser.parse_args()


def _make_seeds(files: Path) -> None:
    """In a process of its own: commands leave their marks."""
    code = "import sys; from pathlib import Path; from tests.fuzz import seeds; seeds.make(Path(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", code, str(files)],
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        sys.exit(f"the valid files cannot be made:\n{made.stderr[-3000:]}")


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "COLUMNS": "200",
    }


def _serve(
    work: queue.Queue[tuple[str, int]],
    results: list[dict[str, Any]],
    files: Path,
    place: Path,
    seed: int,
    found: Path,
    until_s: float,
) -> None:
    """Give cases to one worker process; a lost one is replaced, and its case recorded."""
    process: subprocess.Popen[str] | None = None
    log = (found / f"worker.{place.name}.log").open("a")
    while time.monotonic() < until_s:
        try:
            kind, number = work.get_nowait()
        except queue.Empty:
            break
        if process is None:
            process = _start(files, place, seed, found, log)
        told = {"kind": kind, "number": number}
        lost = threading.Timer(_LOST_S, process.kill)
        lost.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            print(json.dumps(told), file=process.stdin, flush=True)
            results.append(json.loads(process.stdout.readline()))
        except (ValueError, OSError):
            results.append(
                {
                    **told,
                    "verdict": "crash",
                    "evidence": "the worker was lost",
                    "accepted": False,
                    "note": "?",
                }
            )
            process.kill()
            process = None
        finally:
            lost.cancel()
    if process is not None and process.stdin is not None:
        process.stdin.close()
        process.wait()
    log.close()


def _start(files: Path, place: Path, seed: int, found: Path, log: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fuzz.worker", str(files), str(place), str(seed), str(found)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise SystemExit(f"a worker does not start; see {log.name}")
    return process


def _watch(threads: list[threading.Thread], results: list[dict[str, Any]], count: int, found: Path) -> None:
    shown = 0
    while any(thread.is_alive() for thread in threads):
        time.sleep(0.5)
        if len(results) >= shown + max(100, count // 20):
            shown = len(results)
            bad = sum(result["verdict"] != "ok" for result in results)
            print(f"{shown} of {count} cases, {bad} findings", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
