"""Pairs of clips with the same content: one speaker says the same words with two emotions.

Axis names: `steps` and `channels` of a front-end, `length` = steps of the result. Sources: EmoTalk (Peng et
al. 2023) and EmoFace (Lin et al. 2024), whose pseudo pairs these are. How clips of different length are
aligned is not stated there; here the partner is interpolated linearly to the length of the first clip, its
motion and its sound alike. Interpolated samples (the front-end `waveform`) change in pitch with the length,
features do not: `cache_features` puts features in the place of samples.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.audio.ear import Ear
from talkcli.engine.train.example import Example
from talkcli.engine.types import SILENCE, Clip


def content_of(clip: Clip) -> str | None:
    """Return what a clip says: its words without regard to large letters and blanks, else its phones.

    None when neither is known.
    """
    if clip.text is not None:
        return " ".join(clip.text.casefold().split()) or None
    if clip.alignment is None:
        return None
    return " ".join(phone.symbol for phone in clip.alignment.phones if phone.symbol != SILENCE) or None


def partners(examples: Sequence[Example]) -> list[list[int]]:
    """Return, for each example, the places of those with its speaker, its content and another emotion."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, example in enumerate(examples):
        if example.said is not None and not example.still:
            groups[example.voice, example.said].append(place)
    found: list[list[int]] = [[] for _ in examples]
    for places in groups.values():
        for place in places:
            emotion = examples[place].emotion
            found[place] = [other for other in places if examples[other].emotion != emotion]
    return found


def stretched(example: Example, frames: int, ears: Mapping[str, Ear]) -> Example:
    """Return `example` with `frames` frames of motion and sound: linear interpolation, ends on ends."""
    before = len(example.motion)
    if before == frames:
        return example
    sound = {}
    for name, steps in example.sound.items():
        prefix, rate = ears[name].prefix, ears[name].steps_per_frame
        whole = _interpolated(steps[:, prefix : prefix + before * rate].float(), frames * rate)
        sound[name] = torch.cat([steps[:, :prefix].float(), whole], dim=1)
    per_frame = len(example.phones) // before
    places = torch.linspace(0, len(example.phones) - 1, frames * per_frame).round().long()
    return replace(
        example,
        sound=sound,
        motion=_interpolated(example.motion[None], frames)[0],
        phones=example.phones[places],
    )


def _interpolated(
    steps: Float[Tensor, "1 steps channels"], length: int
) -> Float[Tensor, "1 length channels"]:
    return F.interpolate(steps.mT, length, mode="linear", align_corners=True).mT
