from __future__ import annotations

from pathlib import Path

import pytest
import torch

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import HEADS, flame_path, load_head
from talkcli.engine.face.topology import lip_opening_mm
from tests.engine.face import flame_twin


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)


def written_flame(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    flame_twin.write_flame(folder / "generic_model.pkl", flame_twin.flame_arrays())
    return folder / "generic_model.pkl"


def test_ada_needs_nothing() -> None:
    head = load_head("ada")
    assert isinstance(head, Head)
    assert head.name == "ada"


@pytest.mark.parametrize(("name", "near"), [("adda", "ada"), ("FLAME", "flame"), ("flam", "flame")])
def test_unknown_names_get_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_head(name)
    assert caught.value.hint is not None and f"Did you mean {near}?" in caught.value.hint


def test_unknown_names_get_the_list() -> None:
    with pytest.raises(UsageError) as caught:
        load_head("zzz")
    assert all(name in str(caught.value.hint) for name in HEADS)


def test_flame_without_its_file_says_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert flame_path() is None
    with pytest.raises(AssetError, match="not set") as caught:
        load_head("flame")
    assert "licence" in str(caught.value.hint)
    monkeypatch.setenv("TALK_FLAME", str(tmp_path / "gone.pkl"))
    with pytest.raises(AssetError, match=r"gone\.pkl"):
        load_head("flame")
    with pytest.raises(AssetError, match="does not exist"):
        load_head(str(tmp_path / "gone.pkl"))


@pytest.mark.parametrize("named", ["file", "folder", "cache"])
def test_flame_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    path = written_flame(tmp_path / "cache" / "flame" if named == "cache" else tmp_path / "mine")
    if named != "cache":
        monkeypatch.setenv("TALK_FLAME", str(path if named == "file" else path.parent))
    assert flame_path() == path
    assert load_head("flame").name == "flame"


def test_a_path_is_a_name(tmp_path: Path) -> None:
    assert load_head(str(written_flame(tmp_path))).name == "flame"
    (tmp_path / "other.pkl").write_bytes(b"\x80\x02}.")
    with pytest.raises(InputError, match="no FLAME model"):
        load_head(str(tmp_path / "other.pkl"))


def test_lip_opening_is_the_mean_of_three_inner_pairs() -> None:
    landmarks = torch.zeros(2, 68, 3)
    landmarks[1, 61, 1] = 0.003
    landmarks[1, 62, 1] = 0.006
    landmarks[1, 65, 2] = -0.003
    torch.testing.assert_close(lip_opening_mm(landmarks), torch.tensor([0.0, 4.0]))
