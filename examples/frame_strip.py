"""Draws six frames of examples/hello.wav, animated with --emotion happy, side by side.

python examples/frame_strip.py [docs/strip.png]
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from talkcli.engine.audio.io import read_speech
from talkcli.engine.face.heads import load_head
from talkcli.engine.performers.named_model import EMBEDDED
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.performers.trained import Animator
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.studio import studio_scene
from talkcli.engine.types import Motion, Silent

ROOT = Path(__file__).resolve().parent.parent
# Frames on the strip, one from each equal part of the motion.
NUM_FRAMES = 6
# Level of eyeBlink, from 0 (open) to 1 (shut), below which the lids of a frame count as open.
OPEN_LIDS = 0.25
# Side of a frame in pixels: six of them fit the width of a README.
SIDE = 256


def performance(speech: Path) -> Motion:
    """Animate `speech` as `talk animate speech --emotion happy` does."""
    # An empty wish leaves every layer at its default: on for ada.
    animator = Animator(EMBEDDED, "cpu", layers={})
    sampling = Sampling(emotion=parse_emotion("happy"))
    return next(animator.motions(read_speech(speech, Silent()), sampling))


def frames_to_draw(motion: Motion) -> np.ndarray:
    """Return the first frame with open lids from the middle of each part on."""
    blink = motion.coeffs[:, motion.channels.index("eyeBlinkLeft")]
    is_open = np.flatnonzero(blink < OPEN_LIDS)
    middles = (np.arange(NUM_FRAMES) + 0.5) * len(blink) / NUM_FRAMES
    return is_open[np.searchsorted(is_open, middles.astype(int))]


def main(target: Path) -> None:
    """Write the strip."""
    motion = performance(ROOT / "examples" / "hello.wav")
    index = frames_to_draw(motion)
    pose = None if motion.pose is None else motion.pose[index]
    shown = replace(motion, coeffs=motion.coeffs[index], pose=pose)
    head = load_head(motion.head)
    strip = Image.new("RGB", (NUM_FRAMES * SIDE, SIDE))
    with contextlib.closing(open_renderer("software", studio_scene(head), SIDE, SIDE)) as renderer:
        for column, picture in enumerate(pictures(shown, head, renderer)):
            strip.paste(Image.fromarray(picture), (column * SIDE, 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    strip.save(target, optimize=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "strip.png")
