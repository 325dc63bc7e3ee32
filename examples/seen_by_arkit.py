"""Prints whether MediaPipe's FaceLandmarker sees in drawn motion what its emotion should show.

python examples/seen_by_arkit.py FOLDER [--model FILE] [--most 8]            every sound under every emotion
python examples/seen_by_arkit.py FOLDER --labels labels.csv [--most 100]     every sound as it is heard

FOLDER holds sounds; labels.csv has the columns id and emotion, as `talk score emotion` reads them. The
example draws frames of each motion, takes the mean of ARKit's scores (docs/methods/video.md says how talk
finds the networks), and prints how often a clip of the emotion scores above a neutral clip (area under the
curve; 0.5 is chance).
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

import talkcli as talk
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.video.arkit_scores import arkit_scores
from talkcli.engine.video.bundle import find_bundle

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus")
# Scores that an emotion should raise; names without a side stand for the mean of both.
EXPECTED = {
    "happy": "mouthSmile",
    "angry": "browDown",
    "sad": "browInnerUp",
    "fear": "browInnerUp",
    "surprise": "eyeWide",
}
# Every which frame is drawn, and the side of its picture in pixels.
STEP, SIDE = 5, 320


def score(scores: np.ndarray, name: str) -> float:
    """Return the mean over frames, and over both sides where the score has two."""
    columns = [column for column, known in enumerate(ARKIT) if known in (name, f"{name}Left", f"{name}Right")]
    return float(np.nanmean(scores[:, columns]))


def seen(sound: Path, emotion: str | None, model: str, bundle: Path) -> np.ndarray:
    """Return ARKit's scores of some frames of the motion of `sound`: frames, 52."""
    motion = talk.animate(sound, model=model, emotion=emotion, device="cpu")
    pose = None if motion.pose is None else motion.pose[::STEP]
    some = replace(motion, coeffs=motion.coeffs[::STEP], pose=pose)
    return arkit_scores(talk.frames(some, size=SIDE), bundle)


def main() -> None:
    """Print one row per emotion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--most", type=int, default=8)
    asked = parser.parse_args()
    sounds = {path.stem: path for path in sorted(asked.folder.rglob("*")) if path.suffix in SOUNDS}
    if not sounds:
        parser.error(f"{asked.folder} holds no sound ({', '.join(SOUNDS)})")
    if asked.labels is None:
        some, labels = list(sounds.values())[: asked.most], ("neutral", *EXPECTED)
        chosen = [(path, label, label) for path in some for label in labels]
    else:
        with asked.labels.open(newline="", encoding="utf-8") as file:
            rows = [(row["id"], row["emotion"]) for row in csv.DictReader(file)]
        chosen = [(sounds[name], None, label) for name, label in rows if name in sounds][: asked.most]
    bundle = find_bundle()
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for path, emotion, label in chosen:
        found[label].append(seen(path, emotion, asked.model, bundle))
    if not found["neutral"]:
        parser.error("no sound is labelled neutral")
    for label, name in EXPECTED.items():
        neutral = [score(scores, name) for scores in found["neutral"]]
        shown = [score(scores, name) for scores in found[label]]
        if not shown:
            continue
        area = mannwhitneyu(shown, neutral).statistic / (len(shown) * len(neutral))
        print(
            f"{label:9s} {name:12s} area {area:.2f}   mean {np.mean(shown):.2f}, "
            f"neutral {np.mean(neutral):.2f}   {len(shown)} and {len(neutral)} clips"
        )


if __name__ == "__main__":
    main()
