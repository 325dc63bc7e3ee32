"""The stack of layers: `lay_over` applies those that are chosen to a finished motion, in a fixed order.

Axis names: `frames`, `coeffs`, `contacts` (2: the lips on each other, the lower lip on the upper teeth),
`tongue` (3: the channels `TONGUE`).
The order is: contacts, smoothing, teeth that part for the tongue, limit of the lips' speed, head motion,
brows, idle motion, eyes, tongue. Contacts come first, so that smoothing and limit keep them. Head motion
comes before the eyes, which turn against it to stay with the viewer. Eyes come after what moves lids, so that
lids that meet stay so. The tongue adds channels that no other layer knows, and needs the jaw's final opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import UsageError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import TONGUE, is_share
from talkcli.engine.face.head import Head
from talkcli.engine.finish.brows import brows
from talkcli.engine.finish.contacts import reach_contacts
from talkcli.engine.finish.eyes import lay_eyes
from talkcli.engine.finish.head_motion import head_motion
from talkcli.engine.finish.idle import idle
from talkcli.engine.finish.lip_speed import limit_lip_speed
from talkcli.engine.finish.phrasing import phrasing
from talkcli.engine.finish.smoothing import smooth
from talkcli.engine.finish.tongue import part_teeth, with_tongue
from talkcli.engine.finish.tracks import digest_of, num_steps, stream
from talkcli.engine.types import Emotion, Motion, Speech

# The head whose channels the layers know. For motion of other heads all layers are off by default.
LAYERED_HEAD = "ada"
# Layers that work for every head: they need no channel by its name.
_ANY_HEAD = ("limit_lips", "head_motion")


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The choice of layers; without any, a motion stays exactly as it was made."""

    contacts: bool = False
    """Whether to close the lips, and to bring the lower lip to the teeth, where the phone front-end detects
    such a phone."""
    smooth: bool = False
    """Whether to filter mouth, brows and cheeks; frames with a closure keep their mouth."""
    limit_lips: bool = False
    """Whether to limit the speed of the lips."""
    tongue: bool = False
    """Whether to add the tongue's channels, where the phones are known; the jaw opens a little for th."""
    brows: bool = False
    """Whether to raise the brows on accents, and to make the two sides of the face differ."""
    idle: bool = False
    """Whether to add breathing, and small movements in pauses."""
    blink: bool = False
    """Whether to add blinks and gaze, in place of the motion's own blinks."""
    head_motion: bool = False
    """Whether to turn the head with the prosody of the speech."""

    @classmethod
    def chosen(cls, head: str, wishes: Mapping[str, bool | None] | None = None) -> Layers:
        """Return the layers of `wishes`, by the names above.

        A layer that is None or missing there is on for motion of ada, and off for other heads. Raises
        UsageError for a name that is no layer, and for a layer that needs channels which `head` lacks.
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
        """Return the layers that `chosen` has on by default for `head`, without those that draw at random,
        and without the tongue, whose channels nothing measures.
        """
        quiet = replace(cls.chosen(head), brows=False, idle=False, blink=False, head_motion=False)
        return replace(quiet, tongue=False)

    def channels(self, own: tuple[str, ...]) -> tuple[str, ...]:
        """Return the channels of motion with these layers, `own` being those of the performer."""
        return own + TONGUE if self.tongue else own

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all layers."""
        return tuple(field.name for field in fields(cls))

    @property
    def need_head(self) -> bool:
        """Whether a layer that is on needs the geometry of the motion's head."""
        return self.contacts or self.smooth or self.limit_lips

    @property
    def on(self) -> tuple[str, ...]:
        """The names of the layers that are on, in the order of the fields."""
        return tuple(name for name in self.names() if getattr(self, name))


def lay_over(
    motion: Motion,
    speech: Speech,
    layers: Layers,
    head: Head | None,
    *,
    contacts: Float[np.ndarray, "frames contacts"] | None = None,
    tongue: Float[np.ndarray, "frames tongue"] | None = None,
    seed: int = 0,
    take: int = 0,
    emotion: Emotion | None = None,
) -> Motion:
    """Return `motion` with `layers` applied to it; the same seed and take always give the same result.

    Channels that are shares of a full scale stay in [0, 1] if they were there before. The layer of the tongue
    adds its channels.

    Args:
        motion: Motion that a model or the rules made, in the channels that networks learn.
        speech: Sound of the motion, whose phrasing idle motion, eyes and head motion follow.
        layers: Layers to apply.
        head: Head of the motion; it may be None unless `layers.need_head`.
        contacts: Probabilities of the two contacts, from `DeepTalk.listen`; if None, that layer does nothing.
        tongue: Degrees of the tongue's channels, from `finish/tongue.py`; if None, that layer does nothing.
        seed: Seed of the layers that draw at random.
        take: Number of the take, which has draws of its own.
        emotion: Emotion whose arousal makes the head motion larger or smaller; None if it is unknown.
    """
    coeffs, pose, fps = motion.coeffs, motion.pose, motion.fps
    held = np.zeros(len(coeffs), dtype=bool)
    moved = tongue if layers.tongue else None
    if layers.contacts and contacts is not None:
        assert isinstance(head, AdaHead)
        coeffs, held = reach_contacts(coeffs, contacts, head)
    if layers.smooth:
        assert isinstance(head, AdaHead)
        coeffs = smooth(coeffs, head, held, fps=fps)
    if moved is not None:
        coeffs = part_teeth(coeffs, moved, held)
    if layers.limit_lips:
        assert head is not None
        coeffs = limit_lip_speed(coeffs, head, held, fps=fps)
    if layers.brows or layers.idle or layers.blink or layers.head_motion:
        heard, sound = phrasing(speech, num_steps(len(coeffs), fps)), digest_of(speech)
        if layers.head_motion:
            pose = head_motion(heard, len(coeffs), fps, stream("head motion", seed, take, sound), emotion)
        if layers.brows:
            coeffs = brows(coeffs, heard, fps, stream("brows", seed, take, sound))
        if layers.idle:
            coeffs, pose = idle(coeffs, pose, heard, fps, stream("idle", seed, take, sound))
        if layers.blink:
            coeffs = lay_eyes(coeffs, pose, heard, fps, stream("eyes", seed, take, sound))
        coeffs = within_range(replace(motion, coeffs=coeffs, pose=pose)).coeffs
    if moved is None:
        return replace(motion, coeffs=coeffs, pose=pose)
    return replace(motion, coeffs=with_tongue(coeffs, moved), channels=motion.channels + TONGUE, pose=pose)


def within_range(motion: Motion) -> Motion:
    """Return `motion` with channels that are shares of a full scale clipped to [0, 1]; others stay as they
    are.
    """
    shares = np.array([is_share(name) for name in motion.channels])
    limited = np.where(shares, np.clip(motion.coeffs, 0, 1), motion.coeffs)
    return replace(motion, coeffs=limited.astype(motion.coeffs.dtype, copy=False))
