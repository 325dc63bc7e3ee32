"""A converted model gives the numbers of the official network."""

from __future__ import annotations

import pytest
import torch

from talkcli.engine.checkpoints.convert.deeptalk import DEE_FILE, FER_FILE, GEN_FILE
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.pipelines.convert.deeptalk import OfficialFiles, import_deeptalk
from talkcli.engine.types import Silent
from tests.engine.checkpoints import deeptalk_twin as twin
from tests.engine.checkpoints.official import TINY, State, official_states, write_official

FRAMES = 60
CLOSE = {"rtol": 0, "atol": 2e-5}


@pytest.fixture(scope="module")
def states() -> dict[str, State]:
    return official_states()


@pytest.fixture(scope="module")
def model(states: dict[str, State], tmp_path_factory: pytest.TempPathFactory) -> DeepTalk:
    folder = tmp_path_factory.mktemp("official")
    paths = write_official(folder, states)
    files = OfficialFiles(gen=paths["gen"], fer=paths["fer"])
    import_deeptalk(files, folder / "m.safetensors", reporter=Silent(), config=TINY)
    return load_model(folder / "m.safetensors")[0]


@pytest.fixture(scope="module")
def samples() -> torch.Tensor:
    return torch.randn(2, FRAMES * 640, generator=torch.Generator().manual_seed(1)) * 0.1


@torch.no_grad()
def test_emotion_of_speech(model: DeepTalk, states: dict[str, State], samples: torch.Tensor) -> None:
    steps = model.dee.audio_stem.encoder(samples)
    mean, log_variance = twin.speech_gaussian(states[DEE_FILE], TINY.dee, steps)
    ours = model.dee.embed_speech({"waveform": samples[..., None]})
    torch.testing.assert_close(ours.mean, mean, **CLOSE)
    torch.testing.assert_close(ours.log_variance, log_variance, **CLOSE)
    # So that a model that hears nothing would fail.
    assert (mean[0] - mean[1]).abs().max() > 1e-3


@torch.no_grad()
def test_emotion_of_motion(model: DeepTalk, states: dict[str, State]) -> None:
    coeffs = torch.randn(2, 50, 53, generator=torch.Generator().manual_seed(2))
    mean, log_variance = twin.motion_gaussian(states[DEE_FILE], states[FER_FILE], TINY.dee, coeffs)
    ours = model.dee.embed_motion(coeffs)
    torch.testing.assert_close(ours.mean, mean, **CLOSE)
    torch.testing.assert_close(ours.log_variance, log_variance, **CLOSE)
    assert (mean[0] - mean[1]).abs().max() > 1e-3


@torch.no_grad()
def test_motion(model: DeepTalk, states: dict[str, State], samples: torch.Tensor) -> None:
    heard = model.listen(samples)
    take = model.take(heard, sigma=None, speaker=3, generator=torch.Generator())
    content = model.content.encoder(samples)
    made = twin.generate(states[GEN_FILE], TINY, content, heard.emotion.mean, speaker=3)
    assert torch.equal(take.codes[0][0], made.top.argmax(-1))
    assert torch.equal(take.codes[0][1], made.bottom.argmax(-1))
    torch.testing.assert_close(take.coeffs, made.coeffs, **CLOSE)
    # Codes that never change would agree by chance.
    assert len(made.top.argmax(-1).unique()) > 1
    assert len(made.bottom.argmax(-1).unique()) > 1
