"""Small stand-ins: a linear head, and a corpus of buzzing "speech" whose loudness opens the jaw.

Axis names: `frames`, `coeffs` = 53, `verts`.
"""

from __future__ import annotations

import dataclasses
import itertools
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.audio.textgrid import write_alignment
from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, write_manifest
from talkcli.engine.face.channels import ADA, NUM_COEFFS
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.files import sha256
from talkcli.engine.performers.performer import Performer, Sampling
from talkcli.engine.train.batches import Batch, BatchConfig, Batches, prepare
from talkcli.engine.train.gather import gather
from talkcli.engine.types import (
    EMOTIONS,
    MODEL_FPS,
    SAMPLES_PER_FRAME,
    SILENCE,
    SPEECH_RATE_HZ,
    Alignment,
    Clip,
    Emotion,
    Motion,
    Phone,
    Silent,
    Speech,
)

# Tensors of tests are small: threads cost more than they bring, on a busy machine ten times more.
torch.set_num_threads(1)

NUM_VERTS = 120


class LinearHead:
    """Vertices are linear in the coefficients; a few centimetres across, so that errors are millimetres."""

    name = "ada"
    channels = ADA

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.template = rng.normal(0, 0.05, (NUM_VERTS, 3)).astype(np.float32)
        self.basis = torch.from_numpy(rng.normal(0, 0.004, (NUM_COEFFS, NUM_VERTS, 3)).astype(np.float32))
        self.faces = rng.integers(0, NUM_VERTS, (200, 3))
        self.parts = ("skin",)
        self.part_of_face = np.zeros(200, dtype=np.int64)
        self.colours = np.full((NUM_VERTS, 3), 0.5, dtype=np.float32)
        self.regions = {
            name: np.arange(first, first + 20)
            for first, name in enumerate(("lips", "upper_face", "eyes", "forehead", "nose"))
        }

    def __call__(self, coeffs: Tensor, only: Tensor | None = None) -> Tensor:
        chosen = torch.arange(NUM_VERTS) if only is None else only
        rest = torch.from_numpy(self.template)[chosen].to(coeffs)
        return rest + torch.einsum("fc,cvx->fvx", coeffs, self.basis[:, chosen].to(coeffs))

    def landmarks(self, vertices: Tensor) -> Tensor:
        return vertices[:, :68]


def fake_clip(index: int, frames: int = 40) -> Clip:
    """Bursts of a buzz: pitch tells the emotion, loudness opens the jaw, an emotion raises a channel."""
    rng = np.random.default_rng(index)
    emotion = index % len(EMOTIONS)
    time_s = np.arange(frames * SAMPLES_PER_FRAME) / SPEECH_RATE_HZ
    loudness = np.clip(np.sin(2 * np.pi * (2 + rng.random()) * time_s + rng.random() * 6), 0, 1)
    buzz = sum(np.sin(2 * np.pi * (90 + 25 * emotion) * part * time_s) / part for part in range(1, 12))
    samples = (0.1 * loudness * buzz + 0.001 * rng.standard_normal(len(time_s))).astype(np.float32)
    coeffs = np.zeros((frames, NUM_COEFFS), dtype=np.float32)
    coeffs[:, ADA.index("jawPitch")] = 0.3 * loudness.reshape(frames, -1).mean(1)
    coeffs[:, emotion] = 0.8
    return Clip(
        id=f"clip{index:03d}",
        speech=Speech(samples=samples),
        motion=Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA),
        emotion=Emotion(label=EMOTIONS[emotion], level=0.5),
        speaker=f"speaker{index % 3}",
    )


def fake_phones(clip: Clip) -> Alignment:
    """An open vowel where the buzz is loud, a hum where it is soft, silence where there is none."""
    opening = clip.motion.coeffs[:, ADA.index("jawPitch")] / 0.3
    said = np.where(opening > 0.5, "AA", np.where(opening > 0.02, "M", SILENCE))
    edges = np.flatnonzero(np.concatenate([[True], said[1:] != said[:-1], [True]]))
    return Alignment(
        tuple(
            Phone(str(said[first]), first / MODEL_FPS, last / MODEL_FPS)
            for first, last in itertools.pairwise(edges.tolist())
        ),
        "aligned",
    )


def write_corpus(folder: Path, clips: int = 14, *, phones: bool = False) -> Path:
    """A manifest of fake clips, the last four for validation; with `phones` they say which phone is when."""
    entries = []
    for index in range(clips):
        clip = fake_clip(index)
        audio, motion = folder / f"{clip.id}.wav", folder / f"{clip.id}.npz"
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(audio, clip.speech.samples, SPEECH_RATE_HZ, subtype="FLOAT")
        write_motion(motion, clip.motion)
        grid = folder / f"{clip.id}.TextGrid"
        if phones:
            write_alignment(grid, fake_phones(clip))
        entries.append(
            Entry(
                id=clip.id,
                audio=audio.name,
                motion=motion.name,
                phones=grid.name if phones else None,
                fps=25.0,
                speaker=clip.speaker,
                emotion=clip.emotion.label,
                intensity=clip.emotion.level,
                split="train" if index < clips - 4 else "val",
                sha256=Digests(
                    audio=sha256(audio), motion=sha256(motion), phones=sha256(grid) if phones else None
                ),
                licence="CC0-1.0",
            )
        )
    write_manifest(folder / "manifest.jsonl", entries)
    return folder / "manifest.jsonl"


