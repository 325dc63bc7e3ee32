"""The transformer against torch's own layer, and position codes."""

import torch
from torch import nn

from talkcli.engine.nn.transformer import TransformerLayer, sinusoids


def test_layer_equals_torch() -> None:
    torch.manual_seed(0)
    ours = TransformerLayer(16, heads=4, feedforward=32, dropout=0.1).eval()
    theirs = nn.TransformerEncoderLayer(16, 4, 32, 0.1, "gelu", batch_first=True).eval()
    pairs = {
        "self_attn.in_proj_": ours.project_in,
        "self_attn.out_proj.": ours.project_out,
        "linear1.": ours.expand,
        "linear2.": ours.contract,
        "norm1.": ours.norm_attention,
        "norm2.": ours.norm_feedforward,
    }
    theirs.load_state_dict(
        {
            f"{prefix}{part}": getattr(layer, part)
            for prefix, layer in pairs.items()
            for part in ("weight", "bias")
        }
    )
    x, bias = torch.randn(2, 7, 16), torch.randn(4, 7, 7)
    assert torch.allclose(ours(x, bias), theirs(x, bias.repeat(2, 1, 1)), atol=1e-5)


def test_sinusoids() -> None:
    code = sinusoids(50, 8)
    assert code[0].tolist() == [0, 1] * 4
    assert torch.allclose(code[:, 0], torch.arange(50).sin())
