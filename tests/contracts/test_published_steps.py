"""The released recipes take the steps of the released training, whose vertices are in metres.

Ours are in millimetres, so a loss may be a million times the published one: Adam divides that out again,
except for what it adds to the divisor.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn, optim

from talkcli.config import load_recipe
from talkcli.engine.audio.ear import hear
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.fer import Fer, FerConfig
from talkcli.engine.models.deeptalk.prior import build_prior
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.deeptalk import DeepTalkRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.deeptalk import DeepTalkObjective, DeepTalkObjectiveConfig
from talkcli.engine.train.objectives.fer import FerObjective
from talkcli.engine.train.objectives.prior import PriorObjective
from talkcli.engine.train.schedule import LoopConfig
from tests.engine.fakes import LinearHead
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW, PRIOR

STEPS = 5
# How the published weights are said of a vertex term in square millimetres.
STAGE_1 = {"vertex_weight": 1e-6}
STAGE_2 = {**STAGE_1, "consistency_weight": 1e-4, "swap_weight": 2.5e-5}
NO_LIPS = {"lip_reading_weight": 0.0, "swap_lip_reading_weight": 0.0}


def _batch(model: DeepTalk | None) -> Batch:
    draw = torch.Generator().manual_seed(0)
    sound = torch.randn(4, 16 * 640, generator=draw)
    return Batch(
        sound=hear(model.ears, sound) if model else {},
        motion=torch.randn(4, 16, 53, generator=draw),
        emotion=torch.tensor([0, 2, 3, 4]),
        level=torch.ones(4),
        speaker=torch.tensor([0, 1, 2, 3]),
        phones=torch.full((4, 1), -1),
    )


def _generator(config: DeepTalkObjectiveConfig) -> DeepTalkObjective:
    torch.manual_seed(0)
    return DeepTalkObjective(DeepTalk(NARROW).train(), config, LinearHead())


def _walk(
    objective: Objective, batch: Batch, optimiser: optim.Optimizer, rates: list[float]
) -> list[list[Tensor]]:
    """The trained matrices before the first and after every step.

    Without biases: what follows some of them (a softmax, a norm) takes them out, and their gradient is
    rounding alone.
    """
    trained = [value for value in _trained(objective.model) if value.ndim >= 2]
    path = [[value.detach().clone() for value in trained]]
    for step, rate in enumerate(rates):
        for group in optimiser.param_groups:
            group["lr"] = rate
        torch.manual_seed(step)
        optimiser.zero_grad(set_to_none=True)
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
        path.append([value.detach().clone() for value in trained])
    return path


def _apart(ours: list[list[Tensor]], theirs: list[list[Tensor]]) -> float:
    """How far the weights are from each other after the step where that is most, as a part of how far they
    have gone.
    """
    one, other = (
        torch.stack([torch.cat([value.flatten() for value in at]) for at in path]) for path in (ours, theirs)
    )
    return float(((one - other).norm(dim=1) / (other - other[0]).norm(dim=1))[1:].max())


def _trained(model: nn.Module) -> list[nn.Parameter]:
    return [value for value in model.parameters() if value.requires_grad]


@pytest.mark.parametrize(("stage", "published"), [(1, STAGE_1), (2, STAGE_2)])
def test_the_generator_takes_the_published_steps(stage: int, published: dict[str, float]) -> None:
    recipe = load_recipe(DeepTalkRecipe, "deeptalk-released", stage=stage)
    rates = [1e-4] * STEPS
    assert recipe.train.learning_rate == rates[0]
    own = recipe.objective.model_copy(update=NO_LIPS)
    ours, theirs = _generator(own), _generator(own.model_copy(update=published))
    batch = _batch(ours.model)
    found = _walk(ours, batch, recipe.train.make_optimiser(_trained(ours.model)), rates)
    wanted = _walk(theirs, batch, optim.Adam(_trained(theirs.model), lr=rates[0]), rates)
    assert _apart(found, wanted) < 1e-4
    # With the epsilon of a loss in metres under one in millimetres they were far from it.
    again, wrong = _generator(own), recipe.train.model_copy(update={"epsilon": 1e-8})
    far = _walk(again, batch, wrong.make_optimiser(_trained(again.model)), rates)
    assert _apart(far, wanted) > 0.5


def test_the_first_step_is_as_long_as_published() -> None:
    """|step| = rate |g| / (|g| + 1e-8), with g the gradient of plain square metres: a part of the rate."""
    recipe = load_recipe(DeepTalkRecipe, "deeptalk-released", stage=1)
    theirs = _generator(recipe.objective.model_copy(update=STAGE_1))
    batch = _batch(theirs.model)
    torch.manual_seed(0)
    theirs(batch, 0.0)["loss"].backward()
    gradients = [value.grad for value in _trained(theirs.model) if value.grad is not None and value.ndim >= 2]
    ours = _generator(recipe.objective)
    before, after = _walk(
        ours, batch, recipe.train.make_optimiser(_trained(ours.model)), [recipe.train.learning_rate]
    )
    for gradient, one, other in zip(gradients, before, after, strict=True):
        wanted = -recipe.train.learning_rate * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(other - one, wanted, rtol=1e-2, atol=2e-7)


def _prior(recipe: PriorRecipe, vertex_weight: float, scale: float) -> PriorObjective:
    torch.manual_seed(0)
    config = recipe.objective.model_copy(update={"vertex_weight": vertex_weight})
    objective = PriorObjective(build_prior(PRIOR).train(), config, LinearHead())
    position = objective.surface.forward
    objective.surface.forward = lambda coeffs: position(coeffs) * scale  # type: ignore[method-assign]
    return objective


def test_the_prior_takes_the_published_steps() -> None:
    """Its published loss weighs square metres by a million, so that it has our size already: the published
    epsilon is right as it is, and a larger one would be wrong.
    """
    recipe = load_recipe(PriorRecipe, "th_vqvae-released")
    rate, batch = recipe.train.learning_rate, _batch(None)
    rates = [rate * (step + 1) / STEPS for step in range(STEPS)]
    theirs = _prior(recipe, 1e6, 1e-3)
    wanted = _walk(theirs, batch, optim.AdamW(_trained(theirs.model), lr=rate), rates)
    apart = []
    for epsilon in (recipe.train.epsilon, 1e-2):
        ours = _prior(recipe, recipe.objective.vertex_weight, 1.0)
        loop = recipe.train.model_copy(update={"epsilon": epsilon})
        apart.append(_apart(_walk(ours, batch, loop.make_optimiser(_trained(ours.model)), rates), wanted))
    assert apart[0] < 1e-3
    assert apart[1] > 0.05


def _fer(recipe: FerRecipe) -> FerObjective:
    torch.manual_seed(0)
    return FerObjective(Fer(FerConfig(hidden=(6, 5), feature_layer=1)), recipe.objective, torch.ones(8))


def test_losses_without_vertices_have_the_published_size() -> None:
    """FER's and DEE's cross-entropies have no unit: the published epsilon."""
    recipe = load_recipe(FerRecipe, "fer-released")
    rates = [recipe.train.learning_rate] * STEPS
    ours, theirs = _fer(recipe), _fer(recipe)
    adam = optim.Adam(_trained(theirs.model), lr=rates[0])
    found = _walk(ours, _batch(None), recipe.train.make_optimiser(_trained(ours.model)), rates)
    assert _apart(found, _walk(theirs, _batch(None), adam, rates)) < 1e-4
    dee = load_recipe(DeeRecipe, "dee-released").train.make_optimiser([nn.Parameter(torch.ones(1))])
    assert (type(dee), dee.defaults["eps"], dee.defaults["betas"]) == (optim.Adam, 1e-8, (0.9, 0.999))


@pytest.mark.parametrize(
    "load",
    [
        lambda: load_recipe(DeepTalkRecipe, "deeptalk-small", stage=1),
        lambda: load_recipe(DeepTalkRecipe, "deeptalk.debug", stage=1),
        lambda: load_recipe(PriorRecipe, "th_vqvae-small"),
        lambda: load_recipe(DeeRecipe, "dee-small"),
    ],
)
def test_small_recipes_step_as_they_did(load: Callable[[], recipes.Recipe]) -> None:
    config: LoopConfig = load().train
    assert (config.epsilon, config.moves_every, config.warmup_from_zero) == (1e-8, "step", False)
