"""Table 3 of DEEPTalk: the effect of the sampling controls on diversity and on the lips.

The speech is the user's. The columns are our measures, since the published ones cannot be repeated: the paper
does not state in which space it measures diversity, and LSE-D is by our judge. The temperatures are ours too,
since the paper does not state its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.code_usage import perplexity, usage
from talkcli.engine.metrics.diversity import diversity_l2
from talkcli.engine.models.deeptalk.performance import Codes
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.performers.open import head_for
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.generation import Generation, open_deeptalk
from talkcli.engine.pipelines.score.inputs import gather
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.pipelines.score.schema import SCHEMA
from talkcli.engine.types import Alignment, AnyMotion, Reporter, Speech
from talkcli.engine.version import __version__

# Settings of the rows. First the emotion is sampled with more and more variance, with the most probable
# codes; then the emotion's mean is used, with codes sampled at higher and higher temperatures.
ROWS = (
    *(DeepTalkControls(sigma=sigma) for sigma in (None, 1.0, 0.1, -2.0, -4.0)),
    *(DeepTalkControls(tau_top=tau, tau_bottom=tau) for tau in (0.1, 0.5, 1.0)),
)
COLUMNS = ("diversity_mm", "diversity_l2", "sync_r", "bilabial_closure", "lse_d")


def diversity_table(
    *,
    audio: Path | None,
    dataset: str | None,
    split: str = "test",
    text: Path | None = None,
    limit: int | None = None,
    head_name: str | None,
    generation: Generation,
    reporter: Reporter,
) -> dict[str, Any]:
    """Measure every setting of `ROWS` on every clip of `audio` or `dataset`.

    Args:
        audio: Speech file or folder; None for `dataset`.
        dataset: Name or path of a prepared data set; None for `audio`.
        split: Split of the data set.
        text: Words of `audio`, as for `gather`.
        limit: Largest number of clips, as for `gather`.
        head_name: Head whose vertices are compared; None for the model's own. When its file is missing, only
            coefficients are compared.
        generation: Model, number of takes that are compared, and seed; its sigma is not used, since every row
            has its own.
        reporter: Receiver of notes, warnings and progress.

    Returns:
        A document ready for JSON: `schema`, `table`; `talk`, `dataset`, `limit` and `generation` as in
        `score_motions`; `head`; `layers` (names); `takes`; `seed`; `clips` (ids); `rows` (settings, and a
        value or a reason for each column; `codes`: for each codebook of the motion prior its size, the share
        of its codes that the takes use, and their perplexity; {} for a prior of latents).

    Raises:
        TalkError: For unusable input.
    """
    if generation.takes < 2:
        raise UsageError("Diversity compares takes, but `takes=1` draws only one.", hint="Use `takes=10`.")
    chosen = gather(
        [], truth=None, audio=audio, dataset=dataset, split=split, text=text, limit=limit, reporter=reporter
    )
    cases = chosen.cases
    described = generation.described(reporter)
    performer = open_deeptalk(generation.model_name, generation.device_name)
    try:
        head, no_head = head_for(performer.header, head_name), ""
    except AssetError as error:
        head, no_head = None, error.problem
    phones = find_phones(cases, reporter)
    found: list[list[dict[str, Value]]] = [[] for _ in ROWS]
    books = {level.name: level.outputs for level in performer.model.prior.levels if level.discrete}
    counts = [{name: np.zeros(size, np.int64) for name, size in books.items()} for _ in ROWS]
    done = 0
    for case in cases:
        assert case.audio is not None
        speech = read_speech(case.audio, reporter)
        heard = performer.listen(speech)
        for row, values, counted in zip(ROWS, found, counts, strict=True):
            codes: list[Codes] = []
            takes = list(performer.takes(heard, speech, generation.sampling, row, codes))
            _count(counted, codes)
            values.append(_measured(takes, speech, phones[case.id], head, no_head))
            done += 1
            reporter.progress("scoring", done, len(cases) * len(ROWS))
    return {
        "schema": SCHEMA,
        "table": "diversity",
        "talk": __version__,
        "dataset": chosen.described,
        "limit": limit,
        "generation": described,
        "head": performer.header.head,
        "layers": list(performer.layers.on),
        "takes": generation.takes,
        "seed": generation.seed,
        "clips": [case.id for case in cases],
        "rows": [
            {
                "sigma": row.sigma,
                "tau_top": row.tau_top,
                "tau_bottom": row.tau_bottom,
                **{name: over_clips(name, [clip[name] for clip in values]) for name in COLUMNS},
                "codes": {name: _usage(of_book) for name, of_book in counted.items()},
            }
            for row, values, counted in zip(ROWS, found, counts, strict=True)
        ],
    }


def _count(counts: dict[str, Int[np.ndarray, "classes"]], codes: list[Codes]) -> None:
    """Add the codes of takes to the counts of each codebook."""
    for take in codes:
        for window in take:
            for name, used in zip(counts, window, strict=True):
                counts[name] += np.bincount(used.cpu().numpy().ravel(), minlength=len(counts[name]))


def _usage(counts: Int[np.ndarray, "classes"]) -> dict[str, float | int]:
    shares = counts / counts.sum()
    return {"num_codes": len(counts), "used": usage(shares), "perplexity": perplexity(shares)}


def _measured(
    takes: list[AnyMotion], speech: Speech, phones: Alignment | str, head: Head | None, no_head: str
) -> dict[str, Value]:
    if head is not None:
        return score_clip([Surface(take, head) for take in takes], None, speech, phones, metrics=COLUMNS)
    values = {name: Value(value=None, reason=no_head) for name in COLUMNS}
    return values | {"diversity_l2": Value(value=diversity_l2([motion.values for motion in takes]))}
