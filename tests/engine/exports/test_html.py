"""Pages that play a face: what they hold, and what a browser shows of them."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import AssetError
from talkcli.engine.exports import html
from talkcli.engine.exports.formats import check_output, export, export_all, format_of
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ADA
from talkcli.engine.pages import library
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Motion, Speech
from tests.browser import WEBGL, Browser, browser, missing_browser
from tests.engine.fakes import Told

_FPS, _SECONDS = 25.0, 3.0


def _three() -> str | None:
    try:
        library.three_js()
    except AssetError as error:
        return str(error.hint)
    return None


def _piece(
    jaw: float = 0.35,
    name: str = "ada",
    *,
    opened: slice = slice(25, 50),
    frames: int = int(_FPS * _SECONDS),
    sound_s: float = _SECONDS,
) -> Piece:
    """Lips that are closed for a second, open for a second, and closed again, with sound."""
    coeffs = np.zeros((frames, len(ADA)), np.float32)
    coeffs[opened, ADA.index("jawPitch")] = jaw
    coeffs[:, ADA.index("browInnerUp")] = 0.2
    samples = (0.1 * np.sin(np.arange(int(16000 * sound_s)) / 9)).astype(np.float32)
    motion = Motion(coeffs=coeffs, fps=_FPS, head=name, channels=ADA)
    return Piece(
        motion=motion, meta={"made by": "</script><b>"}, reporter=Told(), speech=Speech(samples=samples)
    )


def _data(page: Path) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.S
    )
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for three.js, for tests that open no browser."""
    monkeypatch.setattr(html, "three_js", lambda: "/* </script> */ var THREE = {};")


def test_a_page_holds_all_that_it_shows(tmp_path: Path, bundle: None) -> None:
    piece = _piece()
    export(tmp_path / "face.html", piece)
    text = (tmp_path / "face.html").read_text("utf-8")
    data = _data(tmp_path / "face.html")
    (take,) = data["takes"]
    assert base64.b64decode(take["glb"])[:4] == b"glTF"
    assert take["fps"] == _FPS and data["seconds"] == _SECONDS
    np.testing.assert_allclose(take["curves"]["jawOpen"], np.repeat([0, 0.35 / 0.42, 0], 25), atol=1e-4)
    assert "mouthSmileLeft" not in take["curves"]
    sound = re.search(r'<audio id="sound" preload="auto" src="data:audio/wav;base64,([^"]+)"', text)
    assert sound and base64.b64decode(sound[1])[:4] == b"RIFF"
    # Nothing is fetched, and nothing that a file says becomes a program.
    assert "default-src 'none'" in text and "http-equiv" in text
    assert not re.search(r"(src|href)=\"(?!data:)", text)
    assert text.count("</script>") == text.count("<script") == 3
    assert piece.measured[str(tmp_path / "face.html")]["lips_p99_mm"] < 0.2
    assert isinstance(piece.reporter, Told) and piece.reporter.noted("face.html: lips meet in")


def test_takes_stand_side_by_side_in_one_page(tmp_path: Path, bundle: None) -> None:
    assert format_of(Path("x.html")).write_all
    pieces = [_piece(0.2), _piece(0.4)]
    export_all(tmp_path / "takes.html", pieces)
    takes = _data(tmp_path / "takes.html")["takes"]
    assert [take["name"] for take in takes] == ["take 1", "take 2"]
    assert [max(take["curves"]["jawOpen"]) for take in takes] == pytest.approx(
        [0.2 / 0.42, 0.4 / 0.42], abs=1e-3
    )
    assert len(pieces[0].measured) == 2


def test_without_three_js_a_page_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "THREE", "absent.js")
    with pytest.raises(AssetError, match=r"three\.js") as caught:
        check_output(tmp_path / "face.html", shot=Shot())
    assert "make viewer" in str(caught.value.hint)


_SHARES = """
const canvas = document.querySelectorAll("#takes canvas")[arguments[0]];
const size = canvas.width;
const [x, y, w, h] = arguments[1].map((part) => Math.round(part * size));
return Array.from(canvas.getContext("2d").getImageData(x, y, w, h).data);
"""
# Parts of the picture, as shares of its side: left, top, width, height.
_MOUTH, _FOREHEAD = (0.4, 0.58, 0.2, 0.12), (0.42, 0.25, 0.16, 0.06)


