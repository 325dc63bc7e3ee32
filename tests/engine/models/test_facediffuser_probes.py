"""FaceDiffuser against the numbers of the released code: taps, steps of the ancestral sampler, losses.

The weights are those of PROBE_RULE.md, converted as a published checkpoint is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.exchange import give, receive
from talkcli.engine.checkpoints.convert.facediffuser import recognise, tensors
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.facediffuser.config import HUBERT, FaceDiffuserConfig
from talkcli.engine.models.facediffuser.facediffuser import FaceDiffuser
from talkcli.engine.nn.diffusion import cosine_schedule, plan
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.facediffuser import FaceDiffuserObjective, FaceDiffuserObjectiveConfig
from tests.engine.probe_rule import assert_entries, assert_like, drawn, filled, keys, sound, target, template

SPEAKER = torch.tensor([2])
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
RUNS = [
    ("vocaset", 1.0, "float32"),
    ("vocaset", 1.36, "float32"),
    ("vocaset", 1.0, "float64"),
    ("BIWI", 1.0, "float64"),
    ("beat", 1.0, "float32"),
    ("beat", 1.0, "float64"),
]


class Probe(NamedTuple):
    """A probe file with the model of its weights."""

    numbers: dict[str, Any]
    model: FaceDiffuser


def config_of(name: str, state: dict[str, Tensor]) -> FaceDiffuserConfig:
    if name != "beat":
        found = recognise([OfficialFile(path=Path("x.pth"), tensors=state)], Choices()).config
        assert isinstance(found, FaceDiffuserConfig)
        return found
    return FaceDiffuserConfig(motion="coefficients", plain=True, content=HUBERT, fps=30)


@pytest.fixture(scope="module")
def probe_of(shared_probes: Path) -> Iterator[Any]:
    """The probe of a data set; the last one is kept."""

    def loaded(name: str) -> Probe:
        numbers = json.loads((shared_probes / f"facediffuser.{name}.probe.json").read_text())
        shapes = keys((shared_probes / f"facediffuser.{name}.keys.txt").read_text())
        state = {key: filled(key, shape) for key, shape in shapes.items()}
        config, num_values = config_of(name, state), numbers["config"]["V"]
        layout = tensors(config, num_values)
        # Names, shapes and their order are those of the published file.
        assert {entry.official: entry.shape for entry in layout} == shapes
        weights = receive(layout, state, "x.pth").weights
        with Undrawn():
            model = FaceDiffuser(config, num_values)
        if name != "beat":
            weights["neutral"] = torch.zeros(num_values // 3, 3)
        model.load_state_dict(weights)
        back = give(layout, model.state_dict(), {})
        assert all(torch.equal(back[key], state[key]) for key in shapes if "masked" not in key)
        return Probe(numbers, model.eval())

    kept: dict[str, Probe] = {}

    def probe(name: str, precision: str) -> Probe:
        if name not in kept:
            kept.clear()
            kept[name] = loaded(name)
        found = kept[name]
        found.model.to(getattr(torch, precision))
        if name != "beat":
            # The template is a number of float64 and not of float32.
            rest = torch.from_numpy(template(found.numbers["config"]["V"]).reshape(-1, 3))
            found.model.neutral = rest.to(getattr(torch, precision))
        return found

    yield probe
    kept.clear()


def noise(name: str, frames: int, num_values: int, dtype: torch.dtype) -> Tensor:
    values = math.sqrt(3) * drawn(name, frames * num_values)
    return torch.from_numpy(values.reshape(1, frames, num_values)).to(dtype)


@pytest.mark.parametrize(("name", "seconds", "precision"), RUNS)
def test_network_steps_and_losses(probe_of: Any, name: str, seconds: float, precision: str) -> None:
    probe, tolerance, dtype = probe_of(name, precision), TOLERANCE[precision], getattr(torch, precision)
    model, wanted = probe.model, probe.numbers["runs"][f"{seconds}s_{precision}"]
    num_values, frames = probe.numbers["config"]["V"], wanted["T"]
    samples = torch.from_numpy(sound(seconds))[None].to(dtype)
    assert model.hearing.frames_of(samples.shape[1]) == frames
    rest = None if model.neutral is None else model.neutral.flatten()[None]
    with torch.inference_mode():
        encoder = model.hearing.encoder
        hidden = encoder.transform(encoder.convolve(samples))
        heard = model.hearing.whole(samples)
        x = noise("noise_x_T", frames, num_values, dtype)
        call = wanted["denoiser_call"]
        time = torch.tensor([call["t"]])
        assert_like(model(x, time, heard, SPEAKER, rest), call["output"], tolerance, "output")

        seen, when = model.seen(x), model.times_of(time)
        joined = torch.cat([model.narrowed(heard), seen, when[:, None].expand(-1, frames, -1)], dim=-1)
        ours = {
            "hubert_last_hidden": hidden,
            "paired_audio": heard,
            "cond_projection": model.narrowed(heard),
            "time_embedding": when[0],
            "motion_latent_(T,1,latent)": seen.transpose(0, 1),
            "concat_before_norm": joined,
            "concat_after_norm": model.norm(joined),
            "gru_out": model.gru(model.norm(joined))[0],
        }
        if not model.config.plain:
            ours["style"] = model.style_of(SPEAKER)
        for tap, numbers in call["taps"].items():
            assert_like(ours[tap], numbers, tolerance, tap)

        steps = plan(model.kept, "ancestral")
        for which, chosen in (("ancestral_first3", steps[:3]), ("ancestral_last3", steps[-3:])):
            noisy = x
            for step, probed in zip(chosen, wanted[which], strict=True):
                assert step.time == probed["t"]
                clean = model(noisy, torch.tensor([step.time]), heard, SPEAKER, rest)
                assert_like(clean, probed["pred_xstart"], tolerance, f"clean at {step.time}")
                noisy = step.of_clean * clean + step.of_noisy * noisy
                noisy = noisy + step.of_noise * noise(probed["noise"], frames, num_values, dtype)
                assert_like(noisy, probed["sample"], tolerance, f"step {step.time}")
    if seconds == 1.0:
        # Here, so that the weights of each data set are loaded once.
        check_losses(probe, name, precision)


def check_losses(probe: Probe, name: str, precision: str) -> None:
    dtype = getattr(torch, precision)
    model, num_values = probe.model, probe.numbers["config"]["V"]
    at_rest = template(num_values) if name != "beat" else torch.zeros(num_values).double().numpy()
    objective = FaceDiffuserObjective(model, FaceDiffuserObjectiveConfig())
    for label, wanted in probe.numbers["loss"].items():
        length, at, kind = label.split("_")
        if kind != precision:
            continue
        frames, time = int(length[1:]), torch.tensor([int(at[1:])])
        batch = Batch(
            sound={"waveform": torch.from_numpy(sound(1.0))[None, :, None].to(dtype)},
            motion=torch.from_numpy(target(frames, at_rest)).to(dtype)[None],
            emotion=torch.zeros(1, dtype=torch.long),
            level=torch.zeros(1),
            speaker=SPEAKER,
            phones=torch.zeros(1, 1, dtype=torch.long),
            neutral=None if name == "beat" else torch.from_numpy(at_rest.reshape(1, -1, 3)).to(dtype),
        )
        share = float(model.kept[time])
        drawn_noise = noise("noise_train", frames, num_values, dtype)
        noisy = math.sqrt(share) * batch.motion + math.sqrt(1 - share) * drawn_noise
        with torch.inference_mode():
            clean, true = objective.made(batch, noisy, time)
            loss = float(objective.error(clean, true)) / objective.scale**2
        # The file gives eight significant digits.
        assert loss == pytest.approx(wanted, rel=max(TOLERANCE[precision], 5e-8)), label


@pytest.mark.parametrize("name", ["vocaset", "BIWI", "beat"])
def test_schedule(shared_probes: Path, name: str) -> None:
    numbers = json.loads((shared_probes / f"facediffuser.{name}.probe.json").read_text())
    times, wanted = numbers["config"]["steps"], numbers["constants"]
    kept = cosine_schedule(times)
    by_time = {step.time: step for step in plan(kept, "ancestral")}
    at = wanted["t"]
    assert_entries(kept[at].tolist(), wanted["alphas_cumprod"], 0, 0, "kept")
    for key, ours in (
        ("posterior_mean_coef1_x0", [by_time[t].of_clean for t in at]),
        ("posterior_mean_coef2_xt", [by_time[t].of_noisy for t in at]),
        ("posterior_variance", [by_time[t].of_noise ** 2 for t in at]),
    ):
        assert_entries(ours, wanted[key], 1e-9, 1e-9, key)
