"""Official files to a model file and back, at a tiny size; the real size once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from talkcli.engine.audio.io import write_wav
from talkcli.engine.checkpoints.convert.deeptalk import DEE_FILE, FER_FILE, GEN_FILE, VQ_FILE
from talkcli.engine.checkpoints.convert.exchange import equal
from talkcli.engine.checkpoints.convert.layout import Entry
from talkcli.engine.checkpoints.convert.mead import MEAD_SPEAKERS
from talkcli.engine.checkpoints.model_file import (
    Meta,
    load_model,
    read_content,
    read_header,
    save_model,
    save_weights,
)
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.vqvae import Vqvae, VqvaeConfig
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.animate import animate_file
from talkcli.engine.pipelines.convert import deeptalk as convert
from talkcli.engine.pipelines.convert.deeptalk import (
    RELEASED,
    OfficialFiles,
    export_deeptalk,
    import_deeptalk,
)
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Silent, Speech
from tests.engine.checkpoints.official import TINY, State, official_states, random_fill, write_official
from tests.engine.fakes import Told, small_disk

META = Meta(head="flame", channels=FLAME, fps=25, trained_on="nothing", licence="none")


@pytest.fixture
def states() -> dict[str, State]:
    return official_states()


@pytest.fixture
def paths(states: dict[str, State], tmp_path: Path) -> dict[str, Path]:
    return write_official(tmp_path / "official", states)


def bring_in(out: Path, **files: Path) -> dict[str, object]:
    return import_deeptalk(OfficialFiles(**files), out, reporter=Silent(), config=TINY)


def given_back(name: str) -> str:
    """What the released config calls the file that is published as `name`."""
    return "best_model.pth" if name == FER_FILE else name


def assert_same(folder: Path, states: dict[str, State]) -> None:
    for name, state in states.items():
        back = torch.load(folder / given_back(name), weights_only=True)
        assert list(back) == list(state), name
        assert [key for key in state if not equal(back[key], state[key])] == [], name


def test_all_four_round_trip(states: dict[str, State], paths: dict[str, Path], tmp_path: Path) -> None:
    report = bring_in(tmp_path / "m.safetensors", **paths)
    assert report["tensors"] == {name: len(state) for name, state in states.items()}
    header = read_header(tmp_path / "m.safetensors")
    assert (header.method, header.head, header.channels, header.fps) == ("deeptalk", "flame", FLAME, 25)
    assert header.config["speakers"] == list(MEAD_SPEAKERS)
    assert "MEAD" in header.licence
    made = export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert {Path(path).name for path in made["outputs"]} == set(map(given_back, states))
    assert_same(tmp_path / "back", states)
    # Copies are stored once, as in the release.
    assert (tmp_path / "back" / GEN_FILE).stat().st_size < 1.1 * paths["gen"].stat().st_size


def test_the_generator_and_fer_hold_everything(paths: dict[str, Path], tmp_path: Path) -> None:
    bring_in(tmp_path / "two.safetensors", gen=paths["gen"], fer=paths["fer"])
    bring_in(tmp_path / "four.safetensors", **paths)
    two, four = (read_content(tmp_path / f"{name}.safetensors") for name in ("two", "four"))
    assert (two.config, two.weights.keys()) == (four.config, four.weights.keys())
    assert all(equal(value, four.weights[name]) for name, value in two.weights.items())
    assert all(equal(value, four.unused[name]) for name, value in two.unused.items())
    assert two.config.nobody is False


def test_files_go_back_under_the_names_of_the_released_config(paths: dict[str, Path], tmp_path: Path) -> None:
    bring_in(tmp_path / "m.safetensors", gen=paths["gen"], fer=paths["fer"])
    made = export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert {Path(path).name: place for path, place in made["places"].items()} == {
        "DEE.pt": "DEE/checkpoint/DEE.pt",
        "best_model.pth": "FER/checkpoint/best_model.pth",
        "TH-VQVAE.pth": "DEEPTalk/checkpoint/TH-VQVAE/TH-VQVAE.pth",
        "DEEPTalk.pth": "DEEPTalk/checkpoint/DEEPTalk/DEEPTalk.pth",
    }


def test_same_model_same_bytes(paths: dict[str, Path], tmp_path: Path) -> None:
    bring_in(tmp_path / "m.safetensors", gen=paths["gen"], fer=paths["fer"])
    for folder in ("one", "two"):
        export_deeptalk(tmp_path / "m.safetensors", tmp_path / folder, reporter=Silent())
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_it_animates_without_flame(
    paths: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authors' own draws, padding and actor; motion needs no head."""
    monkeypatch.delenv("TALK_FLAME", raising=False)
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    bring_in(tmp_path / "m.safetensors", gen=paths["gen"], fer=paths["fer"])
    noise = np.random.default_rng(0).normal(0, 0.1, 20_480).astype(np.float32)
    write_wav(tmp_path / "speech.wav", Speech(samples=noise))
    animate_file(
        tmp_path / "speech.wav",
        [tmp_path / "face.npz"],
        sampling=Sampling(actor="M003"),
        controls={"gumbel": True, "always_pad": True},
        emotion_from=None,
        model_name=str(tmp_path / "m.safetensors"),
        head_name=None,
        fps=None,
        shot=Shot(),
        renderer="software",
        device_name="cpu",
        precision="fp32",
        layers={},
        reporter=Silent(),
    )
    motion, meta = read_motion(tmp_path / "face.npz")
    assert motion.coeffs.shape == (36, 53)
    assert (motion.head, motion.channels, motion.fps) == ("flame", FLAME, 25)
    assert np.isfinite(motion.coeffs).all()
    assert "MEAD" in meta["weights_licence"]


