"""Draws six frames of examples/hello.wav, animated with --emotion happy, side by side.

python examples/frame_strip.py [docs/strip.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

import talkcli as talk
from talkcli.engine.exports.moments import at_moments, moments

ROOT = Path(__file__).resolve().parent.parent
# Frames on the strip, one from each equal part of the motion.
NUM_FRAMES = 6
# Side of a frame in pixels: six of them fit the width of a README.
SIDE = 256


def main(target: Path) -> None:
    """Write the strip."""
    motion = talk.animate(ROOT / "examples" / "hello.wav", emotion="happy", device="cpu")
    shown = at_moments(motion, moments(motion, NUM_FRAMES))
    strip = Image.new("RGB", (NUM_FRAMES * SIDE, SIDE))
    for column, picture in enumerate(talk.frames(shown, size=SIDE)):
        strip.paste(Image.fromarray(picture), (column * SIDE, 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    strip.save(target, optimize=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "strip.png")
