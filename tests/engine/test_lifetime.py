from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from talkcli.engine.lifetime import ENDING, uninterrupted


@pytest.mark.parametrize("number", ENDING)
def test_signals_wait_for_the_end_of_the_block(number: signal.Signals) -> None:
    done = []
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), uninterrupted():
            os.kill(os.getpid(), number)
            done.append("what must not be cut in two")
        assert done
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


GARBAGE = """
import sys
class Cycle:
    def __del__(self): print("collected")
kept = Cycle()
kept.itself = kept
sys.argv = ["talk", "--version"]
from talkcli.__main__ import main
main()
"""


def test_talk_ends_without_collecting_garbage() -> None:
    ended = subprocess.run([sys.executable, "-c", GARBAGE], capture_output=True, text=True, check=True)
    assert ended.stdout and "collected" not in ended.stdout


PARENT = """
import subprocess, sys, time
from talkcli.engine.lifetime import run_child, start_child
sleeper = ["sleep", "60"]
if sys.argv[1] == "start":
    print(start_child(sleeper).pid, flush=True)
    time.sleep(60)
else:
    run_child(["sh", "-c", "echo $$; exec sleep 60"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
@pytest.mark.parametrize("how", ["start", "run"])
def test_children_end_with_a_killed_parent(how: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, how], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = Path("/proc") / parent.stdout.readline().strip()
        assert child.exists()
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 5
        while child.exists() and "Z" not in child.joinpath("stat").read_text().split()[2]:
            assert time.monotonic() < deadline
            time.sleep(0.01)


WATCHED = """
import gc, os, signal, sys, time
from talkcli.engine import lifetime
lifetime.watch(lambda code: print("last words", code, flush=True))
number = int(sys.argv[1])

class Destructor:
    def __del__(self):
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass

if sys.argv[2] == "before":
    os.kill(os.getpid(), number)
    time.sleep(60)
try:
    with lifetime.interruptible():
        if sys.argv[2] == "destructor":
            Destructor()
        elif sys.argv[2] == "string":
            exec("os.kill(os.getpid(), number); time.sleep(1)")
        else:
            os.kill(os.getpid(), number)
        time.sleep(60)
except KeyboardInterrupt:
    # An impatient user, while things are cleaned up.
    with lifetime.interruptible():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
    print("cleaned up", lifetime.ended_by())
"""


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("before", "last words {}"),
        ("work", "cleaned up {}"),
        ("destructor", "cleaned up {}"),
        ("string", "cleaned up {}"),
    ],
)
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_process_and_is_never_lost(number: signal.Signals, when: str, said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WATCHED, str(int(number)), when],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == (said.format(128 + number) + "\n", "")
    assert ended.returncode == (128 + number if when == "before" else 0)


def test_ignored_signals_stay_ignored() -> None:
    """As nohup and a background job of a script ask for."""
    program = "import signal; from talkcli.engine import lifetime; lifetime.watch(print)\n"
    program += "print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    command = ["sh", "-c", 'trap "" HUP; exec "$0" -c "$1"', sys.executable, program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"
