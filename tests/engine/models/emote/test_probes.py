"""FLINT and EMOTE against the numbers of the released code, for weights by rule, and their key lists.

The weights are those of PROBE_RULE.md, converted as published checkpoints are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.checkpoints.convert import emote as converted
from talkcli.engine.checkpoints.convert.exchange import give, receive
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.emote.emote import Emote
from talkcli.engine.models.emote.flint import Flint
from talkcli.engine.nn.alibi import distance_bias, slopes
from tests.engine.probe_rule import assert_entries, assert_like, drawn, filled, keys, sound

TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
FLINT_RUNS = [
    (f"exp{size}_T{frames}_{precision}", size, frames, precision)
    for size, lengths in ((50, (32, 64)), (100, (32,)))
    for frames in lengths
    for precision in TOLERANCE
]
EMOTE_RUNS = [(frames, precision) for precision in TOLERANCE for frames in (24, 34)]
# Of the probe: expression 3, intensity 2 counted from 1, identity 5.
LABEL, INTENSITY, PERSON = 3, 1, 5
_PRIOR = "sequence_decoder.motion_prior."
NUM_COEFFS = 53


def state_of(shapes: Mapping[str, tuple[int, ...]], prefix: str = "") -> dict[str, Tensor]:
    """The weights by rule; the counters of batch normalisation stay zero."""
    return {
        name: torch.tensor(0)
        if name.endswith("num_batches_tracked")
        else filled(name, shape, unlike=name.removeprefix(prefix))
        for name, shape in shapes.items()
    }


def loaded(method: str, state: Mapping[str, Tensor]) -> Any:
    recognise = converted.recognise_flint if method == "flint" else converted.recognise
    found = recognise([OfficialFile(path=Path("x.ckpt"), tensors=state)], Choices())
    (layout,) = converted.layouts(method, found.config, NUM_COEFFS).values()
    with Undrawn():
        model = (Flint if method == "flint" else Emote)(found.config, NUM_COEFFS)
    model.load_state_dict(receive(layout, state, "x.ckpt").weights)
    return model.eval()


@pytest.fixture(scope="module")
def flints(shared_probes: Path) -> dict[int, Flint]:
    return {
        size: loaded("flint", state_of(keys((shared_probes / f"flint.exp{size}.keys.txt").read_text())))
        for size in (50, 100)
    }


@pytest.fixture(scope="module")
def emote(shared_probes: Path) -> Emote:
    shapes = keys((shared_probes / "emote.exp50.keys.txt").read_text())
    return loaded("emote", state_of(shapes, _PRIOR))


@pytest.mark.parametrize(("name", "size", "frames", "precision"), FLINT_RUNS)
def test_flint(
    shared_probes: Path, flints: dict[int, Flint], name: str, size: int, frames: int, precision: str
) -> None:
    probe = json.loads((shared_probes / "flint.probe.json").read_text())["runs"][name]
    tolerance, dtype = TOLERANCE[precision], getattr(torch, precision)
    model = flints[size].to(dtype)
    times, values = torch.arange(frames).double()[:, None], torch.arange(size + 3).double()
    params = (0.5 * torch.sin(0.3 * times + 0.7 * values)).to(dtype)[None]
    noise = torch.from_numpy(3**0.5 * drawn("flint_eps", frames // 8 * 128)).to(dtype)

    ours: dict[str, Tensor] = {}

    def tap(module: torch.nn.Module, key: str, mirrored: bool = False) -> Any:
        def keep(_: Any, __: Any, out: Tensor) -> None:
            ours[key] = out.mT if mirrored else out

        return module.register_forward_hook(keep)

    squash, expand = model.encoder.squash, model.decoder.expand
    hooks = [
        tap(squash.norm, "squasher0_(B,C,T)"),
        tap(squash.linear, "enc_linear"),
        tap(squash.attention, "enc_transformer"),
        tap(expand.norm, "expander0_(B,C,T)_before_repeat"),
        *(tap(step, f"expander{index}_(B,C,T)_before_repeat") for index, step in enumerate(expand.more, 1)),
        *(tap(step, f"squasher{index}_(B,C,T)") for index, step in enumerate(squash.more, 1)),
        tap(expand.linear, "dec_linear"),
        tap(expand.attention, "dec_transformer"),
        tap(model.decoder.projection, "post_transformer_linear"),
    ]
    with torch.inference_mode():
        latent = model.encoder.whole(params)
        z = latent.mean + (latent.log_variance / 2).exp() * noise.view_as(latent.mean)
        from_mean = model.decoder.whole(latent.mean)
        from_sample = model.decoder.whole(z)
    for hook in hooks:
        hook.remove()
    for index in (1, 2):
        ours[f"squasher{index}_(B,C,T)"] = F.max_pool1d(ours[f"squasher{index}_(B,C,T)"], 2)
    assert ours.keys() == probe["taps"].keys()
    for key, tapped in probe["taps"].items():
        assert_like(ours[key], tapped, tolerance, key)
    made = {"mean": latent.mean, "logvar": latent.log_variance, "z": z}
    made |= {"decoded_from_mean": from_mean, "decoded_from_sample": from_sample}
    for key, value in made.items():
        assert_like(value, probe[key], tolerance, key)
    # The file gives eight significant digits.
    rel = max(tolerance, 5e-8)
    assert float(latent.divergence()) == pytest.approx(probe["kl"], rel=rel)
    errors = (from_sample - params).square()
    assert float(errors.mean()) == pytest.approx(probe["mse_params"], rel=rel)
    assert float(errors[..., :size].mean()) == pytest.approx(probe["mse_exp"], rel=rel)
    assert float(errors[..., size:].mean()) == pytest.approx(probe["mse_jaw"], rel=rel)


def test_expressions_that_talk_drops(flints: dict[int, Flint]) -> None:
    """A FLINT of 100 components takes and makes the head's 53, in which 50 are zero and left out."""
    model = flints[100].float()
    coeffs = torch.randn(1, 16, NUM_COEFFS, generator=torch.Generator().manual_seed(0))
    whole = torch.cat([coeffs[..., :50], torch.zeros(1, 16, 50), coeffs[..., 50:]], dim=-1)
    with torch.inference_mode():
        latent = model.encoder(coeffs)
        assert torch.equal(latent.mean, model.encoder.whole(whole).mean)
        made, all_made = model.decoder(latent.mean), model.decoder.whole(latent.mean)
    assert torch.equal(made, torch.cat([all_made[..., :50], all_made[..., 100:]], dim=-1))


