"""EmoTalk's published checkpoint, made narrow: to a model file that performs on ada, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from talkcli.engine.audio.io import write_wav
from talkcli.engine.checkpoints.convert import emotalk
from talkcli.engine.checkpoints.convert.exchange import differences
from talkcli.engine.checkpoints.model_file import Meta, read_content, read_header, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.finish.stack import Layers
from talkcli.engine.models.emotalk.emotalk import EmoTalk
from talkcli.engine.performers.performer import Sampling, parse_emotion
from talkcli.engine.pipelines.animate import animate_file
from talkcli.engine.pipelines.convert.published import export_published, import_published
from talkcli.engine.pipelines.convert.write import write_state_dicts
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import Silent, Speech
from tests.engine.fakes import Told
from tests.engine.models.emotalk.tiny_emotalk import NARROW, SMALL


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """A random state dict of the narrow network, which stands for the released one."""
    monkeypatch.setattr(emotalk, "RELEASED", NARROW)
    generator = torch.Generator().manual_seed(0)
    (layout,) = emotalk.layouts("emotalk", NARROW).values()
    return {entry.official: torch.randn(entry.shape, generator=generator) * 0.2 for entry in layout}


@pytest.fixture
def checkpoint(published: dict[str, Tensor], tmp_path: Path) -> Path:
    path = tmp_path / "EmoTalk.pth"
    write_state_dicts({path: published}, Silent())
    return path


def test_there_and_back_gives_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    ours = tmp_path / "emotalk.safetensors"
    report = import_published("emotalk", [checkpoint], ours, reporter=Silent())
    # masked_spec_embed and the head for words of both encoders.
    assert report["unused"] == 6
    header = read_header(ours)
    assert (header.method, header.head, header.channels, header.fps) == ("emotalk", "ada", ADA, 30)
    assert "NC" in header.licence
    made = export_published("emotalk", ours, tmp_path / "back", reporter=Silent())
    assert made["outputs"] == [str(tmp_path / "back" / "EmoTalk.pth")]
    assert (tmp_path / "back" / "EmoTalk.pth").read_bytes() == checkpoint.read_bytes()


def test_names_that_the_published_code_ignores_may_differ(
    published: dict[str, Tensor], tmp_path: Path
) -> None:
    unread = [name for name in published if "lm_head" in name or name.endswith("masked_spec_embed")]
    state = {name: value for name, value in published.items() if name not in unread}
    write_state_dicts(
        {tmp_path / "less.pth": {**state, "audio_encoder_cont.quantizer.codevectors": torch.ones(2)}},
        Silent(),
    )
    told = Told()
    import_published("emotalk", [tmp_path / "less.pth"], tmp_path / "m.safetensors", reporter=told)
    assert any("audio_encoder_cont.quantizer.codevectors" in note for note in told.notes)
    export_published("emotalk", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    back = torch.load(tmp_path / "back" / "EmoTalk.pth", weights_only=True)
    assert sorted(differences(back, state)) == sorted(unread)
    assert not any(back[name].any() for name in unread)


def test_a_tensor_that_talk_reads_must_be_there(published: dict[str, Tensor], tmp_path: Path) -> None:
    del published["obj_vector_level.bias"]
    published["bs_map_r.weight"] = published["bs_map_r.weight"][:50]
    write_state_dicts({tmp_path / "bad.pth": published}, Silent())
    with pytest.raises(InputError, match=r"missing obj_vector_level\.bias") as caught:
        import_published("emotalk", [tmp_path / "bad.pth"], tmp_path / "m.safetensors", reporter=Silent())
    assert "bs_map_r.weight is (50, 24) instead of (52, 24)" in caught.value.problem
    assert not (tmp_path / "m.safetensors").exists()


def test_only_the_published_form_has_a_way_back(tmp_path: Path) -> None:
    meta = Meta(head="ada", channels=ADA, fps=25, trained_on="nothing", licence="MIT")
    save_model(tmp_path / "small.safetensors", EmoTalk(SMALL), meta=meta)
    with pytest.raises(InputError, match="this model differs"):
        export_published("emotalk", tmp_path / "small.safetensors", tmp_path / "back", reporter=Silent())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"labels": NARROW.labels[::-1]}, "labels .* instead of .*"),
        ({"labels": NARROW.labels[:3]}, "labels .* instead of .*"),
        ({"identity": 5}, "identity 4 instead of 5"),
        ({"period": 20}, "period 30 instead of 20"),
        ({"fps": 25}, "fps 30 instead of 25"),
    ],
)
@pytest.mark.usefixtures("published")
def test_a_network_that_the_released_code_cannot_run_is_refused(
    tmp_path: Path, how: dict[str, Any], said: str
) -> None:
    save(tmp_path / "m.safetensors", how)
    with pytest.raises(UsageError, match=f"no official form: the official code has {said} built in"):
        export_published("emotalk", tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert not (tmp_path / "back").exists()


@pytest.mark.usefixtures("published")
def test_names_and_settings_of_long_speech_are_left_out(tmp_path: Path) -> None:
    save(tmp_path / "own.safetensors", {"speakers": ("a", "b"), "window_s": 30})
    told = Told()
    export_published("emotalk", tmp_path / "own.safetensors", tmp_path / "back", reporter=told)
    assert told.notes == ["The official files leave out: window_s 30; the names of the speakers."]
    import_published(
        "emotalk", [tmp_path / "back" / "EmoTalk.pth"], tmp_path / "m.safetensors", reporter=Silent()
    )
    own, back = (read_content(tmp_path / f"{name}.safetensors").weights for name in ("own", "m"))
    assert differences(own, back) == []


def save(path: Path, how: dict[str, Any]) -> None:
    """Write a model that talk made, with the sizes of the narrow network unless `how` says others."""
    config = NARROW.model_copy(update=how)
    meta = Meta(head="ada", channels=ADA, fps=config.fps, trained_on="nothing", licence="MIT")
    save_model(path, EmoTalk(config), meta=meta)


@pytest.fixture
def animated(checkpoint: Path, tmp_path: Path) -> Any:
    """`animate_file` with the converted model on a second of sound; more options by name."""
    import_published("emotalk", [checkpoint], tmp_path / "emotalk.safetensors", reporter=Silent())
    noise = np.random.default_rng(0).normal(0, 0.1, 16_100).astype(np.float32)
    tone = (0.3 * np.sin(np.arange(20_000) / 30)).astype(np.float32)
    for name, samples in (("a", noise), ("b", tone)):
        write_wav(tmp_path / f"{name}.wav", Speech(samples=samples))

    def run(out: str, **options: Any) -> dict[str, Any]:
        defaults: dict[str, Any] = {
            "sampling": Sampling(), "emotion_from": None, "head_name": None, "fps": None,
            "shot": Shot(size=Size(64, 64)), "renderer": "software", "device_name": "cpu",
            "precision": "fp32", "layers": {}, "model_name": str(tmp_path / "emotalk.safetensors"),
            "reporter": Silent(),
        }  # fmt: skip
        return animate_file(tmp_path / "a.wav", [tmp_path / out], **(defaults | options))

    return run


PLAIN = dict.fromkeys(Layers.names(), False)


def test_a_converted_model_performs_on_ada_at_once(animated: Any, tmp_path: Path) -> None:
    told = Told()
    report = animated("face.mp4", reporter=told)
    assert (report["frames"], report["fps"], report["head"], report["actor"]) == (31, 30, "ada", "0")
    assert report["layers"] == ["smooth", "limit_lips", "brows", "idle", "blink", "head_motion"]
    assert report["actor_by_default"]
    assert any("0 performs" in note for note in told.notes)
    assert (tmp_path / "face.mp4").stat().st_size > 1000


def test_person_level_and_another_voice_change_the_motion(animated: Any, tmp_path: Path) -> None:
    def coeffs(**options: Any) -> np.ndarray:
        animated("m.npz", layers=PLAIN, **options)
        motion, _ = read_motion(tmp_path / "m.npz")
        assert (motion.channels, motion.fps) == (ADA, 30)
        return motion.values

    plain = coeffs()
    assert np.array_equal(plain, coeffs(controls={"level": 1.0}))
    for changed in (
        {"controls": {"level": 0.0}},
        {"sampling": Sampling(actor="3")},
        {"emotion_from": tmp_path / "b.wav"},
    ):
        assert np.abs(coeffs(**changed) - plain).max() > 1e-4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"controls": {"level": 1.5}}, "from 0 to 1"),
        ({"controls": {"sigma": 0.1}}, "`sigma` is no control of a emotalk model"),
        ({"sampling": Sampling(actor="4")}, "no actor 4"),
        ({"sampling": Sampling(emotion=parse_emotion("sad"))}, "takes the emotion from a voice"),
        ({"layers": {"contacts": True}}, "contacts"),
        ({"model_name": "embedded", "controls": {"level": 1.0}}, "`level` is no control of a deeptalk model"),
    ],
)
def test_what_it_cannot_do_is_refused(animated: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        animated("m.npz", **options)
