"""The layers in their order: what is laid over a model's motion, each one a choice.

Axis names: `frames`, `coeffs`.
The order matters: contacts first, which smoothing and the lips' top speed then leave alone; idle motion; eyes
last, for they are crisp and their lids must meet. The head turns before the eyes do, which stay with the
viewer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import is_share
from talkcli.engine.face.head import Head
from talkcli.engine.finish.contacts import reach_contacts
from talkcli.engine.finish.eyes import lay_eyes
from talkcli.engine.finish.head_motion import head_motion
from talkcli.engine.finish.idle import idle
from talkcli.engine.finish.lip_speed import limit_lip_speed
from talkcli.engine.finish.phrasing import phrasing
from talkcli.engine.finish.smoothing import smooth
from talkcli.engine.finish.tracks import num_steps, stream
from talkcli.engine.types import Emotion, Motion, Speech

# The head whose channels the layers know; other models' motion is left as it was made, unless asked.
LAYERED_HEAD = "ada"
_ANY_HEAD = ("limit_lips", "head_motion")


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Which layers there are; without any, a motion stays exactly as it was made."""

    contacts: bool = False
    """Lips, and lower lip and teeth, meet where that is heard."""
    smooth: bool = False
    """Less jerk, closures kept."""
    limit_lips: bool = False
    """Lips below their top speed."""
    idle: bool = False
    """Breathing and small movements in silences."""
    blink: bool = False
    """Blinks and gaze."""
    head_motion: bool = False
    """The head turns with the speech's prosody."""

    @classmethod
    def chosen(cls, head: str, wishes: Mapping[str, bool | None] | None = None) -> Layers:
        """Return `wishes` by the names above; what is None or missing is on for motion of ada, off for
        others.

        Raises UsageError for a layer that `head` has no channels for.
        """
        known = head == LAYERED_HEAD
        wanted = {name: wish for name, wish in (wishes or {}).items() if wish is not None}
        for name, wish in wanted.items():
            if name not in cls.names():
                raise UsageError(f"There is no layer {name}.", hint=f"Layers: {', '.join(cls.names())}.")
            if wish and not known and name not in _ANY_HEAD:
                raise UsageError(
                    f"`{name}` moves channels of {LAYERED_HEAD}, the model moves {head}.",
                    hint=f"Leave it out; {' and '.join(f'`{any_}`' for any_ in _ANY_HEAD)} work.",
                )
        return cls(**{name: wanted.get(name, known) for name in cls.names()})

    @classmethod
    def steady(cls, head: str) -> Layers:
        """Return the layers of `chosen` that the motion alone decides: none that draws at random."""
        return replace(cls.chosen(head), idle=False, blink=False, head_motion=False)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @property
    def need_head(self) -> bool:
        """Whether the geometry of the motion's head is needed."""
        return self.contacts or self.smooth or self.limit_lips

    @property
    def on(self) -> tuple[str, ...]:
        """The names of those that are on, in order."""
        return tuple(name for name in self.names() if getattr(self, name))


def lay_over(
    motion: Motion,
    speech: Speech,
    layers: Layers,
    head: Head | None,
    *,
    contacts: Float[np.ndarray, "frames contacts"] | None = None,
    seed: int = 0,
    take: int = 0,
    emotion: Emotion | None = None,
) -> Motion:
    """Return `motion` with `layers` over it, those of one seed and take always the same.

    `contacts` are the shares that `DeepTalk.listen` hears; a model that hears none has no such layer. `head`
    is the motion's; it may be None unless `layers.need_head`. `emotion` makes the head livelier or calmer.
    Channels that are shares stay within 0 to 1 where they were.
    """
    coeffs, pose, fps = motion.coeffs, motion.pose, motion.fps
    held = np.zeros(len(coeffs), dtype=bool)
    if layers.contacts and contacts is not None:
        assert isinstance(head, AdaHead)
        coeffs, held = reach_contacts(coeffs, contacts, head)
    if layers.smooth:
        assert isinstance(head, AdaHead)
        coeffs = smooth(coeffs, head, held)
    if layers.limit_lips:
        assert head is not None
        coeffs = limit_lip_speed(coeffs, head, held)
    if not (layers.idle or layers.blink or layers.head_motion):
        return replace(motion, coeffs=coeffs)
    heard = phrasing(speech, num_steps(len(coeffs), fps))
    if layers.head_motion:
        pose = head_motion(heard, len(coeffs), fps, stream("head motion", seed, take), emotion)
    if layers.idle:
        coeffs, pose = idle(coeffs, pose, heard, fps, stream("idle", seed, take))
    if layers.blink:
        coeffs = lay_eyes(coeffs, pose, heard, fps, stream("eyes", seed, take))
    return within_range(replace(motion, coeffs=coeffs, pose=pose))


def within_range(motion: Motion) -> Motion:
    """Return `motion` with channels that are shares of a full scale between 0 and 1; angles stay as they
    are.
    """
    shares = np.array([is_share(name) for name in motion.channels])
    limited = np.where(shares, np.clip(motion.coeffs, 0, 1), motion.coeffs)
    return replace(motion, coeffs=limited.astype(motion.coeffs.dtype, copy=False))
