"""VOCA against the numbers of the released code: every layer, the output, the loss; names and shapes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.exchange import receive
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.checkpoints.convert.voca import FILE, layouts, recognise
from talkcli.engine.models.voca import Voca
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.voca import VocaObjective, VocaObjectiveConfig
from tests.engine.probe_rule import assert_like, drawn, keys, target, template

NUM_VALUES = 3 * 5023
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}


def filled(name: str, shape: tuple[int, ...]) -> Tensor:
    """Return the float32 variable of TensorFlow called `name`."""
    u, last = drawn(name, math.prod(shape)), name.rpartition("/")[2]
    if last == "moving_variance":
        values = 1 + 0.1 * u**2
    elif last == "moving_mean":
        values = 0.1 * u
    elif last == "gamma":
        values = 1 + 0.1 * u
    elif last in ("beta", "biases"):
        values = 0.02 * u
    else:
        values = math.sqrt(3 / math.prod(shape[:-1])) * u
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


@pytest.fixture(scope="module")
def published(shared_probes: Path) -> tuple[dict[str, Any], Voca]:
    """The probe, and the model of its weights, which are converted as a published checkpoint is."""
    numbers = json.loads((shared_probes / "voca.probe.json").read_text())
    shapes = keys((shared_probes / "voca.keys.txt").read_text())
    state = {name: filled(name, shape) for name, shape in shapes.items()}
    found = recognise([OfficialFile(path=Path("x.npz"), tensors=state)], Choices())
    assert (found.config.fps, found.config.identity, found.config.components) == (60, 8, 50)
    layout = layouts("voca", found.config, NUM_VALUES)[FILE]
    # The same names in the same order, with the same shapes.
    assert [(entry.official, entry.shape) for entry in layout] == list(shapes.items())
    model = Voca(found.config, NUM_VALUES)
    rest = torch.from_numpy(template(NUM_VALUES)).float().reshape(-1, 3)
    model.load_state_dict({**receive(layout, state, "x.npz").weights, "neutral": rest})
    return numbers, model.eval()


@pytest.mark.parametrize("precision", TOLERANCE)
def test_every_layer(published: tuple[dict[str, Any], Voca], precision: str) -> None:
    numbers, model = published
    dtype = getattr(torch, precision)
    model.to(dtype)
    clip, place, letter = np.meshgrid(np.arange(3), np.arange(16), np.arange(29), indexing="ij")
    seen = torch.from_numpy(np.sin(0.3 * place + 0.7 * letter + 1.1 * clip)).to(dtype)
    style = torch.nn.functional.one_hot(torch.tensor([2, 2, 5]), 8).to(dtype)
    taps: dict[str, Tensor] = {}
    names = {model.norm: "after_batch_norm", model.shape: "fc2_50"}
    names |= {layer: f"conv{number}_relu_(B,H,C)" for number, layer in enumerate(model.halvings, 1)}
    hooks = [
        layer.register_forward_hook(lambda _, __, made, name=name: taps.__setitem__(name, made))
        for layer, name in names.items()
    ]
    hooks.append(model.hidden.register_forward_hook(lambda _, __, made: taps.update(fc1_tanh=made.tanh())))
    with torch.inference_mode():
        offsets = model.of_windows(seen, style)
    for hook in hooks:
        hook.remove()
    rest = torch.from_numpy(template(NUM_VALUES)).to(dtype)
    taps["output"] = offsets + rest
    assert len(taps) == 8
    for name, made in taps.items():
        assert_like(made, numbers[name], TOLERANCE[precision], name)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_loss(published: tuple[dict[str, Any], Voca], precision: str) -> None:
    numbers, model = published
    dtype = getattr(torch, precision)
    model.to(dtype)
    objective = VocaObjective(model, VocaObjectiveConfig())
    rest = template(NUM_VALUES)
    true = torch.from_numpy(target(2, rest) - rest).to(dtype)

    still = torch.from_numpy(rest).to(dtype)
    batch = Batch(
        sound={},
        motion=(still + true)[None],
        emotion=torch.zeros(1, dtype=torch.long),
        level=torch.zeros(1),
        speaker=torch.tensor([2]),
        phones=torch.full((1, 4), -1),
        neutral=still.reshape(1, -1, 3),
    )
    clip, place, letter = np.meshgrid(np.arange(2), np.arange(16), np.arange(29), indexing="ij")
    seen = torch.from_numpy(np.sin(0.3 * place + 0.7 * letter + 1.1 * clip)).to(dtype)
    style = torch.nn.functional.one_hot(torch.tensor([2, 2]), 8).to(dtype)
    made = model.of_windows(seen, style)[None]

    def forward(*_: object) -> Tensor:
        return made if precision == "float64" else made.float()

    model.forward = forward  # type: ignore[method-assign,assignment]
    try:
        terms = objective(batch, 0.0)
    finally:
        del model.forward
    wanted = numbers["loss_pair_frames_0_1_target_template_plus_1e-3_sin"]
    # In mm^2; the objective computes in float32.
    for ours, theirs in (("vertex", "rec"), ("velocity", "velocity_unweighted"), ("loss", "total")):
        assert float(terms[ours].detach()) == pytest.approx(1e6 * wanted[theirs], rel=1e-5)
