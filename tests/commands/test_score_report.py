from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from talkcli.commands.score import app
from talkcli.engine.face.channels import ADA, JAW
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion


@pytest.mark.slow
def test_the_page_has_the_cells_of_the_printed_tables_and_the_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    rng = np.random.default_rng(0)
    coeffs = np.zeros((30, len(ADA)), np.float32)
    for name in ("true", "line"):
        coeffs[:, ADA.index(JAW[0])] = rng.uniform(0, 0.3, 30)
        meta = {"origin": {"kind": "performed"}} if name == "true" else {}
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        write_motion(tmp_path / f"{name}.npz", motion, meta)
    soundfile.write(tmp_path / "line.wav", rng.normal(0, 0.1, 19_200), 16_000)
    page = tmp_path / "page.html"
    given = [
        str(tmp_path / "line.npz"),
        "--truth",
        str(tmp_path / "true.npz"),
        "--audio",
        str(tmp_path / "line.wav"),
        *(
            part
            for name in ("lve_mm", "sync_r", "jerk_ratio_lips", "gap_mean_mm")
            for part in ("--metric", name)
        ),
    ]
    done = CliRunner().invoke(app, [*given, "--report", str(page)], catch_exceptions=False)
    # A long path is folded.
    assert done.exit_code == 0 and f"Wrote {page}." in done.stderr.replace("\n", "")
    text = page.read_text()
    rows = [line.split("  ") for line in done.stdout.splitlines() if "  " in line and "---" not in line]
    cells = {cell.strip() for row in rows for cell in row if cell.strip()}
    assert {"lve_mm", "sync_r", "jerk_ratio_lips"} <= cells
    assert [cell for cell in cells if escape(cell) not in text] == []
    assert " vs performed" in text and "a stand-in: no face was measured" in text
    assert 'src="data:video/mp4;base64,' in text and "Mouth opening over the speech envelope" in text


def _motions(folder: Path, names: list[bytes]) -> Path:
    """A folder of motions of half a second, without sound or truth."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in names:
        coeffs = np.zeros((12, len(ADA)), np.float32)
        coeffs[:, ADA.index(JAW[0])] = rng.uniform(0, 0.3, 12)
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        write_motion(folder / os.fsdecode(name + b".npz"), motion)
    return folder


def _page(tmp_path: Path, *given: str) -> str:
    page = tmp_path / "page.html"
    options = ["--metric", "jump_mm", "--report", str(page)]
    done = CliRunner().invoke(app, [*given, *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_motions_alone_have_a_page_of_any_names(tmp_path: Path) -> None:
    text = _page(tmp_path, str(_motions(tmp_path / "in", [b"<b>a", b"\xff&", b"b c"])))
    assert "<b>a" not in text and "&lt;b&gt;a" in text and "\\udcff&amp;" in text
    assert "No picture of the joint space: no speech with labels is given" in text
    # The best of the three is not among the worst.
    assert text.count('src="data:video/mp4;base64,') == 2


@pytest.mark.slow
def test_the_page_shows_the_clips_within_the_limit(tmp_path: Path) -> None:
    text = _page(tmp_path, str(_motions(tmp_path / "in", [b"a", b"b", b"c"])), "--limit", "1")
    assert re.findall(r"<h3 id=[^>]*>(.*?)</h3>", text) == ["a"]
