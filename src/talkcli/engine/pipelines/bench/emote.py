"""EMOTE at its published size, and its algorithm in torch's and torchaudio's own layers.

Axis names: `samples` (16 kHz), `frames` (25 fps), `coeffs` = 53.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.models import Wav2Vec2Model

from talkcli.engine.audio.wav2vec2 import resample
from talkcli.engine.device import seeded
from talkcli.engine.models.content import Wav2vec2Content
from talkcli.engine.models.emote.emote import Emote
from talkcli.engine.models.emote.emote_config import EmoteConfig
from talkcli.engine.models.emote.flint import FRAMES_PER_LATENT
from talkcli.engine.nn.alibi import distance_bias
from talkcli.engine.nn.transformer import Transformer, TransformerLayer
from talkcli.engine.pipelines.bench.contest import Comparison, Contest
from talkcli.engine.types import SAMPLES_PER_FRAME, SPEECH_RATE_HZ

# Frames of the released tables of biases, which are made whole for every speech.
_TABLE = 1200


def contest(seconds: float) -> Contest:
    """Return EMOTE at its published size. The released algorithm makes all frames at once, as ours does, up
    to 48 s of speech; of longer speech these are compared.
    """
    model = _published()
    frames = min(round(seconds * SPEECH_RATE_HZ) // SAMPLES_PER_FRAME, _TABLE)
    samples = torch.randn(1, max(frames, 1) * SAMPLES_PER_FRAME, generator=seeded(0))
    return Contest(
        model=model,
        sizes="MEAD, as published",
        ways={"default": model.generate},
        comparison=Comparison(
            what=f"{max(frames, 1)} frames from speech to motion",
            ours=lambda: model.generate(samples),
            published=lambda: layer_by_layer(model, samples),
        ),
    )


@torch.inference_mode()
def layer_by_layer(model: Emote, samples: Float[Tensor, "1 samples"]) -> Float[Tensor, "1 frames coeffs"]:
    """Return the motion of a neutral first person by the released algorithm: torchaudio's wav2vec 2.0,
    torch's encoder layers, and biases cut from whole tables.
    """
    content_encoder, config = model.content, model.config
    assert isinstance(content_encoder, Wav2vec2Content)
    network = content_encoder.encoder.model
    assert isinstance(network, Wav2Vec2Model)
    normed = (samples - samples.mean()) / (samples.var(correction=0) + 1e-7).sqrt()
    steps, _ = network.feature_extractor(normed, None)
    heard = network.encoder(resample(steps, samples.shape[1] // SAMPLES_PER_FRAME), None)
    content = content_encoder.linear(heard)
    first = torch.tensor([0])
    style = model.style_of(first, first, first)[:, None].expand(-1, content.shape[1], -1)
    bias = distance_bias(config.heads, _TABLE, period=config.period)
    features = model.narrow(encoded(model.features, torch.cat([content, style], dim=-1), bias))
    latents = model.latents(features)

    decoder = model.prior
    expand = decoder.expand
    x = expand.norm(F.leaky_relu(expand.conv(latents.mT), 0.2))
    for step in expand.more:
        x = step(x).repeat_interleave(2, dim=2)
    x = encoded(expand.attention, expand.linear(x.mT), distance_bias(expand.heads, _TABLE))
    return decoder.smooth(decoder.projection(x).mT).mT[:, : content.shape[1]]


def encoded(
    ours: Transformer, x: Float[Tensor, "1 frames width"], table: Float[Tensor, "heads rows rows"]
) -> Float[Tensor, "1 frames width"]:
    """Return what torch's encoder with the weights of `ours` makes of `x`, with biases cut from a table."""
    for layer in ours.layers:
        assert isinstance(layer, TransformerLayer)
        width, inside = layer.project_in.in_features, layer.expand.out_features
        theirs = nn.TransformerEncoderLayer(
            width, layer.heads, inside, 0.0, activation="gelu", batch_first=True
        ).eval()
        pairs = {
            "self_attn.in_proj_": layer.project_in,
            "self_attn.out_proj.": layer.project_out,
            "linear1.": layer.expand,
            "linear2.": layer.contract,
            "norm1.": layer.norm_attention,
            "norm2.": layer.norm_feedforward,
        }
        theirs.load_state_dict(
            {name + key: value for name, part in pairs.items() for key, value in part.state_dict().items()}
        )
        # torch's quick path takes a mask of numbers for one of truth values.
        quick = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            x = theirs(x, src_mask=table[:, : x.shape[1], : x.shape[1]])
        finally:
            torch.backends.mha.set_fastpath_enabled(quick)
    return x


def _published() -> Emote:
    """Return a network of the published size with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Emote(EmoteConfig())
        for zero in (model.narrow, model.prior.projection):
            nn.init.normal_(zero.weight, std=FRAMES_PER_LATENT**-1)
    return model.eval()
