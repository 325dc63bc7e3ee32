"""Where the clips of a score come from; `gather` finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.pipelines.score.inputs import Chosen, gather
from talkcli.engine.types import Reporter


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Files of a score, as for `gather`, and the head on which motions lie."""

    predictions: Sequence[Path] = ()
    """Motion files or folders of them; empty for motion that a model makes."""
    truth: Path | None = None
    """True motion."""
    audio: Path | None = None
    """Sound."""
    dataset: str | None = None
    """Name or path of a prepared data set."""
    split: str = "test"
    """Split of the data set."""
    text: Path | None = None
    """Words or phones."""
    limit: int | None = None
    """Largest number of clips; None for all."""
    videos: Path | None = None
    """Videos that somebody made, in place of predictions."""
    films: Path | None = None
    """Real films of their clips."""
    head_name: str | None = None
    """Head of the surfaces; None for the head or mesh of each motion."""
    vertex_sets: Path | None = None
    """File of the regions of meshes that talk does not know (`read_vertex_sets`)."""

    def gather(self, reporter: Reporter) -> Chosen:
        """Return the clips. Raises what `gather` raises."""
        return gather(
            self.predictions,
            truth=self.truth,
            audio=self.audio,
            dataset=self.dataset,
            split=self.split,
            text=self.text,
            limit=self.limit,
            videos=self.videos,
            films=self.films,
            reporter=reporter,
        )
