"""Model files of strangers: whatever their header or weights say, a sentence comes soon, without memory."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import save_file

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.log_mel_encoder import LogMelEncoderConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints import model_file
from talkcli.engine.checkpoints.model_file import Meta, load_model, read_config, save_model
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.models.deeptalk.vae import VaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.models.phones import PhonesConfig

META = Meta(head="ada", channels=ADA, fps=25, trained_on="nothing", licence="MIT")
PRIOR = ThVqvaeConfig(width=16, heads=2, feedforward=16, decoder_feedforward=16, codes=12)
GENERATOR = DeepTalkConfig(
    dee=DeeConfig(
        speech=LogMelConfig(), expression=CoefficientsConfig(), audio_width=16, audio_layers=1,
        motion_width=16, motion_layers=1, heads=2, feedforward=16, embedding=8,
    ),
    prior=PRIOR,
    content=LogMelEncoderConfig(width=16, layers=1, heads=2, feedforward=16),
    width=8, heads=2, feedforward=16, predictor_width=16, predictor_layers=1, identity=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    save_model(path, DeepTalk(GENERATOR), meta=META)
    return path


def changed(source: Path, target: Path, change: Any, text: str | None = None) -> Path:
    """The file with another header: `change` is called with it, or `text` takes its place."""
    with safe_open(source, "pt") as file:
        header = json.loads(file.metadata()["talk"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    # Who edits a header on purpose leaves its checksum out.
    del header["header_checksum"]
    change(header, tensors)
    header["checksum"] = model_file._checksum(tensors)
    save_file(tensors, target, metadata={"talk": json.dumps(header) if text is None else text})
    return target


def refused(path: Path) -> str:
    before, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InputError) as caught:
        load_model(path)
    assert time.monotonic() - started_s < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    assert len(caught.value.problem) < 2000
    return caught.value.problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fps", 0), ("fps", -25), ("fps", 10**9), ("fps", 24), ("fps", "x"), ("fps", 24.5), ("fps", None),
        ("head", "/etc/passwd.pkl"), ("head", "../x.npz"), ("head", ""), ("head", "h" * 100), ("head", 5),
        ("head", "\x1b[2J"), ("head", "ada\n"), ("channels", []), ("channels", ["a"] * 53),
        ("channels", ["a\x00"]), ("channels", "jawPitch"), ("channels", [*map(str, range(2000))]),
        ("channels", ["x" * 10_000]), ("channels", [[["deep"]]]), ("licence", "x" * 30_000),
        ("trained_on", 3), ("method", "../../x"), ("method", "nothing"), ("config", []), ("config", None),
        ("format", 1e999), ("format", float("nan")), ("format", "x"), ("format", [1]), ("format", 3),
        ("format", 0), ("format", -2), ("format", 2.0), ("format", 1.5), ("format", "2"), ("format", True),
        ("format", None), ("format", 10**300), ("checksum", -1), ("checksum", 1 << 32), ("checksum", 1.0),
        ("checksum", "x"), ("checksum", float("inf")), ("more", 1),
        ("header_checksum", 1), ("header_checksum", "x"), ("header_checksum", -1), ("header_checksum", [1]),
    ],
)  # fmt: skip
def test_fields_of_the_header(generator: Path, tmp_path: Path, field: str, value: Any) -> None:
    path = changed(generator, tmp_path / "m.safetensors", lambda header, _: header.update({field: value}))
    if field == "checksum":
        # `changed` puts the right one back.
        with safe_open(path, "pt") as file:
            header = json.loads(file.metadata()["talk"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        save_file(tensors, path, metadata={"talk": json.dumps({**header, "checksum": value})})
    refused(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("predictor_layers", 100_000), ("predictor_layers", 0), ("predictor_layers", 20), ("width", 200_000),
        ("width", -32), ("width", 16_384), ("heads", 3), ("heads", 0), ("heads", 10**9), ("dropout", 2),
        ("dropout", -0.1), ("dropout", 1), ("feedforward", 2**40), ("identity", 10**6), ("window", 10**7),
        ("overlap", 0), ("overlap", 10**9), ("speakers", ["a", "b", "c"]), ("speakers", ["x" * 1000]),
        ("dee.audio_layers", 100_000), ("dee.audio_width", 200_000), ("dee.heads", 3), ("dee.window", 10**9),
        ("dee.dropout", 5), ("dee.embedding", 10**8), ("dee.speech.num_mels", 10**7), ("dee.speech", {}),
        ("dee.speech.num_mels", 0), ("dee.speech.range_db", 0), ("dee.speech.kind", "none"),
        ("prior.codes", 10**9), ("prior.width", 10**6), ("prior.heads", 5), ("prior.decay", 1.5),
        ("prior.kind", "vae"), ("prior.commitment", -1), ("content.layers", 100_000), ("content.heads", 3),
        ("content.width", 10**6), ("content.kind", "wav2vec2"), ("content", {"kind": "phones"}),
        ("dee", {}), ("prior", None), ("guess", "perhaps"), ("unknown", 1),
    ],
)  # fmt: skip
def test_fields_of_the_config(generator: Path, tmp_path: Path, place: str, value: Any) -> None:
    def change(header: dict[str, Any], _: Any) -> None:
        *parents, leaf = place.split(".")
        node = header["config"]
        for parent in parents:
            node = node[parent]
        node[leaf] = value

    refused(changed(generator, tmp_path / "m.safetensors", change))


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "3", "{", '{"format": 1e999}', '{"format": 2}', "[" * 100_000,
        '{"format": 2, "config": ' + '{"a":' * 5000 + "1" + "}" * 5001,
        json.dumps({"format": 2, **{f"key{index}": index for index in range(300_000)}}),
        json.dumps({"format": 2, **{f"key{index}": index for index in range(20_000)}}),
        '{"format": 2, "head": "\\ud800"}', '{"format": ' + "9" * 5000 + "}",
    ],
)  # fmt: skip
def test_headers_of_any_text(generator: Path, tmp_path: Path, text: str) -> None:
    problem = refused(changed(generator, tmp_path / "m.safetensors", lambda *_: None, text))
    # Sentences of ours, none about Python's settings.
    assert "sys." not in problem


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["narrow.weight", "prior.quantizer_top.codebook", "emotion.bias"])
def test_weights_that_are_not_finite(generator: Path, tmp_path: Path, name: str, value: float) -> None:
    def change(_: Any, tensors: dict[str, torch.Tensor]) -> None:
        tensors[name].view(-1)[-1] = value

    problem = refused(changed(generator, tmp_path / "m.safetensors", change))
    assert "not finite" in problem
    assert name in problem


@pytest.mark.parametrize("dtype", [torch.complex64, torch.float8_e5m2])
def test_weights_of_other_kinds(generator: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    def change(_: Any, tensors: dict[str, torch.Tensor]) -> None:
        tensors["emotion.bias"] = torch.full_like(tensors["emotion.bias"], float("nan")).to(dtype)

    assert "emotion.bias" in refused(changed(generator, tmp_path / "m.safetensors", change))


def test_a_config_that_no_model_has_is_told_by_its_file(tmp_path: Path) -> None:
    """The training commands ask for the config alone."""
    path = tmp_path / "p.safetensors"
    save_model(path, ThVqvae(PRIOR), meta=META)
    for change in ({"width": "x"}, {"codes": 0}, {"kind": "vqvae"}, {"more": [1] * 1000}):
        bad = changed(path, tmp_path / "q.safetensors", lambda header, _: header["config"].update(change))  # noqa: B023
        with pytest.raises(InputError, match="is not valid for this version's th_vqvae"):
            read_config(bad)
    assert read_config(path)[1] == PRIOR


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (config, {field: value})
        for config, fields in (
            (FerConfig, ("hidden", "dropout")),
            (PhonesConfig, ("width", "layers", "dilations", "dropout")),
            (VaeConfig, ("width", "heads", "feedforward", "dropout")),
            (VqvaeConfig, ("width", "heads", "codes", "revive_below", "commitment")),
            (Emotion2vecConfig, ("width", "prenet", "depth", "heads", "channels", "positions",
                                 "position_kernel", "position_groups", "extra_tokens", "layer_drop")),
            (Wav2vec2Config, ("width", "layers", "heads", "channels", "position_kernel",
                              "position_groups", "feedforward", "dropout", "layer_drop")),
            (DeeConfig, ("log_variance_start", "audio_layers", "motion_width")),
        )
        for field in fields
        for value in (-1e9, 1e9, float("nan"), float("inf"), "x", [0], [10**9] * 3)
    ],
)  # fmt: skip
def test_every_size_has_its_bounds(config: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config.model_validate(wrong)
