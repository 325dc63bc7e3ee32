"""Official DEEPTalk checkpoints with random numbers in them, at any size."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.convert.deeptalk import (
    DEE_FILE,
    FER_FILE,
    GEN_FILE,
    PARTS_OF_GENERATOR,
    VQ_FILE,
    layouts,
)
from talkcli.engine.checkpoints.convert.layout import Entry
from talkcli.engine.checkpoints.convert.mead import MEAD_SPEAKERS
from talkcli.engine.models.deeptalk.dee_config import DeeConfig
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import FerConfig
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvaeConfig
from talkcli.engine.nn.transformer import sinusoids

# Every width another number, so that no two tensors can be taken for each other by their shapes.
TINY = DeepTalkConfig(
    dee=DeeConfig(
        speech=Emotion2vecConfig(
            width=24,
            prenet=1,
            depth=2,
            heads=2,
            feedforward=40,
            channels=6,
            position_groups=2,
            frozen_blocks=1,
        ),
        expression=FerConfig(hidden=(10, 12, 14), feature_layer=1),
        audio_width=24,
        audio_layers=1,
        motion_width=16,
        motion_layers=2,
        heads=2,
        feedforward=20,
        embedding=18,
    ),
    prior=ThVqvaeConfig(width=8, heads=2, feedforward=22, decoder_feedforward=26, codes=11),
    content=Wav2vec2Config(
        width=28, layers=2, heads=2, feedforward=34, channels=7, position_kernel=9, position_groups=4
    ),
    width=6,
    heads=2,
    feedforward=30,
    predictor_width=32,
    predictor_layers=1,
    speakers=MEAD_SPEAKERS,
)

Fill = Callable[[Entry], Tensor]
State = dict[str, Tensor]


def random_fill(seed: int = 0) -> Fill:
    """Numbers of a size that lets activations live."""
    draw = torch.Generator().manual_seed(seed)

    def fill(entry: Entry) -> Tensor:
        if entry.dtype == torch.int64:
            return torch.randint(1000, entry.shape, generator=draw)
        values = torch.randn(entry.shape, generator=draw)
        if entry.official.endswith(("running_var", "ema_count")):
            return values.abs() + 0.5
        if len(entry.shape) == 1:
            return 0.1 * values + float(entry.official.endswith("weight"))
        # Layers keep the variance of what goes through them.
        return values / math.prod(entry.shape[1:]) ** 0.5

    return fill


def official_states(config: DeepTalkConfig = TINY, fill: Fill | None = None) -> dict[str, State]:
    """The four state dicts by file name, as the released modules would give them."""
    fill = fill or random_fill()
    states: dict[str, State] = {}
    for name, layout in layouts("deeptalk", config).items():
        state: State = {}
        for entry in layout:
            if entry.official.endswith("pos_enc"):
                state[entry.official] = sinusoids(*entry.shape[1:])[None]
            else:
                state[entry.official] = state[entry.copy_of] if entry.copy_of else fill(entry)
        states[name] = state
    for name, prefix in PARTS_OF_GENERATOR.items():
        whole = states[GEN_FILE].items()
        states[name] = {key.removeprefix(prefix): value for key, value in whole if key.startswith(prefix)}
    return states


def write_official(folder: Path, states: dict[str, State]) -> dict[str, Path]:
    """The files by the option of `talk convert deeptalk` that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in states.items():
        torch.save(state, folder / name)
    options = {"gen": GEN_FILE, "dee": DEE_FILE, "fer": FER_FILE, "vq": VQ_FILE}
    return {option: folder / name for option, name in options.items()}
