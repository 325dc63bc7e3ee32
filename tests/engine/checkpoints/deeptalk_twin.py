"""DEEPTalk's forward pass from the official tensors under their official names, with torch's own layers.

Written from the architecture alone, sharing no layer with ours. The two speech encoders have twins of their
own elsewhere, so their outputs are given. Axis names: `batch`, `frames`, `steps` (50 Hz), `width`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig

State = dict[str, Tensor]


class Made(NamedTuple):
    """What the generator says, with the likeliest codes taken."""

    top: Tensor
    bottom: Tensor
    coeffs: Tensor


def below(state: State, prefix: str) -> State:
    return {
        key.removeprefix(f"{prefix}."): value for key, value in state.items() if key.startswith(f"{prefix}.")
    }


def speech_gaussian(dee: State, config: DeeConfig, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of emotion2vec's `steps`."""
    return _gaussian(below(dee, "audio_encoder"), "audio", config.heads, steps)


def motion_gaussian(dee: State, fer: State, config: DeeConfig, coeffs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of a motion."""
    x = _linear(fer, "in_fc", coeffs)
    last = config.expression.feature_layer - 1
    for index in range(last + 1):
        x = _linear(fer, f"hidden_layers.{index}", F.leaky_relu(x, 0.01))
    half = below(dee, "exp_encoder")
    return _gaussian(half, "exp", config.heads, _linear(half, "exp_map", x))


def generate(state: State, config: DeepTalkConfig, content: Tensor, emotion: Tensor, speaker: int) -> Made:
    """`content` is wav2vec 2.0's output at 25 fps, `emotion` the mean or a draw."""
    batch, frames, _ = content.shape
    rest = below(state, "sequence_decoder")
    heads = config.heads
    identity = F.one_hot(torch.full((batch,), speaker), config.identity).float()
    style = torch.cat([_linear(rest, "emotion_map_layer", emotion), identity], dim=-1)
    style = _linear(rest, "condition_feature_layer", style)[:, None].expand(-1, frames, -1)
    x = torch.cat([_linear(state, "sequence_encoder.linear", content), style], dim=-1)
    x = _attend(below(rest, "bert_decoder"), heads, x, _bias(heads, frames, period=25), "gelu")
    x = _linear(rest, "decoder", x)

    prior = below(rest, "motion_prior")
    top = _predict(below(rest, "squasher_2_t"), heads, x.reshape(batch, frames // 4, -1))
    vectors_top = prior["quantize_t.codebook.weight"][top.argmax(-1)]
    decoded = _expand(below(prior, "decoder_t"), config.prior.heads, vectors_top)
    pairs = torch.cat([x.reshape(batch, frames // 2, -1), decoded], dim=-1)
    bottom = _predict(below(rest, "squasher_2_b_2"), heads, pairs)
    vectors_bottom = prior["quantize_b.codebook.weight"][bottom.argmax(-1)]
    return Made(top, bottom, _decode(prior, config.prior.heads, vectors_top, vectors_bottom))


def _decode(prior: State, heads: int, top: Tensor, bottom: Tensor) -> Tensor:
    up = F.conv_transpose1d(
        top.mT, prior["upsample_t.weight"], prior["upsample_t.bias"], stride=2, padding=1
    ).mT
    x = _expand(below(prior, "decoder_b"), heads, torch.cat([up, bottom], dim=-1))
    smooth = below(prior, "decoder_b.cross_smooth_layer")
    return F.conv1d(x.mT, smooth["weight"], smooth["bias"], padding=2).mT


def _expand(decoder: State, heads: int, x: Tensor) -> Tensor:
    conv, norm = below(decoder, "expander.0.0"), below(decoder, "expander.0.2")
    x = F.conv_transpose1d(x.mT, conv["weight"], conv["bias"], stride=2, padding=2, output_padding=1)
    x = F.leaky_relu(x, 0.2)
    x = F.batch_norm(x, norm["running_mean"], norm["running_var"], norm["weight"], norm["bias"]).mT
    x = _linear(decoder, "decoder_linear_embedding", x)
    return _attend(below(decoder, "decoder_transformer"), heads, x, _bias(heads, x.shape[1]), "gelu")


def _predict(squasher: State, heads: int, x: Tensor) -> Tensor:
    x = _linear(squasher, "pre_linear", x)
    x = _attend(below(squasher, "encoder"), heads, x, _bias(heads, x.shape[1]), "gelu")
    return _linear(squasher, "post_linear", x)


def _gaussian(half: State, name: str, heads: int, x: Tensor) -> tuple[Tensor, Tensor]:
    steps = x.shape[1]
    x = x + half[f"{name}_pos_encoder.pos_enc"][:, :steps]
    x = _attend(below(half, f"{name}_encoder"), heads, x, None, "relu")
    mean = _attend(below(half, f"{name}_mean_encoder"), heads, x, None, "relu")
    mean = _pool(below(half, "mean_pool"), _linear(half, "mean_feature_map", mean))
    deviation = _attend(below(half, f"{name}_uncertainty_encoder"), heads, x, None, "relu")
    log_variance = _pool(below(half, "std_pool"), _linear(half, "std_feature_map", deviation))
    return mean / (mean.square().sum(-1, keepdim=True).sqrt() + 1e-8), log_variance


def _pool(pool: State, x: Tensor) -> Tensor:
    steps = torch.arange(x.shape[1], dtype=torch.float64)[:, None]
    rates = 10_000.0 ** (-torch.arange(0, 32, 2, dtype=torch.float64) / 32)
    code = torch.zeros(1, x.shape[1], 32)
    code[0, :, 0::2], code[0, :, 1::2] = (steps * rates).sin().float(), (steps * rates).cos().float()
    gru = nn.GRU(32, 32, batch_first=True, bidirectional=True)
    gru.load_state_dict(below(pool, "gru"))
    out, _ = gru(code)
    scores = F.linear((out[..., :32] + out[..., 32:]) / 2, pool["linear.weight"])
    weights = (scores / 0.1).softmax(dim=1)
    return (x.sort(dim=1, descending=True).values * weights).sum(dim=1)


def _attend(stack: State, heads: int, x: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    feedforward, width = stack["layers.0.linear1.weight"].shape
    layer = nn.TransformerEncoderLayer(
        width, heads, feedforward, dropout=0.0, activation=activation, batch_first=True
    )
    count = 1 + max(int(key.split(".")[1]) for key in stack)
    # In train mode, but without dropout: in evaluation PyTorch's fast path takes additive masks for Booleans.
    encoder = nn.TransformerEncoder(layer, count, enable_nested_tensor=False).train()
    encoder.load_state_dict(stack)
    return encoder(x, mask=None if bias is None else bias.repeat(len(x), 1, 1))


def _bias(heads: int, length: int, period: int = 1) -> Tensor:
    """What attention loses by distance; `heads` is a power of two."""
    slopes = 2.0 ** (-8 / heads * torch.arange(1, heads + 1))
    steps = torch.arange(length)
    return -slopes[:, None, None] * ((steps[:, None] - steps).abs() // period)


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])
