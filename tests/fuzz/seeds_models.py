"""Valid models, run folders, checkpoints of others and heads, at toy size."""

from __future__ import annotations

import contextlib
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image

from talkcli.engine.face.flame_file import read_flame
from talkcli.engine.pipelines.head import make_head
from talkcli.engine.train.run_folder import RunFolder
from talkcli.engine.types import Silent
from tests.engine.checkpoints.official import official_states, write_official
from tests.engine.face.flame_twin import flame_arrays, python2_pickle
from tests.engine.fakes import write_corpus
from tests.fuzz import seeds, seeds_data

# Few steps, small nets; a state after the second of four.
FAST = ("data.size=2", "data.frames=8", "train.warmup_steps=1", "train.log_every=1")
SAVED = ("train.steps=4", "train.validate_every=2", "train.save_every=2")


HALF = {"vq": "th_vqvae.debug", "fer": "fer.debug"}


def options(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


def train(method: str, recipe: str, *rest: object) -> None:
    """The training command of `method` on the small corpus in the current folder's `corpus`."""
    seeds.talk(
        f"train-{method}", *rest, "--recipe", recipe, *options(*FAST, *SAVED), "--device", "cpu", "--quiet"
    )


def models(folder: Path) -> None:
    """corpus/, runs/METHOD, official/, heads/, motion files."""
    manifest = write_corpus(folder / "corpus", clips=7, phones=True)
    runs = folder / "runs"
    train("vq", "th_vqvae.debug", manifest, "-o", runs / "vq", "--set", "model.width=8")
    train("fer", "fer.debug", manifest, "-o", runs / "fer")
    for method, recipe in HALF.items():
        _stopped(method, recipe, manifest, runs / f"half-{method}")
    train("dee", "dee.debug", manifest, "-o", runs / "dee")
    train("phones", "phones.debug", manifest, "-o", runs / "phones")
    parts = ("--dee", runs / "dee", "--prior", runs / "vq")
    train("gen", "deeptalk.debug", manifest, "-o", runs / "gen", *parts, "--set", "model.prior.width=8")
    write_official(folder / "official", official_states())
    heads = folder / "heads"
    heads.mkdir()
    arrays = flame_arrays()
    python2_pickle(heads / "head.pkl", arrays)
    make_head("ada", [heads / "own.npz"], reporter=Silent())
    colours = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    for name in ("wall.png", "wall.jpg"):
        Image.fromarray(colours).save(heads / name)
    _landmarks(heads / "landmark_embedding.npy")
    seeds_data.motion(folder / "ada.npz")
    seeds_data.motion(folder / "flame.npz", "flame")
    seeds_data.vertices(folder / "vertices.npz")
    with mock.patch.dict("os.environ", TALK_CACHE=str(heads / "cache")):
        read_flame(heads / "head.pkl")
    (cached,) = (heads / "cache").rglob("*.npz")
    (heads / "cached.npz").write_bytes(cached.read_bytes())
    (heads / "cached.name").write_text(cached.name)
    torch.save({"model": {"a.weight": torch.zeros(3, 2)}, "epoch": 1}, folder / "official" / "foreign.pt")


def _landmarks(path: Path) -> None:
    """As DECA publishes them."""
    names = ("static_lmk", "dynamic_lmk", "full_lmk")
    rows = {"static_lmk": (51,), "dynamic_lmk": (79, 17), "full_lmk": (1, 68)}
    content = {f"{name}_faces_idx": np.zeros(rows[name], np.int64) for name in names}
    content |= {f"{name}_bary_coords": np.full((*rows[name], 3), 1 / 3) for name in names}
    np.save(path, np.array(content, dtype=object), allow_pickle=True)


def _stopped(method: str, recipe: str, manifest: Path, out: Path) -> None:
    """A run that was interrupted right after its first state, at step 2 of 4."""
    write = RunFolder.write_state

    def write_and_stop(run: RunFolder, *state: object) -> None:
        write(run, *state)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    stopped = mock.patch.object(RunFolder, "write_state", write_and_stop)
    with stopped, contextlib.suppress(RuntimeError, KeyboardInterrupt):
        train(method, recipe, manifest, "-o", out)