@pytest.mark.parametrize(
    ("options", "method", "names"),
    [
        (("dee", "fer"), "dee", (DEE_FILE, FER_FILE)),
        (("vq",), "th_vqvae", (VQ_FILE,)),
        (("fer",), "fer", (FER_FILE,)),
    ],
)
def test_parts_alone(
    options: tuple[str, ...],
    method: str,
    names: tuple[str, ...],
    states: dict[str, State],
    paths: dict[str, Path],
    tmp_path: Path,
) -> None:
    bring_in(tmp_path / "m.safetensors", **{option: paths[option] for option in options})
    model, header = load_model(tmp_path / "m.safetensors")
    assert header.method == model.method == method
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert {path.name for path in (tmp_path / "back").iterdir()} == set(map(given_back, names))
    assert_same(tmp_path / "back", {name: states[name] for name in names})


def test_wrapped_and_newly_spelled_files(states: dict[str, State], tmp_path: Path) -> None:
    new = dict(states)
    new[GEN_FILE] = {
        key.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): value
        for key, value in states[GEN_FILE].items()
    }
    new[VQ_FILE] = {"state_dict": states[VQ_FILE], "epoch": 3}  # type: ignore[dict-item]
    bring_in(tmp_path / "m.safetensors", **write_official(tmp_path / "new", new))
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert_same(tmp_path / "back", states)


