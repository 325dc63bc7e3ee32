"""Factors that bring the performer's visemes to captured ones: analysis by synthesis.

The performer says the words of the films. What it shows at the middles of the phones is compared with what
the films show there, and the factors on its hand-made shapes change towards agreement, within narrow limits.
In the present table every fitted factor on an opening stands at a limit: the films decide its direction, and
the limits its size (docs/captured.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from talkcli.engine.face.captured import Gains, PhoneValues
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.pipelines.captured.phones import Said, phone_values, rounded
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.rules.perform import say
from talkcli.engine.rules.visemes import HAND_MADE, scaled
from talkcli.engine.types import SILENCE, Alignment, Speech

# Weight of the hand-made shapes, in phones: they are the prior, and a phone that was seen often outweighs it.
# One speaker was filmed, so that even many phones are one manner of speaking.
PRIOR_PHONES = 20
# Number of rounds of the fit.
_ROUNDS = 4
# Smallest number of phones that moves a shape at all, and the ranges of the factors. They are narrow, because
# the sentences of the films give a phone few neighbours: "at" is always short, "s" always a stressed letter.
# Wider ones put eh above ae.
_FEWEST = 5
_OPENING, _ROUNDING = (0.9, 1.1), (0.85, 1.15)
# Phones that keep their hand-made opening: the filmed speaker bares his teeth in them, others do not, and on
# most faces they are the closed end of the order of openings (`metrics/openness_order.py`).
_SIBILANTS = ("S", "Z", "SH", "ZH", "CH", "JH")
# Softening of ratios of lip gaps, in millimetres, and the difference of mouth widths, in millimetres, that
# changes `rounding` by a factor of e.
_SOFT_MM, _WIDTH_MM = 1.5, 30.0

# Speech with its phones.
Words = Sequence[tuple[Speech, Alignment]]


def performed(words: Words, gains: Mapping[str, Gains]) -> Iterator[Said]:
    """Yield the performer's takes of `words`, with `gains` on its hand-made visemes."""
    head, visemes = load_head("ada"), scaled(gains)
    for speech, alignment in words:
        yield Said(take=Measured(Surface(say(speech, alignment, visemes), head)), alignment=alignment)


def shrunk(
    captured: Mapping[str, PhoneValues], hand_made: Mapping[str, PhoneValues]
) -> dict[str, dict[str, float]]:
    """Return the goals by symbol and measure: (n captured + k hand-made) / (n + k), with k `PRIOR_PHONES`."""
    return {
        symbol: {
            name: (values.count * values.mean[name] + PRIOR_PHONES * hand_made[symbol].mean[name])
            / (values.count + PRIOR_PHONES)
            for name in ("gap_mm", "width_mm")
        }
        for symbol, values in captured.items()
        if symbol in hand_made
    }


def fitted_gains(captured: Mapping[str, PhoneValues], words: Words) -> dict[str, Gains]:
    """Return the factors for every phone of `captured` that has one shape and no contact.

    Args:
        captured: Values of the films by symbol.
        words: Speech and phones of the same films.
    """
    gains: dict[str, Gains] = {}
    shown = phone_values(performed(words, gains))[0]
    goals = shrunk(captured, shown)
    for _ in range(_ROUNDS):
        for symbol, goal in goals.items():
            viseme = HAND_MADE[symbol]
            if symbol == SILENCE or viseme.contact or viseme.parts or captured[symbol].count < _FEWEST:
                continue
            old, now = gains.get(symbol, Gains()), shown[symbol].mean
            opening = old.opening * (goal["gap_mm"] + _SOFT_MM) / (max(now["gap_mm"], 0) + _SOFT_MM)
            if symbol in _SIBILANTS:
                opening = 1.0
            rounding = old.rounding * np.exp((now["width_mm"] - goal["width_mm"]) / _WIDTH_MM)
            gains[symbol] = Gains(
                opening=rounded(np.clip(opening, *_OPENING), 3),
                rounding=rounded(np.clip(rounding, *_ROUNDING), 3),
            )
        shown = phone_values(performed(words, gains))[0]
    return dict(sorted(gains.items()))
