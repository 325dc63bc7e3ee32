"""Who performs, what is drawn, what needs a head, and how much memory a long speech takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.checkpoints.model_file import Meta, save_model
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.exports import motion as motion_export
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.deeptalk_config import DeepTalkConfig
from talkcli.engine.models.deeptalk.fer import Fer, FerConfig
from talkcli.engine.models.deeptalk.vqvae import VqvaeConfig
from talkcli.engine.performers import trained
from talkcli.engine.performers.actors import default_actor, speaker
from talkcli.engine.performers.open import open_model
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.pipelines import animate
from talkcli.engine.pipelines.animate import animate_file
from talkcli.engine.pipelines.score.generation import open_deeptalk
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import EMOTIONS, NOBODY, SPEECH_RATE_HZ, Emotion, Silent, Speech
from tests.engine.fakes import Told, performed
from tests.engine.models.deeptalk.tiny_deeptalk import NARROW

ROOT = Path(__file__).resolve().parents[3]
_SPEECH = Speech(samples=np.sin(np.arange(SPEECH_RATE_HZ) / 9).astype(np.float32) / 3)


def saved(path: Path, config: DeepTalkConfig) -> Path:
    """A generator for FLAME with random weights."""
    torch.manual_seed(0)
    model = DeepTalk(config)
    # Untrained, the style hardly matters; here it shall.
    model.emotion.weight.data *= 30
    meta = Meta(head="flame", channels=FLAME, fps=25, trained_on="nothing", licence="MIT")
    save_model(path, model, meta=meta)
    return path


@pytest.fixture(scope="module")
def flame_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = NARROW.model_copy(update={"speakers": ("M003", "M005", "7")})
    return saved(tmp_path_factory.mktemp("model") / "flame.safetensors", config)


@pytest.fixture
def animated(tmp_path: Path, flame_model: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`animate_file` on a second of sound where there is no FLAME file; more options by name."""
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)
    write_wav(tmp_path / "a.wav", _SPEECH)

    def run(out: str, **options: Any) -> dict[str, Any]:
        defaults: dict[str, Any] = {
            "sampling": Sampling(), "emotion_from": None, "model_name": str(flame_model), "head_name": None,
            "fps": None, "shot": Shot(size=Size(64, 64)), "renderer": "software", "device_name": "cpu",
            "precision": "fp32", "layers": {}, "reporter": Silent(),
        }  # fmt: skip
        return animate_file(tmp_path / "a.wav", [tmp_path / out], **(defaults | options))

    return run


def test_motion_needs_no_head(tmp_path: Path, animated: Any) -> None:
    report = animated("a.npz")
    motion, meta = read_motion(tmp_path / "a.npz")
    assert (motion.head, motion.channels, len(motion.coeffs)) == ("flame", FLAME, 25)
    assert report["head"] == "flame"
    # What another head's motion was found to allow says nothing about this one.
    assert meta["layers"] == []


@pytest.mark.parametrize(("out", "options"), [("a.mp4", {}), ("a.npz", {"layers": {"limit_lips": True}})])
def test_drawing_and_limiting_need_the_head(
    out: str, options: dict[str, Any], tmp_path: Path, animated: Any
) -> None:
    with pytest.raises(AssetError, match="FLAME"):
        animated(out, **options)
    assert not (tmp_path / out).exists()


def test_a_head_of_other_channels_is_refused(animated: Any) -> None:
    with pytest.raises(UsageError, match="channels of flame"):
        animated("a.npz", head_name="ada")


def test_actors_go_by_name_then_by_place(flame_model: Path) -> None:
    performer = open_deeptalk(str(flame_model), "cpu")
    assert [performer.speaker(actor) for actor in ("M003", "M005", "1", "7")] == [0, 1, 1, 2]
    for unknown in ("3", "-1", "m03", ""):
        with pytest.raises(UsageError, match="no actor") as caught:
            performer.speaker(unknown)
        assert caught.value.hint is not None and "M003" in caught.value.hint
    motions = [performed(performer, _SPEECH, actor=actor)[0].coeffs for actor in ("M003", "0", "7")]
    np.testing.assert_array_equal(motions[0], motions[1])
    assert np.abs(motions[0] - motions[2]).max() > 0


@pytest.mark.parametrize(
    ("nobody", "speakers", "name", "number"),
    [
        (False, ("M003", "M005"), "M003", 0),
        (False, ("A", "M003"), "M003", 1),
        (False, ("A", "B"), "A", 0),
        (False, (), "0", 0),
        (True, ("M003", "M005"), None, NOBODY),
        (True, (), None, NOBODY),
        # Files of before the field: the embedded model, and official ones.
        (None, ("A", "B"), None, NOBODY),
        (None, ("A", "M003"), "M003", 1),
    ],
)
def test_who_performs_when_nobody_is_asked_for(
    nobody: bool | None, speakers: tuple[str, ...], name: str | None, number: int
) -> None:
    config = NARROW.model_copy(update={"nobody": nobody, "speakers": speakers})
    assert (default_actor(config), speaker(config, None)) == (name, number)


