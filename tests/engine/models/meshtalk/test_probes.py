"""MeshTalk against the numbers of the released code: windows, codes, classes, faces; names and shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.checkpoints.convert.exchange import receive
from talkcli.engine.checkpoints.convert.meshtalk import CONTEXT, ENCODER, MESH, layouts, recognise
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.models.meshtalk.context import MaskedLinear
from talkcli.engine.models.meshtalk.latent import one_hot
from talkcli.engine.models.meshtalk.meshtalk import MeshTalk, smooth
from talkcli.engine.models.meshtalk.speech import LogPower, published_windows
from tests.engine.probe_rule import assert_entries, assert_like, drawn, filled, keys, sound, target, template

NUM_VALUES = 3 * 6172
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
# Of logarithms of powers, and of what follows from them: the smallest powers are leakage of the window, of
# which the probes' two runs themselves agree to 8e-4 (PROBE_RULE.md, section 5).
OF_HOPS = {"float32": 2e-4, "float64": 2e-7}
FILES = {ENCODER: "encoder", MESH: "vertex_unet", CONTEXT: "context_model"}
# Vertices with a share of one in the forehead or the neck, among those that the probe shows.
WHOLLY_SMOOTHED = {5222, 2373, 5697, 6171, 5696}


def statistics() -> tuple[Tensor, Tensor]:
    mean, deviation = 0.1 * drawn("mesh_mean", NUM_VALUES), 1 + 0.1 * drawn("mesh_std", NUM_VALUES)
    return tuple(torch.from_numpy(each).view(1, 1, -1, 3) for each in (mean, deviation))  # type: ignore[return-value]


def state_of(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """A published file of the probes' weights; buffers are as the constructor makes them."""
    mean, deviation = statistics()
    front = LogPower()
    kept = {"mean": mean.float(), "stddev": deviation.float(), "window": front.window, "fb": front.bank}
    state = {}
    for key, shape in shapes.items():
        last = key.rpartition(".")[2]
        if last == "mask":
            inward, outward = shape[1] // 16, shape[0] // 16
            state[key] = MaskedLinear(inward, outward, 16).mask()[..., None]
        else:
            state[key] = kept[last] if last in kept else filled(key, shape)
    return state


