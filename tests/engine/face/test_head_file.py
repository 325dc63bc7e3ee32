"""Files of generated heads: there and back, and every array that cannot be refused in one sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from talkcli.engine.errors import InputError
from talkcli.engine.face import head_file
from talkcli.engine.face.ada.head import asset_path
from talkcli.engine.face.ada.person import PEOPLE
from talkcli.engine.face.head_file import is_head_file, read_head, read_person, write_head
from talkcli.engine.face.heads import GENERATED, load_head
from tests.fuzz import mutate, structured

ABE = load_head("abe")
ARRAYS = load(asset_path("abe").read_bytes())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_head(tmp_path / "mine.npz", ARRAYS, ABE.parts, PEOPLE["abe"])
    return tmp_path / "mine.npz"


def _with(path: Path, **changes: Any) -> Path:
    with np.load(path) as file:
        arrays = dict(file)
    arrays |= {name.replace("__", "."): value for name, value in changes.items()}
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_a_file_is_a_head_that_moves_alike(path: Path) -> None:
    assert is_head_file(path)
    head = load_head(str(path))
    assert (head.name, head.channels, head.parts) == (str(path), ABE.channels, ABE.parts)
    coeffs = torch.from_numpy(
        np.random.default_rng(0).uniform(0, 0.4, (3, len(ABE.channels))).astype(np.float32)
    )
    torch.testing.assert_close(head(coeffs), ABE(coeffs), rtol=0, atol=0)
    assert read_person(path) == PEOPLE["abe"]


def test_the_same_head_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    write_head(tmp_path / "again.npz", ARRAYS, ABE.parts, PEOPLE["abe"])
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_the_table_knows_every_array_of_an_asset() -> None:
    for name in GENERATED:
        asset = load(asset_path(name).read_bytes())
        assert set(head_file._ARRAYS) == {key for key in asset if not key.startswith("region.")}


BAD: dict[str, dict[str, Any]] = {
    "without template": {"template": None},
    "format 99": {"format": np.array(99)},
    "region lips": {"region__lips": None},
    "no region eyes": {"region__eyes": np.zeros(0, np.int64)},
    "template from": {"template": ARRAYS["template"] * 1000},
    "less than 0.05 m": {"template": ARRAYS["template"] // 100},
    "faces from": {"faces": ARRAYS["faces"].astype(np.int32) - 1},
    "region.lips from": {"region__lips": np.array([60_000], np.uint16)},
    "colours from": {"colours": np.full_like(ARRAYS["colours"], np.nan)},
    "jaw of": {"jaw": ARRAYS["jaw"][:-1]},
    "landmarks of": {"landmarks": ARRAYS["landmarks"][:60]},
    "shape_values of": {"shape_values": ARRAYS["shape_values"].astype(np.float32)},
    "do not follow": {"shape_starts": ARRAYS["shape_starts"][::-1]},
    "no parts": {"parts": np.array(3)},
    "part_of_face from": {"parts": np.array(["skin"])},
    "ramp_weights of": {"ramp_weights": ARRAYS["ramp_weights"][..., :-1]},
    "seal_neighbours from": {"seal_neighbours": np.full_like(ARRAYS["seal_neighbours"], 200)},
}


@pytest.mark.parametrize("says", BAD)
def test_arrays_that_cannot_be_are_refused(path: Path, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        load_head(str(_with(path, **BAD[says])))
    assert "mine.npz" in caught.value.problem and "talk head" in str(caught.value.hint)


@pytest.mark.parametrize(
    "person",
    [
        "",
        "[]",
        "3",
        "{" * 5000,
        json.dumps({"age": 17}),
        json.dumps({"wings": 2}),
        '{"sex": NaN}',
        '{"hair": []}',
    ],
)
def test_a_person_that_cannot_be_is_refused(path: Path, person: str) -> None:
    with pytest.raises(InputError, match="describes no person"):
        read_person(_with(path, person=np.array(person)))
    # Whom it shows does not matter where it is drawn.
    load_head(str(path))


def test_too_many_vertices_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(head_file._MOST, "verts", 1000)
    with pytest.raises(InputError, match="template of"):
        read_head(path)


def test_what_is_no_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", coeffs=np.zeros((3, 53)))
    for name in ("text.npz", "other.npz"):
        with pytest.raises(InputError, match="no head of talk"):
            load_head(str(tmp_path / name))


@pytest.mark.parametrize("seed", range(8))
def test_damage_is_refused_or_harmless(path: Path, seed: int) -> None:
    drawn, content = Random(seed), path.read_bytes()
    with np.load(io.BytesIO(content)) as file:
        assert "person" in file
    for _ in range(6):
        damaged = (
            mutate.damaged(drawn, content)[0]
            if drawn.random() < 0.5
            else structured.edited_npz(drawn, content, texts=("person",))[0]
        )
        path.write_bytes(damaged)
        try:
            head = read_head(path)
            assert head(torch.zeros(1, len(ABE.channels))).shape == (1, len(head.template), 3)
        except InputError as error:
            assert "mine.npz" in error.problem
