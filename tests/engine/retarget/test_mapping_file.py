"""Mapping files: what is written comes back, and anything else is refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.retarget.mapping import Mapping
from talkcli.engine.retarget.mapping_file import read_mapping, write_mapping

MAPPING = Mapping(
    targets=("mouth_open", "smile"),
    sources=("jawPitch", "mouthSmileLeft", "mouthSmileRight"),
    weights=np.array([[2.5, 0.0, 0.0], [0.0, 0.5, 0.5]]),
    origin="a rigger's sheet, 2026",
)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    write_mapping(path, MAPPING)
    found = read_mapping(path)
    assert (found.targets, found.sources, found.origin) == (MAPPING.targets, MAPPING.sources, MAPPING.origin)
    np.testing.assert_allclose(found.weights, MAPPING.weights)


def test_weights_are_used_as_they_are() -> None:
    values = np.array([[0.4, 1.0, 0.5, 9.0]])
    found = MAPPING.apply(values, ("jawPitch", "mouthSmileLeft", "mouthSmileRight", "other"))
    np.testing.assert_allclose(found, [[1.0, 0.75]])
    negative = MAPPING.apply(-values, ("jawPitch", "mouthSmileLeft", "mouthSmileRight", "other"))
    np.testing.assert_allclose(negative, [[-1.0, -0.75]])


def test_a_missing_source_is_named() -> None:
    with pytest.raises(InputError, match="mouthSmileRight"):
        MAPPING.apply(np.zeros((1, 2)), ("jawPitch", "mouthSmileLeft"))


def test_a_target_without_weights_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    write_mapping(path, Mapping(targets=("a", "b"), sources=("x",), weights=np.array([[0.0], [1.0]])))
    assert read_mapping(path).targets == ("a", "b")


def test_controls_of_metahuman_need_a_source(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rows = "target,source,weight\nCTRL_C_jaw.ty,jawOpen,1\n"
    path.write_text(rows)
    with pytest.raises(InputError, match="does not say where"):
        read_mapping(path)
    path.write_text(f"# source: our rig team, version 3\n{rows}")
    assert read_mapping(path).origin == "our rig team, version 3"


@pytest.mark.parametrize(
    "text",
    [
        "", "target,source\n", "target,source,weight\n", "target,source,weight\na,b\n",
        "target,source,weight\na,b,nan\n", "target,source,weight\na,b,1e9\n", "target,source,weight\na,b,x\n",
        "target,source,weight\na,b,1\na,b,2\n", "target,source,weight\n" + "a" * 300 + ",b,1\n",
        "PK\x03\x04", "\x00\x01", "target,source,weight\n" + "a" * 140_000 + ",b,1\n",
    ],
)  # fmt: skip
def test_hostile_tables(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(InputError):
        read_mapping(path)


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": np.ones((3, 2))}, {"weights": np.full((2, 3), np.nan)}, {"weights": np.array("x")},
        {"targets": np.array(["a", "a"])}, {"targets": np.arange(2)}, {"origin": np.arange(2)},
        {"targets": np.array(["CTRL_x", "b"]), "origin": np.array("")},
    ],
)  # fmt: skip
def test_hostile_archives(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    path = tmp_path / "m.npz"
    whole = {
        "targets": np.array(MAPPING.targets),
        "sources": np.array(MAPPING.sources),
        "weights": MAPPING.weights,
    }
    np.savez(path, **{**whole, **changed})
    with pytest.raises(InputError):
        read_mapping(path)


def test_another_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mapping="):
        read_mapping(tmp_path / "m.json")