@pytest.fixture(scope="module")
def published(shared_probes: Path) -> tuple[dict[str, Any], MeshTalk]:
    numbers = json.loads((shared_probes / "meshtalk.probe.json").read_text())
    shapes = {
        file: keys((shared_probes / f"meshtalk.{name}.keys.txt").read_text()) for file, name in FILES.items()
    }
    states = {file: state_of(shapes[file]) for file in FILES}
    found = recognise(
        [OfficialFile(path=Path(file), tensors=state) for file, state in states.items()], Choices()
    )
    weights = {}
    for file, layout in layouts("meshtalk", found.config, NUM_VALUES).items():
        # The same names in the same order, with the same shapes.
        assert [(entry.official, entry.shape) for entry in layout] == list(shapes[file].items())
        weights |= receive(layout, states[file], file).weights
    model = MeshTalk(found.config, NUM_VALUES)
    rest = {
        "neutral": torch.from_numpy(template(NUM_VALUES)).view(-1, 3),
        "smoothed": torch.zeros(2, NUM_VALUES // 3),
    }
    model.load_state_dict({**weights, **rest})
    return numbers, model.eval()


def as_probed(model: MeshTalk, precision: str) -> MeshTalk:
    """The model in a precision, with buffers that the probe's run has in that precision."""
    dtype = getattr(torch, precision)
    model.to(dtype)
    mean, deviation = statistics()
    for standard in (model.prior.expression.standard, model.prior.mesh.standard):
        standard.mean, standard.stddev = mean.to(dtype), deviation.to(dtype)
    model.prior.speech.front.window = torch.hann_window(800, dtype=dtype)
    return model


@pytest.mark.parametrize(("seconds", "precision"), [(1.0, "float32"), (1.36, "float32"), (1.0, "float64")])
def test_speech_to_faces(published: tuple[dict[str, Any], MeshTalk], seconds: float, precision: str) -> None:
    numbers, model = published[0], as_probed(published[1], precision)
    wanted, tolerance = numbers["runs"][f"{seconds}s_{precision}"], TOLERANCE[precision]
    samples = torch.from_numpy(sound(seconds))[None].to(getattr(torch, precision))
    with torch.inference_mode():
        windows = published_windows(samples)
        assert_like(windows[0], wanted["chunk_rows"], tolerance, "windows")
        hops = model.prior.speech.front.of_windows(windows[0]).mT
        # Relative to their deviation of 7; float32 has the error of tiny powers.
        assert_like(
            hops, wanted["taps"]["log_mel_(T,80,101)"], 2e-4 if precision == "float32" else 1e-9, "hops"
        )
        speech = model.prior.speech.published(samples)
        assert_like(speech, wanted["audio_code"], OF_HOPS[precision], "code of speech")
        labels = model.context.sample(speech, temperature=0.0)
        assert labels[0].tolist() == wanted["labels_argmax"]
        codes = one_hot(labels, 128).to(speech)
        logs = model.context(codes, speech)
        assert_like(logs, wanted["parallel_logprobs"], OF_HOPS[precision], "logarithms of probabilities")
        faces = model.prior.mesh(torch.from_numpy(template(NUM_VALUES))[None].to(speech), codes)
        assert_like(faces.unflatten(2, (-1, 3))[0], wanted["geom_unsmoothed"], tolerance, "faces")
        # The masks of forehead and neck are the authors' files; where one is whole, the filter alone shows.
        whole = smooth(faces.clone(), torch.stack([torch.ones(6172), torch.zeros(6172)]).to(faces)).flatten()
        told = wanted["geom_smoothed"]
        shown = [
            (at, value)
            for at, value in zip(told["idx"], told["val"], strict=True)
            if at % NUM_VALUES // 3 in WHOLLY_SMOOTHED
        ]
    assert len(shown) >= 4
    ours = [float(whole[at]) for at, _ in shown]
    assert_entries(ours, [value for _, value in shown], max(tolerance, 1e-8), told["std"], "filtered faces")


@pytest.mark.parametrize("precision", TOLERANCE)
def test_expressions_and_losses(published: tuple[dict[str, Any], MeshTalk], precision: str) -> None:
    numbers, model = published[0], as_probed(published[1], precision)
    wanted, tolerance = numbers["runs"][f"expression_{precision}"], TOLERANCE[precision]
    dtype = getattr(torch, precision)
    rest = template(NUM_VALUES)
    faces = torch.stack([torch.from_numpy(target(6, rest, size)) for size in (0.05, 0.08)]).to(dtype)
    with torch.inference_mode():
        speech = model.prior.speech.published(torch.from_numpy(sound(1.0))[None].to(dtype))[0]
        speech = torch.stack([speech[5:11], speech[15:21]])
        assert_like(speech, wanted["audio_code"], OF_HOPS[precision], "code of speech")
        assert_like(model.prior.expression(faces), wanted["expression_code"], tolerance, "code of faces")
        logs = model.prior.latent(speech, faces)
        assert_like(logs, wanted["fusion_logprobs"], OF_HOPS[precision], "logarithms of probabilities")
        labels = logs.argmax(-1)
        assert labels.tolist() == wanted["labels"]
        codes = one_hot(labels, 128).to(dtype)
        made = model.prior.mesh(torch.from_numpy(rest).to(dtype).expand(2, -1), codes)
        losses = numbers["loss"][f"step1_{precision}"]
        assert float(F.mse_loss(made, faces)) == pytest.approx(losses["recon"], rel=max(tolerance, 1e-8))
        told = F.nll_loss(model.context(codes, speech).flatten(0, 2), labels.flatten())
    entropy = numbers["loss"][f"step2_{precision}"]["cross_entropy"]
    assert float(told) == pytest.approx(entropy, rel=OF_HOPS[precision])