def test_a_part_that_is_not_the_embedded_one(
    states: dict[str, State], paths: dict[str, Path], tmp_path: Path
) -> None:
    states[VQ_FILE] = {**states[VQ_FILE], "upsample_t.bias": torch.zeros(8)}
    torch.save(states[VQ_FILE], paths["vq"])
    with pytest.raises(InputError, match=r"TH-VQVAE\.pth differs from its copy in .*: upsample_t\.bias\.$"):
        bring_in(tmp_path / "m.safetensors", **paths)
    assert not (tmp_path / "m.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vq": "fer"}, r"FER\.pth was given as TH-VQVAE\.pth, but holds the tensors of FER\.pth\."),
        ({"gen": "dee", "fer": "fer"}, r"DEE\.pt was given as DEEPTalk\.pth, .* of DEE\.pt\."),
        ({"dee": "gen", "fer": "fer"}, r"DEEPTalk\.pth was given as DEE\.pt, .* of DEEPTalk\.pth\."),
        ({"gen": "gen", "fer": "vq"}, r"TH-VQVAE\.pth was given as FER\.pth, .* of TH-VQVAE\.pth\."),
    ],
)
def test_files_mixed_up(options: dict[str, str], words: str, paths: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        bring_in(tmp_path / "m.safetensors", **{option: paths[name] for option, name in options.items()})
    assert not (tmp_path / "m.safetensors").exists()


def test_a_file_of_something_else(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(InputError, match=r"x\.pth does not hold .*missing encoder_b\.squasher"):
        bring_in(tmp_path / "m.safetensors", vq=tmp_path / "x.pth")


@pytest.mark.parametrize("long", ["first", "average"])
def test_what_long_speech_is_heard_for(
    long: Literal["first", "average"],
    paths: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As released unless asked otherwise, and the way back tells."""
    released = TINY.model_copy(update={"dee": TINY.dee.model_copy(update={"long": "first"})})
    monkeypatch.setattr(convert, "RELEASED", released)
    files = OfficialFiles(dee=paths["dee"], fer=paths["fer"])
    how = {} if long == "first" else {"long": long}
    import_deeptalk(files, tmp_path / "m.safetensors", reporter=Silent(), config=TINY, **how)
    assert read_header(tmp_path / "m.safetensors").config["long"] == long
    notes = Told()
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=notes)
    told = ["The official code has other settings built in: long first instead of average."]
    assert notes.warnings == ([] if long == "first" else told)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "No official file"),
        (("gen",), "`fer` is missing"),
        (("dee",), "`fer` is missing"),
        (("gen", "dee", "vq"), "`fer` is missing"),
        (("vq", "fer"), "several models"),
        (("vq", "fer", "dee"), "several models"),
    ],
)
def test_files_that_are_no_model(
    options: tuple[str, ...], words: str, paths: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=words):
        bring_in(tmp_path / "m.safetensors", **{option: paths[option] for option in options})


def test_inputs_are_never_replaced(paths: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="also read"):
        bring_in(paths["vq"], vq=paths["vq"])
    bring_in(tmp_path / "m.safetensors", vq=paths["vq"])
    before = paths["vq"].read_bytes()
    with pytest.raises(UsageError, match="exists"):
        export_deeptalk(tmp_path / "m.safetensors", paths["vq"].parent, reporter=Silent())
    assert paths["vq"].read_bytes() == before
    export_deeptalk(tmp_path / "m.safetensors", paths["vq"].parent, overwrite=True, reporter=Silent())
    (tmp_path / "DEE.pt").write_bytes((tmp_path / "m.safetensors").read_bytes())
    with pytest.raises(UsageError, match="is a file"):
        export_deeptalk(tmp_path / "m.safetensors", tmp_path / "DEE.pt", reporter=Silent())


def test_a_failure_leaves_no_file(
    paths: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(tmp_path / "m.safetensors", gen=paths["gen"], fer=paths["fer"])
    save, calls = torch.save, []

    def fails_at_the_third(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        save(*arguments)

    monkeypatch.setattr(torch, "save", fails_at_the_third)
    with pytest.raises(OSError, match="No space"):
        export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert list((tmp_path / "back").iterdir()) == []


def test_a_full_disk_is_said_in_words(paths: dict[str, Path], tmp_path: Path) -> None:
    bring_in(tmp_path / "m.safetensors", gen=paths["gen"], fer=paths["fer"])
    with small_disk(), pytest.raises(InputError, match="cannot be written"):
        export_deeptalk(tmp_path / "m.safetensors", tmp_path / "back", reporter=Silent())
    assert list((tmp_path / "back").iterdir()) == []


def test_a_model_trained_here_has_an_official_form(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = DeepTalk(TINY)
    save_model(tmp_path / "m.safetensors", model, meta=META)
    notes = Told()
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "official", reporter=notes)
    assert len(notes.warnings) == 1
    assert "other settings" in notes.warnings[0]
    assert "dee.speech.width 768 instead of 24" in notes.warnings[0]
    folder = tmp_path / "official"
    files = {"gen": GEN_FILE, "fer": given_back(FER_FILE), "dee": DEE_FILE}
    bring_in(tmp_path / "n.safetensors", **{option: folder / name for option, name in files.items()})
    again = read_content(tmp_path / "n.safetensors").weights
    assert all(equal(value, again[name]) for name, value in model.state_dict().items())


def test_what_has_no_official_form(tmp_path: Path) -> None:
    save_model(tmp_path / "v.safetensors", Vqvae(VqvaeConfig(width=8, heads=2, feedforward=8)), meta=META)
    with pytest.raises(InputError, match="no model of vqvae"):
        export_deeptalk(tmp_path / "v.safetensors", tmp_path / "out", reporter=Silent())
    guessing = DeepTalk(TINY.model_copy(update={"guess": True}))
    save_model(tmp_path / "g.safetensors", guessing, meta=META)
    with pytest.raises(InputError, match=r"no official form: unknown guess\.bias; unknown guess\.weight\.$"):
        export_deeptalk(tmp_path / "g.safetensors", tmp_path / "out", reporter=Silent())
    scaled = DeepTalk(TINY)
    scaled.prior.motion_scale.fit(torch.randn(50, 53, generator=torch.Generator().manual_seed(0)))
    save_model(tmp_path / "s.safetensors", scaled, meta=META)
    with pytest.raises(InputError, match=r"prior\.motion_scale\.mean is not 0 everywhere"):
        export_deeptalk(tmp_path / "s.safetensors", tmp_path / "out", reporter=Silent())
    untrained = DeepTalk(TINY)
    other = {"sequence_decoder.obj_vector.map.bias": torch.zeros(7), "somebody.elses": torch.zeros(1)}
    save_weights(
        tmp_path / "u.safetensors",
        untrained.state_dict(),
        method="deeptalk",
        config=TINY,
        meta=META,
        unused=other,
    )
    with pytest.raises(InputError, match=r"unknown somebody\.elses; .*map\.bias is \(7,\) instead of \(6,\)"):
        export_deeptalk(tmp_path / "u.safetensors", tmp_path / "out", reporter=Silent())
    assert not (tmp_path / "out").exists()


def test_another_heads_numbers_are_warned_of(tmp_path: Path) -> None:
    meta = META.model_copy(update={"head": "ada", "channels": ADA})
    save_model(tmp_path / "m.safetensors", DeepTalk(TINY), meta=meta)
    notes = Told()
    export_deeptalk(tmp_path / "m.safetensors", tmp_path / "official", reporter=notes)
    assert any("moves ada" in text for text in notes.warnings)


def cheap_fill() -> object:
    """Numbers that tell every tensor and every place in it apart, without drawing 400 million of them."""
    # Longer than a row of any matrix, and a prime, so that no row repeats another.
    noise = random_fill()(Entry("noise.weight", (1, 65_537)))[0] * 10
    count = 0

    def fill(entry: Entry) -> torch.Tensor:
        nonlocal count
        count += 1
        if entry.dtype == torch.int64:
            return torch.tensor(count)
        size = int(np.prod(entry.shape))
        values = noise.repeat(size // len(noise) + 2)[count : count + size].reshape(entry.shape).clone()
        if entry.official.endswith(("running_var", "ema_count")):
            return values.abs() + 0.5
        return values + float(entry.official.endswith("weight")) if len(entry.shape) == 1 else values

    return fill


@pytest.mark.slow
def test_the_released_size(tmp_path: Path) -> None:
    states = official_states(RELEASED, cheap_fill())
    counts = {
        name: (len(state), sum(value.numel() for value in state.values())) for name, state in states.items()
    }
    assert counts == {
        FER_FILE: (51, 1_379_535),
        DEE_FILE: (459, 168_022_158),
        VQ_FILE: (96, 3_033_145),
        GEN_FILE: (1240, 404_102_803),
    }
    paths = write_official(tmp_path / "official", states)
    del states
    model_path = tmp_path / "m.safetensors"
    import_deeptalk(OfficialFiles(**paths), model_path, reporter=Silent())
    notes = Told()
    export_deeptalk(model_path, tmp_path / "back", reporter=notes)
    assert notes.warnings == []
    for name in counts:
        old, new = (
            torch.load(tmp_path / place, weights_only=True, mmap=True)
            for place in (f"official/{name}", f"back/{given_back(name)}")
        )
        assert list(old) == list(new)
        assert [key for key in old if not equal(old[key], new[key])] == []
    model, header = load_model(model_path)
    assert header.config == RELEASED.model_dump(mode="json")
    made = model.generate(torch.randn(1, 16_000) * 0.1, generator=torch.Generator())
    assert made.shape == (1, 25, 53)
    assert made.isfinite().all()
