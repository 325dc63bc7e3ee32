"""Kept features: the encoder's own, once per clip, and new ones whenever anything is different."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from talkcli.engine.audio.ear import Ear, Waveform, cut
from talkcli.engine.audio.emotion2vec import Emotion2vec, Emotion2vecConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.train.batches import BatchConfig, Batches, prepare
from talkcli.engine.train.cache import Encoder, TrunkEar, cached_ears
from talkcli.engine.types import Silent
from tests.engine.fakes import fake_clip

FRAMES = 20


def _wav2vec2(**how: object) -> Wav2vec2:
    torch.manual_seed(0)
    sizes = {"width": 32, "layers": 1, "heads": 2, "feedforward": 32, "channels": 16}
    return Wav2vec2(Wav2vec2Config(**{**sizes, "position_kernel": 8, "position_groups": 2, **how})).eval()


def _emotion2vec(**how: object) -> Emotion2vec:
    torch.manual_seed(0)
    sizes = {"width": 32, "prenet": 1, "depth": 2, "heads": 2, "feedforward": 32, "channels": 16}
    more = {"position_kernel": 3, "position_groups": 2, "positions": 1, "frozen_blocks": 1}
    return Emotion2vec(Emotion2vecConfig(**{**sizes, **more, **how})).eval()


def _samples(seed: int = 0) -> Tensor:
    return torch.from_numpy(fake_clip(seed, FRAMES).speech.samples)[None]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


@pytest.mark.parametrize(
    "encoder", [_wav2vec2(), _wav2vec2(frozen="convolutions"), _emotion2vec()], ids=["all", "part", "emotion"]
)
def test_kept_steps_are_the_trunks(encoder: Encoder, tmp_path: Path) -> None:
    ear = TrunkEar(encoder, tmp_path)
    assert isinstance(ear, Ear)
    first = ear(_samples())
    assert first.shape == (1, ear.prefix + FRAMES * ear.steps_per_frame, ear.num_channels)
    with torch.no_grad():
        trunk = encoder.trunk(_samples())
    torch.testing.assert_close(first[:, : trunk.shape[1]].float(), trunk, rtol=1e-3, atol=1e-4)
    # From the disk it is the same, and the encoder is not asked.
    asked: list[int] = []
    encoder.trunk, real = (lambda samples: asked.append(1)), encoder.trunk
    assert torch.equal(ear(_samples()), first)
    encoder.trunk = real
    assert not asked
    assert len(_entries(tmp_path)) == 1


def test_windows_are_cut_with_the_extra_tokens(tmp_path: Path) -> None:
    ear = TrunkEar(_emotion2vec(), tmp_path)
    whole = ear(_samples())
    window = cut({"emotion2vec": whole}, {"emotion2vec": ear}, FRAMES - 5, FRAMES)["emotion2vec"]
    assert torch.equal(window, torch.cat([whole[:, :10], whole[:, -10:]], dim=1))


def test_other_samples_weights_or_settings_are_other_entries(tmp_path: Path) -> None:
    plain = TrunkEar(_wav2vec2(), tmp_path)
    plain(_samples())
    plain(_samples(1))
    changed = _wav2vec2()
    with torch.no_grad():
        next(iter(changed.parameters())).mul_(1.01)
    TrunkEar(changed, tmp_path)(_samples())
    TrunkEar(_wav2vec2(normalise="none"), tmp_path)(_samples())
    assert len(_entries(tmp_path)) == 4
    # What is trained does not count.
    part = _wav2vec2(frozen="convolutions")
    before = TrunkEar(part, tmp_path).folder
    nn.init.zeros_(part.model.encoder.feature_projection.projection.bias)
    assert TrunkEar(part, tmp_path).folder == before


@pytest.mark.parametrize("damage", ["cut", "flip", "other"])
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: str) -> None:
    ear = TrunkEar(_wav2vec2(), tmp_path)
    first = ear(_samples())
    (path,) = _entries(tmp_path)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-9:]
    elif damage == "flip":
        data[-9] ^= 1
    else:
        data[:] = b"something else"
    path.write_bytes(data)
    assert torch.equal(ear(_samples()), first)
    assert path.read_bytes() != bytes(data)


def test_masks_in_training_leave_the_entries_as_they_are(tmp_path: Path) -> None:
    plain, masked = (_wav2vec2(frozen="convolutions", mask_share=share) for share in (0.0, 0.05))
    assert TrunkEar(plain, tmp_path).folder == TrunkEar(masked, tmp_path).folder


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be stored in .*file"):
        TrunkEar(_wav2vec2(), tmp_path / "file")(_samples())


def test_without_writing_entries_are_only_read(tmp_path: Path) -> None:
    model, samples = nn.ModuleDict({"a": _wav2vec2()}), _samples()
    (reader,) = cached_ears(model, {}, tmp_path, writes=False).values()
    first = reader(samples)
    assert not _entries(tmp_path)
    (writer,) = cached_ears(model, {}, tmp_path).values()
    assert torch.equal(writer(samples), first)
    model["a"].trunk = None
    assert torch.equal(reader(samples), first)


def test_trunks_stand_in_for_the_waveform(tmp_path: Path) -> None:
    model = nn.ModuleDict({"a": _wav2vec2(), "b": _emotion2vec()})
    ears = cached_ears(model, {"waveform": Waveform()}, tmp_path)
    assert set(ears) == {"wav2vec2", "emotion2vec"}
    config = BatchConfig(size=3, frames=8, speech_frames=4)
    examples = prepare([fake_clip(0, FRAMES)], ears, config, speakers=(), copies=0, seed=0, reporter=Silent())
    batch = Batches(training=examples, validation=examples, ears=ears, config=config, seed=0).at(0)
    assert batch.sound["wav2vec2"].shape == (3, 4, 32)
    assert batch.sound["emotion2vec"].shape == (3, 10 + 8, 32)
    assert batch.sound["emotion2vec"].dtype == torch.float32


def test_two_encoders_of_a_kind_have_trunks_of_their_own(tmp_path: Path) -> None:
    model = nn.ModuleDict({"a": _wav2vec2(), "b": _wav2vec2(layers=2)})
    ears = cached_ears(model, {"waveform": Waveform()}, tmp_path)
    assert set(ears) == {"wav2vec2:a", "wav2vec2:b"}
    samples = torch.from_numpy(fake_clip(0, FRAMES).speech.samples)[None]
    one, other = (ear(samples) for ear in ears.values())
    assert not torch.equal(one, other)


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no speech encoder"):
        cached_ears(nn.Linear(1, 1), {}, tmp_path)
    with pytest.raises(UsageError, match="output of frozen layers"):
        cached_ears(_wav2vec2(frozen="none"), {}, tmp_path)
