"""Shards hold every clip once, as it was, in the same bytes each time; read back by tarfile alone."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from talkcli.engine.data.manifest import Digests, Entry, MeshFiles, read_manifest, write_manifest
from talkcli.engine.data.shards import id_of, key_of, write_shards
from talkcli.engine.errors import InputError
from talkcli.engine.files import sha256
from talkcli.engine.types import Silent
from tests.engine.data.mutations import survives

_IDS = {"train": ["set/a.b", "set/c", "d~e é", "f", "g"], "test": ["set/a_b", "h"]}


def _entry(folder: Path, clip: str, split: str) -> Entry:
    files = {
        "audio": f"audio/{clip}.flac", "motion": f"motion/{clip}.npz", "vertices": f"mesh/{clip}.npy",
        "neutral": "mesh/neutral/s.npy", "phones": f"phones/{clip}.TextGrid",
    }  # fmt: skip
    for kind, name in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kind.encode() if kind == "neutral" else f"{kind} of {clip} ".encode() * 100)
    digests = {kind: sha256(folder / name) for kind, name in files.items()}
    return Entry(
        id=clip,
        audio=files["audio"],
        motion=files["motion"],
        mesh=MeshFiles(vertices=files["vertices"], neutral=files["neutral"], topology="biwi"),
        phones=files["phones"],
        fps=25.0,
        speaker=split,
        emotion="happy",
        intensity=1.0,
        split=split,  # type: ignore[arg-type]
        sha256=Digests(**digests),
        licence="MIT",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    # As a manifest may be: splits by turns.
    entries = [_entry(root, clip, split) for split, clips in _IDS.items() for clip in clips]
    write_manifest(root / "manifest.jsonl", [*entries[::2], *entries[1::2]])
    return root


def _samples(shard: Path) -> dict[str, dict[str, bytes]]:
    """Members by key and by what follows the first dot, as webdataset groups them."""
    samples: dict[str, dict[str, bytes]] = {}
    with tarfile.open(shard) as archive:
        for member in archive:
            key, _, kind = member.name.partition(".")
            content = archive.extractfile(member)
            assert content is not None
            samples.setdefault(key, {})[kind] = content.read()
    return samples


def test_every_clip_comes_back_once(folder: Path, tmp_path: Path) -> None:
    made = write_shards(folder, tmp_path / "shards", Silent(), max_clips=2)
    assert (made.num_clips, made.num_shards, made.num_kept) == (7, 4, 0)
    entries = {entry.id: entry for entry in read_manifest(folder)}
    for split, clips in _IDS.items():
        shards = sorted((tmp_path / "shards").glob(f"{split}-*.tar"))
        assert [shard.name for shard in shards] == [
            f"{split}-{number:06d}.tar" for number in range(-(-len(clips) // 2))
        ]
        found = [sample for shard in shards for sample in _samples(shard).items()]
        assert sorted(id_of(key) for key, _ in found) == sorted(clips)
        for key, sample in found:
            clip = id_of(key)
            assert Entry.model_validate_json(sample["json"]) == entries[clip]
            assert sample["flac"] == (folder / f"audio/{clip}.flac").read_bytes()
            assert sample["npz"] == (folder / f"motion/{clip}.npz").read_bytes()
            assert sample["vertices.npy"] == (folder / f"mesh/{clip}.npy").read_bytes()
            assert sample["neutral.npy"] == b"neutral"
            assert sample["TextGrid"] == (folder / f"phones/{clip}.TextGrid").read_bytes()


def test_members_have_neither_time_nor_owner(folder: Path, tmp_path: Path) -> None:
    write_shards(folder, tmp_path / "shards", Silent())
    with tarfile.open(tmp_path / "shards" / "test-000000.tar") as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")


def test_the_index_tells_what_wids_wants(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    made = write_shards(folder / "manifest.jsonl", out, Silent(), max_clips=3)
    assert made.indices == (out / "train.json", out / "test.json")
    index = json.loads((out / "train.json").read_text())
    assert (index["__kind__"], index["wids_version"], index["name"]) == (
        "wids-shard-index-v1",
        1,
        "data-train",
    )
    assert [shard["nsamples"] for shard in index["shardlist"]] == [3, 2]
    for shard in index["shardlist"]:
        content = (out / shard["url"]).read_bytes()
        assert shard["filesize"] == len(content)
        assert shard["md5sum"] == hashlib.md5(content).hexdigest()


def test_the_same_clips_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_shards(folder, tmp_path / name, Silent(), max_clips=3)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_second_run_goes_on_where_the_first_ended(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    write_shards(folder, out, Silent(), max_clips=2)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "train-000001.tar").unlink()
    (out / "train.json").unlink()
    assert write_shards(folder, out, Silent(), max_clips=2).num_kept == 3
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_size_limits_a_shard_and_a_large_clip_has_its_own(folder: Path, tmp_path: Path) -> None:
    made = write_shards(folder, tmp_path / "shards", Silent(), max_mb=0.001)
    assert made.num_shards == made.num_clips == 7
    made = write_shards(folder, tmp_path / "other", Silent(), max_mb=0.03)
    assert 2 < made.num_shards < 7
    assert all(path.stat().st_size < 40_960 for path in (tmp_path / "other").glob("*.tar"))


@pytest.mark.parametrize("name", ["train-000000.tar", "train-000009.tar", "test.json"])
def test_what_is_not_ours_stays(folder: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "shards"
    out.mkdir()
    (out / name).write_bytes(b"{}")
    with pytest.raises(InputError, match=name):
        write_shards(folder, out, Silent())
    assert [path.name for path in out.iterdir()] == [name]


def test_shards_of_other_clips_are_not_taken_for_these(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    write_shards(folder, out, Silent(), max_clips=2)
    with pytest.raises(InputError, match="does not hold the clips"):
        write_shards(folder, out, Silent(), max_clips=3)
    entries = read_manifest(folder)
    write_manifest(folder / "manifest.jsonl", [entries[0].model_copy(update={"text": "new"}), *entries[1:]])
    with pytest.raises(InputError, match="does not hold the clips"):
        write_shards(folder, out, Silent(), max_clips=2)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder is needed"):
        write_shards(folder, tmp_path / "file", Silent())


def test_a_changed_or_missing_file_is_not_shipped(folder: Path, tmp_path: Path) -> None:
    path = folder / "audio" / "f.flac"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(InputError, match=r"Clip f.*its hash differs"):
        write_shards(folder, tmp_path / "shards", Silent())
    path.unlink()
    with pytest.raises(InputError, match=r"Clip f.*is missing"):
        write_shards(folder, tmp_path / "shards", Silent())
    assert not (tmp_path / "shards" / "train.json").exists()


def test_a_damaged_shard_is_not_kept(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "shards"
    write_shards(folder, out, Silent())
    shard = out / "train-000000.tar"
    whole = _samples(shard)

    def again(content: bytes) -> object:
        shard.write_bytes(content)
        write_shards(folder, out, Silent())
        return _samples(shard)

    # Padding and the fields of headers that nobody reads may be damaged without harm.
    assert survives(again, shard.read_bytes(), plausible=lambda found: found == whole) > 120


@pytest.mark.parametrize("clip", ["a", "a.b/c.d", "a%2Eb", "é 1~", "..", "/", "A_b-9"])
def test_keys_lead_back_to_ids(clip: str) -> None:
    key = key_of(clip)
    assert id_of(key) == clip
    assert not set(key) & set("./~ ")
    assert key.isascii()
