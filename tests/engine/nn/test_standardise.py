"""Channel scaling."""

import torch

from talkcli.engine.nn.standardise import Standardise


def test_round_trip_and_channels_that_stand_still() -> None:
    torch.manual_seed(0)
    data = torch.randn(200, 3) * torch.tensor([0.2, 1.0, 0.0]) + 4
    scale = Standardise(3)
    scale.fit(data)
    scaled = scale(data)
    assert torch.allclose(scaled[:, :2].std(0), torch.ones(2), atol=1e-4)
    assert scaled[:, 2].abs().max() < 1e-4
    assert torch.allclose(scale.undo(scaled), data, atol=1e-5)
