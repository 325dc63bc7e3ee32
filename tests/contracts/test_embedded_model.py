"""What the shipped weights promise, on the example and on real speech of a voice no training has heard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import talkcli as talk
from talkcli.engine.audio.io import read_speech
from talkcli.engine.checkpoints.model_file import Header, load_model
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.performers.deeptalk import DeepTalkPerformer
from talkcli.engine.pipelines.score.generation import open_deeptalk
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.types import Emotion, Motion, Silent
from tests.engine.fakes import performed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def performer() -> DeepTalkPerformer:
    return open_deeptalk(EMBEDDED, "cpu")


def test_the_file_says_what_it_is(performer: DeepTalkPerformer) -> None:
    header = performer.header
    assert (header.method, header.head, header.fps) == ("deeptalk", "ada", 25)
    assert "CC-BY-NC-SA-4.0" in header.licence
    assert "clips" in header.trained_on


def test_the_example_is_performed_as_ever(performer: DeepTalkPerformer) -> None:
    """Numbers of the first version that carried these weights: changes around the model leave them alone."""
    heard = performer.listen(read_speech(ROOT / "examples" / "hello.wav", Silent()))
    assert heard.emotion.mean[0, :6].tolist() == pytest.approx(
        [0.1423, -0.0664, -0.0433, -0.0680, -0.0530, 0.2696], abs=2e-4
    )
    take = performer.model.take(heard, generator=torch.Generator())
    slow = take.codes[0][0][0, :20].tolist()
    assert slow == [
        59, 138, 40, 94, 207, 21, 222, 183, 91, 192, 50, 86, 117, 150, 180, 164, 91, 78, 37, 57,
    ]  # fmt: skip


def test_mouth_moves_with_the_example_and_rests_in_silence(performer: DeepTalkPerformer) -> None:
    speech = read_speech(ROOT / "examples" / "hello.wav", Silent())
    (motion,) = performed(performer, speech)
    jaw = motion.coeffs[:, motion.channels.index("jawPitch")]
    assert jaw.max() > 0.05
    # The example ends in a pause.
    assert np.abs(jaw[-3:]).max() < 0.03


def test_the_tip_is_up_in_the_l_of_hello() -> None:
    speech = read_speech(ROOT / "examples" / "hello.wav", Silent())
    talker = talk.load(layers={"head_motion": False})
    motion, again = talker.animate(speech), talker.animate(speech)
    assert isinstance(motion, Motion) and isinstance(again, Motion)
    assert motion.channels == talker.channels == ADA + TONGUE
    assert motion.coeffs.tobytes() == again.coeffs.tobytes()
    tip, between, back = motion.coeffs[:, 53:].T
    # The l lies at 0.37 to 0.49 s, the d of "Ada" at 1.72 to 1.76 s, the th of "that" at 2.79 to 2.84 s, and
    # the k of "code" at 4.26 to 4.39 s.
    assert tip[10:12].min() > 0.95
    assert tip[43] > 0.95
    assert between[70] > 0.95
    assert back[107:109].min() > 0.95
    assert max(between[8:14].max(), back[8:14].max()) == 0
    # "Hello" ends at 0.66 s, and the pause after it lasts until 0.89 s.
    assert motion.coeffs[17:22, 53:].max() == 0
    bare = talk.load(layers={"head_motion": False, "tongue": False}).animate(speech)
    assert isinstance(bare, Motion) and bare.channels == ADA
    same = [column for column, name in enumerate(ADA) if name not in ("tongueOut", "jawPitch")]
    np.testing.assert_allclose(motion.coeffs[:, same], bare.coeffs[:, same], atol=0.05)


def test_takes_differ_in_the_face_not_in_the_length(performer: DeepTalkPerformer) -> None:
    speech = read_speech(ROOT / "examples" / "hello.wav", Silent())
    one, other = performed(performer, speech, sigma=0.1, takes=2)
    assert one.coeffs.shape == other.coeffs.shape
    assert np.abs(one.coeffs - other.coeffs).max() > 0.2


@pytest.mark.data
def test_lips_follow_an_unheard_voice(shared_data: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("LJ001-0001", "LJ001-0005", "LJ001-0013", "LJ001-0023"):
        (clips / f"{name}.wav").symlink_to(shared_data / "speech" / "ljspeech" / f"{name}.wav")
    report = score_motions(
        [],
        truth=None,
        audio=clips,
        text=shared_data / "speech" / "ljspeech",
        dataset=None,
        head_name=None,
        generation=Generation(model_name=EMBEDDED, device_name="cpu"),
        thresholds=[],
        reporter=Silent(),
    )
    overall = {name: entry["value"] for name, entry in report["overall"].items()}
    # Its opponent: a mouth that follows loudness alone has 1 here, and closes nothing in a loud b.
    assert overall["sync_r"] >= 0.4
    assert overall["closure_precision"] >= 0.65
    assert overall["closure_chance"] <= 0.1
    assert abs(overall["sync_lag_ms"]) <= 80
    assert overall["silence_closed"] >= 0.9
    assert overall["jump_mm"] <= 5
    assert overall["bilabial_closure"] >= 0.85
    assert overall["labiodental_contact"] >= 0.65
    assert overall["false_closure"] <= 0.08
    assert overall["openness_order"] >= 0.8
    assert overall["rounding_mm"] >= 3


@pytest.mark.data
def test_the_seed_does_not_pick_the_mood_of_a_neutral_voice(
    shared_data: Path, performer: DeepTalkPerformer
) -> None:
    """Of sixteen readings hardly any scowls or smiles, whatever the take."""
    shown = []
    for path in sorted((shared_data / "speech" / "ljspeech").glob("*.wav"))[:16]:
        motions = performed(performer, read_speech(path, Silent()), sigma=0.1, takes=4)
        shown.append(
            [max(_mean(motion, "browDownLeft"), _mean(motion, "mouthSmileLeft")) > 0.25 for motion in motions]
        )
    rates = np.mean(shown, axis=0)
    assert np.ptp(rates) <= 0.25
    assert rates.mean() <= 0.15


@pytest.mark.data
def test_an_angry_voice_lowers_the_brows(shared_data: Path, performer: DeepTalkPerformer) -> None:
    actor = shared_data / "emotion" / "ravdess16k" / "Actor_12"
    line = read_speech(shared_data / "speech" / "ljspeech" / "LJ001-0002.wav", Silent())

    def brows(emotion: str, level: str) -> float:
        source = read_speech(actor / f"03-01-{emotion}-{level}-01-01-12.wav", Silent())
        (motion,) = performed(performer, line, source)
        return _mean(motion, "browDownLeft")

    angry, neutral = ("05", "02"), ("01", "01")
    assert brows(*angry) > brows(*neutral) + 0.2


def test_what_is_asked_for_is_performed_and_by_how_much(performer: DeepTalkPerformer) -> None:
    speech = read_speech(ROOT / "examples" / "hello.wav", Silent())

    def smile(label: str, level: float = 1.0) -> float:
        (motion,) = performed(performer, speech, emotion=Emotion(label=label, level=level))
        return _mean(motion, "mouthSmileLeft")

    assert smile("happy") > smile("happy", 0.5) + 0.1 > smile("sad") + 0.2


def _mean(motion: Motion, channel: str) -> float:
    return float(motion.coeffs[:, motion.channels.index(channel)].mean())


def test_loading_it_leaves_the_compiler_of_pytorch_alone() -> None:
    """Shapes are compared on the meta device; an operation there that PyTorch has no kernel for imports its
    compiler, 130 MB and two seconds for every command.
    """
    program = (
        "import sys\n"
        "from talkcli.engine.checkpoints.model_file import shipped_weights, load_model\n"
        "load_model(shipped_weights())\n"
        "print({'sympy', 'triton', 'torch._dynamo'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_performing_loads_no_renderer_and_no_reader_of_data_sets() -> None:
    program = (
        "import sys\n"
        "from talkcli.engine.pipelines.animate import open_performer\n"
        "from talkcli.engine.methods import EMBEDDED\n"
        "from talkcli.engine.types import Silent\n"
        "open_performer(EMBEDDED, reporter=Silent())\n"
        "print({'numba', 'PIL', 'h5py', 'pyarrow', 'scipy', 'torchaudio'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_its_weights_are_read_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, threads that wait for each other made of a quarter of a second four."""
    threads = []

    def load(path: Path, device: torch.device) -> tuple[object, Header]:
        threads.append(torch.get_num_threads())
        return load_model(path, device)

    monkeypatch.setattr("talkcli.engine.performers.trained.load_model", load)
    torch.set_num_threads(2)
    try:
        open_deeptalk(EMBEDDED, "cpu")
    finally:
        torch.set_num_threads(1)
    assert threads == [1]
