"""Training curves as TensorBoard event files, where TensorBoard is installed."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from talkcli.engine.errors import ExtraError
from talkcli.engine.optional import require
from talkcli.engine.types import Reporter

# Start of the name of every file of curves, by TensorBoard's convention.
CURVE_PREFIX = "events.out.tfevents."
_VERSION = "brain.Event:2"
_numbers = itertools.count()


class Scalars:
    """Curves in `folder` that go on after step `first` of a resumed run; TensorBoard hides the later points
    that the run wrote before.

    The training thread writes each point at once: TensorBoard's own writer has a thread, whose errors (a full
    disk) the training could not handle. Curves are optional, so training continues when they cannot be
    written.
    """

    def __init__(self, folder: Path, first: int, reporter: Reporter) -> None:
        self.folder = folder
        self.first = first
        self._reporter = reporter
        self._file: Path | None = None
        self._wanted = True
        try:
            require("tensorboard", purpose="Writing curves")
        except ExtraError as error:
            self._wanted = False
            reporter.note(
                f"Training writes no TensorBoard curves. {error.problem} To get them: {error.hint}."
            )

    def write(self, step: int, group: str, values: Mapping[str, float]) -> None:
        """Add a point at `step` to each curve `group/NAME`, for the names in `values`."""
        if not self._wanted:
            return
        named = [{"tag": f"{group}/{name}", "simple_value": value} for name, value in values.items()]
        try:
            if self._file is None:
                # The file begins with the first point, so that resuming a finished run leaves no empty file.
                self._file = self._begin()
            with self._file.open("ab") as file:
                _write(file, step=step, summary={"value": named})
        except OSError as error:
            self._wanted = False
            self._reporter.warn(f"The curves in {self.folder} end here ({error.strerror}). Training goes on.")

    def _begin(self) -> Path:
        """Return a new file with the two records with which TensorBoard files begin."""
        self.folder.mkdir(exist_ok=True)
        name = f"{CURVE_PREFIX}{time.time():010.0f}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        with (self.folder / name).open("xb") as file:
            _write(file, file_version=_VERSION)
            _write(file, step=self.first + 1, session_log={"status": "START"})
        return self.folder / name


def _write(file: IO[bytes], **what: Any) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    RecordWriter(file).write(Event(wall_time=time.time(), **what).SerializeToString())
