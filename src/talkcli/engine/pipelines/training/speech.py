"""What trainings of generators share: the ready-made speech encoder, and the names of the speakers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from talkcli.engine.audio.wav2vec2 import Wav2vec2Config
from talkcli.engine.checkpoints.pretrained import load_wav2vec2
from talkcli.engine.errors import UsageError
from talkcli.engine.models.content import (
    ContentConfig,
    PhoneContent,
    PhoneContentConfig,
    Wav2vec2Content,
)
from talkcli.engine.models.ctc import LogitsConfig, PhoneLogits, PhoneLogitsConfig
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.parts import fill, part_config
from talkcli.engine.types import MODEL_FPS, Config, Reporter

Generator = TypeVar("Generator", bound=Config)


def with_encoder(content: ContentConfig | LogitsConfig, parts: GivenParts) -> Any:
    """Return the settings of a speech encoder, with those of the phone encoder in the part `phones`.

    Raises UsageError when it needs that part and has none.
    """
    if not isinstance(content, PhoneContentConfig | PhoneLogitsConfig) or parts.is_random("phones"):
        return content
    encoder = part_config(parts.trained("phones"), "phones", "phones")
    return content.model_copy(update={"encoder": encoder})


def fill_encoder(content: nn.Module, parts: GivenParts, reporter: Reporter) -> None:
    """Put the ready-made weights into a new speech encoder: those of the part `phones` or `wav2vec2`.

    Raises UsageError for a part that is missing, and InputError for weights that do not fit.
    """
    if isinstance(content, PhoneContent | PhoneLogits):
        if parts.is_random("phones"):
            parts.published("phones", reporter)
        else:
            # What a phone encoder hears is the same for every head.
            fill(content.encoder, parts.trained("phones"), "phones", None)
    if isinstance(content, Wav2vec2Content):
        path = parts.published("wav2vec2", reporter)
        if path is not None:
            load_wav2vec2(content.encoder, path)


def published_wav2vec2(name: str, content: Config, parts: GivenParts, reporter: Reporter) -> Path | None:
    """Return the file of the part `name`; None where the encoder has no use for it, or starts at random.

    Raises UsageError when the encoder needs the part and has none.
    """
    return parts.published(name, reporter) if isinstance(content, Wav2vec2Config) else None


def check_rate(fps: int) -> None:
    """Raise UsageError for another frame rate than that of all clips."""
    if fps != MODEL_FPS:
        raise UsageError(
            f"model.fps is {fps}, but talk trains at {MODEL_FPS} frames per second.",
            hint=f"Set model.fps to {MODEL_FPS}.",
        )


def check_speakers(speakers: tuple[str, ...], identity: int) -> None:
    """Raise UsageError when there are more training speakers than `model.identity` has room for."""
    if len(speakers) > identity:
        raise UsageError(
            f"The train split has {len(speakers)} speakers, model.identity has room for {identity}.",
            hint=f"Add `set=model.identity={len(speakers)}`.",
        )
