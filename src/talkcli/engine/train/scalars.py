"""What is logged, as curves in TensorBoard where that can be imported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from talkcli.engine.errors import ExtraError
from talkcli.engine.optional import require
from talkcli.engine.types import Reporter

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Scalars:
    """Curves in `folder` that go on after step `first`: later points of an earlier part are hidden."""

    def __init__(self, folder: Path, first: int, reporter: Reporter) -> None:
        self.folder = folder
        self.first = first
        self._writer: SummaryWriter | None = None
        self._wanted = True
        try:
            require("tensorboard", purpose="Writing curves")
        except ExtraError as error:
            self._wanted = False
            reporter.note(f"No curves for TensorBoard. {error.problem} For them, {error.hint}.")

    def write(self, step: int, group: str, values: Mapping[str, float]) -> None:
        if not self._wanted:
            return
        if self._writer is None:
            # At the first point, so that a finished run gets no empty file.
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=self.first + 1)
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
