"""The generator: lengths, determinism, windows, and how codes are chosen."""

from itertools import pairwise

import pytest
import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.device import seeded
from talkcli.engine.models import deeptalk
from talkcli.engine.models.dee import DeeConfig
from talkcli.engine.models.deeptalk import OVERLAP_FRAMES, WINDOW_FRAMES, DeepTalk, DeepTalkConfig
from talkcli.engine.models.th_vqvae import ThVqvaeConfig
from talkcli.engine.types import SAMPLES_PER_FRAME

SMALL = DeepTalkConfig(
    dee=DeeConfig(
        front_end=LogMelConfig(num_mels=20),
        audio_width=16,
        audio_layers=1,
        motion_width=16,
        motion_layers=1,
        heads=2,
        feedforward=16,
        embedding=8,
    ),
    prior=ThVqvaeConfig(width=16, heads=2, feedforward=16, decoder_feedforward=16, codes=12),
    content_width=16,
    content_layers=1,
    content_heads=2,
    content_feedforward=16,
    width=16,
    heads=2,
    feedforward=16,
    predictor_width=16,
    predictor_layers=1,
    identity=4,
    speakers=("a", "b"),
)


@pytest.fixture(scope="module")
def model() -> DeepTalk:
    torch.manual_seed(0)
    model = DeepTalk(SMALL)
    # Untrained, the style hardly matters; here it shall.
    model.emotion.weight.data *= 30
    return model.eval()


def _speech(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(1, samples, generator=seeded(seed))


@pytest.mark.parametrize("samples", [1, 640, 641, 20_480, 32_000])
def test_a_frame_for_every_begun_40_ms(model: DeepTalk, samples: int) -> None:
    made = model.generate(_speech(samples), generator=seeded(0))
    assert made.shape == (1, -(-samples // SAMPLES_PER_FRAME), 53)


def test_the_seed_decides(model: DeepTalk) -> None:
    def make(seed: int, **how: float) -> torch.Tensor:
        return model.generate(_speech(20_480), generator=seeded(seed), **how)

    assert torch.equal(make(0), make(1))
    for how in ({"sigma": 0.1}, {"tau_top": 1.0}, {"tau_bottom": 1.0}):
        assert torch.equal(make(3, **how), make(3, **how))
        assert not torch.equal(make(3, **how), make(4, **how))


def test_takes_share_one_listening(model: DeepTalk) -> None:
    heard, generator = model.listen(_speech(20_480)), seeded(5)
    takes = [model.take(heard, sigma=0.1, generator=generator) for _ in range(3)]
    assert torch.equal(takes[0], model.generate(_speech(20_480), sigma=0.1, generator=seeded(5)))
    assert not torch.equal(takes[0], takes[1])


def test_emotion_can_come_from_elsewhere_and_speakers_differ(model: DeepTalk) -> None:
    heard = model.listen(_speech(20_480), _speech(30_000, seed=1))
    assert torch.equal(heard.emotion.mean, model.listen(_speech(30_000, seed=1)).emotion.mean)
    assert torch.equal(heard.windows[0], model.listen(_speech(20_480)).windows[0])
    codes = [model.identity(torch.tensor([speaker])) for speaker in (0, 1, -1)]
    assert [code.tolist() for code in codes] == [[[1, 0, 0, 0]], [[0, 1, 0, 0]], [[0, 0, 0, 0]]]


@pytest.mark.parametrize("frames", [4, WINDOW_FRAMES, WINDOW_FRAMES + 4, 3 * WINDOW_FRAMES])
def test_windows_cover_everything_once(frames: int) -> None:
    windows = deeptalk._windows(frames)
    assert windows[0][0] == 0
    assert windows[-1][1] == frames
    for (_, end), (start, _) in pairwise(windows):
        assert end - start == OVERLAP_FRAMES
    assert all((end - start) % 4 == 0 for start, end in windows)
    # Pieces of one signal fade into that signal.
    signal = torch.randn(1, frames, 2)
    joined = deeptalk._cross_fade([signal[:, start:end] for start, end in windows])
    assert torch.allclose(joined, signal, atol=1e-6)


def test_long_speech_begins_like_its_first_window(model: DeepTalk) -> None:
    frames = WINDOW_FRAMES + 100
    speech = _speech(frames * SAMPLES_PER_FRAME)
    long = model.listen(speech)
    made = model.take(long, sigma=None, generator=seeded(0))
    assert made.shape == (1, frames, 53)
    first = model.take(
        long._replace(windows=long.windows[:1], frames=WINDOW_FRAMES), sigma=None, generator=seeded(0)
    )
    alone = WINDOW_FRAMES - OVERLAP_FRAMES
    assert torch.equal(made[:, :alone], first[:, :alone])


def test_codes_are_drawn_at_the_temperature() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0]).expand(1, 30_000, 3)
    for tau in (0.5, 2.0):
        drawn = deeptalk._chooser(tau, seeded(0))(logits).mean(1)[0]
        assert drawn == pytest.approx((logits[0, 0] / tau).softmax(-1), abs=0.01)
    assert deeptalk._chooser(0.0, seeded(0))(logits).mean(1)[0].tolist() == [0, 0, 1]


def test_straight_through_gumbel_draws_from_the_softmax_at_any_tau() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0]).expand(30_000, 3)
    for tau in (0.1, 2.0):
        torch.manual_seed(0)
        drawn = torch.nn.functional.gumbel_softmax(logits, tau, hard=True).mean(0)
        assert drawn == pytest.approx(logits[0].softmax(-1), abs=0.01)


def test_frozen_parts_stay_in_evaluation(model: DeepTalk) -> None:
    model.train()
    assert model.content.training
    assert not model.dee.training
    assert not model.prior.training
    assert not any(value.requires_grad for part in (model.dee, model.prior) for value in part.parameters())
    model.eval()
