"""CodeTalker against the numbers of the released code: outputs, codes, taps and losses of both stages.

The weights are those of PROBE_RULE.md, converted as published checkpoints are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.codetalker import (
    STAGE_1,
    STAGE_2,
    layouts,
    recognise_stage_1,
    recognise_stage_2,
)
from talkcli.engine.checkpoints.convert.exchange import differences, give, receive
from talkcli.engine.checkpoints.convert.layout import Layout
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVq, activated
from talkcli.engine.models.codetalker.codetalker import CodeTalker
from talkcli.engine.nn.periodic import periodic_positions
from talkcli.engine.nn.pre_norm import standardise_over_time
from talkcli.engine.nn.transformer import sinusoids
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.codetalker import (
    CodeTalkerObjective,
    CodeTalkerObjectiveConfig,
    CodeTalkerVqObjective,
    CodeTalkerVqObjectiveConfig,
)
from tests.engine.probe_rule import assert_like, filled, keys, sound, target, template

SPEAKER = 2
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
NUM_VALUES = {"vocaset": 15_069, "BIWI": 70_110}
PERIOD = {"vocaset": 30, "BIWI": 25}
FRAMES = 12


class Probe(NamedTuple):
    """A probe file with the model of its weights."""

    numbers: dict[str, Any]
    model: Any


def state_of(folder: Path, stage: int, data_set: str) -> dict[str, Tensor]:
    """The state dict of a published file, in the order of its keys."""
    shapes = keys((folder / f"codetalker_stage{stage}.{data_set}.keys.txt").read_text())

    def value(name: str) -> Tensor:
        if name == "PPE.pe":
            return periodic_positions(shapes[name][1], 1024, PERIOD[data_set])[None]
        return sinusoids(5000, 1024)[:, None] if name.endswith(".pe") else filled(name, shapes[name])

    # The published file of stage 2 lacks what belongs to the auto-encoder.
    return {name: value(name) for name in shapes if not name.startswith("autoencoder.")}


def converted(folder: Path, stage: int, data_set: str) -> Any:
    """The model of a stage, by way of the converter."""
    files = [OfficialFile(path=Path("1"), tensors=state_of(folder, 1, data_set))]
    if stage == 2:
        files.insert(0, OfficialFile(path=Path("2"), tensors=state_of(folder, 2, data_set)))
        found = recognise_stage_2(files, Choices())
    else:
        found = recognise_stage_1(files, Choices())
    method = "codetalker" if stage == 2 else "codetalker_vq"
    forms = layouts(method, found.config, NUM_VALUES[data_set])
    # `probe_of` sets the face at rest.
    weights = {"neutral": torch.zeros(NUM_VALUES[data_set] // 3, 3)} if found.lacks_rest else {}
    for name, file in zip(found.names, files, strict=True):
        weights |= receive(forms[name], file.tensors, name).weights
    with torch.device("meta"), Undrawn():
        kind = CodeTalker if stage == 2 else CodeTalkerVq
        model = kind(found.config, NUM_VALUES[data_set])  # type: ignore[arg-type]
    model.load_state_dict(weights, assign=True)
    return model.eval()


@pytest.fixture(scope="module")
def probe_of(shared_probes: Path) -> Iterator[Any]:
    """The probe of a stage and a data set, in a precision; the last model is kept."""
    kept: dict[tuple[int, str], Probe] = {}

    def probe(stage: int, data_set: str, precision: str) -> Probe:
        if (stage, data_set) not in kept:
            kept.clear()
            path = shared_probes / f"codetalker_stage{stage}.{data_set}.probe.json"
            model = converted(shared_probes, stage, data_set)
            kept[stage, data_set] = Probe(json.loads(path.read_text()), model)
        found = kept[stage, data_set]
        found.model.to(getattr(torch, precision))
        if stage == 2:
            # The template is a number of float64 and not of float32.
            at_rest = torch.from_numpy(template(NUM_VALUES[data_set]).reshape(-1, 3))
            found.model.neutral = at_rest.to(getattr(torch, precision))
        return found

    yield probe
    kept.clear()


def batch_of(data_set: str, precision: str, frames: int, amplitude: float, heard: Tensor | None) -> Batch:
    """A batch of the probes' motion, with or without sound."""
    at_rest, dtype = template(NUM_VALUES[data_set]), getattr(torch, precision)
    return Batch(
        sound={} if heard is None else {"waveform": heard[..., None]},
        motion=torch.from_numpy(target(frames, at_rest, amplitude)).to(dtype)[None],
        emotion=torch.zeros(1, dtype=torch.long),
        level=torch.zeros(1),
        speaker=torch.tensor([SPEAKER]),
        phones=torch.zeros(1, 1, dtype=torch.long),
        neutral=torch.from_numpy(at_rest.reshape(1, -1, 3)).to(dtype),
    )


