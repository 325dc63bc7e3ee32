"""The published checkpoint of EmoTalk: one file, whose code loads it without comparing names.

Source: EmoTalk's released code, facts H.5 and its key list. Both encoders carry a head for words that nothing
uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.layout import Entry, Layout, affine, each, same, under
from talkcli.engine.checkpoints.convert.published import Choices, OfficialFile, Published
from talkcli.engine.checkpoints.convert.settings import flat
from talkcli.engine.checkpoints.convert.wav2vec2 import wav2vec2
from talkcli.engine.checkpoints.model_file import Meta
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ADA, ARKIT_BY_NAME
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig

# Name of the file in the authors' release.
FILE = "EmoTalk.pth"
# Emotions of the speech emotion model that the emotion branch starts from, in its order. Its configuration is
# not part of the release; seven are assumed (facts H.5).
LABELS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# Settings of the released model.
RELEASED = EmoTalkConfig(labels=LABELS, arkit=True, fps=30)
# Settings of training, of long speech and of names, which change nothing in the network.
_FREE = ("dropout", "layer_drop", "frozen", "window_s", "overlap_s", "speakers")
# Letters of the unused head for words.
_LETTERS = 32
_LICENCE = (
    "see the EmoTalk authors' terms: CC BY-NC 4.0, non-commercial; the weights were trained on 3D-ETF, "
    "which is under an agreement"
)


def layouts(method: str, config: Any, num_values: int = len(ADA)) -> dict[str, Layout]:  # noqa: ARG001
    """Return the layout of the file, of `emotalk`, the only method here; curves of ARKit fix `num_values`.

    Raises InputError for a model that the released code cannot run."""
    assert isinstance(config, EmoTalkConfig)
    large = isinstance(config.content, Wav2vec2Config) and isinstance(config.emotion, Wav2vec2Config)
    if not large or not config.arkit:
        raise InputError(
            "The released code has two wav2vec 2.0 encoders and makes ARKit's curves; this model differs.",
            hint="Only models of the recipe emotalk with model.arkit have an official form.",
        )
    assert isinstance(config.content, Wav2vec2Config)
    assert isinstance(config.emotion, Wav2vec2Config)
    width, outputs = config.width, len(ARKIT_BY_NAME)
    hidden = config.emotion.width
    layer = [
        *same("self_attn", _attention(width)),
        *same("multihead_attn", _attention(width)),
        *same("linear1", affine(width, width)),
        *same("linear2", affine(width, width)),
        *(entry for number in (1, 2, 3) for entry in same(f"norm{number}", affine(width))),
    ]
    emotion = [
        *under("wav2vec2", "emotion_encoder.network.model", _with_letters(config.emotion)),
        *under("classifier.dense", "classifier.dense", affine(hidden, hidden)),
        *under("classifier.out_proj", "classifier.outward", affine(len(config.labels), hidden)),
    ]
    return {
        FILE: [
            *under("audio_encoder_cont", "content_encoder.network.model", _with_letters(config.content)),
            *under("audio_encoder_emo", "", emotion),
            *under(
                "audio_feature_map_cont", "content_map", affine(config.content_width, config.content.width)
            ),
            *under("audio_feature_map_emo", "emotion_map", affine(width, hidden)),
            *under("audio_feature_map_emo2", "emotion_narrow", affine(config.emotion_width, width)),
            *under("obj_vector_level", "level", affine(config.level_width, 2)),
            *under("obj_vector_person", "person", affine(config.person_width, config.identity)),
            *under("transformer_decoder", "decoder", same("layers", each(range(config.layers), layer))),
            *under("bs_map_r", "outward", affine(outputs, width)),
        ]
    }


def built_in(config: EmoTalkConfig, num_values: int) -> dict[None, dict[str, Any]]:  # noqa: ARG001
    """Return the settings of the released network, of which there is one."""
    whole = flat(RELEASED.model_dump(mode="json"))
    return {None: {name: value for name, value in whole.items() if name.split(".")[-1] not in _FREE}}


def recognise(files: Sequence[OfficialFile], choices: Choices) -> Published:
    """Return the released model; what differs from it in the files is found against its layout.

    Raises UsageError for a choice, which there is none of.
    """
    choices.only("emotalk")
    meta = Meta(
        head="ada",
        channels=ADA,
        fps=RELEASED.fps,
        trained_on="official EmoTalk checkpoint",
        licence=_LICENCE,
    )
    return Published(names=[FILE] * len(files), config=RELEASED, meta=meta, loose=True)


def _with_letters(config: Wav2vec2Config) -> Layout:
    return [*wav2vec2(config), *under("lm_head", None, affine(_LETTERS, config.width))]


def _attention(width: int) -> Layout:
    return [
        Entry("in_proj_weight", (3 * width, width), "in_proj_weight"),
        Entry("in_proj_bias", (3 * width,), "in_proj_bias"),
        *same("out_proj", affine(width, width)),
    ]
