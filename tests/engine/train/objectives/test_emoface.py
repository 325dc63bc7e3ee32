"""What trains EmoFace: the schedule, where gradients run, the terms, and that it learns a clip by heart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.ear import hear
from talkcli.engine.models.emoface.emoface import Heard
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.emoface import (
    EmoFaceObjective,
    EmoFaceObjectiveConfig,
    true_share,
)
from talkcli.engine.train.on_head import OnHead
from tests.engine.fakes import LinearHead
from tests.engine.models.emoface.tiny_emoface import tiny

VALUES = 126
FRAMES = 12


def _batch(rows: int = 2, frames: int = FRAMES, model: Any = None) -> Batch:
    """Smooth motion of millimetres round the face at rest, and noise that has nothing to do with it."""
    model = tiny() if model is None else model
    rng = np.random.default_rng(0)
    time = np.arange(frames)[None, :, None]
    rate, phase, size = (rng.uniform(0.1, 1, (rows, 1, model.neutral.numel())) for _ in range(3))
    moved = torch.from_numpy(0.01 * size * np.sin(rate * time + 6 * phase)).float()
    neutral = model.neutral.expand(rows, -1, -1)
    samples = torch.from_numpy(rng.normal(0, 0.1, (rows, frames * 640))).float()
    return Batch(
        sound=hear(model.ears, samples),
        motion=moved + neutral.flatten(1)[:, None],
        emotion=torch.arange(rows) % 9,
        level=torch.full((rows,), 0.65),
        speaker=torch.zeros(rows, dtype=torch.long),
        phones=torch.full((rows, 2 * frames), -1),
        neutral=neutral,
    )


def _objective(paired: bool = False, model: Any = None, **settings: Any) -> EmoFaceObjective:
    model = tiny() if model is None else model
    return EmoFaceObjective(model, EmoFaceObjectiveConfig(**settings), torch.arange(5), paired=paired)


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_schedule_is_the_formula(warmup: float) -> None:
    # In epochs: theta of N, and any epoch n between them.
    theta, epochs = 200 * warmup, 200
    assert true_share(warmup / 2 - 1e-9, warmup) == 1.0
    assert true_share(warmup, warmup) == 1.0
    middle = (epochs + theta) / 2
    assert true_share(middle / epochs, warmup) == pytest.approx(0.0, abs=1e-12)
    assert true_share(1.0, warmup) == 0.0
    quarter = theta + (epochs - theta) / 4
    wanted = math.cos(math.pi * (quarter - theta) / (epochs - theta))
    assert true_share(quarter / epochs, warmup) == pytest.approx(wanted)
    assert wanted == pytest.approx(0.5**0.5)
    shares = [true_share(n / epochs, warmup) for n in range(epochs + 1)]
    assert shares == sorted(shares, reverse=True)


def test_the_second_pass_gets_the_models_own_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, batch = _objective(nobody_share=0.0), _batch()
    true = batch.offsets
    given: list[Tensor] = []
    inner = objective.model.emotion_motion

    def spy(heard: Heard, before: Tensor, conditions: Any) -> Tensor:
        given.append(before)
        return inner(heard, before, conditions)

    monkeypatch.setattr(objective.model, "emotion_motion", spy)
    for progress, own in ((0.05, None), (0.1, 0.0), (0.3, 0.36), (0.99, 1.0)):
        given.clear()
        found = objective(batch, progress)
        assert torch.equal(given[0], true[:, :-1])
        assert len(given) == (2 if progress > 0.1 else 1)
        if progress <= 0.1:
            continue
        # The condition stays; the others are true or made, frame by frame.
        assert torch.equal(given[1][:, 0], true[:, 0])
        changed = (given[1] != true[:, :-1]).any(-1)[:, 1:].float().mean()
        assert found["true_share"] == pytest.approx(true_share(progress, 0.1))
        assert float(changed) == pytest.approx(own, abs=0.3)
        if own == 1.0:
            assert changed == 1


def test_the_second_pass_has_the_frames_of_the_first_in_their_places() -> None:
    objective, batch = _objective(intermediate=False, velocity_weight=0.0), _batch()
    true = batch.offsets
    model = objective.model
    heard = model.listen(batch.sound)
    kept = Heard(heard.content[:, 1:], heard.emotion[:, 1:])
    told = model.conditions(batch.speaker, batch.level)
    weight = model.weights(heard)[0][:, 1:]
    first = objective._run(kept, true[:, :-1], told, weight).fused
    # Frame t of the input is the frame that the first pass made of frame t - 1.
    own = torch.cat([true[:, :1], first[:, :-1]], dim=1)
    second = objective._run(kept, own, told, weight).fused
    wanted = (second - true[:, 1:]).abs().mean()
    assert objective(batch, 0.9)["self"].item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize(("detach", "first_pass"), [(True, False), (False, False), (True, True)])
def test_gradients_through_the_first_pass_are_a_setting(detach: bool, first_pass: bool) -> None:
    objective, batch = _objective(detach=detach, first_pass=first_pass), _batch()
    found = objective(batch, 0.9)
    found["loss"].backward()
    gradient = objective.model.content.inward.weight.grad
    assert gradient is not None
    assert gradient.any()
    other = _objective()
    other(batch, 0.9)["loss"].backward()
    base = other.model.content.inward.weight.grad
    assert base is not None
    assert torch.allclose(gradient, base) == (detach and not first_pass)


def test_a_pair_has_the_content_of_its_first_row() -> None:
    objective, batch = _objective(paired=True), _batch(4)
    whole = objective(batch, 0.0)
    other = {name: steps.clone() for name, steps in batch.sound.items()}
    heard = objective._heard(batch)
    assert torch.equal(heard.content[::2], heard.content[1::2])
    assert not torch.equal(heard.emotion[::2], heard.emotion[1::2])
    torch.testing.assert_close(
        heard.content[::2],
        objective.model.listen_content({name: steps[::2] for name, steps in other.items()}),
    )
    # The second rows only enter the cross term and the velocity.
    changed = batch.motion.clone()
    changed[1::2] += 0.01
    found = objective(Batch(**{**vars(batch), "motion": changed}), 0.0)
    assert found["self"].item() == pytest.approx(whole["self"].item(), rel=1e-6)
    assert found["cross"] > whole["cross"]
    assert whole["cross"] > 0
    assert _objective()(batch, 0.0)["cross"] == 0


def test_the_loss_is_the_weighted_sum_of_the_papers_terms() -> None:
    objective, batch = _objective(paired=True), _batch(4)
    found = objective(batch, 0.0)
    wanted = 1000 * found["self"] + 1000 * found["cross"] + 500 * found["velocity"]
    wanted = wanted + 1e-4 * found["classification"]
    assert found["loss"].item() == pytest.approx(wanted.item(), rel=1e-6)
    alone = _objective(paired=True, intermediate=False)(batch, 0.0)
    assert alone["self"] < found["self"]


def test_the_branches_are_supervised_each_by_itself() -> None:
    """Without weight on the fused motion's path, both encoders still learn from their own branch alone."""
    objective = _objective(model=tiny(mesh_attention=False), velocity_weight=0, classification_weight=0)
    objective(_batch(), 0.0)["self"].backward()
    for encoder in (objective.model.hear_content, objective.model.hear_emotion):
        assert any(value.grad is not None and value.grad.any() for value in encoder.parameters())


