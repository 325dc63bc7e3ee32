"""Loaders of the published weights of wav2vec 2.0 and emotion2vec, in any of their naming schemes.

wav2vec 2.0 base, and HuBERT base, which is the same network: torchaudio's bundle, Hugging Face (bare or below
`wav2vec2.` with a CTC head, or `hubert.`, positional convolution as `weight_g`/`weight_v` or parametrised),
fairseq (pre-trained or fine-tuned), DEEPTalk.pth.
emotion2vec base: fairseq, FunASR, DEE.pt. The encoder has the same tensors in all of them, so the rules only
rename. The readers skip heads and tensors that only serve pre-training; any other missing, unknown or
misshapen tensor is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from talkcli.engine.audio.emotion2vec import Emotion2vec
from talkcli.engine.audio.wav2vec2 import Wav2vec2
from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.errors import InputError

# Prefixes of the encoder in files of a whole model.
_WAV2VEC2_PART = "audio_model.model."
_EMOTION2VEC_PART = "audio_encoder.embedding_model."

# Prefixes that the files put before the encoder's names.
_WAV2VEC2_WRAPPERS = re.compile(r"^(module\.|model\.|wav2vec2\.|hubert\.|w2v_encoder\.|w2v_model\.)+")
_EMOTION2VEC_WRAPPERS = re.compile(r"^(module\.|d2v_model\.)+")

# Names of the heads and of the parts that only pre-training uses.
_WAV2VEC2_UNUSED = re.compile(
    r"^(masked_spec_embed$|mask_emb$|lm_head\.|aux\.|proj\.|final_proj\.|quantizer\.|project_q\.|project_hid\."
    r"|projector\.|classifier\.|label_embs_concat$)"
)
_EMOTION2VEC_UNUSED = re.compile(r"^(_ema(\.|$)|decoder\.|modality_encoders\.AUDIO\.decoder\.|proj\.)")

# Rules that turn fairseq's names into Hugging Face's, and these into torchaudio's; all apply in this order.
_WAV2VEC2_RULES = [
    (r"^(feature_extractor\.conv_layers\.\d+)\.0\.(?=weight)", r"\1.conv."),
    (r"^(feature_extractor\.conv_layers\.0)\.2\.", r"\1.layer_norm."),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"^encoder\.pos_conv\.0\.", "encoder.pos_conv_embed.conv."),
    (r"^(encoder\.layers\.\d+)\.self_attn\.", r"\1.attention."),
    (r"^(encoder\.layers\.\d+)\.self_attn_layer_norm\.", r"\1.layer_norm."),
    (r"^(encoder\.layers\.\d+)\.fc1\.", r"\1.feed_forward.intermediate_dense."),
    (r"^(encoder\.layers\.\d+)\.fc2\.", r"\1.feed_forward.output_dense."),
    (r"^encoder\.(?=pos_conv_embed\.|layer_norm\.|layers\.)", "encoder.transformer."),
    (r"^feature_projection\.", "encoder.feature_projection."),
    (r"(?<=pos_conv_embed\.conv\.)weight_g$", "parametrizations.weight.original0"),
    (r"(?<=pos_conv_embed\.conv\.)weight_v$", "parametrizations.weight.original1"),
]


def wav2vec2_to_ours(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Map names of any scheme to the keys of `Wav2vec2.state_dict()`: `model.` and torchaudio's names.

    Unknown names stay, so that `load_wav2vec2` can report them. Raises InputError when two names mean one
    tensor.
    """
    ours = {}
    for key, name in _bare(state, _WAV2VEC2_PART, _WAV2VEC2_WRAPPERS, _WAV2VEC2_UNUSED).items():
        ours[key] = f"model.{_rename(name, _WAV2VEC2_RULES)}"
    return _renamed(state, ours)


def emotion2vec_to_ours(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Map names of any scheme to the keys of `Emotion2vec.state_dict()`, which are the published names.

    Raises InputError when two names mean the same tensor.
    """
    return _renamed(state, _bare(state, _EMOTION2VEC_PART, _EMOTION2VEC_WRAPPERS, _EMOTION2VEC_UNUSED))


def load_wav2vec2(encoder: Wav2vec2, path: Path, name: str = "wav2vec 2.0") -> None:
    """Load the file or folder `path` into `encoder`; raise an InputError that lists what does not fit.

    `name` is that of the network in the message: HuBERT has the same one.
    """
    state = wav2vec2_to_ours(read_state_dict(path))
    check_fit(state, encoder.state_dict(), f"{path} does not hold the weights of {name}")
    encoder.load_state_dict(state)


def load_emotion2vec(encoder: Emotion2vec, path: Path) -> None:
    """Load the file or folder `path` into `encoder`; raise an InputError that lists what does not fit."""
    state = emotion2vec_to_ours(read_state_dict(path))
    check_fit(state, encoder.state_dict(), f"{path} does not hold the weights of emotion2vec")
    encoder.load_state_dict(state)


def _bare(
    state: Mapping[str, Tensor], part: str, wrappers: re.Pattern[str], unused: re.Pattern[str]
) -> dict[str, str]:
    """Return the keys that belong to the encoder, each mapped to its name without prefixes."""
    below = [key for key in state if key.startswith(part)]
    names = {key: wrappers.sub("", key.removeprefix(part)) for key in below or state}
    return {key: name for key, name in names.items() if not unused.match(name)}


def _renamed(state: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    sources: dict[str, str] = {}
    for key, name in names.items():
        if name in sources:
            raise InputError(f"The file holds the tensor {name} twice: as {sources[name]} and as {key}.")
        sources[name] = key
    return {name: state[key] for name, key in sources.items()}


def _rename(name: str, rules: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
