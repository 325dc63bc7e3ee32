"""The layouts are those of the official files, and of our models."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from talkcli.engine.checkpoints.convert import deeptalk
from talkcli.engine.checkpoints.convert.emotion2vec import emotion2vec
from talkcli.engine.checkpoints.convert.layout import Layout
from talkcli.engine.checkpoints.convert.wav2vec2 import wav2vec2
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.errors import InputError
from talkcli.engine.methods import METHODS, resolve
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.types import Config
from tests.engine.checkpoints.official import TINY

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "official"
RELEASED = DeepTalkConfig()
FILES = {
    "FER": deeptalk.fer(FerConfig()),
    "DEE": deeptalk.dee(DeeConfig()),
    "TH-VQVAE": deeptalk.th_vqvae(ThVqvaeConfig()),
    "DEEPTalk": deeptalk.deeptalk(RELEASED),
}


def numbers(layout: Layout) -> int:
    return sum(math.prod(entry.shape) for entry in layout)


def frozen(name: str) -> list[str]:
    """One line a tensor: its name, and its sides or `-` for a single number.

    `HERE* = FILE THERE*` stands for the tensors below THERE in another file.
    """
    lines = []
    for line in (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        here, equals, source = line.partition("* = ")
        if equals:
            file, there = source.removesuffix("*").split(" ")
            lines += [here + other.removeprefix(there) for other in frozen(file) if other.startswith(there)]
        else:
            lines.append(line)
    return lines


@pytest.mark.parametrize("name", FILES)
def test_names_and_shapes_are_frozen(name: str) -> None:
    shown = [f"{entry.official} {'x'.join(map(str, entry.shape)) or '-'}" for entry in FILES[name]]
    assert shown == frozen(name)


@pytest.mark.parametrize(
    ("layout", "tensors", "total"),
    [
        (FILES["FER"], 51, 1_379_535),
        (FILES["DEE"], 459, 168_022_158),
        (FILES["TH-VQVAE"], 96, 3_033_145),
        (FILES["DEEPTalk"], 1240, 404_102_803),
        (emotion2vec(RELEASED.dee.speech), 193, 93_790_988),
        (wav2vec2(RELEASED.content), 211, 94_371_712),
    ],
    ids=[*FILES, "emotion2vec", "wav2vec2"],
)
def test_sizes(layout: Layout, tensors: int, total: int) -> None:
    assert len({entry.official for entry in layout}) == len(layout) == tensors
    assert numbers(layout) == total


def test_parts_of_the_generator() -> None:
    parts = {
        "audio_model.model": (211, 94_371_712),
        "sequence_encoder.linear": (2, 98_432),
        "sequence_decoder.obj_vector": (2, 5_632),
        "sequence_decoder.bert_decoder": (12, 395_776),
        "sequence_decoder.decoder": (2, 32_896),
        "sequence_decoder.motion_prior": (96, 3_033_145),
        "sequence_decoder.squasher_2_b_2": (76, 2_539_008),
        "sequence_decoder.squasher_2_t": (76, 2_571_776),
        "sequence_decoder.DEE": (459, 168_022_158),
        "sequence_decoder.DEE_audio": (300, 132_995_148),
        "sequence_decoder.emotion_map_layer": (2, 16_512),
        "sequence_decoder.condition_feature_layer": (2, 20_608),
    }
    found = {}
    for name in parts:
        part = [entry for entry in FILES["DEEPTalk"] if entry.official.startswith(f"{name}.")]
        found[name] = (len(part), numbers(part))
    assert found == parts


CONFIGS: dict[str, tuple[Config, Config]] = {
    "fer": (FerConfig(), TINY.dee.expression),
    "dee": (DeeConfig(), TINY.dee),
    "th_vqvae": (ThVqvaeConfig(), TINY.prior),
    "deeptalk": (RELEASED, TINY),
}


@pytest.mark.parametrize("size", [0, 1], ids=["released", "tiny"])
@pytest.mark.parametrize("method", CONFIGS)
def test_every_tensor_of_ours_has_its_place(method: str, size: int) -> None:
    config = CONFIGS[method][size]
    with Undrawn():
        model = resolve(METHODS[method].model)(config)
    entries = [entry for layout in deeptalk.layouts(method, config).values() for entry in layout]
    named = [(entry.ours, entry.our_shape) for entry in entries if entry.ours is not None]
    assert max(Counter(name for name, _ in named).values()) == 1
    besides = {name: tuple(value.shape) for name, value in deeptalk.beyond(method).items()}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert {**dict(named), **besides} == wanted


def test_copies_are_copies_of_what_is_there() -> None:
    names = {entry.official: entry for entry in FILES["DEEPTalk"]}
    copies = [entry for entry in FILES["DEEPTalk"] if entry.copy_of is not None]
    assert len(copies) == 300
    assert all(names[str(entry.copy_of)].shape == entry.shape for entry in copies)


def test_other_parts_have_no_official_form() -> None:
    other = RELEASED.model_copy(update={"prior": VqvaeConfig()})
    with pytest.raises(InputError, match="prior is vqvae"):
        deeptalk.layouts("deeptalk", other)
    with pytest.raises(InputError, match="no model of vqvae"):
        deeptalk.layouts("vqvae", VqvaeConfig())