def test_it_learns_a_clip_by_heart() -> None:
    torch.manual_seed(0)
    model = tiny(moves=False, unit_m=0.001, dropout=0.0)
    objective, batch = _objective(model=model, warmup_share=0.3), _batch(1, 25, model)
    with torch.no_grad():
        before = objective.validate([batch])
    steps = 400
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        optimiser.zero_grad()
        objective(batch, step / steps)["loss"].backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        after = objective.validate([batch])
    assert before["lve_mm"] > 5
    assert after["lve_mm"] < 1
    assert after["emotion_accuracy"] == 1


def test_clips_of_coefficients_train_the_vertices_of_their_head() -> None:
    head = LinearHead()
    seen: list[Batch] = []

    class _Spy(torch.nn.Module):
        model = torch.nn.Linear(1, 1)

        def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
            seen.append(batch)
            return {"loss": batch.motion.sum()}

        def validate(self, batches: list[Batch]) -> dict[str, float]:
            seen.extend(batches)
            return {"score": 0.0}

    coeffs = torch.rand(2, 5, 53)
    batch = Batch(**{**vars(_batch()), "motion": coeffs, "neutral": None})
    wrapped = OnHead(_Spy(), head)
    wrapped(batch, 0.0)
    wrapped.validate([batch])
    for each in seen:
        assert each.neutral is not None
        assert each.neutral.shape == (2, 120, 3)
        torch.testing.assert_close(each.motion[1].view(5, 120, 3), head(coeffs[1]))
    assert len(seen) == 2
    assert wrapped.model is _Spy.model
