"""`talk` in a process of its own that need not import everything anew: a fork of a server that has.

Loading torch takes several times as long as animating a second of speech. Tests of what a process loads, or
of how it starts, start one of their own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.talk_imports"])
_LONGEST_S = 300


def talk(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `talk` with `arguments` in the folder `cwd`, without standard input."""
    words = [str(word) for word in arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        process = _CONTEXT.Process(target=_run, args=(words, str(cwd), *map(str, streams)))
        process.start()
        process.join(_LONGEST_S)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"talk {' '.join(words)} takes longer than {_LONGEST_S} s")
        said, told = (path.read_text(encoding="utf-8") for path in streams)
    return subprocess.CompletedProcess(["talk", *words], process.exitcode, said, told)


def _run(arguments: list[str], cwd: str, stdout: str, stderr: str) -> None:
    from talkcli.app import main

    os.chdir(cwd)
    for number, path in ((0, os.devnull), (1, stdout), (2, stderr)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["talk", *arguments]
    main()
