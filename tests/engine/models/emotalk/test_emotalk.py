"""EmoTalk at a tiny size: what each input changes, windows, vertices, and ARKit's curves on ada."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from talkcli.engine.audio.ear import hear
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.wav2vec2 import resample
from talkcli.engine.errors import UsageError
from talkcli.engine.face.channels import ADA, ARKIT_BY_NAME, JAW_OPEN_RAD, JAW_SIDE_RAD
from talkcli.engine.models.emotalk.emotalk import EmoTalk, arkit_to_ada, num_frames
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig
from tests.engine.models.emotalk.tiny_emotalk import NARROW, SMALL


def model(config: EmoTalkConfig = SMALL, num_values: int = 53) -> EmoTalk:
    """A generator whose last layer says something."""
    torch.manual_seed(0)
    made = EmoTalk(config, num_values).eval()
    nn.init.normal_(made.outward.weight, std=0.3)
    return made


def speech(seconds: float, seed: int = 0) -> Tensor:
    return torch.randn(1, round(16_000 * seconds), generator=torch.Generator().manual_seed(seed)) / 5


def test_an_untrained_model_shows_the_face_at_rest() -> None:
    assert not EmoTalk(SMALL).eval().generate(speech(0.5)).any()
    vertices = EmoTalk(SMALL.model_copy(update={"motion": "vertices"}), 12).eval()
    vertices.neutral.copy_(torch.arange(12.0).view(4, 3))
    assert torch.equal(vertices.generate(speech(0.1))[0, 1], torch.arange(12.0))


@pytest.mark.parametrize("config", [SMALL, NARROW])
def test_level_and_person_change_the_motion(config: EmoTalkConfig) -> None:
    network, sound = model(config), speech(0.7)
    plain = network.generate(sound)
    assert plain.shape == (1, {25: 18, 30: 21}[config.fps], 53)
    assert torch.equal(plain, network.generate(sound, level=1.0, speaker=0))
    for other in (network.generate(sound, level=0.0), network.generate(sound, speaker=3)):
        assert (other - plain).abs().max() > 1e-3


def test_the_code_of_the_level_is_interpolated() -> None:
    network, sound = model(), hear(SMALL_EARS, speech(0.4))
    content, felt, person = network.content(sound, 10), network.felt(sound, 10), torch.tensor([0])
    seen: list[Tensor] = []
    network.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for level in (0.0, 1.0, 0.25):
        network.decode(content, felt, torch.tensor([level]), person)
    assert not torch.equal(seen[0], seen[1])
    torch.testing.assert_close(seen[2], 0.75 * seen[0] + 0.25 * seen[1])


@pytest.mark.parametrize("config", [SMALL, NARROW])
def test_the_emotion_comes_from_another_recording(config: EmoTalkConfig) -> None:
    network, sound, other = model(config), speech(0.8), speech(1.7, seed=1)
    plain = network.generate(sound)
    worn = network.generate(sound, emotion_samples=other)
    assert worn.shape == plain.shape
    assert (worn - plain).abs().max() > 1e-3
    torch.testing.assert_close(network.generate(sound, emotion_samples=sound), plain)


def test_features_of_the_emotion_are_interpolated_twice() -> None:
    network, sound = model(NARROW), {"waveform": speech(1.0)[..., None]}
    own = network.emotion_encoder(sound)
    # As facts H.5 has it: 49 steps make 29 frames, and those 30.
    assert own.shape == (1, 29, 16)
    torch.testing.assert_close(network.felt(sound, 30), resample(own, 30))
    assert network.content_encoder(sound, 30).shape == (1, 30, 16)


def test_no_frame_depends_on_later_ones_of_the_decoder() -> None:
    network = model()
    content, felt = torch.randn(1, 12, 12), torch.randn(1, 12, 16)
    level, person = torch.ones(1), torch.tensor([0])
    before = network.decode(content, felt, level, person)
    content[:, 8:] += 1
    felt[:, 8:] += 1
    after = network.decode(content, felt, level, person)
    torch.testing.assert_close(after[:, :8], before[:, :8])
    assert (after[:, 8:] - before[:, 8:]).abs().max() > 1e-3


@pytest.mark.parametrize(("config", "frames"), [(SMALL, 125), (NARROW, 150)])
def test_long_speech_is_generated_in_windows(config: EmoTalkConfig, frames: int) -> None:
    # Samples that are not whole frames of either rate.
    sound = speech(4.99)
    whole = model(config).generate(sound)
    parts = model(config.model_copy(update={"window_s": 3, "overlap_s": 1})).generate(sound)
    assert parts.shape == whole.shape == (1, frames, 53)
    assert not torch.equal(parts, whole)
    if config is NARROW:
        # Windows of 0 to 3 s and 2 s to the end; log-mel features also hear the loudness of the whole.
        first, last = model(config).generate(sound[:, :48_000]), model(config).generate(sound[:, 32_000:])
        torch.testing.assert_close(parts[:, :60], first[:, :60])
        torch.testing.assert_close(parts[:, 90:], last[:, 30:])


def test_numbers_of_frames() -> None:
    assert [num_frames(samples, 30) for samples in (0, 1, 533, 534, 16_000, 21_760)] == [1, 1, 1, 2, 30, 41]
    assert [num_frames(samples, 25) for samples in (0, 1, 640, 641, 16_000)] == [1, 1, 1, 2, 25]
    # As published, in floating point.
    assert num_frames(132_800, 30) == 250
    assert all(num_frames(640 * count, 25) == count for count in range(1, 300))


def test_curves_of_arkit_become_coefficients_of_ada() -> None:
    matrix = arkit_to_ada()
    assert matrix.shape == (52, 53)
    rows = dict(zip(ARKIT_BY_NAME, matrix, strict=True))
    wanted = {"jawOpen": ("jawPitch", JAW_OPEN_RAD), "jawRight": ("jawYaw", -JAW_SIDE_RAD)}
    for name, row in rows.items():
        if name != "jawLeft":
            channel, scale = wanted.get(name, (name, 1.0))
            assert row[ADA.index(channel)] == pytest.approx(scale)
            assert (row != 0).sum() == 1
    network = model(NARROW)
    nn.init.zeros_(network.outward.weight)
    network.outward.bias.data[ARKIT_BY_NAME.index("mouthSmileLeft")] = 0.7
    made = network.generate(speech(0.2))
    assert made[0, :, ADA.index("mouthSmileLeft")].tolist() == pytest.approx([0.7] * 6)
    assert (made[0] != 0).sum() == 6


def test_the_published_order_has_the_blinks_in_columns_8_and_9() -> None:
    assert ARKIT_BY_NAME[8:10] == ("eyeBlinkLeft", "eyeBlinkRight")


def test_settings_that_do_not_fit_are_named() -> None:
    with pytest.raises(UsageError, match=r"model\.arkit"):
        EmoTalk(NARROW, 60)
    for changes, message in (
        ({"heads": 5}, "heads"),
        ({"speakers": ("a",) * 5}, "identity 4"),
        ({"fps": 30}, "25 frames"),
        ({"overlap_s": 40}, "overlap_s 40"),
        ({"labels": ("joy",)}, "labels"),
        ({"arkit": True, "motion": "vertices"}, "arkit"),
    ):
        with pytest.raises(ValidationError, match=message):
            EmoTalkConfig.model_validate({**SMALL.model_dump(), **changes})
    other = SMALL.emotion.model_copy(update={"ear": LogMelConfig(num_mels=30)})
    with pytest.raises(ValidationError, match="differ"):
        EmoTalkConfig.model_validate({**SMALL.model_dump(), "emotion": other.model_dump()})


SMALL_EARS = EmoTalk(SMALL).ears
