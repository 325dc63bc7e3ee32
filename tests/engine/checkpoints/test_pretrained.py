"""Every spelling of the published weights fills our encoders; what does not fit is named."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor
from torchaudio.models import wav2vec2_model

from talkcli.engine.audio.emotion2vec import Emotion2vec, Emotion2vecConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.checkpoints.pretrained import (
    emotion2vec_to_ours,
    load_emotion2vec,
    load_wav2vec2,
    wav2vec2_to_ours,
)
from talkcli.engine.errors import InputError

TINY = Wav2vec2Config(
    width=16, layers=2, heads=2, feedforward=24, channels=8, position_kernel=6, position_groups=2
)
TINY_EMOTION = Emotion2vecConfig(
    width=24, prenet=1, depth=2, heads=12, feedforward=32, channels=8, position_kernel=3, position_groups=2,
    positions=2, frozen_blocks=1,
)  # fmt: skip
State = dict[str, Tensor]


def theirs(head: bool = False) -> transformers.PreTrainedModel:
    kind = transformers.Wav2Vec2ForCTC if head else transformers.Wav2Vec2Model
    torch.manual_seed(0)
    return kind(
        transformers.Wav2Vec2Config(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
            conv_dim=(8,) * 7, num_conv_pos_embeddings=6, num_conv_pos_embedding_groups=2, vocab_size=5,
        )
    )  # fmt: skip


def below(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def huggingface(ours: State) -> State:
    """The keys of our encoder under Hugging Face's names."""
    bare = {key.removeprefix("model."): value for key, value in ours.items()}
    return {
        key.replace("encoder.transformer.", "encoder.").replace("encoder.feature_", "feature_"): value
        for key, value in bare.items()
    }


def legacy(state: State) -> State:
    spell = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, old in spell.items():
        state = {key.replace(new, old): value for key, value in state.items()}
    return state


# Fairseq's name of every tensor, written out once more, from the table of the conversion in both directions.
FAIRSEQ_LAYER = {
    "attention.k_proj": "self_attn.k_proj", "attention.v_proj": "self_attn.v_proj",
    "attention.q_proj": "self_attn.q_proj", "attention.out_proj": "self_attn.out_proj",
    "layer_norm": "self_attn_layer_norm", "feed_forward.intermediate_dense": "fc1",
    "feed_forward.output_dense": "fc2", "final_layer_norm": "final_layer_norm",
}  # fmt: skip


def fairseq(state: State) -> State:
    """Hugging Face's old spelling to fairseq's."""
    names = {f"feature_extractor.conv_layers.{n}.conv.weight": f"feature_extractor.conv_layers.{n}.0.weight"
             for n in range(7)}  # fmt: skip
    for part in ("weight", "bias"):
        names[f"feature_extractor.conv_layers.0.layer_norm.{part}"] = (
            f"feature_extractor.conv_layers.0.2.{part}"
        )
        names[f"feature_projection.layer_norm.{part}"] = f"layer_norm.{part}"
        names[f"feature_projection.projection.{part}"] = f"post_extract_proj.{part}"
        names[f"encoder.layer_norm.{part}"] = f"encoder.layer_norm.{part}"
        for layer in range(2):
            for ours, old in FAIRSEQ_LAYER.items():
                names[f"encoder.layers.{layer}.{ours}.{part}"] = f"encoder.layers.{layer}.{old}.{part}"
    for part in ("bias", "weight_g", "weight_v"):
        names[f"encoder.pos_conv_embed.conv.{part}"] = f"encoder.pos_conv.0.{part}"
    names["masked_spec_embed"] = "mask_emb"
    return {names[key]: value for key, value in state.items()}


