"""Prints how the embedded model's takes look on speech: plain, smiling, scowling; and how far takes differ.

python examples/moods.py FOLDER [--model FILE] [--sigma 0.1] [--takes 4] [--most 16]

FOLDER holds sounds; for each take the table has the number of clips that scowl (mean browDown of 0.25 or
more), smile (mean mouthSmile of 0.25 or more), or do neither. Layers that draw at random are left out.
"""

from __future__ import annotations

import argparse
from itertools import combinations
from pathlib import Path

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.face.surface import surface_of
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.score.generation import open_deeptalk
from talkcli.engine.types import EMOTIONS, Motion, Silent

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".opus")
# Mean of a channel, as a share of full scale, from which on a face wears it.
WORN = 0.25


def worn(motion: Motion, name: str) -> float:
    """Return the mean of a channel over both sides and time."""
    sides = [motion.coeffs[:, motion.channels.index(f"{name}{side}")] for side in ("Left", "Right")]
    return float(np.mean(sides))


def apart_mm(takes: list[Motion]) -> float:
    """Return the mean distance of the vertices of two takes, in millimetres, over pairs of takes."""
    verts = [surface_of(take).vertices() for take in takes]
    return 1000 * float(np.mean([np.linalg.norm(a - b, axis=-1).mean() for a, b in combinations(verts, 2)]))


def main() -> None:
    """Print one row per clip, then the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--sigma", type=float, default=0.1)
    parser.add_argument("--takes", type=int, default=4)
    parser.add_argument("--most", type=int, default=16)
    asked = parser.parse_args()
    paths = sorted(path for path in asked.folder.rglob("*") if path.suffix in SOUNDS)
    if not paths:
        parser.error(f"{asked.folder} holds no sound ({', '.join(SOUNDS)})")
    if asked.takes < 2:
        parser.error("takes are compared: --takes 2 or more")
    performer = open_deeptalk(asked.model, "cpu")
    if performer.header.num_verts is not None:
        parser.error(f"{asked.model} makes vertices, which have no channels")
    controls = DeepTalkControls(sigma=asked.sigma)
    kinds = []
    for path in paths[: asked.most]:
        speech = read_speech(path, Silent())
        heard = performer.listen(speech)
        chances = performer.model.dee.chances(heard.emotion.mean)[0]
        takes = [
            motion
            for motion in performer.takes(heard, speech, Sampling(takes=asked.takes), controls)
            if isinstance(motion, Motion)
        ]
        scowls, smiles = ([worn(take, name) for take in takes] for name in ("browDown", "mouthSmile"))
        kinds.append(
            [
                "scowls" if scowl >= WORN else "smiles" if smile >= WORN else "plain"
                for scowl, smile in zip(scowls, smiles, strict=True)
            ]
        )
        likely = ", ".join(f"{EMOTIONS[at]} {chances[at]:.2f}" for at in chances.topk(3).indices.tolist())
        print(f"{path.stem[:24]:24s} {' '.join(kinds[-1]):30s} {apart_mm(takes):5.2f} mm  {likely}")
    every = [kind for clip in kinds for kind in clip]
    for take in range(asked.takes):
        of_take = [clip[take] for clip in kinds]
        print(f"take {take}: {', '.join(f'{of_take.count(kind)} {kind}' for kind in sorted(set(of_take)))}")
    print(f"plain: {every.count('plain')} of {len(every)}")


if __name__ == "__main__":
    main()
