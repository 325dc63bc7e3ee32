"""The guide to retraining on MEAD does what it says: its commands run in their order, on twins of the files.

Networks are made narrow and runs one step long; nothing else is changed about the commands.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from talkcli.app import main
from talkcli.engine.audio.emotion2vec import Emotion2vec, Emotion2vecConfig
from talkcli.engine.audio.io import write_wav
from talkcli.engine.audio.wav2vec2 import Wav2vec2, Wav2vec2Config
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.mead_splits import SPLIT_OF_ACTOR
from talkcli.engine.types import Speech
from tests.engine.face import flame_twin
from tests.engine.judges.lip_readers import random_state
from tests.engine.prepare.adapters import test_affectnet, test_mead

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "methods" / "deeptalk.md"
SECTION = "## Retraining on MEAD\n"

_EMOTION2VEC = Emotion2vecConfig(
    width=24, prenet=1, depth=2, frozen_blocks=1, heads=2, feedforward=32, channels=8, position_groups=2
)
_WAV2VEC2 = Wav2vec2Config(
    width=24, layers=2, heads=2, feedforward=32, channels=8, position_kernel=8, position_groups=2
)
_FER = {"hidden": [32, 16, 8], "feature_layer": 1}
_SHORT = ["train.epochs=0.001", "data.frames=16"]
_NARROW = {
    "train-fer": [f"model.hidden={_FER['hidden']}", "model.feature_layer=1", "data.size=16"],
    "train-dee": [
        f"model.speech={_EMOTION2VEC.model_dump_json()}",
        f"model.expression={json.dumps({'kind': 'fer', **_FER})}",
        "model.audio_width=24", "model.audio_layers=1", "model.motion_width=16", "model.motion_layers=1",
        "model.heads=2", "model.feedforward=32", "model.embedding=16",
        "data.size=4", "data.speech_frames=12",
    ],
    "train-vq": [
        "model.width=16", "model.heads=2", "model.feedforward=16", "model.decoder_feedforward=16",
        "model.codes=16", "data.size=4",
    ],
    "train-gen": [
        f"model.content={_WAV2VEC2.model_copy(update={'normalise': 'batch'}).model_dump_json()}",
        "model.width=16", "model.heads=2", "model.feedforward=16", "model.predictor_width=16",
        "model.predictor_layers=1", "data.size=2",
    ],
}  # fmt: skip


def commands() -> list[str]:
    """The lines of the guide's code blocks."""
    text = GUIDE.read_text(encoding="utf-8")
    section = text[text.index(SECTION) + len(SECTION) :].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _write_flame(folder: Path) -> None:
    folder.mkdir()
    flame_twin.write_flame(folder / "generic_model.pkl", flame_twin.flame_arrays())
    regions = ("lips", "eye_region", "forehead", "nose", "face")
    masks = {name: np.arange(6 * index, 6 * index + 6) for index, name in enumerate(regions)}
    flame_twin.python2_pickle(folder / "FLAME_masks.pkl", masks)
    draw = np.random.default_rng(0)
    embedding = {
        "full_lmk_faces_idx": draw.integers(0, flame_twin.NUM_FACES, (1, 68)),
        "full_lmk_bary_coords": draw.dirichlet(np.ones(3), (1, 68)),
    }
    np.save(folder / "landmark_embedding.npy", np.array(embedding, dtype=object), allow_pickle=True)


def _write_affectnet(root: Path) -> None:
    pictures = [(f"1/{split}{label}.jpg", label) for split in ("t", "v") for label in range(8)]
    test_affectnet.write_lists(root, pictures[:8], pictures[8:])
    for picture, label in pictures:
        test_affectnet.write_codes(root / "codes" / Path(picture).stem, label / 10)


def _write_weights(folder: Path) -> None:
    torch.manual_seed(0)
    (folder / "emotion2vec").mkdir()
    torch.save({"model": Emotion2vec(_EMOTION2VEC).state_dict()}, folder / "emotion2vec" / "model.pt")
    theirs = {
        name.removeprefix("model.").replace("encoder.transformer.", "encoder.").replace(
            "encoder.feature_", "feature_"
        ): value.contiguous()
        for name, value in Wav2vec2(_WAV2VEC2).state_dict().items()
    }  # fmt: skip
    (folder / "wav2vec2-base-960h").mkdir()
    save_file(theirs, folder / "wav2vec2-base-960h" / "model.safetensors")
    (folder / "LRS3_V_WER32.3").mkdir()
    reader = {f"encoder.frontend.{name}": value for name, value in random_state().items()}
    torch.save(reader, folder / "LRS3_V_WER32.3" / "model.pth")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every file that the guide's table names, and a line of speech."""
    folder = tmp_path_factory.mktemp("guide")
    _write_flame(folder / "FLAME")
    _write_affectnet(folder / "AffectNet")
    for split in ("train", "val", "test"):
        actors = [actor for actor in SPLIT_OF_ACTOR if SPLIT_OF_ACTOR[actor] == split][:2]
        for actor in actors:
            for emotion in (1, 3):
                test_mead.write_clip(folder, f"{actor}_{emotion}_1_001")
    _write_weights(folder)
    samples = np.sin(np.arange(16_000) / 9).astype(np.float32) / 3
    write_wav(folder / "speech.wav", Speech(samples=samples))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("TALK_CACHE", str(folder / "cache"))
        patch.delenv("TALK_DATA", raising=False)
        yield folder


def _run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    program, command, *rest = shlex.split(line)
    assert program == "talk"
    if command in _NARROW:
        settings = [*_SHORT, *_NARROW[command]]
        rest += [part for setting in settings for part in ("--set", setting)]
    if command == "doctor":
        return 0
    monkeypatch.setattr(sys, "argv", ["talk", command, *rest])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.slow
def test_every_command_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = commands()
    trained = [shlex.split(line)[1] for line in found if " train-" in line]
    assert trained == ["train-fer", "train-dee", "train-vq", "train-gen", "train-gen"]
    assert any("score" in line for line in found)
    for line in found:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value)
            continue
        code = _run(line, monkeypatch)
        told = capsys.readouterr()
        assert code == 0, f"{line}\n{told.out}\n{told.err}"
        assert "stand-in" not in told.err, line

    model, header = load_model(folder / "runs" / "stage2" / "best.safetensors")
    assert (header.head, header.fps) == ("flame", 25)
    assert model.config.speakers[0].endswith("M003")
    assert model.config.nobody is False
    motion, meta = read_motion(folder / "motion.npz")
    assert motion.coeffs.shape == (28, 53)
    assert meta["actor"].endswith("M003")


def test_the_guide_names_what_a_reader_needs() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    section = text[text.index(SECTION) :].partition("\n## ")[0]
    for needed in (
        "TALK_FLAME", "FLAME_masks.pkl", "landmark_embedding.npy", "flame_static_embedding.pkl",
        "emotion2vec_base_finetuned", "wav2vec2-base-960h", "LRS3_V_WER32.3", "--smooth", "--resume",
        "FID 26.07", "LSE-D 10.65", "56.64",
    ):  # fmt: skip
        assert needed in section, needed
