"""The objective of the expression classifier: who counts, how much, and the noise."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.models.deeptalk.fer import FER_CLASSES, Fer, FerConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives import fer as module
from talkcli.engine.train.objectives.fer import FerObjective, FerObjectiveConfig, class_weights, recall
from talkcli.engine.types import EMOTIONS

QUIET = {"noisy_share": 0.0}
WEIGHTS = torch.arange(1.0, 9.0)


def _batch(*labels: str) -> Batch:
    generator = torch.Generator().manual_seed(0)
    rows = len(labels)
    return Batch(
        sound={},
        motion=torch.randn(rows, 4, 53, generator=generator),
        emotion=torch.tensor([EMOTIONS.index(label) for label in labels]),
        level=torch.ones(rows),
        speaker=torch.zeros(rows, dtype=torch.long),
        phones=torch.full((rows, 1), -1),
    )


def _objective(**how: object) -> FerObjective:
    torch.manual_seed(0)
    fer = Fer(FerConfig(hidden=(16, 16), feature_layer=0, dropout=0.0))
    return FerObjective(fer, FerObjectiveConfig.model_validate(how), WEIGHTS)


def test_rare_classes_weigh_more() -> None:
    weights = class_weights(["happy"] * 6 + ["sad"] * 2 + ["calm"] * 50)
    assert weights[FER_CLASSES.index("happy")] == pytest.approx(8 / (8 * 6))
    assert weights[FER_CLASSES.index("sad")] == pytest.approx(8 / (8 * 2))
    assert weights.count_nonzero() == 2


def test_released_weights() -> None:
    counts = (74826, 134292, 25444, 14078, 6374, 3800, 24870, 3746)
    labels = [label for label, count in zip(FER_CLASSES, counts, strict=True) for _ in range(count)]
    expected = [sum(counts) / (8 * count) for count in counts]
    assert class_weights(labels).tolist() == pytest.approx(expected)


def test_the_loss_is_weighted_by_class_on_first_frames() -> None:
    objective, batch = _objective(**QUIET).eval(), _batch("happy", "surprise", "angry")
    chance = objective.model(batch.motion[:, 0]).log_softmax(-1)
    weight = {1: 2.0, 3: 4.0, 6: 7.0}
    expected = -sum(weight[true] * chance[row, true] for row, true in enumerate(weight)) / 13
    assert objective(batch, 0.0)["loss"].item() == pytest.approx(expected.item())


@torch.no_grad()
def test_what_is_no_class_counts_for_nothing() -> None:
    objective = _objective(**QUIET).eval()
    some, more = _batch("happy", "sad"), _batch("happy", "sad", "calm")
    more = Batch(**{**vars(more), "motion": torch.cat([some.motion, more.motion[2:]])})
    assert objective(some, 0.0)["loss"].item() == pytest.approx(objective(more, 0.0)["loss"].item())
    assert objective.validate([more])["recall"] == objective.validate([some])["recall"]
    assert objective(_batch("calm", "calm"), 0.0)["loss"].item() == 0


@torch.no_grad()
def test_two_processes_weigh_over_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, batch = _objective(**QUIET).eval(), _batch("happy", "surprise", "angry", "calm")
    whole = objective(batch, 0.0)["loss"].item()
    monkeypatch.setattr(module, "processes", lambda: 2)
    monkeypatch.setattr(module, "sum_over_processes", lambda weight: 0 * weight + 2 + 4 + 7)
    shares = [objective(batch.rows(first, first + 2), 0.0)["loss"].item() for first in (0, 2)]
    assert sum(shares) / 2 == pytest.approx(whole)


@torch.no_grad()
def test_noise_on_some_coefficients_of_some_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, batch = _objective(), _batch(*["happy"] * 2000)
    seen: list[torch.Tensor] = []
    objective.model.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    torch.manual_seed(0)
    objective(batch, 0.0)
    noise = seen[0] - batch.motion[:, 0]
    touched = noise.abs().amax(1) > 0
    assert touched.float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert (noise[touched] != 0).float().mean().item() == pytest.approx(0.7, abs=0.02)
    assert noise[noise != 0].std().item() == pytest.approx(0.02, abs=0.001)
    objective.validate([batch])
    assert torch.equal(seen[1], batch.motion[:, 0])


@torch.no_grad()
def test_measures() -> None:
    objective, batch = _objective().eval(), _batch("happy", "happy", "happy", "sad")
    happy, sad = torch.eye(8)[[1, 2]] * 9
    objective.model.forward = lambda coeffs: torch.stack([happy, happy, sad, happy])
    found = objective.validate([batch])
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["recall"] == pytest.approx((2 / 3 + 0) / 2)
    # Three answers right or wrong by 9 and one: weights 2, 2, 2 and 3.
    assert found["score"] == pytest.approx((2 + 3) * 9 / 9, rel=0.01)


def test_a_few_steps_lower_the_loss() -> None:
    objective, batch = _objective(), _batch(*FER_CLASSES)
    optimiser = torch.optim.Adam(objective.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = objective(batch, 0.0)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_recall_is_averaged_over_labels_not_examples() -> None:
    true = torch.tensor([0, 0, 0, 0, 3, 3])
    assert recall(torch.zeros(6, dtype=torch.long), true) == pytest.approx(0.5)
    assert recall(torch.tensor([0, 0, 0, 1, 3, 0]), true) == pytest.approx((0.75 + 0.5) / 2)
