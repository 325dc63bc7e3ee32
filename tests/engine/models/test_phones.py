"""The front-end that hears phones."""

from __future__ import annotations

import torch

from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.audio.phones import LINGUALS
from talkcli.engine.models.content import PhoneContent, PhoneContentConfig
from talkcli.engine.models.phones import STEPS_PER_FRAME, SYMBOLS, PhoneEncoder, PhonesConfig

SMALL = PhonesConfig(ear=LogMelConfig(num_mels=12), width=16, layers=3)
CHANNELS = 12 + 3


def _sound(frames: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, 4 * frames, CHANNELS, generator=generator) * 1.5 - 1


def _encoder() -> PhoneEncoder:
    torch.manual_seed(0)
    return PhoneEncoder(SMALL).eval()


def test_two_steps_to_a_frame() -> None:
    heard = _encoder()({"log_mel": _sound(12)})
    assert heard.states.shape == (2, 24, 16)
    assert heard.logits.shape == (2, 24, len(SYMBOLS)) == (2, 24, 40)


def test_another_microphone_changes_nothing() -> None:
    """A filter adds to the logarithm of a band, the same at all times; only the floor does not move."""
    sound = _sound().clamp_min(-0.5)
    coloured = sound.clone()
    coloured[..., :12] += torch.linspace(-0.2, 0.2, 12)
    encoder = _encoder()
    same, other = (encoder({"log_mel": steps}).logits for steps in (sound, coloured))
    louder = sound.clone()
    louder[:, 20:30, :12] += 0.3
    changed = encoder({"log_mel": louder}).logits
    assert (same - other).abs().max() < 0.15 * (same - changed).abs().max()


def test_a_step_hears_both_sides_but_not_everything() -> None:
    """Layers of dilation 1, 2 and 4 reach 7 steps, the convolutions below one more."""
    sound = torch.zeros(1, 160, CHANNELS)
    encoder = _encoder()
    before = encoder({"log_mel": sound}).logits
    # Prosody has no mean that would tell every step of a change.
    sound[:, 80:82, 12:] = 1.0
    moved = (encoder({"log_mel": sound}).logits - before).abs().amax(-1)[0] > 1e-7
    steps = moved.nonzero()[:, 0]
    assert (int(steps.min()), int(steps.max())) == (31, 49)


def test_contacts_are_the_shares_of_their_phones() -> None:
    torch.manual_seed(0)
    content = PhoneContent(PhoneContentConfig(encoder=SMALL, width=8), 6, dropout=0.5)
    sound = {"log_mel": _sound(5)}
    features, contacts, lingual, path = content.eval()(sound)
    assert features.shape == (2, 5, 6)
    shares = content.encoder(sound).logits.softmax(-1)
    lips = sum(shares[..., SYMBOLS.index(symbol)] for symbol in "PBM")
    teeth = sum(shares[..., SYMBOLS.index(symbol)] for symbol in "FV")
    assert contacts is not None
    wanted = torch.stack([lips, teeth], -1).reshape(2, 5, STEPS_PER_FRAME, 2).amax(2)
    assert torch.allclose(contacts, wanted, atol=1e-6)
    assert lingual is not None and lingual.shape == (2, 5 * STEPS_PER_FRAME, 4)
    assert path is not None and path.shape[:2] == (2, 5 * STEPS_PER_FRAME)
    for sound_of_tongue, symbols in zip(lingual.unbind(-1), LINGUALS, strict=True):
        wanted = sum(shares[..., SYMBOLS.index(symbol)] for symbol in symbols)
        assert torch.allclose(sound_of_tongue, wanted, atol=1e-6)


def test_the_encoder_of_a_generator_stays_as_it_was_trained() -> None:
    content = PhoneContent(PhoneContentConfig(encoder=SMALL, width=8), 6, dropout=0.5).train()
    assert not content.encoder.training
    content({"log_mel": _sound()}).features.sum().backward()
    assert all(value.grad is None for value in content.encoder.parameters())
    assert content.inward.weight.grad is not None
