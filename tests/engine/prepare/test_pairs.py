"""Motion finds the sound of its own path and never that of a stranger."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.prepare.names import plain
from talkcli.engine.prepare.pairs import paired_sounds
from tests.engine.prepare.trees import tree


def test_pairs(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "coeffs/anna/1.npz", "audio/anna/1.mp3", "audio/anna/1.wav", "coeffs/anna/1.flac",
        "coeffs/ben/2.npz", "audio/anna/2.wav",
        "3.npz", "3.m4a", "audio/._3.wav",
        "deep/coeffs/anna/1.npz", "deep/anna/audio/1.mp4",
    )  # fmt: skip
    found = paired_sounds(tmp_path, sorted(tmp_path.rglob("*.npz")), ("coeffs", "audio"))
    assert [
        (name, motion.relative_to(tmp_path).as_posix(), sound and sound.relative_to(tmp_path).as_posix())
        for name, motion, sound in found
    ] == [
        ("3", "3.npz", "3.m4a"),
        ("anna/1", "coeffs/anna/1.npz", "audio/anna/1.wav"),
        ("ben/2", "coeffs/ben/2.npz", None),
        ("deep/anna/1", "deep/coeffs/anna/1.npz", "deep/anna/audio/1.mp4"),
    ]


def test_plain_names() -> None:
    assert plain("anna b/ä 1:2.x-y_z") == "anna_b/ä_1_2.x-y_z"
