"""The methods by name, as strings only, so that listing them loads no torch.

A row leads to everything that training, animating, scoring and converting need to know of a method. To add
one, write its model, its objective and its recipe, and add its row (`docs/add-a-method.md`). A contract test
resolves every string.
"""

from __future__ import annotations

import importlib
from typing import Any

from talkcli.engine.method_rows.compared import COMPARED
from talkcli.engine.method_rows.deeptalk import DEEPTALK
from talkcli.engine.method_rows.judges import JUDGES
from talkcli.engine.method_rows.row import Method, Part

# The name of the model that performs where none is named.
EMBEDDED = "embedded"
# The models that come with talk: the names of their files in the folder of weights, without suffix.
SHIPPED: dict[str, str] = {
    EMBEDDED: "deeptalk-small",
    "emoface": "emoface-small",
    "faceformer": "faceformer-small",
}

PARTS: dict[str, Part] = {
    "fer": Part(what="an expression classifier", made_by="fer", published="the expression classifier"),
    "emotion2vec": Part(what="emotion2vec", published="emotion2vec"),
    "dee": Part(what="a trained emotion embedding", made_by="dee"),
    "prior": Part(
        what="a trained motion prior",
        made_by="th_vqvae",
        made_for={"codetalker": "codetalker_vq", "emote": "flint", "meshtalk": "meshtalk_latent"},
    ),
    "phones": Part(what="a trained phone encoder", made_by="phones", published="the phone encoder"),
    "wav2vec2": Part(what="wav2vec 2.0", published="wav2vec 2.0"),
    "hubert": Part(what="HuBERT", published="HuBERT"),
    "emotion_wav2vec2": Part(what="wav2vec 2.0 of speech emotion", published="wav2vec 2.0 of speech emotion"),
    "lip_reader": Part(what="a lip reader", published="a lip reader"),
    "emotion_judge": Part(what="a trained judge of emotion in pictures", made_by="emotion_image"),
    "start": Part(what="the generator of stage 1", made_by="deeptalk", made_for={"emote": "emote"}),
}

METHODS: dict[str, Method] = DEEPTALK | COMPARED | JUDGES


def training_command(method: str) -> str:
    """Name the command that trains a method."""
    return METHODS[method].command or f"train {method}"


def build(method: str, config: Any, width: int) -> Any:
    """Build the network of a method, for motion of `width` numbers a frame.

    Its weights come from torch's global generator.
    """
    row = METHODS[method]
    network = resolve(row.model)
    return network(config) if row.sound_only else network(config, width)


def resolve(target: str) -> Any:
    """Import the object that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
