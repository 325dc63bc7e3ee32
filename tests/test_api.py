"""The Python interface: docs/python.md runs, and what it promises holds."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import talkcli as talk
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head

ROOT = Path(__file__).resolve().parents[1]
HELLO = ROOT / "examples" / "hello.wav"
_BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.S)


@pytest.fixture(scope="module")
def talker() -> talk.Talker:
    return talk.load(device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(_BLOCKS)))
def test_the_document_runs(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(_BLOCKS[number], f"docs/python.md, block {number + 1}", "exec"), {})


def test_all_is_there_and_named_in_the_document() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for name in talk.__all__:
        assert getattr(talk, name) is not None
    assert set(re.findall(r"talk\.(\w+)", text)) == {*talk.__all__}
    with pytest.raises(AttributeError, match="nothing"):
        talk.nothing  # noqa: B018


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, talkcli\n"
        "heavy = {'torch', 'numpy', 'numba', 'scipy', 'soundfile', 'typer', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_gives_what_the_command_writes(talker: talk.Talker, tmp_path: Path) -> None:
    command = ["animate", str(HELLO), "--sigma", "0.1", "--seed", "3", "--device", "cpu", "--quiet"]
    subprocess.run([sys.executable, "-m", "talkcli", *command, "--out", str(tmp_path / "a.npz")], check=True)
    written = talk.read_motion(tmp_path / "a.npz")
    made = talker.animate(HELLO, sigma=0.1, seed=3)
    np.testing.assert_array_equal(made.coeffs, written.coeffs)
    assert (made.fps, made.head, made.channels) == (written.fps, written.head, written.channels)
    assert (talker.head, talker.channels) == (made.head, made.channels)
    assert "CC-BY-NC-SA" in talker.licence


def test_samples_are_taken_as_their_file(talker: talk.Talker) -> None:
    samples, rate_hz = soundfile.read(HELLO)
    by_file, by_samples = talker.animate(HELLO), talker.animate(samples, rate_hz=rate_hz)
    np.testing.assert_allclose(by_samples.coeffs, by_file.coeffs, atol=1e-4)
    both = np.stack([samples, samples], axis=1).astype(np.float32)
    np.testing.assert_allclose(talker.animate(both, rate_hz=rate_hz).coeffs, by_file.coeffs, atol=1e-3)
    known = talk.as_speech(HELLO)
    np.testing.assert_allclose(talker.animate(known).coeffs, by_file.coeffs, atol=1e-4)


def test_takes_do_not_depend_on_their_number(talker: talk.Talker) -> None:
    one, two = talker.takes(HELLO, 2, sigma=0.1, seed=5)
    np.testing.assert_array_equal(talker.animate(HELLO, sigma=0.1, seed=5).coeffs, one.coeffs)
    assert np.abs(one.coeffs - two.coeffs).max() > 0.01


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"sigma": float("nan")}, "`sigma=nan` is not a finite number"),
        ({"steps": 3}, "`steps` is no control of a deeptalk model"),
        ({"emotion": "joy"}, "There is no emotion joy"),
        ({"emotion": "sad", "emotion_from": HELLO}, "both set the emotion"),
        ({"actor": "nobody at all"}, "no actor"),
        ({"hold_slow": True, "tau_bottom": 0.5}, "there is one take"),
        ({"fps": -1.0}, "is no rate"),
        ({"seed": -1}, "is no whole number"),
        ({"actor": 3_000}, "no actor 3000"),
    ],
)
def test_what_cannot_be_done_is_said(talker: talk.Talker, told: dict[str, object], sentence: str) -> None:
    with pytest.raises(talk.UsageError) as caught:
        talker.animate(HELLO, **told)
    assert sentence in caught.value.problem


@pytest.mark.parametrize(
    ("sound", "rate_hz", "sentence"),
    [
        (np.zeros(16_000), None, "`rate_hz` is missing"),
        (np.zeros((2, 3, 4)), 16_000, "are not sound"),
        (np.zeros(16_000, np.int16), 16_000, "are not sound"),
        (np.zeros(10), 16_000, "less than a 40 ms frame"),
        (np.zeros(0), 16_000, "less than a 40 ms frame"),
        (np.zeros((0, 2)), 16_000, "less than a 40 ms frame"),
        (np.full(16_000, np.nan), 16_000, "nan"),
        (np.zeros(16_000), 100, "outside 8000"),
        ("absent.wav", None, "does not exist"),
    ],
)
def test_what_is_no_sound_is_refused(
    talker: talk.Talker, sound: object, rate_hz: int | None, sentence: str
) -> None:
    with pytest.raises(talk.TalkError) as caught:
        talker.animate(sound, rate_hz=rate_hz)  # type: ignore[arg-type]
    assert sentence in caught.value.problem


def test_warnings_are_those_of_python(talker: talk.Talker) -> None:
    with pytest.warns(UserWarning, match="silent"):
        talker.animate(np.zeros(16_000), rate_hz=16_000)


def test_pictures_curves_and_files(talker: talk.Talker, tmp_path: Path) -> None:
    motion = talker.animate(HELLO, emotion="happy")
    drawn = talk.frames(motion, size=64)
    picture = next(drawn)
    drawn.close()  # type: ignore[attr-defined]
    assert (picture.shape, picture.dtype) == ((64, 64, 3), np.uint8)
    assert talk.curves(motion)["mouthSmileLeft"].mean() > 0.1
    assert talk.vertices(motion).shape == (len(motion.coeffs), len(load_head("ada").template), 3)
    talk.write_motion(tmp_path / "a.npz", motion, {"by": "a test"})
    np.testing.assert_array_equal(talk.read_motion(tmp_path / "a.npz").coeffs, motion.coeffs)
    with pytest.raises(talk.UsageError, match=r"ends in \.npz"):
        talk.write_motion(tmp_path / "a.txt", motion)
    assert talk.render(motion, tmp_path / "a.mp4", speech=HELLO, size=64).stat().st_size > 1000


def test_pictures_take_the_options_of_the_command(tmp_path: Path) -> None:
    coeffs = np.zeros((1, len(ADA)), np.float32)
    still = talk.Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
    asked = {"head": "bust", "look": "clay", "camera": "mouth", "view": "profile", "background": "white"}
    picture = next(talk.frames(still, size=(64, 80), zoom=2.0, **asked))
    assert picture.shape == (80, 64, 3)
    assert next(talk.frames(still, size="64x80", **asked)).tobytes() != picture.tobytes()
    assert talk.render(still, tmp_path / "a", size="64x80", **asked) == tmp_path / "a"
    for wrong in ({"size": 0}, {"zoom": 9.0}, {"look": "x"}, {"camera": "x"}, {"background": "x"}):
        with pytest.raises(talk.UsageError, match=next(iter(wrong))):
            talk.render(still, tmp_path / "b", **wrong)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("count", [0, -1])
def test_takes_are_counted(talker: talk.Talker, count: int) -> None:
    with pytest.raises(talk.UsageError, match="is no whole number from 1"):
        talker.takes(HELLO, count)
    with pytest.warns(UserWarning, match="the same performance") as caught:
        talker.takes(HELLO, 2)
    assert "talkcli" not in Path(caught[0].filename).parts


def test_values_of_other_types_are_refused() -> None:
    """In a process whose types nobody checks."""
    code = (
        "import talkcli as talk\n"
        "t = talk.load(device='cpu')\n"
        f"hello = {str(HELLO)!r}\n"
        "for call in (\n"
        "    lambda: talk.load(precision='fp8'), lambda: t.animate(hello, sigma='a'),\n"
        "    lambda: t.takes(hello, 2.5),\n"
        "    lambda: t.animate(hello, seed=1.5), lambda: t.animate([0.1] * 9000, rate_hz=44100.5),\n"
        "):\n"
        "    try: call()\n"
        "    except talk.UsageError as error: print(error.problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "`precision=fp8` is none of fp32, bf16.",
        "`sigma=a` is not a finite number.",
        "`count=2.5` is no whole number from 1.",
        "`seed=1.5` is no whole number from 0 to 2**32 - 1.",
        "`rate_hz=44100.5` is no whole number.",
    ]


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"layers": {"smoth": False}}, "There is no layer smoth"),
        ({"text": "hello"}, "is for `model=rules`"),
        ({"device": "tpu"}, "is not one of"),
    ],
)
def test_what_cannot_be_loaded_is_said(told: dict[str, object], sentence: str) -> None:
    with pytest.raises(talk.UsageError) as caught:
        talk.load(**told)  # type: ignore[arg-type]
    assert sentence in caught.value.problem


def test_a_loaded_model_needs_its_file_no_more(tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    shutil.copy(ROOT / "src/talkcli/weights/deeptalk-small.safetensors", model)
    talker = talk.load(model, device="cpu")
    model.unlink()
    assert talker.animate(HELLO, sigma=0.1).head == "ada"


def test_the_origin_comes_with_the_motion(talker: talk.Talker, tmp_path: Path) -> None:
    motion = talker.animate(HELLO, fps=30.0)
    assert motion.meta["origin"]["kind"] == "generated"
    talk.write_motion(tmp_path / "a.npz", motion)
    assert talk.read_motion(tmp_path / "a.npz").meta == motion.meta
    assert list(talk.score(tmp_path / "a.npz", speech=HELLO)["motion"]) == [
        f"generated by {motion.meta['origin']['by']}"
    ]


def test_rules_perform_words() -> None:
    with pytest.warns(UserWarning, match="did not find"):
        motion = talk.animate(HELLO, model="rules", text="No such words.", layers={"idle": False})
    assert (motion.head, motion.meta["origin"]["kind"]) == ("ada", "performed")
    with pytest.raises(talk.UsageError, match="needs the words"):
        talk.load("rules")


def test_vertices_are_a_motion_too(tmp_path: Path) -> None:
    """Given vertices of ada are drawn and measured as the coefficients that made them."""
    motion = talk.animate(HELLO)
    assert isinstance(motion, talk.Motion)
    still = talk.Motion(coeffs=motion.coeffs[:30], fps=25.0, head="ada", channels=motion.channels)
    rest = talk.Motion(coeffs=0 * motion.coeffs[:1], fps=25.0, head="ada", channels=motion.channels)
    given = talk.VertexMotion(
        vertices=talk.vertices(still), neutral=talk.vertices(rest)[0], fps=25.0, topology="ada"
    )
    read = talk.read_motion(talk.write_motion(tmp_path / "v.npz", given))
    for one, other in zip(talk.frames(still, size=64), talk.frames(read, size=64), strict=True):
        # Vertices for drawing are computed without torch, which rounds otherwise.
        assert (one != other).mean() < 0.002
    talk.write_motion(tmp_path / "c.npz", still)
    text = "Hello there."
    reports = [
        talk.score(tmp_path / name, speech=HELLO, text=_text(tmp_path, text)) for name in ("v.npz", "c.npz")
    ]
    by_vertices, by_coeffs = (report["overall"] for report in reports)
    assert by_vertices["sync_r"]["value"] == pytest.approx(by_coeffs["sync_r"]["value"], abs=1e-4)
    for name in ("jump_mm", "labiodental_contact", "bilabial_closure"):
        assert (by_vertices[name]["value"], by_vertices[name]["reason"]) == (
            pytest.approx(by_coeffs[name]["value"]),
            by_coeffs[name]["reason"],
        )


def _text(folder: Path, text: str) -> Path:
    (folder / "words.txt").write_text(text)
    return folder / "words.txt"
