"""The expression classifier and what DEE sees of it."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from talkcli.engine.device import seeded
from talkcli.engine.models.deeptalk.fer import FER_CLASSES, Fer, FerConfig
from talkcli.engine.types import EMOTIONS

PAPER = FerConfig(hidden=(256, 512, 1024, 512, 128), feature_layer=4, bypass_norms=False)


def _trained(config: FerConfig) -> Fer:
    """Random weights, with norms that have seen data of another mean and spread."""
    torch.manual_seed(0)
    fer = Fer(config)
    with torch.no_grad():
        for norm in fer.norms:
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 1.5)
    return fer.eval()


def test_released_sizes() -> None:
    fer = Fer(FerConfig())
    state = fer.state_dict()
    assert len(state) == 51
    assert sum(value.numel() for value in state.values()) == 1_379_535
    assert fer.feature_width == 128
    assert fer(torch.zeros(2, 5, 53)).shape == (2, 5, 8)


def test_paper_sizes() -> None:
    fer = Fer(PAPER)
    assert fer.feature_width == 128
    assert fer.features(torch.zeros(2, 5, 53)).shape == (2, 5, 128)


def test_classes_are_ours_in_affectnets_order() -> None:
    assert set(EMOTIONS) - set(FER_CLASSES) == {"calm"}
    assert FER_CLASSES[:4] == ("neutral", "happy", "sad", "surprise")


def test_the_classifier_is_linear_norm_leaky_relu_seven_times() -> None:
    fer = _trained(FerConfig(hidden=(9, 8, 7, 6, 5, 4, 3)))
    x = torch.randn(11, 53, generator=seeded(1))
    expected = x
    for layer, norm in zip(fer.layers, fer.norms, strict=True):
        expected = expected @ layer.weight.T + layer.bias
        expected = (expected - norm.running_mean) / (norm.running_var + 1e-5).sqrt() * norm.weight + norm.bias
        expected = torch.maximum(expected, 0.01 * expected)
    expected = expected @ fer.output.weight.T + fer.output.bias
    assert torch.allclose(fer(x), expected, atol=1e-5)


def test_released_features_pass_by_the_norms_and_the_last_activation() -> None:
    fer = _trained(FerConfig(hidden=(9, 8, 7, 6, 5, 4, 3), feature_layer=5))
    x = torch.randn(2, 3, 53, generator=seeded(1))
    expected = x
    for layer in fer.layers[:5]:
        expected = F.leaky_relu(expected @ layer.weight.T + layer.bias, 0.01)
    expected = expected @ fer.layers[5].weight.T + fer.layers[5].bias
    assert torch.allclose(fer.features(x), expected, atol=1e-6)
    assert (expected < 0).any()


def test_paper_features_are_the_classifiers_own() -> None:
    fer = _trained(FerConfig(hidden=(9, 8, 7), feature_layer=2, bypass_norms=False))
    x = torch.randn(4, 53, generator=seeded(1))
    assert torch.allclose(fer.output(fer.features(x)), fer(x))


def test_norms_see_the_frames_of_all_clips() -> None:
    torch.manual_seed(0)
    fer = Fer(FerConfig(hidden=(4,), feature_layer=0, dropout=0.0)).train()
    x = torch.randn(3, 5, 53, generator=seeded(1))
    logits = fer(x)
    assert torch.allclose(logits.flatten(0, 1), fer(x.flatten(0, 1)), atol=1e-6)
    assert not torch.allclose(logits[0], fer(x[0]), atol=1e-2)


def test_a_feature_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="feature_layer 2 is not one of the 2 layers"):
        FerConfig(hidden=(4, 4), feature_layer=2)
