"""Pictures of mouths for training: each clip is drawn once, under a light and a turn of its own, and kept.

Axis names: `frames`, `side` = 48. The head moves as the clip's pose says, or else as talk's layer of
head motion makes it from the sound. What differs from clip to clip, and is drawn by the clip's id: where each
light stands and how bright it is, how bright skin, lips and teeth are, and a constant turn of
the head.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import UInt8

from talkcli.engine.assets import cache_dir
from talkcli.engine.code_digest import code_digest
from talkcli.engine.face.head import Head
from talkcli.engine.face.surface import Surface
from talkcli.engine.finish.stack import Layers, lay_over
from talkcli.engine.judges.sync_image import SIDE
from talkcli.engine.render.mouths import another_light, drawn_mouths, mouth_scene
from talkcli.engine.train.cache import kept
from talkcli.engine.types import Clip, Motion

# Largest constant turn of the head in radians: nod, turn, tilt.
_TURN_RAD = np.array([0.15, 0.4, 0.05])


class DrawnMouths:
    """What makes the pictures of a clip; the user's cache has them by all that they depend on."""

    def __init__(self, head: Head) -> None:
        """Take the head of all clips. Raises AssetError where it cannot be drawn."""
        self._head = head
        self._mouth = mouth_scene(head)
        self._folder = cache_dir() / "features" / f"mouths-{code_digest(drawn_mouths.__module__)[:32]}"

    def __call__(self, clip: Clip) -> UInt8[np.ndarray, "frames side side"]:
        """Return the grey pictures of the mouth in each frame.

        Raises InputError when a new entry cannot be written.
        """
        motion = clip.motion
        assert isinstance(motion, Motion)
        rng = np.random.default_rng(zlib.crc32(clip.id.encode()))
        if motion.pose is None and clip.speech is not None:
            layers = replace(Layers(), head_motion=True)
            motion = lay_over(motion, clip.speech, layers, self._head, emotion=clip.emotion)
        pose = np.zeros((motion.num_frames, 3)) if motion.pose is None else motion.pose
        motion = replace(motion, pose=(pose + rng.uniform(-_TURN_RAD, _TURN_RAD)).astype(np.float32))
        path = self._folder / f"{_digest(clip.id, self._head, motion)}.safetensors"
        shape = (motion.num_frames, SIDE, SIDE)
        return kept(path, shape, torch.uint8, lambda: torch.from_numpy(self._drawn(motion, rng))).numpy()

    def _drawn(self, motion: Motion, rng: np.random.Generator) -> UInt8[np.ndarray, "frames side side"]:
        surface = Surface(motion, self._head, turned=True)
        return np.concatenate(list(drawn_mouths(surface, SIDE, another_light(self._mouth, rng))))


def _digest(id_: str, head: Head, motion: Motion) -> str:
    digest = hashlib.sha256(f"{id_} {head.name}".encode())
    # A head from the user's file has a name and not always the same shape.
    for values in (head.template, motion.coeffs, motion.pose):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
