"""Tracks of visemes in their files: schema, times, and whether phones or shapes made them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.exports.formats import export
from talkcli.engine.types import SILENCE, Alignment, Motion, Phone
from tests.engine.exports.pieces import moving, opening
from tests.engine.fakes import Told

_SAID = (
    Phone(SILENCE, 0.0, 0.2), Phone("B", 0.2, 0.3), Phone("AY", 0.3, 0.8), Phone("L", 0.8, 1.0),
    Phone("OW", 1.0, 1.4), Phone(SILENCE, 1.4, 1.6),
)  # fmt: skip


def _spoken() -> tuple[object, Told]:
    piece, told = moving(40), Told()
    assert isinstance(piece.motion, Motion)
    motion = replace(piece.motion, alignment=Alignment(_SAID, "aligned"))
    return replace(piece, motion=motion, reporter=told, sound_file=Path("say/hello.wav")), told


def test_rhubarbs_users_find_rhubarbs_schema(tmp_path: Path) -> None:
    piece, told = _spoken()
    export(tmp_path / "face.rhubarb.json", piece)
    export(tmp_path / "face.rhubarb.tsv", piece)
    document = json.loads((tmp_path / "face.rhubarb.json").read_text())
    assert document == {
        "metadata": {"soundFile": "say/hello.wav", "duration": 1.6, "source": "phones"},
        "mouthCues": [
            {"start": 0.0, "end": 0.2, "value": "X"},
            {"start": 0.2, "end": 0.3, "value": "A"},
            {"start": 0.3, "end": 0.6, "value": "D"},
            {"start": 0.6, "end": 0.8, "value": "B"},
            {"start": 0.8, "end": 1.0, "value": "H"},
            {"start": 1.0, "end": 1.4, "value": "F"},
            {"start": 1.4, "end": 1.6, "value": "X"},
        ],
    }
    assert (tmp_path / "face.rhubarb.tsv").read_text().split("\n") == [
        "0.00\tX", "0.20\tA", "0.30\tD", "0.60\tB", "0.80\tH", "1.00\tF", "1.40\tX", "1.60\tX", "",
    ]  # fmt: skip
    assert not told.notes


def test_microsofts_events_have_ids_ticks_and_milliseconds(tmp_path: Path) -> None:
    piece, _ = _spoken()
    export(tmp_path / "face.microsoft.json", piece)
    document = json.loads((tmp_path / "face.microsoft.json").read_text())
    assert document["source"] == "phones"
    assert [(event["viseme_id"], event["offset_ms"]) for event in document["visemes"]] == [
        (0, 0), (21, 200), (11, 300), (14, 800), (8, 1000), (0, 1400),
    ]  # fmt: skip
    export(tmp_path / "face.microsoft.csv", piece)
    with (tmp_path / "face.microsoft.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["audio_offset"]) for row in rows] == [
        event["audio_offset"] for event in document["visemes"]
    ]
    assert {row["source"] for row in rows} == {"phones"}


@pytest.mark.parametrize("name", ["oculus", "vrm"])
def test_weights_are_the_same_in_json_and_csv(name: str, tmp_path: Path) -> None:
    piece, _ = _spoken()
    export(tmp_path / f"face.{name}.json", piece)
    export(tmp_path / f"face.{name}.csv", piece)
    document = json.loads((tmp_path / f"face.{name}.json").read_text())
    with (tmp_path / f"face.{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = [[float(row[viseme]) for viseme in document["visemes"]] for row in rows]
    assert np.allclose(table, document["frames"], atol=1e-9)
    assert len(rows) == document["frame_count"] == 40
    assert document["cues"][0]["start"] == 0
    assert document["cues"][-1]["end"] == document["duration"] == 1.6
    assert document["set"] == name


def test_visemes_of_heard_phones_are_noted(tmp_path: Path) -> None:
    piece, told = _spoken()
    heard = replace(piece.motion, alignment=Alignment(_SAID, "heard"))
    export(tmp_path / "face.rhubarb.tsv", replace(piece, motion=heard))
    assert "heard phones" in told.notes[-1]


def test_without_phones_the_mouths_shapes_are_named_as_the_source(tmp_path: Path) -> None:
    told = Told()
    piece = replace(opening(25.0, 1.0, at_s=0.4), reporter=told)
    export(tmp_path / "face.oculus.json", piece)
    document = json.loads((tmp_path / "face.oculus.json").read_text())
    assert document["source"] == "shapes"
    assert [cue["viseme"] for cue in document["cues"]] == ["sil", "aa"]
    assert document["cues"][1]["start"] == pytest.approx(0.4)
    assert "no phones" in told.notes[-1]
