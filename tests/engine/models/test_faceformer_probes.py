"""FaceFormer against the numbers of the released code: outputs, taps, losses of both paths, mask, positions.

The weights are those of PROBE_RULE.md, converted as a published checkpoint is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.exchange import give, receive
from talkcli.engine.checkpoints.convert.faceformer import FILE, layouts, recognise
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.faceformer import FaceFormer
from talkcli.engine.nn.biased_decoder import causal_bias
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.faceformer import FaceFormerObjective, FaceFormerObjectiveConfig
from tests.engine.probe_rule import assert_entries, assert_like, filled, keys, sound, target, template

SPEAKER = 2
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
RUNS = [
    ("vocaset", 1.0, "float32"),
    ("vocaset", 1.36, "float32"),
    ("vocaset", 1.0, "float64"),
    ("vocaset", 1.36, "float64"),
    ("BIWI", 1.0, "float32"),
    ("BIWI", 1.0, "float64"),
]
LOSSES = [
    *(("vocaset", frames, precision) for frames in (29, 31) for precision in TOLERANCE),
    *(("BIWI", frames, precision) for frames in (24, 26, 22) for precision in TOLERANCE),
]


class Probe(NamedTuple):
    """A probe file with the model of its weights."""

    numbers: dict[str, Any]
    model: FaceFormer


@pytest.fixture(scope="module")
def probe_of(shared_probes: Path) -> Iterator[Any]:
    """The probe of a data set; the last one is kept."""

    def loaded(data_set: str) -> Probe:
        numbers = json.loads((shared_probes / f"faceformer.{data_set}.probe.json").read_text())
        shapes = keys((shared_probes / f"faceformer.{data_set}.keys.txt").read_text())
        num_values = numbers["config"]["vertice_dim"]
        state = {name: filled(name, shape) for name, shape in shapes.items() if name != "PPE.pe"}
        period, width = numbers["config"]["period"], numbers["config"]["feature_dim"]
        state["PPE.pe"] = periodic_positions(shapes["PPE.pe"][1], width, period)[None]
        file = OfficialFile(path=Path("x.pth"), tensors=state)
        found = recognise([file], Choices())
        layout = layouts("faceformer", found.config, num_values)[FILE]
        weights = receive(layout, state, "x.pth").weights
        with Undrawn():
            model = FaceFormer(found.config, num_values)
        # `probe` sets the face at rest.
        model.load_state_dict({**weights, "neutral": torch.zeros(num_values // 3, 3)})
        return Probe(numbers, model.eval())

    kept: dict[str, Probe] = {}

    def probe(data_set: str, precision: str) -> Probe:
        if data_set not in kept:
            kept.clear()
            kept[data_set] = loaded(data_set)
        found = kept[data_set]
        found.model.to(getattr(torch, precision))
        # The template is a number of float64 and not of float32.
        num_values = found.numbers["config"]["vertice_dim"]
        found.model.neutral = torch.from_numpy(template(num_values).reshape(-1, 3)).to(
            getattr(torch, precision)
        )
        return found

    yield probe
    kept.clear()


def samples_of(seconds: float, precision: str) -> Tensor:
    """The sound of a probe, which the model normalises itself."""
    return torch.from_numpy(sound(seconds))[None].to(getattr(torch, precision))


@pytest.mark.parametrize(("data_set", "seconds", "precision"), RUNS)
def test_performing(probe_of: Any, data_set: str, seconds: float, precision: str) -> None:
    probe, tolerance = probe_of(data_set, precision), TOLERANCE[precision]
    model, wanted = probe.model, probe.numbers["runs"][f"predict_{seconds}s_{precision}"]
    samples = samples_of(seconds, precision)
    assert_like(model.generate(samples, speaker=SPEAKER), wanted["output"], tolerance, "output")

    taps = wanted["taps"]
    with torch.inference_mode():
        content = model.memory.content
        steps = content.encoder.convolve(samples)
        frames = model.memory.frames_of(samples.shape[1])
        heard = model.memory._steps(samples, frames)
        hidden = content.encoder.transform(heard)
        memory = model.memory.whole(samples, window=600, overlap=50)
        style = model.style_of(torch.tensor([SPEAKER]))
        decoded = model.unroll(memory, style)
        offsets = model.outward(decoded)
        before = model.inward(offsets[:, :-1])
        first = torch.zeros_like(before[:, :1])
        inputs = torch.cat([first, before], dim=1) + style[:, None] + model._positions(frames, memory)
    ours = {
        "style": style,
        "conv_features_(B,C,frames50)": steps.mT,
        "after_resample_before_projection": heard,
        "audio_last_hidden": hidden,
        "audio_feature_map": memory,
        "decoder_input_last_step": inputs,
        "decoder_layer0_last_step": decoded,
        "decoder_layer0_first_step": decoded[:, :1],
    }
    assert ours.keys() == taps.keys()
    for name, tap in taps.items():
        assert_like(ours[name], tap, tolerance, name)


@pytest.mark.parametrize(("data_set", "frames", "precision"), LOSSES)
def test_losses(probe_of: Any, data_set: str, frames: int, precision: str) -> None:
    probe = probe_of(data_set, precision)
    wanted = probe.numbers["loss"][f"1.0s_T{frames}_{precision}"]
    at_rest = template(probe.numbers["config"]["vertice_dim"])
    dtype = getattr(torch, precision)
    batch = Batch(
        sound={"waveform": samples_of(1.0, precision)[..., None]},
        motion=torch.from_numpy(target(frames, at_rest)).to(dtype)[None],
        emotion=torch.zeros(1, dtype=torch.long),
        level=torch.zeros(1),
        speaker=torch.tensor([SPEAKER]),
        phones=torch.zeros(1, 1, dtype=torch.long),
        neutral=torch.from_numpy(at_rest.reshape(1, -1, 3)).to(dtype),
    )
    for taught, name in ((True, "teacher_forcing_true"), (False, "teacher_forcing_false")):
        config = FaceFormerObjectiveConfig(teacher_forcing=taught)
        with torch.inference_mode():
            # mm^2: a million times the published loss.
            loss = float(FaceFormerObjective(probe.model, config)(batch, 0.0)["loss"]) / 1e6
        # The file gives eight significant digits.
        assert loss == pytest.approx(wanted[name], rel=max(TOLERANCE[precision], 5e-8)), name


@pytest.mark.parametrize("data_set", ["vocaset", "BIWI"])
def test_mask_and_positions(shared_probes: Path, data_set: str) -> None:
    numbers = json.loads((shared_probes / f"faceformer.{data_set}.probe.json").read_text())
    period, constants = numbers["config"]["period"], numbers["constants"]
    rows, width = constants["PPE.pe"]["shape"][1:]
    assert_like(periodic_positions(rows, width, period)[None], constants["PPE.pe"], 1e-6, "PPE.pe")
    bias = causal_bias(4, 600, period)
    assert list(bias.shape) == constants["biased_mask_shape"]
    columns = [0, 29, 30, 59, 60, 89, 90, 95]
    for head, name in (
        (0, "biased_mask_head0_row95_cols_0_29_30_59_60_89_90_95"),
        (3, "biased_mask_head3_same"),
    ):
        assert_entries(bias[head, 95, columns].tolist(), constants[name], 1e-12, 1.0, name)


@pytest.mark.parametrize("data_set", ["vocaset", "BIWI"])
def test_names_and_shapes_are_those_of_the_published_file(
    probe_of: Any, shared_probes: Path, data_set: str
) -> None:
    probe = probe_of(data_set, "float32")
    shapes = keys((shared_probes / f"faceformer.{data_set}.keys.txt").read_text())
    layout = layouts("faceformer", probe.model.config, probe.numbers["config"]["vertice_dim"])[FILE]
    assert {entry.official: entry.shape for entry in layout} == shapes
    back = give(layout, probe.model.state_dict(), {})
    assert {name: tuple(value.shape) for name, value in back.items()} == shapes