def _in_a_browser(test: Callable[[Path], None]) -> Callable[[Path], None]:
    for reason in (missing_browser(), _three() and f"no three.js: {_three()}"):
        test = pytest.mark.skipif(reason is not None, reason=str(reason))(test)
    return test


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Browser]:
    """Open `takes.html` of the folder and wait until it shows its faces."""
    with browser(folder / "browser", *WEBGL) as window:
        window.resize(1000, 900)
        window.open(folder / "takes.html")
        window.wait("return window.talk !== undefined || !document.getElementById('state').hidden")
        assert window.run("return document.getElementById('state').textContent") == ""
        yield window


def _part(window: Browser, take: int, place: tuple[float, ...], at_s: float) -> np.ndarray:
    """Return the colours (pixels, 3) of a part of a take's picture at a time in seconds."""
    window.run("window.talk.seek(arguments[0])", at_s)
    window.wait(f"return Math.abs(Number(document.getElementById('time').value) - {at_s}) < 0.02")
    pixels = window.run(_SHARES, take, list(place))
    return np.array(pixels, float).reshape(-1, 4)[:, :3]


@_in_a_browser
def test_a_browser_plays_the_face_with_its_sound(tmp_path: Path) -> None:
    export_all(tmp_path / "takes.html", [_piece(0.35), _piece(0.0)])
    with _opened(tmp_path) as window:
        assert _part(window, 0, _FOREHEAD, 0.5).std() > 0
        # Lips move, and nothing else does; those of the other take stay closed.
        assert np.abs(_part(window, 0, _MOUTH, 1.5) - _part(window, 0, _MOUTH, 0.5)).mean() > 8
        assert np.abs(_part(window, 0, _FOREHEAD, 1.5) - _part(window, 0, _FOREHEAD, 0.5)).mean() < 0.5
        assert np.abs(_part(window, 1, _MOUTH, 1.5) - _part(window, 1, _MOUTH, 0.5)).mean() < 0.5
        # The clock is that of the sound.
        window.run("window.talk.seek(0); window.talk.play()")
        window.wait("return window.talk.now() > 0.2")
        now, heard = window.run("return [window.talk.now(), document.getElementById('sound').currentTime]")
        assert now == pytest.approx(heard, abs=0.05)
        window.run("window.talk.pause()")
        stopped = window.run("return window.talk.now()")
        time.sleep(0.3)
        assert window.run("return window.talk.now()") == pytest.approx(stopped, abs=0.01)
        backs = []
        for scheme in ("light", "dark"):
            window.show(scheme)
            backs.append(window.run("return getComputedStyle(document.body).backgroundColor"))
        assert backs[0] != backs[1]
        # Reading pixels, as this test does, is slow.
        slow = ("GPU stall", "willReadFrequently")
        assert [text for text in window.errors() if not any(word in text for word in slow)] == []


# A take whose mouth opens in its last frame, one of a single frame, and a sound that ends before them.
def _ends() -> list[Piece]:
    return [_piece(opened=slice(74, 75), sound_s=1.0), _piece(opened=slice(0), frames=1)]


def test_silence_follows_a_sound_that_is_shorter_than_the_motion(tmp_path: Path, bundle: None) -> None:
    piece = _piece(frames=5, sound_s=0.1)
    export(tmp_path / "face.html", piece)
    found = re.search(r'data:audio/wav;base64,([^"]+)"', (tmp_path / "face.html").read_text("utf-8"))
    assert found and piece.speech is not None
    samples, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(found[1])))
    assert len(samples) == 5 / _FPS * rate_hz and not samples[1600:].any()
    np.testing.assert_allclose(samples[:1600], piece.speech.samples, atol=1e-4)


@_in_a_browser
def test_a_browser_shows_the_last_frame_to_the_end(tmp_path: Path) -> None:
    export_all(tmp_path / "takes.html", _ends())
    with _opened(tmp_path) as window:
        last = _part(window, 0, _MOUTH, 2.98)
        assert np.abs(last - _part(window, 0, _MOUTH, 2.5)).mean() > 8
        np.testing.assert_array_equal(_part(window, 0, _MOUTH, 3.0), last)
        assert window.run("return window.talk.now()") == pytest.approx(3.0, abs=0.01)
        # A single frame stays as it is.
        still = _part(window, 1, _FOREHEAD, 0.0)
        assert still.std() > 0
        np.testing.assert_array_equal(_part(window, 1, _FOREHEAD, 2.98), still)
        # Who pauses before the sound has begun sees no error.
        window.run("window.talk.seek(0); window.talk.play(); window.talk.pause()")
        time.sleep(0.3)
        assert window.run("return document.getElementById('state').hidden")
