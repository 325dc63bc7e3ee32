"""What `dataset` takes, and what it says to somebody who has prepared nothing, or the wrong half."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from talkcli.engine.data.manifest import read_manifest, write_manifest
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.pipelines.prepared_sets import ROOTS, SPLITS, manifest_of, prepared_set
from talkcli.engine.pipelines.preprocess import DATA_SETS
from talkcli.engine.types import Silent
from tests.engine.fakes import write_corpus


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TALK_DATA", raising=False)


def prepare(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return write_corpus(folder)


def test_every_data_set_tells_what_its_root_is() -> None:
    assert set(ROOTS) == set(DATA_SETS)


@pytest.mark.parametrize("name", DATA_SETS)
@pytest.mark.parametrize("data", [None, "my data"])
def test_unprepared_it_gives_the_exact_line(
    name: str, data: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data is not None:
        monkeypatch.setenv("TALK_DATA", data)
    with pytest.raises(AssetError, match="not prepared") as caught:
        manifest_of(name)
    out = f"data/{name}" if data is None else f"'my data/{name}'"
    assert f"talk preprocess {name} ROOT --out {out} (ROOT: " in (caught.value.hint or "")
    assert ROOTS[name] in (caught.value.hint or "")


def test_ravdess_is_found_on_zenodo() -> None:
    with pytest.raises(AssetError) as caught:
        prepared_set("ravdess", "test", Silent())
    assert "talk preprocess ravdess ROOT --out data/ravdess" in (caught.value.hint or "")
    assert "Zenodo" in (caught.value.hint or "")


def test_a_name_is_looked_for_in_talk_data_and_a_path_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, elsewhere = prepare(tmp_path / "data" / "mine"), prepare(tmp_path / "else" / "mine")
    assert manifest_of("mine") == below.relative_to(tmp_path)
    assert manifest_of("data/mine") == Path("data/mine/manifest.jsonl")
    for path in (elsewhere, elsewhere.parent):
        assert manifest_of(str(path)) == elsewhere
    assert manifest_of("else/mine/manifest.jsonl") == Path("else/mine/manifest.jsonl")
    monkeypatch.setenv("TALK_DATA", str(tmp_path / "else"))
    assert manifest_of("mine") == elsewhere
    # Nothing of this name below $TALK_DATA, but a prepared folder right here.
    prepare(tmp_path / "here")
    assert manifest_of("here") == Path("here/manifest.jsonl")


@pytest.mark.parametrize(
    "name", ["no/such", "./ravdess", "../x", "absent.jsonl", "/", "a\0b/c", "x" * 300 + "/y"]
)
def test_a_path_that_is_not_there(name: str) -> None:
    with pytest.raises(AssetError, match="path of no prepared data set") as caught:
        manifest_of(name)
    assert "talk preprocess" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["ravdes", "x" * 300, "a\0b", "ü", "*"])
def test_a_name_of_nothing(name: str, tmp_path: Path) -> None:
    prepare(tmp_path / "data" / "mine")
    with pytest.raises(AssetError, match="not prepared") as caught:
        manifest_of(name)
    hint = caught.value.hint or ""
    assert "Prepared in data: mine." in hint
    assert ("Did you mean ravdess?" in hint) == (name == "ravdes")


@pytest.mark.parametrize("name", ["RAVDESS", "Crema-D", "DEBUG"])
def test_letters_of_a_name_may_be_large(name: str, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="not prepared") as caught:
        manifest_of(name)
    hint = caught.value.hint or ""
    assert f"talk preprocess {name.lower()} " in hint and f"--out data/{name.lower()}" in hint
    prepare(tmp_path / "data" / name.lower())
    assert manifest_of(name) == Path("data", name.lower(), "manifest.jsonl")
    prepare(tmp_path / "data" / "Mine")
    assert manifest_of("mine") == Path("data/Mine/manifest.jsonl")


@pytest.mark.parametrize(
    ("folder", "content", "known"),
    [
        ("RAVDESS", "notes.txt", "ravdess"),
        ("my downloads", "Audio_Speech_Actors_01-24.zip", "ravdess"),
        ("my downloads", "Video_Song_Actor_07.zip", "ravdess"),
        ("speech", "Actor_01", "ravdess"),
        ("speech", "AudioWAV", "crema-d"),
        ("VOCA", "data_verts.npy", "vocaset"),
        ("Hdtf", "x.mp4", "hdtf"),
    ],
)
def test_a_folder_of_recordings_gives_the_exact_line(
    folder: str, content: str, known: str, tmp_path: Path
) -> None:
    raw = tmp_path / "else" / folder
    (raw / content).mkdir(parents=True)
    quoted = shlex.quote(str(raw))
    with pytest.raises(AssetError, match="must be prepared first") as caught:
        manifest_of(str(raw))
    line = f"talk preprocess {known} {quoted} --out data/{known}"
    assert caught.value.hint == f"Run: {line}; then give `dataset={known}`."


def test_recordings_are_known_below_the_data_folder_and_here(tmp_path: Path) -> None:
    (tmp_path / "RAVDESS" / "Actor_01").mkdir(parents=True)
    with pytest.raises(AssetError) as caught:
        manifest_of("RAVDESS")
    line = "talk preprocess ravdess RAVDESS --out data/ravdess"
    assert caught.value.hint == f"Run: {line}; then give `dataset=ravdess`."
    # Clips do not go among the recordings.
    (tmp_path / "data" / "ravdess" / "Actor_01").mkdir(parents=True)
    with pytest.raises(AssetError) as caught:
        manifest_of("ravdess")
    line = "talk preprocess ravdess data/ravdess --out data/ravdess-clips"
    assert caught.value.hint == f"Run: {line}; then give `dataset=ravdess-clips`."


def test_an_empty_folder_or_one_of_anything_is_no_data_set(tmp_path: Path) -> None:
    for folder in ("else/ravdess", "else/mine/x"):
        (tmp_path / folder).mkdir(parents=True)
    for path in ("else/ravdess", "else/mine"):
        with pytest.raises(AssetError, match="path of no prepared data set"):
            manifest_of(path)


@pytest.mark.parametrize("name", ["", " "])
def test_no_name(name: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        manifest_of(name)


def test_an_empty_split_says_which_split_has_clips(tmp_path: Path) -> None:
    manifest = prepare(tmp_path / "data" / "mine")
    entries = read_manifest(manifest)
    half = [
        entry.model_copy(update={"split": "val" if index < 2 else "train"})
        for index, entry in enumerate(entries)
    ]
    write_manifest(manifest, half)
    with pytest.raises(
        InputError, match=f"no clips in its test split; it has {len(half) - 2} in train and 2 in val"
    ) as caught:
        prepared_set("mine", "test", Silent())
    assert "`split=train`" in (caught.value.hint or "")
    found = {split: len(prepared_set("mine", split, Silent()).entries) for split in SPLITS if split != "test"}
    assert found == {"train": len(half) - 2, "val": 2, "all": len(half)}
    assert prepared_set("mine", "val", Silent()).described() == {
        "name": "mine", "manifest": "data/mine/manifest.jsonl", "split": "val", "clips": 2,
    }  # fmt: skip
