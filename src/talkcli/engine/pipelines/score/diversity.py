"""Table 3 of DEEPTalk: what the sampling controls do to diversity and to the lips, on speech of one's own.

The columns are our measures, since the published ones cannot be made again: the paper does not say in which
space it measures diversity, and LSE-D looks at lips through a network whose weights are not here. So are the
temperatures: those of the paper are not known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.diversity import diversity_l2
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.performers.open import head_for
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.generation import Generation, open_deeptalk
from talkcli.engine.pipelines.score.inputs import gather
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.types import Alignment, AnyMotion, Reporter, Speech
from talkcli.engine.version import __version__

# Emotion drawn wider and wider with the likeliest codes; then its mean with codes drawn at higher and higher
# temperatures.
ROWS = (
    *(DeepTalkControls(sigma=sigma) for sigma in (None, 1.0, 0.1, -2.0, -4.0)),
    *(DeepTalkControls(tau_top=tau, tau_bottom=tau) for tau in (0.1, 0.5, 1.0)),
)
COLUMNS = ("diversity_mm", "diversity_l2", "sync_r", "bilabial_closure")
_NO_LSE_D = "needs the published weights of SyncNet, which are not here"


def diversity_table(
    *,
    audio: Path | None,
    dataset: str | None,
    split: str = "test",
    text: Path | None = None,
    head_name: str | None,
    generation: Generation,
    reporter: Reporter,
) -> dict[str, Any]:
    """Return every row of `ROWS` over every clip of `audio` (whose words `text` tells) or `dataset`, ready
    for JSON.

    `generation` says who animates, how many takes of each clip are compared, and the seed; its sigma is not
    used, since every row has its own. `head_name` None takes the model's head; where that is missing only
    coefficients are compared. Keys of the answer: `table`, `talk`,
    `dataset` and `generation` as in `score_motions`, `head`, `layers` (names), `takes`, `seed`, `clips`
    (ids), `rows` (settings and one value for each column, or None with a reason). Raises TalkError classes
    for unusable input.
    """
    if generation.takes < 2:
        raise UsageError("Diversity compares takes, and `takes=1` draws one.", hint="Use `takes=10`.")
    chosen = gather([], truth=None, audio=audio, dataset=dataset, split=split, text=text, reporter=reporter)
    cases = chosen.cases
    described = generation.described(reporter)
    performer = open_deeptalk(generation.model_name, generation.device_name)
    try:
        head, no_head = head_for(performer.header, head_name), ""
    except AssetError as error:
        head, no_head = None, error.problem
    phones = find_phones(cases, reporter)
    found: list[list[dict[str, Value]]] = [[] for _ in ROWS]
    done = 0
    for case in cases:
        assert case.audio is not None
        speech = read_speech(case.audio, reporter)
        heard = performer.listen(speech)
        for row, values in zip(ROWS, found, strict=True):
            takes = list(performer.takes(heard, speech, generation.sampling, row))
            values.append(_measured(takes, speech, phones[case.id], head, no_head))
            done += 1
            reporter.progress("scoring", done, len(cases) * len(ROWS))
    return {
        "table": "diversity",
        "talk": __version__,
        "dataset": chosen.described,
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
                "lse_d": {"value": None, "reason": _NO_LSE_D},
            }
            for row, values in zip(ROWS, found, strict=True)
        ],
    }


def _measured(
    takes: list[AnyMotion], speech: Speech, phones: Alignment | str, head: Head | None, no_head: str
) -> dict[str, Value]:
    if head is not None:
        return score_clip([Surface(take, head) for take in takes], None, speech, phones)
    values = {name: Value(value=None, reason=no_head) for name in METRICS}
    return values | {"diversity_l2": Value(value=diversity_l2([motion.values for motion in takes]))}