def write_vertex_corpus(folder: Path, clips: int = 14) -> Path:
    """Write a manifest of fake clips whose motion is vertices of `LinearHead`, the last four for
    validation.
    """
    folder.mkdir(parents=True)
    head, entries = LinearHead(), []
    np.save(folder / "neutral.npy", head.template)
    for index in range(clips):
        clip = fake_clip(index)
        audio, vertices = folder / f"{clip.id}.wav", folder / f"{clip.id}.npy"
        soundfile.write(audio, clip.speech.samples, SPEECH_RATE_HZ, subtype="FLOAT")
        np.save(vertices, head(torch.from_numpy(clip.motion.values)).numpy())
        entries.append(
            Entry(
                id=clip.id,
                audio=audio.name,
                mesh=MeshFiles(vertices=vertices.name, neutral="neutral.npy", topology="toy-mesh"),
                fps=25.0,
                speaker=clip.speaker,
                emotion=clip.emotion.label,
                intensity=clip.emotion.level,
                split="train" if index < clips - 4 else "val",
                sha256=Digests(
                    audio=sha256(audio), vertices=sha256(vertices), neutral=sha256(folder / "neutral.npy")
                ),
                licence="CC0-1.0",
            )
        )
    write_manifest(folder / "manifest.jsonl", entries)
    return folder / "manifest.jsonl"


def fake_batches(**how: Any) -> Batches:
    """Four fake clips as training and validation data, heard as 20 mel bands and prosody."""
    config = BatchConfig(**{"size": 4, "frames": 16, **how})
    ears = {"log_mel": LogMel(LogMelConfig(num_mels=20))}
    clips = [fake_clip(index) for index in range(4)]
    examples = prepare(clips, ears, config, speakers=(), copies=0, seed=0, reporter=Silent())
    return Batches(training=examples, validation=examples, ears=ears, config=config, seed=0)


@contextmanager
def small_disk(room: int = 50_000) -> Iterator[None]:
    """No file may grow beyond `room` bytes: for whoever writes, the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class ToyModel(nn.Module):
    """Four hops of speech to a frame of motion; with frozen weights, a buffer that follows the data and, if
    asked, dropout.
    """

    count: Tensor

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.frozen = nn.Linear(92, 92).requires_grad_(False)
        self.trained = nn.Sequential(nn.Linear(92, 16), nn.Dropout(dropout), nn.Linear(16, NUM_COEFFS))
        self.unused = nn.Linear(3, 3)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, batch: Batch) -> Tensor:
        if self.training:
            self.count += 1
        return self.trained(torch.tanh(self.frozen(batch.sound["log_mel"].reshape(len(batch), -1, 92))))


class Toy(nn.Module):
    """Regression of the motion from the sound; with `contrast` also a loss that compares all rows of a batch.

    The loss is not a number at call `fail_at`.
    """

    def __init__(self, *, dropout: float = 0.0, contrast: bool = False, fail_at: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.model = ToyModel(dropout)
        self.contrast = contrast
        self.fail_at = fail_at
        self.calls = 0

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        self.calls += 1
        made = self.model(batch)
        terms = {"regression": (made - batch.motion).square().mean()}
        if self.contrast:
            left, right = gather(made.mean(1)), gather(batch.motion.mean(1))
            logits = -torch.cdist(left, right).square()
            terms["contrast"] = nn.functional.cross_entropy(logits, torch.arange(len(logits)))
        loss = sum(terms.values(), torch.zeros(()))
        return {"loss": loss * torch.nan if self.calls == self.fail_at else loss, **terms}

    def validate(self, batches: list[Batch]) -> dict[str, float]:
        errors = [(self.model(batch) - batch.motion).square().mean() for batch in batches]
        return {"score": float(torch.stack(errors).mean())}


def left_by_a_kill(folder: Path) -> Path:
    """A temporary folder in `folder`, as a killed process leaves it."""
    program = "import os, sys; from pathlib import Path; from talkcli.engine.files import atomic_path\n"
    program += "with atomic_path(Path(sys.argv[1])) as temporary:\n"
    program += "    temporary.touch(); print(temporary.parent, flush=True); os.kill(os.getpid(), 9)"
    folder.mkdir(parents=True, exist_ok=True)
    target = str(folder / "x.npz")
    command = [sys.executable, "-c", program, target]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(killed.stdout.strip())


def performed(
    performer: Performer, speech: Speech, emotion_speech: Speech | None = None, **told: Any
) -> list[Motion]:
    """The motion of every take; `told` are fields of `Sampling` and of the performer's own controls."""
    common = {field.name for field in dataclasses.fields(Sampling)}
    sampling = Sampling(**{name: value for name, value in told.items() if name in common})
    controls = performer.controls(**{name: value for name, value in told.items() if name not in common})
    return list(performer.perform(speech, sampling, controls, emotion_speech))


class Told(Silent):
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.steps: list[tuple[str, int, int | None]] = []

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self.steps.append((stage, done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def warned(self, part: str) -> bool:
        return any(part in text for text in self.warnings)

    def noted(self, part: str) -> bool:
        return any(part in text for text in self.notes)
