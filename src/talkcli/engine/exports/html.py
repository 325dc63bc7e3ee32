"""Export to a page that plays the face with its sound in any browser, without network or other files.

The page holds the take as binary glTF, its curves, the sound as wav, and three.js, which draws them. Several
takes stand side by side in one page.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.rig.document import rig_document
from talkcli.engine.exports.rig.fidelity import Fidelity, measure, tell
from talkcli.engine.exports.rig.of_head import moved_rig
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.channels import ADA, TONGUE, learned
from talkcli.engine.files import atomic_path, check_file
from talkcli.engine.gltf.document import to_glb
from talkcli.engine.pages.html import data_uri, page
from talkcli.engine.pages.library import THREE, three_js
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Motion, Speech

# Curves that are drawn when the page opens.
_FIRST = (
    "jawOpen",
    "mouthClose",
    "mouthSmileLeft",
    "eyeBlinkLeft",
    "browInnerUp",
    "jawPitch",
    "expression00",
)
# Curves that never rise above this are left out.
_LEAST = 0.005


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a page is one file
    """Raise InputError when `out` cannot be a file, and AssetError where three.js is missing."""
    check_file(out)
    three_js()


def write(out: Path, piece: Piece) -> None:
    """Write a page with one take to `out`."""
    write_all(out, [piece])


def write_all(out: Path, pieces: Sequence[Piece]) -> None:
    """Write a page with all takes of `pieces` to `out`; the sound is that of the first.

    Raises AssetError where three.js is missing, UsageError for motion of vertices, and what `Piece.surface`
    raises.
    """
    made = [_take(out, piece, number, len(pieces)) for number, piece in enumerate(pieces, start=1)]
    speech = pieces[0].speech
    seconds = max(piece.motion.duration_s for piece in pieces)
    sound = ""
    if speech is not None:
        sound = f'<audio id="sound" preload="auto" src="{_wav(speech, seconds)}"></audio>'
    data = {"takes": [take for take, _ in made], "seconds": seconds, "first": _FIRST}
    text = page(
        out.stem, _BODY.format(title=escape(out.stem), sound=sound, three=THREE),
        script="viewer.js", style="viewer.css", library=three_js(), data=data,
    )  # fmt: skip
    with atomic_path(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    for take, fidelity in made:
        name = f"{out} {take['name']}" if len(made) > 1 else str(out)
        pieces[0].measured[name] = asdict(fidelity)
        tell(pieces[0].reporter, name, fidelity)


_BODY = """<main>
<h1>{title}</h1>
<p id="state" class="told" role="alert" hidden></p>
<div id="takes"></div>
<div class="controls">
<button type="button" id="play">Play</button>
<input type="range" id="time" min="0" max="1" step="any" value="0" aria-label="Time">
<span id="clock"></span>
<label>Speed
<select id="rate"><option>0.25</option><option>0.5</option><option selected>1</option></select></label>
<label>Curves of <select id="take"></select></label>
</div>
<canvas id="curves" role="img" aria-label="Curves over time"></canvas>
<fieldset><legend>Curves</legend><div id="names"></div></fieldset>
{sound}
<p class="soft">Drag a face to turn it. Drawn by {three} (MIT licence, three.js authors), which this page
contains with its licence.</p>
</main>"""


def _take(out: Path, piece: Piece, number: int, count: int) -> tuple[dict[str, Any], Fidelity]:
    """Return one take as the page's script takes it, and how near its rig comes to the head."""
    surface = piece.surface()
    rig, moves = moved_rig(surface, ".html")
    made = rig_document(rig, moves, extras={"talk": dict(piece.meta)})
    fidelity = measure(made.document, made.places, surface)
    name = out.stem if count == 1 else f"take {number}"
    assert isinstance(piece.motion, Motion)
    take = {
        "name": name,
        "fps": piece.motion.fps,
        "glb": base64.b64encode(to_glb(made.document)).decode(),
        "curves": _curves(piece.motion),
    }
    return take, fidelity


def _curves(motion: Motion) -> dict[str, list[float]]:
    """Return the curves that move: ARKit's and those of the tongue for ada, else the channels."""
    curves: dict[str, np.ndarray] = dict(zip(motion.channels, motion.coeffs.T, strict=True))
    if learned(motion.channels) == ADA:
        tongue = {name: curves[name] for name in TONGUE if name in curves}
        curves = arkit_curves(motion.coeffs, motion.channels) | tongue
    return {
        name: [round(float(value), 4) for value in values]
        for name, values in curves.items()
        if np.abs(values).max() > _LEAST
    }


def _wav(speech: Speech, seconds: float) -> str:
    """Return the sound as a data URI, with silence up to `seconds`: it is the clock of the page."""
    missing = max(0, math.ceil(seconds * speech.rate_hz) - len(speech.samples))
    content = io.BytesIO()
    samples = np.pad(speech.samples, (0, missing))
    soundfile.write(content, samples, speech.rate_hz, format="WAV", subtype="PCM_16")
    return data_uri(content.getvalue(), "audio/wav")
