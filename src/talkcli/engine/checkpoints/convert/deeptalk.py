"""Layouts of DEEPTalk's four official files: names and shapes of their tensors, and the names in talk.

Source: the modules of the released code, whose strict loading requires exactly these tensors. `DEEPTalk.pth`
also holds the embedding (its speech branch twice) and the motion prior; only the expression classifier FER is
always a separate file.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.emotion2vec import emotion2vec
from talkcli.engine.checkpoints.convert.layout import (
    Entry,
    Layout,
    affine,
    batch_norm,
    copied,
    gru,
    same,
    transformer,
    transformer_layer,
    under,
    weight,
)
from talkcli.engine.checkpoints.convert.wav2vec2 import wav2vec2
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FER_CLASSES, FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.nn.transformer import sinusoids
from talkcli.engine.types import Config

Part = TypeVar("Part", bound=Config)

# Names of the files, as the authors give them.
DEE_FILE = "DEE.pt"
FER_FILE = "FER.pth"
VQ_FILE = "TH-VQVAE.pth"
GEN_FILE = "DEEPTalk.pth"

# Paths of the files in the released code's config, from its root; the download names FER's file differently.
PLACES = {
    DEE_FILE: f"DEE/checkpoint/{DEE_FILE}",
    FER_FILE: "FER/checkpoint/best_model.pth",
    VQ_FILE: f"DEEPTalk/checkpoint/TH-VQVAE/{VQ_FILE}",
    GEN_FILE: f"DEEPTalk/checkpoint/DEEPTalk/{GEN_FILE}",
}

# Prefixes of the other files' tensors in DEEPTalk.pth.
_DEE = "sequence_decoder.DEE"
_PRIOR = "sequence_decoder.motion_prior"
PARTS_OF_GENERATOR = {DEE_FILE: f"{_DEE}.", VQ_FILE: f"{_PRIOR}."}

# Emotions and levels before the identity in the condition vector; only the width of an unused layer needs it.
_CONDITIONS = 8 + 3
# Steps of emotion2vec per frame of motion.
_STEPS_PER_FRAME = 2


def layouts(method: str, config: Any, num_values: int = len(FLAME)) -> dict[str, Layout]:
    """Return the layouts of the official files that together hold a model of `method`, by file name.

    The names in talk are those in a model of `method` and `config`, for `num_values` numbers a frame. Raises
    InputError when the model has other parts or sizes than the released one.
    """
    if num_values != len(FLAME):
        raise InputError(f"The official release has {len(FLAME)} coefficients, this model has {num_values}.")
    if method == "fer":
        return {FER_FILE: fer(config)}
    if method == "th_vqvae":
        return {VQ_FILE: th_vqvae(config)}
    if method == "dee":
        return {DEE_FILE: dee(config), FER_FILE: under("", "fer", fer(_seeing(config)))}
    if method == "deeptalk":
        return {GEN_FILE: deeptalk(config), FER_FILE: under("", "dee.fer", fer(_seeing(config.dee)))}
    raise InputError(f"The official release has no model of {method}.")


def beyond(method: str) -> dict[str, Tensor]:
    """Return the tensors of a model of `method` that its official files lack: a scaling that is the identity,
    and flags that say that its codebooks are initialised.
    """
    if method not in ("th_vqvae", "deeptalk"):
        return {}
    prior = "prior." if method == "deeptalk" else ""
    return {
        f"{prior}motion_scale.mean": torch.zeros(len(FLAME)),
        f"{prior}motion_scale.deviation": torch.ones(len(FLAME)),
        f"{prior}quantizer_top.started": torch.tensor(True),
        f"{prior}quantizer_bottom.started": torch.tensor(True),
    }


def fer(config: FerConfig) -> Layout:
    """Return the layout of FER.pth."""
    first, *others = config.hidden
    return [
        *under("in_fc", "layers.0", affine(first, len(FLAME))),
        *(
            entry
            for index, width in enumerate(others)
            for entry in under(
                f"hidden_layers.{index}", f"layers.{index + 1}", affine(width, config.hidden[index])
            )
        ),
        *under("out_fc", "output", affine(len(FER_CLASSES), config.hidden[-1])),
        *(
            entry
            for index, width in enumerate(config.hidden)
            for entry in under(f"bn_layers.{index}", f"norms.{index}", batch_norm(width))
        ),
    ]


def dee(config: DeeConfig) -> Layout:
    """Return the layout of DEE.pt. talk computes the position codes `pos_enc` instead of reading them."""
    window = config.window
    hearing = _released(Emotion2vecConfig, "speech", config.speech)
    seeing = _seeing(config)
    speech = [
        *under("embedding_model", "audio_stem.encoder", emotion2vec(hearing)),
        *_emotion_encoder("audio", "audio_encoder", config.audio_width, config.audio_layers, config),
        _positions("audio_pos_encoder", _STEPS_PER_FRAME * window, config.audio_width),
    ]
    motion = [
        *under("exp_map", "motion_stem", affine(config.motion_width, seeing.hidden[seeing.feature_layer])),
        _positions("exp_pos_encoder", window, config.motion_width),
        *_emotion_encoder("exp", "motion_encoder", config.motion_width, config.motion_layers, config),
    ]
    return [
        *under("audio_encoder", "", speech),
        *under("exp_encoder", "", motion),
        Entry("criterion.shift", (1,), "similarity_shift"),
        Entry("criterion.negative_scale", (1,), "similarity_scale"),
    ]


def th_vqvae(config: ThVqvaeConfig) -> Layout:
    """Return the layout of TH-VQVAE.pth."""
    width, feedforward = config.width, config.feedforward

    def encoder(inputs: int) -> Layout:
        return [
            *under("squasher.0.0", "conv", affine(width, inputs, 5)),
            *under("squasher.0.2", "norm", batch_norm(width)),
            *under("encoder_transformer", "attention", transformer(1, width, feedforward)),
            *under("encoder_linear_embedding.net", "linear", affine(width, width)),
        ]

    def decoder(width: int, feedforward: int) -> Layout:
        return [
            *under("expander.0.0", "conv", affine(width, width, 5)),
            *under("expander.0.2", "norm", batch_norm(width)),
            *under("decoder_transformer", "attention", transformer(1, width, feedforward)),
            *under("decoder_linear_embedding", "linear", affine(width, width)),
        ]

    def quantizer(width: int) -> Layout:
        return [
            Entry("ema_count", (config.codes,), "ema_count"),
            Entry("ema_weight", (config.codes, width), "ema_sum"),
            Entry("codebook.weight", (config.codes, width), "codebook"),
        ]

    return [
        *under("encoder_b", "encoder_bottom", encoder(len(FLAME))),
        *under("encoder_t", "encoder_top", encoder(width)),
        *under("upsample_t", "upsample_top", affine(width, width, 4)),
        *under("decoder_t", "decoder_top", decoder(width, feedforward)),
        *under("decoder_b", "decoder_bottom", decoder(3 * width, config.decoder_feedforward)),
        # The released code computes this layer and discards its output.
        *under("decoder_b.post_transformer_linear", None, affine(3 * width, 3 * width)),
        *under("decoder_b.cross_smooth_layer", "smooth", affine(len(FLAME), 3 * width, 5)),
        *under("quantize_t", "quantizer_top", quantizer(width)),
        *under("quantize_b", "quantizer_bottom", quantizer(2 * width)),
    ]


def deeptalk(config: DeepTalkConfig) -> Layout:
    """Return the layout of DEEPTalk.pth."""
    width = config.width
    prior = _released(ThVqvaeConfig, "prior", config.prior)
    content = _released(Wav2vec2Config, "content", config.content)
    embedding = under(_DEE, "dee", dee(config.dee))

    def predictor(official: str, ours: str, inputs: int) -> Layout:
        inner = config.predictor_width
        return under(
            f"sequence_decoder.{official}",
            ours,
            [
                *under("pre_linear", "inward", affine(inner, inputs)),
                *under("encoder", "transformer", transformer(config.predictor_layers, inner, inner)),
                *under("post_linear", "outward", affine(prior.codes, inner)),
            ],
        )

    return [
        *under("audio_model.model", "content.encoder.model", wav2vec2(content)),
        *under("sequence_encoder.linear", "content.linear", affine(width, content.width)),
        *under("sequence_decoder.obj_vector.map", None, affine(width, _CONDITIONS + config.identity)),
        *under("sequence_decoder.bert_decoder", "features", transformer(1, 2 * width, config.feedforward)),
        *under("sequence_decoder.decoder", "narrow", affine(width, 2 * width)),
        *under(_PRIOR, "prior", th_vqvae(prior)),
        *predictor("squasher_2_b_2", "predictors.1", 2 * width + prior.width),
        *predictor("squasher_2_t", "predictors.0", 4 * width),
        *embedding,
        *copied("sequence_decoder.DEE_audio", f"{_DEE}.audio_encoder", embedding),
        *under("sequence_decoder.emotion_map_layer", "emotion", affine(width, config.dee.embedding)),
        *under("sequence_decoder.condition_feature_layer", "style", affine(width, width + config.identity)),
    ]


def _seeing(config: DeeConfig) -> FerConfig:
    return _released(FerConfig, "expression", config.expression)


def _released(kind: type[Part], name: str, part: Any) -> Part:
    if not isinstance(part, kind):
        raise InputError(
            f"The model's {name} is {part.kind}, which the official code does not have.",
            hint="Only a model with the released parts can be converted to the official files.",
        )
    return part


def _positions(module: str, steps: int, width: int) -> Entry:
    return Entry(f"{module}.pos_enc", (1, steps, width), codes=lambda: sinusoids(steps, width)[None])


def _emotion_encoder(official: str, ours: str, width: int, layers: int, config: DeeConfig) -> Layout:
    """Return the layout of one branch of DEE. The released modules also keep, unused, the layers from which
    they cloned its three stacks.
    """
    template = transformer_layer(width, config.feedforward)

    def stack(name: str, template_name: str, where: str, layers: int) -> Layout:
        return [
            *under(f"{official}_{template_name}", None, template),
            *under(f"{official}_{name}", f"{ours}.{where}", transformer(layers, width, config.feedforward)),
        ]

    heads = {"std": "log_variance", "mean": "mean"}
    pool = [*same("gru", gru(32, 32)), *same("linear", weight(1, 32))]
    return [
        *stack("encoder", "encoder_layer", "transformer", layers),
        *stack("mean_encoder", "mean_layer", "mean.transformer", 1),
        *stack("uncertainty_encoder", "uncertainty_layer", "log_variance.transformer", 1),
        *(
            entry
            for name, head in heads.items()
            for entry in under(
                f"{name}_feature_map", f"{ours}.{head}.project", affine(config.embedding, width)
            )
        ),
        *(
            entry
            for name in ("mean", "std")
            for entry in under(f"{name}_pool", f"{ours}.{heads[name]}.pool", pool)
        ),
    ]
