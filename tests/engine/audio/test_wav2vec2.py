"""wav2vec 2.0: equal to the transformers package, at the face's rate, frozen where it says so."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.models.wav2vec2.modeling_wav2vec2 import _compute_mask_indices

from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config, _mask
from talkcli.engine.checkpoints.pretrained import wav2vec2_to_ours

TINY = Wav2vec2Config(
    width=32, layers=3, heads=4, feedforward=48, channels=16, position_kernel=10, position_groups=4
)
# In the manner of the large networks.
TINY_LARGE = TINY.model_copy(update={"layer_norm_first": True})


def huggingface(config: Wav2vec2Config, seed: int = 0) -> transformers.Wav2Vec2Model:
    """The network of the same sizes in the transformers package, with random weights."""
    torch.manual_seed(seed)
    model = transformers.Wav2Vec2Model(
        transformers.Wav2Vec2Config(
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=config.feedforward,
            conv_dim=(config.channels,) * 7,
            num_conv_pos_embeddings=config.position_kernel,
            num_conv_pos_embedding_groups=config.position_groups,
            do_stable_layer_norm=config.layer_norm_first,
            feat_extract_norm="layer" if config.layer_norm_first else "group",
            conv_bias=config.layer_norm_first,
        )
    ).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    for name, parameter in model.named_parameters():
        if "norm.weight" in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
    return model


def twins(config: Wav2vec2Config) -> tuple[Wav2vec2, transformers.Wav2Vec2Model]:
    """Ours and theirs with the same weights."""
    theirs = huggingface(config)
    ours = Wav2vec2(config).eval()
    ours.load_state_dict(wav2vec2_to_ours(theirs.state_dict()))
    return ours, theirs


class Resampled(nn.Module):
    """Convolutions whose output is interpolated, as FaceFormer and DEEPTalk change theirs."""

    def __init__(self, convolutions: nn.Module) -> None:
        super().__init__()
        self.convolutions = convolutions

    def forward(self, samples: Tensor) -> Tensor:
        features = self.convolutions(samples)
        frames = -(-features.shape[-1] // 2)
        return F.interpolate(features, frames, mode="linear", align_corners=True)


@pytest.mark.parametrize("config", [TINY, TINY_LARGE])
@pytest.mark.parametrize("frozen", ["all", "convolutions", "none"])
@pytest.mark.parametrize("samples", [400, 20_480, 31_111])
def test_features_are_those_of_transformers(config: Wav2vec2Config, frozen: str, samples: int) -> None:
    ours, theirs = twins(config.model_copy(update={"frozen": frozen}))
    theirs.feature_extractor = Resampled(theirs.feature_extractor)
    sound = torch.randn(2, samples) * torch.tensor([[0.01], [0.5]]) + 0.02
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    rows = [processor(row.numpy(), sampling_rate=16_000).input_values[0] for row in sound]
    values = torch.stack([torch.as_tensor(row) for row in rows])
    with torch.inference_mode():
        wanted = theirs(values).last_hidden_state
        found = ours(sound)
    assert wanted.std() > 0.1
    # Values reach 3; processors differ in the order of their sums.
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=0)


@pytest.mark.parametrize("config", [TINY, TINY_LARGE])
def test_features_are_those_of_torchaudio(config: Wav2vec2Config) -> None:
    ours = Wav2vec2(config.model_copy(update={"normalise": "none"})).eval()
    sound = torch.randn(2, 70_000)
    with torch.inference_mode():
        wanted, _ = ours.model.double()(sound.double())
        # With as many frames as there are steps, nothing is resampled.
        found = ours.float()(sound, frames=wanted.shape[1])
    assert wanted.std() > 0.1
    torch.testing.assert_close(found, wanted.float(), atol=1e-5, rtol=0)


def test_convolutions_are_those_of_transformers() -> None:
    ours, theirs = twins(TINY.model_copy(update={"normalise": "none", "frozen": "convolutions"}))
    theirs.feature_extractor = Resampled(theirs.feature_extractor)
    sound = torch.randn(2, 9_000)
    with torch.inference_mode():
        wanted = theirs.feature_extractor(sound).mT
        torch.testing.assert_close(ours.trunk(sound), wanted, atol=1e-5, rtol=0)


def test_the_batch_mode_is_what_the_processor_does_to_a_batch() -> None:
    ours, theirs = twins(TINY.model_copy(update={"normalise": "batch"}))
    theirs.feature_extractor = Resampled(theirs.feature_extractor)
    sound = torch.randn(2, 8_000) * torch.tensor([[0.1], [1.0]])
    processor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    values = processor(sound, sampling_rate=16_000, return_tensors="pt").input_values.reshape(2, -1)
    with torch.inference_mode():
        torch.testing.assert_close(ours(sound), theirs(values).last_hidden_state, atol=1e-5, rtol=0)
        alone = ours(sound[:1])
        assert not torch.allclose(ours(sound)[:1], alone, atol=1e-3)


def test_rows_do_not_depend_on_their_neighbours() -> None:
    ours, _ = twins(TINY)
    sound = torch.randn(2, 8_000) * torch.tensor([[0.1], [1.0]])
    with torch.inference_mode():
        torch.testing.assert_close(ours(sound)[:1], ours(sound[:1]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("normalise", ["utterance", "batch", "none"])
def test_silence_gives_numbers(normalise: str) -> None:
    ours, _ = twins(TINY.model_copy(update={"normalise": normalise}))
    assert ours(torch.zeros(2, 16_000)).isfinite().all()
    assert ours(torch.full((2, 16_000), 0.3)).isfinite().all()


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(20_480, 32), (23_040, 36), (16_000, 25), (32_000, 50), (640, 1), (399, 1), (0, 1)],
)
def test_one_frame_for_640_samples(samples: int, frames: int) -> None:
    assert Wav2vec2(TINY)(torch.randn(1, samples)).shape == (1, frames, 32)


@pytest.mark.parametrize(("frozen", "trains"), [("all", 0), ("convolutions", 57), ("none", 66)])
def test_only_what_is_not_frozen_trains(frozen: str, trains: int) -> None:
    ours = Wav2vec2(TINY.model_copy(update={"frozen": frozen})).train()
    result = ours(torch.randn(2, 3_000))
    assert sum(parameter.requires_grad for parameter in ours.parameters()) == trains
    assert result.requires_grad == (trains > 0)
    if trains:
        result.square().sum().backward()
    with_gradient = sum(parameter.grad is not None for parameter in ours.parameters())
    assert with_gradient == trains
    if frozen == "convolutions":
        assert all(p.grad is None for p in ours.model.feature_extractor.parameters())


def test_what_is_frozen_evaluates_while_the_rest_trains() -> None:
    sound = torch.randn(1, 6_000)
    whole = Wav2vec2(TINY).train()
    assert torch.equal(whole(sound), whole(sound))
    part = Wav2vec2(TINY.model_copy(update={"frozen": "convolutions"})).train()
    assert torch.equal(part.trunk(sound), part.trunk(sound))
    assert not torch.equal(part(sound), part(sound))
    part.eval()
    assert torch.equal(part(sound), part(sound))


def test_a_layer_that_is_left_out_has_a_gradient_of_zero() -> None:
    config = TINY.model_copy(update={"frozen": "convolutions", "layer_drop": 1.0})
    ours = Wav2vec2(config).train()
    ours(torch.randn(1, 3_000)).sum().backward()
    layer = ours.model.encoder.transformer.layers[0]
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in layer.parameters())


@pytest.mark.parametrize("frozen", ["all", "convolutions", "none"])
def test_forward_is_finish_of_trunk(frozen: str) -> None:
    ours = Wav2vec2(TINY.model_copy(update={"frozen": frozen})).eval()
    sound = torch.randn(1, 5_000)
    assert torch.equal(ours(sound), ours.finish(ours.trunk(sound)))


def test_the_base_network_has_the_published_size() -> None:
    with torch.device("meta"):
        tensors = Wav2vec2(Wav2vec2Config()).state_dict()
    masked_spec_embed = 768  # of the published tensors the one that only pre-training uses
    assert len(tensors) + 1 == 211
    assert sum(tensor.numel() for tensor in tensors.values()) + masked_spec_embed == 94_371_712


def test_the_large_network_has_the_published_size() -> None:
    config = Wav2vec2Config(
        width=1024, layers=24, heads=16, feedforward=4096, layer_norm_first=True, frozen="convolutions"
    )
    with torch.device("meta"):
        network = Wav2vec2(config)
    masked_spec_embed = 1024
    assert sum(tensor.numel() for tensor in network.state_dict().values()) + masked_spec_embed == 315_438_720
    frozen = [parameter for parameter in network.parameters() if not parameter.requires_grad]
    assert sum(parameter.numel() for parameter in frozen) == 4_210_176


def test_bfloat16_stays_close() -> None:
    ours, _ = twins(TINY)
    sound = torch.randn(1, 16_000)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = ours(sound)
    with torch.inference_mode():
        wanted = ours(sound)
    assert ((found - wanted).norm() / wanted.norm()).item() < 0.05


@pytest.mark.parametrize("field", ["heads", "position_groups"])
def test_sizes_that_do_not_fit_are_named(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Wav2vec2Config(**{field: 5})


def test_masks_fall_as_often_as_those_of_the_transformers_package() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    features = torch.zeros(8, 100, 1)
    ours = torch.stack([_mask(features, 0.3) for _ in range(200)]).float()
    theirs = np.stack(
        [_compute_mask_indices((8, 100), 0.3, 10, min_masks=2).astype(np.float32) for _ in range(200)]
    )
    assert abs(float(ours.mean()) - float(theirs.mean())) < 0.01
    assert abs(float(ours[..., :5].mean()) - float(theirs[..., :5].mean())) < 0.02
    few = _mask(features, 0.001)
    assert (few.sum(1) > 10).any()
    assert int(few.sum(1).max()) <= 20


@pytest.mark.parametrize("frames", [12, 15, 19, 25])
def test_short_sound_keeps_as_many_frames_as_in_the_transformers_package(frames: int) -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    ours = torch.stack([_mask(torch.zeros(8, frames, 1), 0.05) for _ in range(100)]).float().mean()
    theirs = np.mean([_compute_mask_indices((8, frames), 0.05, 10, min_masks=2) for _ in range(100)])
    assert abs(float(ours) - float(theirs)) < 0.02


@pytest.mark.parametrize("frames", [1, 9, 10, 11])
def test_short_sound_is_masked_without_an_error(frames: int) -> None:
    assert _mask(torch.zeros(2, frames, 3), 0.05).shape == (2, frames)


def test_training_masks_and_performing_does_not() -> None:
    config = TINY.model_copy(
        update={"mask_share": 0.5, "dropout": 0.0, "layer_drop": 0.0, "frozen": "convolutions"}
    )
    network, samples = Wav2vec2(config), torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    plain = Wav2vec2(config.model_copy(update={"mask_share": 0.0}))
    plain.load_state_dict(network.state_dict())
    torch.testing.assert_close(network.eval()(samples), plain.eval()(samples))
    assert not torch.allclose(network.train()(samples), plain.train()(samples))
    frozen = Wav2vec2(config.model_copy(update={"frozen": "all"})).train()
    torch.testing.assert_close(frozen(samples), frozen(samples))
