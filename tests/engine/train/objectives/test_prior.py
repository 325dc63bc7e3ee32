"""The objective of the motion priors."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from talkcli.engine.models.deeptalk.prior import build_prior
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.models.deeptalk.vae import VaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.prior import PriorObjective, PriorObjectiveConfig
from tests.engine.fakes import LinearHead

SIZES: dict[str, Any] = {"width": 8, "heads": 2, "feedforward": 8, "dropout": 0.0}
TH_VQVAE = ThVqvaeConfig(**SIZES, decoder_feedforward=8, codes=6)
CONFIGS = (TH_VQVAE, VqvaeConfig(**SIZES, codes=6), VaeConfig(**SIZES))


def _objective(prior: Any = TH_VQVAE, **how: Any) -> PriorObjective:
    torch.manual_seed(0)
    config = PriorObjectiveConfig.model_validate({"vertices": 20, **how})
    return PriorObjective(build_prior(prior), config, LinearHead())


def _batch(clips: int = 2) -> Batch:
    return Batch(
        sound={},
        motion=torch.randn(clips, 16, 53, generator=torch.Generator().manual_seed(0)),
        emotion=torch.zeros(clips, dtype=torch.long),
        level=torch.ones(clips),
        speaker=torch.zeros(clips, dtype=torch.long),
        phones=torch.full((clips, 1), -1),
    )


@pytest.mark.parametrize("prior", CONFIGS, ids=lambda config: config.kind)
def test_the_loss_is_the_weighted_sum_of_its_terms(prior: Any) -> None:
    weights = {"vertex": 2.0, "coefficient": 3.0, "velocity": 5.0, "regulariser": 7.0}
    objective = _objective(prior, **{f"{name}_weight": weight for name, weight in weights.items()})
    assert isinstance(objective, Objective)
    terms = objective(_batch(), 0.0)
    whole = sum(weight * terms[name].item() for name, weight in weights.items())
    assert terms["loss"].item() == pytest.approx(whole, rel=1e-5)
    assert all(terms[name] > 0 for name in weights)
    terms["loss"].backward()
    assert not [name for name, value in objective.named_parameters() if value.grad is None]


def test_the_defaults_are_the_released_loss() -> None:
    """1e6 times the mean square over all vertices in metres, and the commitment."""
    torch.manual_seed(0)
    head = LinearHead()
    objective = PriorObjective(build_prior(TH_VQVAE).eval(), PriorObjectiveConfig(), head)
    batch = _batch()
    coded = objective.model(batch.motion)
    far = head(coded.coeffs.flatten(0, 1)) - head(batch.motion.flatten(0, 1))
    wanted = 1e6 * far.square().mean() + coded.regulariser
    terms = objective(batch, 0.5)
    assert terms["loss"].item() == pytest.approx(wanted.item(), rel=1e-4)
    assert terms.keys() == {"loss", "vertex", "regulariser"}


@pytest.mark.parametrize("prior", CONFIGS, ids=lambda config: config.kind)
def test_measures_are_of_all_batches(prior: Any) -> None:
    objective = _objective(prior)
    objective.eval()
    with torch.no_grad():
        once, twice = objective.validate([_batch()]), objective.validate([_batch(), _batch()])
    assert once == pytest.approx(twice)
    assert once["score"] == once["vertex_mm2"] > 0
    usage = {name: value for name, value in once.items() if name.endswith("_usage")}
    wanted = {"th_vqvae": {"top_usage", "bottom_usage"}, "vqvae": {"code_usage"}, "vae": set()}
    assert usage.keys() == wanted[prior.kind]
    assert all(1 / 6 <= value <= 1 for value in usage.values())
    for name, value in usage.items():
        # As evenly as possible, or less so: perplexity counts the used codes at most.
        assert 1 <= once[name.replace("_usage", "_perplexity")] <= 6 * value + 1e-6


def test_a_short_last_batch_counts_by_its_clips() -> None:
    objective = _objective().eval()
    parts = [_batch(3), _batch(1)]
    whole = _batch(4)
    whole.motion[:3], whole.motion[3:] = parts[0].motion, parts[1].motion
    with torch.no_grad():
        assert objective.validate(parts) == pytest.approx(objective.validate([whole]), rel=1e-5)


def test_lips_can_decide() -> None:
    objective = _objective(best_by="lips").eval()
    with torch.no_grad():
        found = objective.validate([_batch()])
    assert found["score"] == found["lip_error_mm"] != found["vertex_mm2"]