HEADS = {"proj.weight": torch.zeros(5, 16), "proj.bias": torch.zeros(5)}
PRETRAINING = {
    "quantizer.vars": torch.zeros(3),
    "project_q.weight": torch.zeros(2),
    "final_proj.bias": torch.zeros(2),
}
OTHERS = {"exp_encoder.exp_map.bias": torch.zeros(2), "criterion.shift": torch.zeros(1)}
SPELLINGS: dict[str, Callable[[State], State]] = {
    "hugging face": lambda state: state,
    "hugging face, before torch 2.1": legacy,
    "hugging face, with a head": lambda state: below("wav2vec2.", state) | {"lm_head.bias": torch.zeros(5)},
    "hugging face, old, with a head": lambda state: below("wav2vec2.", legacy(state)),
    "data parallel": lambda state: below("module.", state),
    "fairseq, pre-trained": lambda state: fairseq(legacy(state)) | PRETRAINING,
    "fairseq, fine-tuned": lambda state: below("w2v_encoder.w2v_model.", fairseq(legacy(state)))
    | below("w2v_encoder.", HEADS),
    "inside DEEPTalk.pth": lambda state: below("audio_model.model.", legacy(state)) | OTHERS,
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_wav2vec2_of_every_spelling_fills_ours(tmp_path: Path, spelling: str) -> None:
    source = theirs().state_dict()
    torch.save({"model": SPELLINGS[spelling](source), "args": argparse.Namespace(a=1)}, tmp_path / "a.pt")
    encoder = Wav2vec2(TINY)
    load_wav2vec2(encoder, tmp_path / "a.pt")
    assert_filled(encoder, source)


def assert_filled(encoder: Wav2vec2, source: State) -> None:
    back = huggingface(encoder.state_dict())
    assert back.keys() == source.keys() - {"masked_spec_embed"}
    assert all(torch.equal(back[key], source[key]) for key in back)


@pytest.mark.parametrize("head", [False, True])
def test_wav2vec2_is_read_from_a_folder_of_hugging_face(tmp_path: Path, head: bool) -> None:
    model = theirs(head)
    model.save_pretrained(tmp_path)
    encoder = Wav2vec2(TINY)
    load_wav2vec2(encoder, tmp_path)
    assert_filled(encoder, (model.wav2vec2 if head else model).state_dict())


def test_wav2vec2_is_read_from_torchaudio_with_and_without_a_head(tmp_path: Path) -> None:
    convolutions = [(8, 10, 5), *[(8, 3, 2)] * 4, *[(8, 2, 2)] * 2]
    bundle = wav2vec2_model(
        "group_norm", convolutions, False, 16, 0.1, 6, 2, 2, 2, 0.1, 24, 0.0, 0.1, False, 0.05, 29,
    )  # fmt: skip
    encoder = Wav2vec2(TINY)
    for state in (bundle.state_dict(), legacy(bundle.state_dict())):
        torch.save(state, tmp_path / "a.pth")
        load_wav2vec2(encoder, tmp_path / "a.pth")
        found = encoder.model.state_dict()
        assert all(
            torch.equal(found[key], value) for key, value in bundle.state_dict().items() if key in found
        )
        assert bundle.state_dict().keys() - found.keys() == {"aux.weight", "aux.bias"}


def test_our_keys_stay_and_legacy_keys_come_back() -> None:
    ours = Wav2vec2(TINY).state_dict()
    assert wav2vec2_to_ours(ours).keys() == ours.keys()
    old = legacy(huggingface(ours))
    assert {key for key in old if "weight_" in key} == {
        "encoder.pos_conv_embed.conv.weight_g",
        "encoder.pos_conv_embed.conv.weight_v",
    }
    assert wav2vec2_to_ours(old).keys() == ours.keys()


def test_what_does_not_fit_wav2vec2_is_named(tmp_path: Path) -> None:
    state = dict(theirs().state_dict())
    del state["encoder.layer_norm.bias"]
    state["encoder.layers.2.layer_norm.bias"] = torch.zeros(16)
    state["feature_projection.projection.bias"] = torch.zeros(17)
    save_file(state, tmp_path / "a.safetensors")
    before = {key: value.clone() for key, value in Wav2vec2(TINY).state_dict().items()}
    encoder = Wav2vec2(TINY)
    encoder.load_state_dict(before)
    with pytest.raises(InputError) as caught:
        load_wav2vec2(encoder, tmp_path / "a.safetensors")
    assert "missing model.encoder.transformer.layer_norm.bias" in caught.value.problem
    assert "unknown model.encoder.transformer.layers.2.layer_norm.bias" in caught.value.problem
    assert "projection.bias is (17,) instead of (16,)" in caught.value.problem
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())


def test_two_keys_for_one_tensor_are_refused() -> None:
    state = {
        "encoder.layer_norm.bias": torch.zeros(1),
        "model.encoder.transformer.layer_norm.bias": torch.ones(1),
    }
    with pytest.raises(InputError, match="twice"):
        wav2vec2_to_ours(state)


def published() -> State:
    """emotion2vec as fairseq saves it, with what only its pre-training needs."""
    torch.manual_seed(0)
    state = Emotion2vec(TINY_EMOTION).state_dict()
    audio = "modality_encoders.AUDIO.decoder."
    return state | {f"{audio}blocks.0.0.weight": torch.zeros(2), f"{audio}proj.bias": torch.zeros(2)}


EMOTION_SPELLINGS: dict[str, Callable[[State], State]] = {
    "fairseq": lambda state: state | {"_ema.blocks.0.norm1.bias": torch.zeros(1)},
    "fun asr, fine-tuned": lambda state: state | HEADS,
    "below d2v_model": lambda state: below("d2v_model.", state) | {"proj.bias": torch.zeros(9)},
    "data parallel": lambda state: below("module.", state),
    "inside DEE.pt": lambda state: below("audio_encoder.embedding_model.", state) | OTHERS,
}  # fmt: skip


@pytest.mark.parametrize("spelling", EMOTION_SPELLINGS)
def test_emotion2vec_of_every_spelling_fills_ours(tmp_path: Path, spelling: str) -> None:
    state = published()
    content = {"cfg": argparse.Namespace(a=1), "model": EMOTION_SPELLINGS[spelling](state)}
    torch.save(content, tmp_path / "model.pt")
    encoder = Emotion2vec(TINY_EMOTION)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.fill_(7)
    load_emotion2vec(encoder, tmp_path)
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())


def test_what_does_not_fit_emotion2vec_is_named(tmp_path: Path) -> None:
    state = published() | {"blocks.2.norm1.bias": torch.zeros(24), "extra": torch.zeros(1)}
    del state["modality_encoders.AUDIO.alibi_scale"]
    save_file(state, tmp_path / "a.safetensors")
    with pytest.raises(InputError) as caught:
        load_emotion2vec(Emotion2vec(TINY_EMOTION), tmp_path / "a.safetensors")
    listed = "missing modality_encoders.AUDIO.alibi_scale; unknown blocks.2.norm1.bias; unknown extra."
    assert caught.value.problem.endswith(f"emotion2vec: {listed}")


def test_emotion2vec_keys_are_the_published_ones() -> None:
    ours = Emotion2vec(TINY_EMOTION).state_dict()
    assert emotion2vec_to_ours(published()).keys() == ours.keys()