def test_an_actor_chosen_for_the_user_is_told(tmp_path: Path, animated: Any) -> None:
    listener = Told()
    report = animated("a.npz", reporter=listener)
    assert (report["actor"], report["actor_by_default"]) == ("M003", True)
    assert [note for note in listener.notes if "M003 performs" in note and "`actor=NAME`" in note]
    chosen = animated("b.npz", sampling=Sampling(actor="M003"), reporter=(listener := Told()))
    assert (chosen["actor"], chosen["actor_by_default"], listener.notes) == ("M003", False, [])
    (first, meta), (second, other) = (read_motion(tmp_path / name) for name in ("a.npz", "b.npz"))
    np.testing.assert_array_equal(first.coeffs, second.coeffs)
    assert (meta["actor"], meta["actor_by_default"], other["actor_by_default"]) == ("M003", True, False)


def test_a_missing_head_is_found_before_the_weights_are_read(
    tmp_path: Path, animated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(trained, "load_model", lambda *_: pytest.fail("the weights were read"))
        patch.setattr(animate, "read_speech", lambda *_: pytest.fail("the speech was read"))
        with pytest.raises(AssetError, match="FLAME") as caught:
            animated("a.mp4")
        hint = str(caught.value.hint)
        with pytest.raises(AssetError, match="FLAME"):
            animated("frames")
    assert "TALK_FLAME" in hint
    assert "--head ada" not in hint
    # What the hint says works.
    out = Path(hint.partition("`out=")[2].partition("`")[0])
    animated(out.name)
    assert out.is_file()


def test_a_file_that_is_no_generator_is_told_by_its_header(
    tmp_path: Path, animated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = Meta(head="flame", channels=FLAME, fps=25, trained_on="nothing", licence="MIT")
    save_model(tmp_path / "fer.safetensors", Fer(FerConfig()), meta=meta)
    with pytest.raises(InputError, match="holds a fer model, which is no generator"):
        animated("a.mp4", model_name=str(tmp_path / "fer.safetensors"))


def test_a_model_without_names_has_places(tmp_path: Path) -> None:
    nameless = NARROW.model_copy(update={"speakers": ()})
    performer = open_deeptalk(str(saved(tmp_path / "x.safetensors", nameless)), "cpu")
    last = NARROW.identity - 1
    assert performer.speaker(str(last)) == last
    with pytest.raises(UsageError, match=f"no actor {last + 1}"):
        performer.speaker(str(last + 1))


@pytest.mark.parametrize(
    ("text", "emotion"),
    [("happy", Emotion(label="happy")), ("sad:0.25", Emotion(label="sad", level=0.25)),
     ("neutral:0", Emotion(level=0.0))],
)  # fmt: skip
def test_emotions_are_read(text: str, emotion: Emotion) -> None:
    assert parse_emotion(text) == emotion


@pytest.mark.parametrize(
    ("text", "words"),
    [("Hapy", "Did you mean happy"), ("joy", "contempt"), ("sad:", "sad:0.7"), ("sad:1.5", "sad:0.7"),
     ("sad:nan", "sad:0.7"), ("sad:-1", "sad:0.7"), ("", "neutral")],
)  # fmt: skip
def test_what_is_no_emotion_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_emotion(text)
    assert words in str(caught.value.hint)


def test_an_emotion_takes_the_place_of_the_one_heard(tmp_path: Path, flame_model: Path) -> None:
    dee = NARROW.dee.model_copy(update={"anchors": True})
    performer = open_deeptalk(
        str(saved(tmp_path / "x.safetensors", NARROW.model_copy(update={"dee": dee}))), "cpu"
    )
    angry = Emotion(label="angry", level=0.5)
    with pytest.raises(UsageError, match="angry"):
        performed(performer, _SPEECH, emotion=angry)
    anchors = performer.model.dee.anchors
    anchors[EMOTIONS.index("neutral"), 0] = anchors[EMOTIONS.index("angry"), 1] = 1
    own, directed = performer.listen(_SPEECH), performer.listen(_SPEECH, emotion=angry)
    torch.testing.assert_close(directed.emotion.mean, performer.model.dee.directed(angry))
    assert torch.equal(directed.emotion.log_variance, own.emotion.log_variance)
    plain, acted = (performed(performer, _SPEECH, emotion=emotion)[0].coeffs for emotion in (None, angry))
    assert np.abs(plain - acted).max() > 0
    with pytest.raises(UsageError, match="happy"):
        performed(open_deeptalk(str(flame_model), "cpu"), _SPEECH, emotion=Emotion(label="happy"))


def test_a_file_says_which_emotion_was_asked_for(animated: Any) -> None:
    with pytest.raises(UsageError, match="`emotion_from`"):
        animated("a.npz", sampling=Sampling(emotion=Emotion(label="sad")), emotion_from=Path("b.wav"))
    assert animated("a.npz")["emotion"] is None


@pytest.mark.parametrize("layer", ["contacts", "tongue"])
def test_contacts_need_a_model_that_hears_phones(flame_model: Path, layer: str) -> None:
    with pytest.raises(UsageError, match="has none"):
        open_model(str(flame_model), "cpu", layers={layer: True})
    assert layer not in open_model(str(flame_model), "cpu", layers={}).layers.on


def test_held_takes_keep_emotion_and_slow_codes(flame_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    performer = open_deeptalk(str(flame_model), "cpu")
    drawn, emotions = [], []
    take = performer.model.take

    def spy(heard: Any, **options: Any) -> Any:
        emotions.append(heard.fixed)
        drawn.append(take(heard, **options))
        return drawn[-1]

    monkeypatch.setattr(performer.model, "take", spy)
    performed(performer, _SPEECH, sigma=0.1, tau_top=2.0, tau_bottom=2.0, takes=3, hold_slow=True)
    slow = [torch.cat([codes for window in made.slow for codes in window]) for made in drawn]
    fast = [torch.cat([window[-1] for window in made.codes]) for made in drawn]
    assert torch.equal(slow[0], slow[1]) and torch.equal(slow[0], slow[2])
    assert not torch.equal(fast[0], fast[1]) and not torch.equal(fast[1], fast[2])
    # The emotion that the first take drew is fixed for the others.
    first = performer.listen(_SPEECH).emotion.sample(0.1, performer._generator(Sampling(), 0))
    assert emotions[0] is None
    assert torch.equal(emotions[1], first) and torch.equal(emotions[2], first)


def test_one_level_of_codes_has_no_slow_ones_to_hold(tmp_path: Path) -> None:
    config = NARROW.model_copy(update={"prior": VqvaeConfig(width=16, heads=2, feedforward=16, codes=8)})
    performer = open_deeptalk(str(saved(tmp_path / "x.safetensors", config)), "cpu")
    with pytest.raises(UsageError, match="1 level"):
        performed(performer, _SPEECH, tau_top=1.0, tau_bottom=1.0, takes=2, hold_slow=True)


def test_released_draws_are_random_and_fixed_by_the_seed(flame_model: Path) -> None:
    performer = open_deeptalk(str(flame_model), "cpu")
    calm, first, again, other = (
        performed(performer, _SPEECH, **told)[0].coeffs
        for told in ({}, {"gumbel": True}, {"gumbel": True}, {"gumbel": True, "seed": 1})
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - calm).max() > 0
    assert np.abs(first - other).max() > 0


def test_a_performance_is_written_before_the_next_is_drawn(
    animated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    take, write = DeepTalk.take, motion_export.write_motion
    monkeypatch.setattr(DeepTalk, "take", lambda *a, **k: happened.append("draw") or take(*a, **k))
    monkeypatch.setattr(motion_export, "write_motion", lambda *a: happened.append("write") or write(*a))
    animated("a.npz", sampling=Sampling(takes=3), controls={"tau_top": 1.0})
    assert happened == ["draw", "write"] * 3


def test_bf16_is_near_fp32_and_warns_where_it_is_slow(
    tmp_path: Path, animated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Told()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    animated("half.npz", precision="bf16", reporter=listener)
    assert not [text for text in listener.warnings if "`precision=bf16`" in text]
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    animated("half.npz", precision="bf16", reporter=listener)
    assert [text for text in listener.warnings if "`precision=bf16`" in text and "slower" in text]
    animated("full.npz")
    half, full = (read_motion(tmp_path / f"{name}.npz") for name in ("half", "full"))
    assert (half[1]["precision"], full[1]["precision"]) == ("bf16", "fp32")
    assert not np.array_equal(half[0].coeffs, full[0].coeffs)


_PEAK = (
    "import resource, sys\n"
    "sys.argv[0] = 'talk'\n"
    "from talkcli.app import main\n"
    "try: main()\n"
    "except SystemExit as end: assert not end.code, end.code\n"
    "print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
)


@pytest.mark.slow
def test_memory_hardly_grows_with_the_length(tmp_path: Path) -> None:
    """Twenty minutes against one: growing at this rate, an hour takes less than half more than a minute."""
    hello = read_speech(ROOT / "examples" / "hello.wav", Silent()).samples
    peaks = []
    for minutes in (1, 20):
        speech = Speech(samples=np.resize(hello, minutes * 60 * SPEECH_RATE_HZ))
        write_wav(tmp_path / "a.wav", speech)
        command = [sys.executable, "-c", _PEAK, "animate", "a.wav", "--out", "a.npz", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 0.5 * peaks[0] * (20 - 1) / (60 - 1), peaks