@pytest.mark.parametrize(
    ("data_set", "amplitude", "precision"),
    [(name, a, p) for name in NUM_VALUES for a in (0.001, 0.1) for p in TOLERANCE],
)
def test_the_auto_encoder(probe_of: Any, data_set: str, amplitude: float, precision: str) -> None:
    probe, tolerance = probe_of(1, data_set, precision), TOLERANCE[precision]
    model, wanted = probe.model, probe.numbers["runs"][f"T{FRAMES}_A{amplitude}_{precision}"]
    batch = batch_of(data_set, precision, FRAMES, amplitude, None)
    assert batch.neutral is not None
    at_rest = batch.neutral.flatten(1)[:, None]
    with torch.inference_mode():
        made = model(batch.motion - at_rest)
        objective = CodeTalkerVqObjective(model, CodeTalkerVqObjectiveConfig())
        terms, measures = objective(batch, 0.0), objective.validate([batch])
    assert_like(made.motion + at_rest, wanted["output"], tolerance, "output")
    assert_like(made.motion, wanted["output_minus_template"], tolerance, "output_minus_template")
    assert made.codes[0].tolist() == wanted["codes"]
    for name, ours in (("loss_total", "loss"), ("rec_l1", "value"), ("quant", "codebook")):
        assert float(terms[ours]) == pytest.approx(wanted[name], rel=max(tolerance, 5e-8)), name
    assert measures["code_perplexity"] == pytest.approx(wanted["perplexity"], rel=1e-5)

    taps = taps_of(model, batch.motion - at_rest)
    assert wanted["taps"].keys() <= taps.keys()
    for name, tap in wanted["taps"].items():
        # The norm over time enlarges the rounding of motion that hardly moves.
        assert_like(taps[name], tap, max(tolerance, 5e-5) if precision == "float32" else tolerance, name)


