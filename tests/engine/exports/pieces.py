"""Pieces of motion for tests of formats: a mouth that opens once, and what reads the files back."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.arkit import ada_coeffs
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.visemes import VISEME_SETS
from talkcli.engine.types import SILENCE, Alignment, Motion, Phone, Silent

OPENS_S = 59.0


def opening(fps: float, seconds: float = 60.0, *, at_s: float = OPENS_S, said: bool = False) -> Piece:
    """A piece whose mouth says a from `at_s` on; `said`: with the phones of it."""
    frames = round(seconds * fps)
    opened = (np.arange(frames) + 0.5 > at_s * fps).astype(np.float32)
    pose = VISEME_SETS["oculus"].poses["aa"]
    coeffs = ada_coeffs({name: value * opened for name, value in pose.items()}, frames)
    phones = (Phone(SILENCE, 0.0, at_s), Phone("AA", at_s, seconds))
    alignment = Alignment(phones, "aligned") if said else None
    motion = Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA, alignment=alignment)
    return Piece(motion=motion, meta={"command": "test"}, reporter=Silent())


def moving(frames: int = 40, fps: float = 25.0, seed: int = 0, **fields: Any) -> Piece:
    """A piece of random shares and jaw angles, with a turning head."""
    drawn = np.random.default_rng(seed)
    coeffs = drawn.uniform(0, 1, (frames, len(ADA))).astype(np.float32)
    coeffs[:, -3:] = drawn.uniform((0, -0.1, 0), (0.4, 0.1, 0), (frames, 3))
    pose = drawn.uniform(-0.4, 0.4, (frames, 3)).astype(np.float32)
    motion = Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA, pose=pose)
    return Piece(motion=motion, meta={"command": "test"}, reporter=Silent(), **fields)


def of_flame(frames: int = 12, fps: float = 25.0) -> Piece:
    """A piece of FLAME with a turning head."""
    drawn = np.random.default_rng(1)
    coeffs = drawn.normal(0, 0.3, (frames, len(FLAME))).astype(np.float32)
    pose = drawn.normal(0, 0.1, (frames, 3)).astype(np.float32)
    motion = Motion(coeffs=coeffs, fps=fps, head="flame", channels=FLAME, pose=pose)
    return Piece(motion=motion, meta={"command": "test"}, reporter=Silent())


class ReadGlb:
    """A binary glTF as the specification lays it out, read without the code under test."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        self.json = json.loads(data[20 : 20 + size])
        self._binary = data[20 + size + 8 :]

    def floats(self, index: int) -> np.ndarray:
        """The numbers of an accessor of floats: (elements, components)."""
        accessor = self.json["accessors"][index]
        assert accessor["componentType"] == 5126
        view = self.json["bufferViews"][accessor["bufferView"]]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        values = np.frombuffer(self._binary, "<f4", accessor["count"] * width, start)
        return values.reshape(-1, width)

    def track(self, node: int, path: str) -> tuple[np.ndarray, np.ndarray]:
        """Times in seconds, and values, of what moves a node."""
        (animation,) = self.json["animations"]
        (channel,) = [
            channel for channel in animation["channels"] if channel["target"] == {"node": node, "path": path}
        ]
        sampler = animation["samplers"][channel["sampler"]]
        return self.floats(sampler["input"])[:, 0], self.floats(sampler["output"])

    def expression(self, kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Times in seconds, and weights, of an expression of a VRMA."""
        node = self.json["extensions"]["VRMC_vrm_animation"]["expressions"][kind][name]["node"]
        times, values = self.track(node, "translation")
        return times, values[:, 0]
