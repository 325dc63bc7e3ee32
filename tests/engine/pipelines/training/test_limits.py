"""What no machine can build or hold is refused in a sentence, and nothing was allocated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from talkcli.config import load_recipe
from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.errors import DeviceError, TalkError, UsageError
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.fer import Fer
from talkcli.engine.models.deeptalk.prior import build_prior
from talkcli.engine.models.phones import PhoneEncoder
from talkcli.engine.pipelines.training import limits as training_limits
from talkcli.engine.pipelines.training.dee import DeeRecipe
from talkcli.engine.pipelines.training.fer import FerRecipe
from talkcli.engine.pipelines.training.limits import built, check_batch, enough_memory
from talkcli.engine.pipelines.training.phones import PhonesRecipe
from talkcli.engine.pipelines.training.prior import PriorRecipe
from talkcli.engine.train.batches import BatchConfig

KINDS: dict[str, tuple[Any, Any]] = {
    "fer.debug": (FerRecipe, Fer),
    "dee.debug": (DeeRecipe, Dee),
    "phones.debug": (PhonesRecipe, PhoneEncoder),
    "th_vqvae.debug": (PriorRecipe, build_prior),
    "vqvae.debug": (PriorRecipe, build_prior),
    "vae.debug": (PriorRecipe, build_prior),
}
# By how the name of a field ends.
VALUES = {
    "heads": ("0", "3", "-1", "1000003"),
    "width": ("-32", "1", "33", "1000000"),
    "dropout": ("2", "-0.5"),
    "feedforward": ("0", "-1"),
    "codes": ("0", "1"),
    "window": ("0", "1"),
    "layers": ("0", "-1"),
}


@pytest.mark.parametrize("name", KINDS)
def test_counting_weights_draws_none(name: str) -> None:
    schema, make = KINDS[name]
    config = load_recipe(schema, name).model
    torch.manual_seed(0)
    plain = make(config).state_dict()
    torch.manual_seed(0)
    found = built(make, config).state_dict()
    assert all(torch.equal(value, found[key]) for key, value in plain.items())


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", KINDS)
def test_whatever_a_recipe_says_of_sizes_ends_in_a_sentence(name: str) -> None:
    schema, make = KINDS[name]
    tried = 0
    for field in type(load_recipe(schema, name).model).model_fields:
        for value in next((VALUES[end] for end in VALUES if field.endswith(end)), ()):
            tried += 1
            try:
                built(make, load_recipe(schema, name, [f"model.{field}={value}"]).model)
            except TalkError as error:
                assert error.exit_code == 2
                assert len(error.problem) < 1000
    assert tried > 1


def test_more_weights_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    config = load_recipe(PriorRecipe, "th_vqvae.debug").model
    monkeypatch.setattr(training_limits, "memory", lambda: 10**5)
    with pytest.raises(UsageError, match=r"billion weights; to train them takes .* GB, and there are"):
        built(build_prior, config)
    ears = {"log_mel": LogMel(LogMelConfig(num_mels=20))}
    with pytest.raises(UsageError, match=r"A batch of 64 windows of 32 frames is .* GB"):
        check_batch(BatchConfig(size=64, frames=32), ears, 53)
    check_batch(BatchConfig(size=1, frames=8), ears, 53)


def test_what_torch_refuses_to_build() -> None:
    for make in (lambda _: nn.Linear(-1, 3), lambda _: nn.Embedding(2, 3, padding_idx=7)):
        with pytest.raises(UsageError, match="cannot be built"):
            built(make, None)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("can't allocate memory: tried 9 GB"),
    ],
)
def test_memory_that_is_not_enough_is_no_bug(error: Exception) -> None:
    with pytest.raises(DeviceError, match="memory is not enough") as caught, enough_memory():
        raise error
    assert "data.size" in str(caught.value.hint)
    with pytest.raises(RuntimeError, match="something else"), enough_memory():
        raise RuntimeError("something else")