@pytest.mark.parametrize(("frames", "precision"), EMOTE_RUNS)
def test_emote(shared_probes: Path, emote: Emote, frames: int, precision: str) -> None:
    probe = json.loads((shared_probes / "emote.probe.json").read_text())["runs"][f"T{frames}_{precision}"]
    tolerance, dtype = TOLERANCE[precision], getattr(torch, precision)
    model = emote.to(dtype)
    samples = torch.from_numpy(sound(frames * 640 / 16_000)).to(dtype)[None]
    told = (torch.tensor([index]) for index in (LABEL, INTENSITY, PERSON))
    with torch.inference_mode():
        encoder = model.content.encoder
        trunk = encoder.trunk(samples)
        audio = encoder.finish(trunk)
        content = model.content({"waveform": samples[..., None]}).features
        style = model.style_of(*told)
        spread = style[:, None].expand(-1, frames, -1)
        joint = torch.cat([content, spread], dim=-1)
        bias = distance_bias(8, frames, period=30)
        narrow = model.heard(content, style)
        made = model.decode(content, style)
        ours = {
            "predicted_exp": made[..., :50],
            "predicted_jaw": made[..., 50:],
            "audio_feature": audio,
            "seq_encoder_output": content,
        }
        taps = {
            "after_resample_before_projection": trunk,
            "style": spread,
            "encoder_input_256": joint,
            "encoder_out_256": model.features(joint, bias),
            "decoder_128": narrow[0],
            "squasher_input_padded": F.pad(narrow, (0, 0, 0, -frames % 8)),
            "latent_128": model.latents(narrow),
        }
    assert taps.keys() == probe["taps"].keys()
    for key, value in {**ours, **taps}.items():
        assert_like(value, {**probe, **probe["taps"]}[key], tolerance, key)


def test_biases(shared_probes: Path) -> None:
    mask = json.loads((shared_probes / "flint.probe.json").read_text())["mask"]
    assert slopes(8) == mask["slopes"]
    bias = distance_bias(8, 1200)
    assert list(bias.shape) == mask["alibi_future_shape"]
    assert bias[0, 3, :8].tolist() == mask["row3_head0_cols0to7"]
    constants = json.loads((shared_probes / "emote.probe.json").read_text())["constants"]
    columns = [0, 9, 10, 11, 39, 40, 41, 69, 70, 71, 100]
    row = distance_bias(8, 1200, period=30)[0, 40, columns].tolist()
    assert_entries(row, constants["head0_row40_cols_0_9_10_11_39_40_41_69_70_71_100"], 1e-12, 1.0, "bias")


@pytest.mark.parametrize("size", [50, 100])
def test_names_and_shapes_of_flint(shared_probes: Path, flints: dict[int, Flint], size: int) -> None:
    shapes = keys((shared_probes / f"flint.exp{size}.keys.txt").read_text())
    assert_layout("flint", flints[size], shapes)


@pytest.mark.parametrize("size", [50, 100])
def test_names_and_shapes_of_emote(shared_probes: Path, emote: Emote, size: int) -> None:
    shapes = keys((shared_probes / "emote.exp50.keys.txt").read_text())
    model = emote
    if size == 100:
        last = f"{_PRIOR}motion_decoder.cross_smooth_layer"
        shapes |= {f"{last}.weight": (103, 128, 5), f"{last}.bias": (103,)}
        prior = model.config.prior.model_copy(update={"more_expressions": 50})
        with torch.device("meta"), Undrawn():
            model = Emote(model.config.model_copy(update={"prior": prior}), NUM_COEFFS)
    assert_layout("emote", model, shapes)


def assert_layout(method: str, model: Any, shapes: Mapping[str, tuple[int, ...]]) -> None:
    (layout,) = converted.layouts(method, model.config, NUM_COEFFS).values()
    assert {entry.official: entry.shape for entry in layout} == shapes
    ours = {entry.ours: entry.our_shape for entry in layout if entry.ours is not None}
    assert ours == {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if not next(model.parameters()).is_meta:
        back = give(layout, model.state_dict(), {})
        assert {name: tuple(value.shape) for name, value in back.items()} == shapes
