"""Prints what the Kalman filter of `talk preprocess ravdess3d` leaves of measured motion, by its settings.

talk preprocess video FILMS --fps 30 --out clips
python examples/kalman_filter.py clips [--hz 3 4 6 8]

For each setting: the range of the jaw's pitch as a part of what it was, by how many frames the jaw is later,
and the power of the second differences of all channels that move, which trembling makes. All are means over
the clips.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import talkcli as talk
from talkcli.engine.face.kalman import PASSES, kalman

# A channel that moves less than this in some clip does not count as one that moves.
STILL = 0.01
# Longest delay that is looked for, in frames.
FARTHEST = 4


def delay(before: np.ndarray, after: np.ndarray) -> float:
    """Return by how many frames `after` is later, at the top of the parabola through the best correlation."""
    shifts = np.arange(-FARTHEST, FARTHEST + 1)
    inner = before[FARTHEST : len(before) - FARTHEST]
    found = [np.corrcoef(inner, np.roll(after, -s)[FARTHEST : len(before) - FARTHEST])[0, 1] for s in shifts]
    best = int(np.clip(np.argmax(found), 1, len(shifts) - 2))
    left, top, right = found[best - 1 : best + 2]
    return float(shifts[best] + (left - right) / (2 * (left - 2 * top + right)))


def main() -> None:
    asked = argparse.ArgumentParser(description="What the Kalman filter leaves of measured motion.")
    asked.add_argument("clips", type=Path, help="folder that talk preprocess made")
    asked.add_argument("--hz", type=float, nargs="+", default=[3, 4, 6, 8, 10])
    given = asked.parse_args()
    motions = [talk.read_motion(path) for path in sorted((given.clips / "motion").rglob("*.npz"))]
    motions = [motion for motion in motions if motion.num_frames > 4 * FARTHEST]
    if not motions:
        asked.error(f"{given.clips} holds no motion")
    jaw = motions[0].channels.index("jawPitch")
    moving = np.all([motion.coeffs.std(axis=0) > STILL for motion in motions], axis=0)
    print(f"{len(motions)} clips at {motions[0].fps:g} fps")
    for passes in PASSES:
        for corner in given.hz:
            rows = []
            for motion in motions:
                before = motion.coeffs.astype(float)
                after = kalman(before, motion.fps, corner_hz=corner, passes=passes)
                trembling = [
                    np.square(np.diff(some[:, moving], n=2, axis=0)).mean() for some in (after, before)
                ]
                rows.append(
                    (
                        np.ptp(after[:, jaw]) / np.ptp(before[:, jaw]),
                        delay(before[:, jaw], after[:, jaw]),
                        trembling[0] / trembling[1],
                    )
                )
            span, late, left = np.mean(rows, axis=0)
            print(f"{passes:8}{corner:5g} Hz  jaw {span:.2f}  late {late:.2f} frames  trembling {left:.2f}")


if __name__ == "__main__":
    main()
