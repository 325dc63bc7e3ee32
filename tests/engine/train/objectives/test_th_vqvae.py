"""The objective of the motion prior."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.models.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.th_vqvae import ThVqvaeObjective, ThVqvaeObjectiveConfig
from tests.engine.fakes import LinearHead

CONFIG = ThVqvaeConfig(width=8, heads=2, feedforward=8, decoder_feedforward=8, codes=6, dropout=0.0)


def _objective(**how: float) -> ThVqvaeObjective:
    torch.manual_seed(0)
    config = ThVqvaeObjectiveConfig.model_validate({"vertices": 20, **how})
    return ThVqvaeObjective(ThVqvae(CONFIG), config, LinearHead())


def _batch() -> Batch:
    return Batch(
        features=torch.zeros(2, 64, 23),
        coeffs=torch.randn(2, 16, 53, generator=torch.Generator().manual_seed(0)),
        emotion=torch.zeros(2, dtype=torch.long),
        level=torch.ones(2),
        speaker=torch.zeros(2, dtype=torch.long),
    )


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    how = {"vertex_weight": 2.0, "coefficient_weight": 3.0, "velocity_weight": 5.0, "commitment_weight": 7.0}
    terms = _objective(**how).loss(_batch(), 0.0)
    weights = {"vertex": 2, "coefficient": 3, "velocity": 5, "commitment": 7}
    whole = sum(weight * terms[name].item() for name, weight in weights.items())
    assert terms["loss"].item() == pytest.approx(whole, rel=1e-5)
    assert all(terms[name] > 0 for name in weights)


def test_measures_count_codes_over_all_batches() -> None:
    objective = _objective()
    objective.model.eval()
    with torch.no_grad():
        once, twice = objective.validate([_batch()]), objective.validate([_batch(), _batch()])
    assert once == pytest.approx(twice)
    assert 1 / 6 <= once["top_usage"] <= 1
    assert once["score"] == once["lip_error_mm"] > 0
