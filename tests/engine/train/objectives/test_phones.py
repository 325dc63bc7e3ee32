"""The objective of the front-end."""

from __future__ import annotations

import math

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.models.phones import SYMBOLS, PhoneEncoder, PhonesConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.phones import PhonesObjective, PhonesObjectiveConfig

FRAMES = 16


def _objective(smoothing: float = 0.0) -> PhonesObjective:
    torch.manual_seed(0)
    model = PhoneEncoder(PhonesConfig(ear=LogMelConfig(num_mels=12), width=24, layers=2, dropout=0.0))
    return PhonesObjective(model, PhonesObjectiveConfig(label_smoothing=smoothing))


def _batch(rows: int = 6, *, known: bool = True) -> Batch:
    """Each phone of three is a band that rings."""
    generator = torch.Generator().manual_seed(rows)
    said = torch.randint(0, 3, (rows, FRAMES), generator=generator)
    log_mel = torch.full((rows, 4 * FRAMES, 15), -1.0)
    for row in range(rows):
        for frame in range(FRAMES):
            log_mel[row, 4 * frame : 4 * frame + 4, 4 * said[row, frame] : 4 * said[row, frame] + 4] = 0.5
    symbols = torch.tensor([SYMBOLS.index(symbol) for symbol in ("SIL", "AA", "M")])
    phones = symbols[said].repeat_interleave(2, dim=1)
    return Batch(
        sound={"log_mel": log_mel},
        motion=torch.zeros(rows, FRAMES, 53),
        emotion=torch.zeros(rows, dtype=torch.long),
        level=torch.ones(rows),
        speaker=torch.zeros(rows, dtype=torch.long),
        phones=phones if known else torch.full_like(phones, -1),
    )


def _measured(objective: PhonesObjective) -> dict[str, float]:
    with torch.no_grad():
        return objective.validate([_batch(4)])


def test_it_learns_what_is_said() -> None:
    objective = _objective()
    assert isinstance(objective, Objective)
    before = _measured(objective)
    assert before["score"] == pytest.approx(math.log(len(SYMBOLS)), rel=0.2)
    optimiser = torch.optim.Adam(objective.parameters(), lr=0.01)
    for step in range(40):
        optimiser.zero_grad()
        objective(_batch(6 + step % 3), 0.0)["loss"].backward()
        optimiser.step()
    after = _measured(objective)
    assert after["score"] < 0.3
    assert after["accuracy"] > 0.9
    assert after["lips"] > 0.9


def test_windows_without_phones_teach_nothing() -> None:
    objective = _objective()
    loss = objective(_batch(known=False), 0.0)["loss"]
    assert loss == 0
    loss.backward()
    assert all(not value.grad.any() for value in objective.parameters() if value.grad is not None)


def test_smoothing_keeps_the_loss_from_zero() -> None:
    batch = _batch()
    assert _objective(0.2)(batch, 0.0)["loss"] > 0
    assert _objective(0.2)(batch, 0.0)["loss"] != _objective(0.0)(batch, 0.0)["loss"]


def test_what_nobody_says_is_not_measured() -> None:
    objective, batch = _objective(), _batch()
    silent = Batch(**{**vars(batch), "phones": torch.zeros_like(batch.phones)})
    with torch.no_grad():
        assert set(objective.validate([silent])) == {"score"}
        assert set(objective.validate([batch])) == {"score", "accuracy", "lips"}
