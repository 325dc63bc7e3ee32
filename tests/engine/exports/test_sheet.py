"""Frames that stand for a motion, and the sheet on which they are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import UsageError
from talkcli.engine.exports import sheet
from talkcli.engine.exports.formats import SHEET, check_output, export
from talkcli.engine.exports.moments import at_moments, moments
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ADA
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.types import Motion, Silent, VertexMotion

_BLINK = ADA.index("eyeBlinkLeft")


def motion(frames: int, shut: tuple[int, ...] = ()) -> Motion:
    coeffs = np.zeros((frames, len(ADA)), np.float32)
    coeffs[:, ADA.index("jawPitch")] = np.linspace(0, 0.3, frames)
    coeffs[list(shut), _BLINK] = 1.0
    return Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)


def test_each_part_gives_its_middle_or_the_next_open_lids() -> None:
    assert moments(motion(40), 4).tolist() == [5, 15, 25, 35]
    assert moments(motion(40, shut=(15, 16)), 4).tolist() == [5, 17, 25, 35]
    # Lids that stay shut to the end of their part.
    assert moments(motion(40, shut=(15, 16, 17, 18, 19)), 4).tolist() == [5, 15, 25, 35]
    assert moments(motion(3), 12).tolist() == [0, 1, 2]
    still = np.zeros((8, 4, 3), np.float32)
    given = VertexMotion(vertices=still, neutral=still[0], fps=25.0, topology="own")
    assert moments(given, 2).tolist() == [2, 6]
    assert at_moments(given, np.array([2, 6])).num_frames == 2


def test_a_sheet_has_the_frames_of_its_moments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "_NUM_FRAMES", 5)
    made = motion(50)
    shot = Shot(size=Size(64, 96))
    export(tmp_path / "s.png", Piece(motion=made, meta={"seed": 1}, reporter=Silent(), shot=shot), SHEET)
    drawn = Image.open(tmp_path / "s.png")
    # Four side by side, and one below.
    assert drawn.size == (4 * 64, 2 * 96) and drawn.mode == "RGB"
    assert json.loads(drawn.text["comment"]) == {"seed": 1}
    cells = [np.asarray(drawn.crop((64 * k, 20, 64 * k + 64, 96)), int) for k in range(4)]
    # The mouth opens from frame to frame; the label lies above.
    apart = [np.abs(cells[0] - cell).mean() for cell in cells]
    assert apart == sorted(apart) and apart[1] > 0.1
    assert not np.asarray(drawn.crop((64, 96, 256, 192))).any()


@pytest.mark.parametrize(
    ("name", "size", "words"), [("s.jpg", (64, 64), "PNG"), ("s.png", (64, 4096), "64 pix")]
)
def test_what_no_sheet_can_be(name: str, size: tuple[int, int], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        check_output(tmp_path / name, SHEET, shot=Shot(size=Size(*size)))
