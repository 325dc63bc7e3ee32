"""A manifest is read strictly, and what is written is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, read_manifest, write_manifest
from talkcli.engine.errors import InputError
from tests.engine.data.mutations import survives


def entry(name: str = "a", **changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": name,
        "audio": f"audio/{name}.wav",
        "motion": f"motion/{name}.npz",
        "fps": 25.0,
        "speaker": "s1",
        "emotion": "happy",
        "intensity": 0.5,
        "split": "train",
        "sha256": Digests(audio="0" * 64, motion="f" * 64),
        "licence": "MIT",
    }
    return Entry(**(values | changes))


def test_round_trip(tmp_path: Path) -> None:
    # A line separator of Unicode inside a name is no new line of the file.
    mesh = MeshFiles(vertices="mesh/e.npy", neutral="mesh/neutral/s1.npy", topology="flame")
    of_mesh = Digests(vertices="1" * 64, neutral="2" * 64)
    entries = [
        entry("a"),
        entry("b", split="val", speaker="größer"),
        entry("c", speaker="x\u2028y\x85z", sex="female", text="So „it“ is."),
        entry("d", motion=None, fps=None, sha256=Digests(audio="0" * 64)),
        entry("e", motion=None, audio=None, mesh=mesh, sha256=of_mesh, num_frames=3, duration_s=0.05),
        entry("f", audio=None, sha256=Digests(motion="3" * 64), still=True),
    ]
    assert entries[4].files == {
        "vertices": ("mesh/e.npy", "1" * 64), "neutral": ("mesh/neutral/s1.npy", "2" * 64),
    }  # fmt: skip
    write_manifest(tmp_path / "manifest.jsonl", entries)
    assert read_manifest(tmp_path / "manifest.jsonl") == entries
    assert read_manifest(tmp_path) == entries


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"emotion": "merry"}, "emotion"),
        ({"intensity": 1.5}, "intensity"),
        ({"fps": 0}, "fps"),
        ({"fps": "25"}, "fps"),
        ({"intensity": True}, "intensity"),
        ({"intensity": float("nan")}, "intensity"),
        ({"split": "dev"}, "split"),
        ({"sha256": {"audio": "0", "motion": "f" * 64}}, "sha256"),
        ({"audio": "../a.wav"}, "plain path"),
        ({"motion": "/etc/passwd"}, "plain path"),
        ({"mesh": {"vertices": "../v.npy", "neutral": "n.npy", "topology": "flame"}}, "plain path"),
        ({"motion": None, "audio": None}, "neither audio nor motion nor mesh"),
        ({"sha256": {"audio": "0" * 64}}, "sha256 lacks motion"),
        ({"fps": None}, "fps is missing"),
        ({"num_frames": 0}, "num_frames"),
        ({"sex": "f"}, "sex"),
        ({"extra": 1}, "extra"),
        ({"id": ""}, "id"),
    ],
)
def test_bad_field_is_refused_with_its_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    good = entry("a").model_dump()
    lines = [json.dumps(good), json.dumps(good | {"id": "b"} | change)]
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=rf"line 2.*{words}"):
        read_manifest(path)


def test_other_defects(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    with pytest.raises(InputError, match="no manifest"):
        read_manifest(path)
    for text, words in [("{", "line 1"), ("", "no clips"), ("[]\n", "line 1")]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=words):
            read_manifest(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not text"):
        read_manifest(path)
    write_manifest(path, [entry("a"), entry("b"), entry("a")])
    with pytest.raises(InputError, match=r"line 3.*id a stands on line 1"):
        read_manifest(path)


def test_damage_is_refused_or_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "manifest.jsonl"
    write_manifest(
        path, [entry("a"), entry("b", split="val", speaker="größer"), entry("c", text="So is it.")]
    )

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return read_manifest(path)

    def plausible(found: object) -> bool:
        return isinstance(found, list) and all(isinstance(each, Entry) and each.files for each in found)

    assert survives(read, path.read_bytes(), plausible=plausible) > 100
