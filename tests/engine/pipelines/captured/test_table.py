"""The table of captured faces from folders: films, takes of Live Link Face, and what is said beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import write_wav
from talkcli.engine.data.manifest import Digests, Entry, write_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.captured import Captured, Gains, captured
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.face.surface import Surface
from talkcli.engine.files import sha256
from talkcli.engine.pipelines.captured import compare, table
from talkcli.engine.pipelines.captured.gains import Words, performed
from talkcli.engine.pipelines.captured.phones import Said, jaw_of_gap
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.prepare.adapters.grid import words_of_name
from talkcli.engine.types import Alignment, Motion, Phone, Silent, Speech
from tests.engine.finish.sounds import talking
from tests.engine.prepare.adapters import live_link_tables

SYMBOLS = ("B", "AE", "T", "AE", "T") * 3
JAW = {"B": 0.0, "AE": 0.2, "T": 0.05}
PHONES = Alignment(tuple(Phone(symbol, k / 5, (k + 1) / 5) for k, symbol in enumerate(SYMBOLS)), "aligned")


class Notes(Silent):
    """A reporter that keeps its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Found:
    """An aligner that finds the words of every film but those of `set`."""

    def align(self, speech: Speech, text: str) -> Alignment:
        return Alignment(PHONES.phones, "energy") if text.startswith("set") else PHONES


@pytest.fixture(autouse=True)
def aligner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "Aligner", Found)


def prepared(folder: Path, *names: str) -> Path:
    """A prepared folder with clips of 3 s, whose jaw follows `SYMBOLS`."""
    folder.mkdir()
    entries = []
    for name in names:
        coeffs = np.zeros((75, 53), np.float32)
        coeffs[:, ADA.index("jawPitch")] = np.repeat([JAW[symbol] for symbol in SYMBOLS], 5)
        pose = np.zeros((75, 3), np.float32)
        write_motion(
            folder / f"{name}.npz", Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA, pose=pose)
        )
        write_wav(folder / f"{name}.wav", talking(3))
        files = {"audio": f"{name}.wav", "motion": f"{name}.npz"}
        digests = Digests(**{kind: sha256(folder / path) for kind, path in files.items()})
        entries.append(
            Entry(
                id=f"s1/{name}", fps=25.0, speaker="s1", emotion="neutral", intensity=0.5, split="train",
                sha256=digests, licence="CC-BY-4.0", **files,
            )
        )  # fmt: skip
    write_manifest(folder / "manifest.jsonl", entries)
    return folder


def live_link(folder: Path) -> Path:
    """Takes of 25 s: one at any depth, and one of a range of motion."""
    for name in ("deep/talks", "alex_rom_3"):
        live_link_tables.save(folder / f"{name}.csv", live_link_tables.table(25.0, 30))
    return folder


def test_films_have_the_phones_of_their_names(tmp_path: Path) -> None:
    said = Notes()
    found = table.films(prepared(tmp_path / "films", "bbaf2n", "sbaf2n"), said)
    assert [film.alignment for film in found] == [PHONES, None]
    assert [note.split(":")[0] for note in said.notes] == ["s1/sbaf2n"]
    assert found[0].take.num_frames == 75
    with pytest.raises(InputError, match="does not tell words"):
        table.films(prepared(tmp_path / "others", "interview"), Silent())
    assert words_of_name("s1_bbaf2n") == "bin blue at f two now"


def test_takes_of_live_link_are_cut_into_ten_seconds(tmp_path: Path) -> None:
    said = Notes()
    parts = list(table.live_link_parts([live_link(tmp_path)], said))
    assert [(len(part.coeffs), part.fps) for part in parts] == [(250, 25.0)] * 2
    assert len(said.notes) == 1
    assert "alex_rom_3.csv" in said.notes[0]


def test_the_table_says_what_was_read_for_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fitted(found: object, words: Words) -> dict[str, Gains]:
        return {"AE": Gains(opening=0.9)} if len(words) == 1 else {}

    monkeypatch.setattr(table, "fitted_gains", fitted)
    films = prepared(tmp_path / "films", "bbaf2n", "sbaf2n")
    sets = table.Sets(
        fitted=films,
        held_out=prepared(tmp_path / "others", "lbaf2n"),
        curves=films,
        live_link=[live_link(tmp_path / "live")],
    )
    made = table.make_table(sets, Silent())
    read = {name: (one.clips, one.seconds, one.use) for name, one in made.sources.items()}
    assert read == {
        "grid_s1": (2, 6.0, "fitted"),
        "grid": (1, 3.0, "held out"),
        "facegood": (2, 6.0, "jaw and lips"),
        "live_link": (2, 20.0, "whole face"),
    }
    # Words that were not found give no phones, but a face.
    assert made.phones["grid_s1"]["AE"].count == 6
    assert made.phones["grid_s1"]["AE"].mean["jaw_rad"] == pytest.approx(0.2, abs=1e-3)
    assert made.whole_face["grid_s1"]["head_deg_s"].clips == 2
    assert "AE before tongue" in made.neighbours
    assert made.gains["AE"].opening == 0.9
    table.write_table(made, tmp_path / "table.json")
    assert Captured.model_validate_json((tmp_path / "table.json").read_text()) == made


def test_jaw_against_gap_over_takes() -> None:
    takes = []
    for most in (0.1, 0.2):
        coeffs = np.zeros((50, 53), np.float32)
        coeffs[:, ADA.index("jawPitch")] = np.linspace(0, most, 50)
        motion = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA)
        takes.append(Measured(Surface(motion, load_head("ada"))))
    slope, intercept, r = jaw_of_gap(takes)
    assert r > 0.99
    assert slope * takes[1].gap_mm()[-1] + intercept == pytest.approx(0.2, abs=0.01)


def test_phones_of_films_stand_beside_the_performers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_end(words: Words, gains: dict[str, Gains]) -> Iterator[Said]:
        for one in performed(words, gains):
            heard = tuple(phone for phone in one.alignment.phones if phone.symbol != "B")
            yield Said(take=one.take, alignment=Alignment(heard, "aligned"))

    films = prepared(tmp_path / "films", "bbaf2n", "lbaf2n")
    rows = compare.viseme_rows(films, captured(), Silent())
    assert [row.split(" | ")[:2] for row in rows[2:5]] == [["| ae", "12"], ["| t", "12"], ["| b", "6"]]
    assert any(row.startswith("| `gap_mm before`") for row in rows)
    # A symbol that the performer does not reach is left out.
    monkeypatch.setattr(compare, "performed", without_end)
    assert not [row for row in compare.viseme_rows(films, captured(), Silent()) if row.startswith("| b ")]


def test_layers_stand_beside_captured_faces_and_damaged_transcripts_are_told(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", talking(3))
    (tmp_path / "metadata.csv").write_text("a damaged line\n")
    said = Notes()
    rows = compare.layer_rows([tmp_path], captured(), said)
    assert rows[0].startswith("| measure | generated | grid |")
    (speed,) = (row for row in rows if row.startswith("| `head_deg_s`"))
    assert speed.count("|") == rows[0].count("|")
    assert any("metadata.csv, line 1" in note for note in said.notes)
