"""Miniature VOCASET and BIWI: faces that open and close, in time with a tone that swells."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.engine.face.flame_twin import python2_pickle


def template(num_verts: int, seed: int, height: float = 0.25) -> np.ndarray:
    """A cloud as tall as a head, in doubles as templates are."""
    points = np.random.default_rng(seed).uniform(-0.5, 0.5, (num_verts, 3))
    points[0], points[1] = (0, -0.5, 0), (0, 0.5, 0)
    return points * height


def moving(at_rest: np.ndarray, num_frames: int) -> np.ndarray:
    """A tenth of the vertices sink and rise by 4 % of the height."""
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(num_frames) / 20)
    vertices = np.repeat(at_rest[None], num_frames, axis=0)
    vertices[:, : len(at_rest) // 10, 1] -= 0.04 * np.ptp(at_rest[:, 1]) * swing[:, None]
    return vertices.astype(np.float32)


def tone(seconds: float, rate_hz: int) -> np.ndarray:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8000 * np.sin(2 * np.pi * 220 * time)).astype(np.int16)


def wav(samples: np.ndarray, rate_hz: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def write_pickle(path: Path, content: Any, protocol: int | None) -> None:
    """`protocol` None is Python 2's own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if protocol is None:
        python2_pickle(path, content)
    else:
        path.write_bytes(pickle.dumps(content, protocol))


def write_files(root: Path, stem: str, vertices: np.ndarray, fps: float, rate_hz: int = 22_000) -> None:
    """wav/STEM.wav and vertices_npy/STEM.npy as trainers keep them, a row of numbers a frame."""
    for name in ("wav", "vertices_npy"):
        (root / name).mkdir(parents=True, exist_ok=True)
    np.save(root / "vertices_npy" / f"{stem}.npy", vertices.reshape(len(vertices), -1))
    (root / "wav" / f"{stem}.wav").write_bytes(wav(tone(len(vertices) / fps, rate_hz), rate_hz))


def touch_files(root: Path, stem: str) -> None:
    """Files of which only the names matter."""
    for name, suffix in (("wav", "wav"), ("vertices_npy", "npy")):
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / f"{stem}.{suffix}").write_bytes(b"x")
