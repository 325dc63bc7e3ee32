"""What is logged, as curves in TensorBoard where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from talkcli.engine.optional import how_to_install, is_installed
from talkcli.engine.types import Reporter

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Scalars:
    """Curves in `folder` that go on after step `first`: later points of an earlier part are hidden."""

    def __init__(self, folder: Path, first: int, reporter: Reporter) -> None:
        self.folder = folder
        self.first = first
        self._writer: SummaryWriter | None = None
        self._wanted = is_installed("tensorboard")
        if not self._wanted:
            reporter.note(f"No curves for TensorBoard; for them, {how_to_install('tensorboard')}.")

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