@torch.inference_mode()
def taps_of(model: CodeTalkerVq, offsets: Tensor) -> dict[str, Tensor]:
    """What the released code computes on the way, by the names of the probes."""
    encoder, decoder = model.encoder, model.decoder

    def convolved(mixer: Any, x: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(x.mT, (2, 2), mode="replicate")
        return standardise_over_time(activated(mixer.conv(padded)).mT)

    inward = activated(encoder.inward(offsets))
    squashed = convolved(encoder.mixer, inward)
    linear = encoder.mixer.linear(squashed)
    placed = linear + sinusoids(1, linear.shape[-1]).to(linear)
    layer = encoder.mixer.transformer.layers[0]
    query, key, value = (
        part.unflatten(-1, (8, -1)).transpose(1, 2)
        for part in layer.project_in(layer.norm_attention(placed)).chunk(3, dim=-1)
    )
    shares = (query @ key.mT * 1024**-0.5).softmax(-1)
    attended = placed + layer.project_out((shares @ value).transpose(1, 2).flatten(2))
    encoded = encoder(offsets)
    vectors = decoder.inward(model.frames(model.quantizer(model.tokens(encoded)).vectors))
    return {
        "enc_vertice_mapping": inward,
        "enc_squasher_(B,C,T)": squashed.mT,
        "enc_linear": linear,
        "enc_after_pe": placed,
        "enc_block0_attention_residual": attended,
        "enc_block0_mlp_residual": layer(placed),
        "enc_transformer": encoder.mixer(inward),
        "enc_out": encoded,
        "dec_linear_pre": vectors,
        "dec_expander0_(B,C,T)": convolved(decoder.mixer, vectors).mT,
        "dec_transformer": decoder.mixer(vectors),
    }


RUNS = [
    ("vocaset", 1.0, "float32"),
    ("vocaset", 1.36, "float32"),
    ("vocaset", 1.0, "float64"),
    ("BIWI", 1.0, "float32"),
]


@pytest.mark.parametrize(("data_set", "seconds", "precision"), RUNS)
def test_performing(probe_of: Any, data_set: str, seconds: float, precision: str) -> None:
    # Rounding adds up over the twelve layers of BIWI, of which there are numbers in float32 alone.
    probe = probe_of(2, data_set, precision)
    tolerance = 3e-5 if data_set == "BIWI" else TOLERANCE[precision]
    model, runs = probe.model, probe.numbers.get("runs", probe.numbers)
    wanted = runs[f"predict_{seconds}s_{precision}"]
    samples = torch.from_numpy(sound(seconds))[None].to(getattr(torch, precision))
    with torch.inference_mode():
        memory = model.memory.whole(samples, window=600, overlap=50)
        style = model.style_of(torch.tensor([SPEAKER]))
        codes = model.predict(memory, style, feedback="exact")
        offsets = model.decode(codes, whole=True)
    assert codes[0].tolist() == wanted["codes_of_newest_frame_per_step"]
    assert_like(offsets, wanted["output_minus_template"], tolerance, "output_minus_template")
    assert_like(offsets + model.neutral.flatten(), wanted["output"], tolerance, "output")
    assert_like(style, wanted["taps"]["style"], tolerance, "style")
    assert_like(memory, wanted["taps"]["audio_feature_map"], tolerance, "audio_feature_map")


@pytest.mark.parametrize(
    ("data_set", "precision"), [("vocaset", "float32"), ("vocaset", "float64"), ("BIWI", "float32")]
)
def test_losses_after_the_true_frames(probe_of: Any, data_set: str, precision: str) -> None:
    probe, frames = probe_of(2, data_set, precision), {"vocaset": 29, "BIWI": 24}[data_set]
    wanted = probe.numbers["loss"][f"teacher_forced_1.0s_T{frames}_A0.1_{precision}"]
    heard = torch.from_numpy(sound(1.0))[None].to(getattr(torch, precision))
    objective = CodeTalkerObjective(probe.model, CodeTalkerObjectiveConfig())
    with torch.inference_mode():
        terms = objective(batch_of(data_set, precision, frames, 0.1, heard), 0.0)
    for name, ours in (("total", "loss"), ("motion", "motion"), ("feature", "feature")):
        assert float(terms[ours]) == pytest.approx(wanted[name], rel=max(TOLERANCE[precision], 5e-8)), name


@pytest.mark.parametrize("data_set", NUM_VALUES)
def test_names_and_values_come_back(probe_of: Any, shared_probes: Path, data_set: str) -> None:
    model = probe_of(2, data_set, "float32").model
    forms: dict[str, Layout] = layouts("codetalker", model.config, NUM_VALUES[data_set])
    weights = model.state_dict()
    for stage, name in ((1, STAGE_1), (2, STAGE_2)):
        state = state_of(shared_probes, stage, data_set)
        unused = receive(forms[name], state, name).unused
        back = give(forms[name], weights, unused)
        assert list(back) == list(state)
        assert differences(back, state) == []
