"""Draws six frames of examples/hello.wav, animated with --emotion happy, side by side.

python examples/frame_strip.py [docs/strip.png]
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import talkcli as talk

ROOT = Path(__file__).resolve().parent.parent
# Frames on the strip, one from each equal part of the motion.
NUM_FRAMES = 6
# Level of eyeBlink, from 0 (open) to 1 (shut), below which the lids of a frame count as open.
OPEN_LIDS = 0.25
# Side of a frame in pixels: six of them fit the width of a README.
SIDE = 256


def frames_to_draw(motion: talk.Motion) -> np.ndarray:
    """Return the first frame with open lids from the middle of each part on."""
    blink = motion.coeffs[:, motion.channels.index("eyeBlinkLeft")]
    is_open = np.flatnonzero(blink < OPEN_LIDS)
    middles = (np.arange(NUM_FRAMES) + 0.5) * len(blink) / NUM_FRAMES
    return is_open[np.searchsorted(is_open, middles.astype(int))]


def main(target: Path) -> None:
    """Write the strip."""
    motion = talk.animate(ROOT / "examples" / "hello.wav", emotion="happy", device="cpu")
    index = frames_to_draw(motion)
    pose = None if motion.pose is None else motion.pose[index]
    shown = replace(motion, coeffs=motion.coeffs[index], pose=pose)
    strip = Image.new("RGB", (NUM_FRAMES * SIDE, SIDE))
    for column, picture in enumerate(talk.frames(shown, size=SIDE)):
        strip.paste(Image.fromarray(picture), (column * SIDE, 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    strip.save(target, optimize=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "strip.png")
