"""The pre-norm transformer, its shortcut for the last frames, and the norm over time."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from talkcli.engine.nn.pre_norm import PreNormTransformer, standardise_over_time


@pytest.mark.parametrize("last", [1, 3, 9])
def test_the_last_frames_are_those_of_all(last: int) -> None:
    torch.manual_seed(0)
    model = PreNormTransformer(8, layers=2, heads=2, feedforward=12).eval()
    x = torch.randn(2, 9, 8)
    torch.testing.assert_close(model(x, last), model(x)[:, -last:])


def test_scores_are_scaled_by_the_whole_width() -> None:
    torch.manual_seed(0)
    model = PreNormTransformer(8, layers=1, heads=2, feedforward=12)
    x = torch.randn(1, 5, 8)
    (layer,) = model.layers
    parts = layer.project_in(F.layer_norm(x, (8,))).chunk(3, dim=-1)
    query, key, value = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in parts)
    shares = (query @ key.mT / 8**0.5).softmax(-1)
    attended = x + layer.project_out((shares @ value).transpose(1, 2).flatten(2))
    inside = layer.expand(F.layer_norm(attended, (8,)))
    wanted = attended + layer.contract(F.gelu(inside, approximate="tanh"))
    torch.testing.assert_close(model(x), wanted)


def test_the_norm_over_time_is_torchs_and_takes_one_frame() -> None:
    x = torch.randn(2, 7, 5)
    torch.testing.assert_close(standardise_over_time(x), F.instance_norm(x.mT).mT)
    assert not standardise_over_time(x[:, :1]).any()
