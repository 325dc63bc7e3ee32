"""Attacks on what talk preprocess reads and writes: data sets, captures, archives, manifests, journals."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz import mutate, seeds_data, seeds_models, structured
from tests.fuzz.case import Case, Kind, common

_SETS = (
    "folder", "mead", "emote", "diffposetalk", "artalk", "affectnet", "beat2", "biwi", "packed", "facegood",
)  # fmt: skip
_COMMANDS = {"packed": "diffposetalk"}
_ALONE = ("--workers", "0")


def data_set(drawn: Random, files: Path, folder: Path) -> Case:
    """A published set with one damaged file: its clip goes to quarantine or is plausible."""
    name = drawn.choice(_SETS)
    shutil.copytree(files / "sets" / name, folder / "in")
    path = drawn.choice(sorted(path for path in (folder / "in").rglob("*") if path.is_file()))
    content = path.read_bytes()
    sort = drawn.random()
    if sort < 0.35 and path.suffix == ".npy":
        data, note = _odd_npy(drawn, content)
    elif sort < 0.35 and path.suffix == ".npz":
        data, note = structured.edited_npz(drawn, content)
    elif sort < 0.35 and path.suffix in (".csv", ".txt"):
        text, note = structured.edited_text(drawn, content.decode(), ("one", "happy", "1.5", "train"))
        data = structured.encoded(drawn, text)
    else:
        data, note, _ = mutate.damaged(drawn, content)
    path.write_bytes(data)
    argv = ["preprocess", _COMMANDS.get(name, name), "in", "--out", "out", *_ALONE]
    if name == "folder":
        argv += drawn.choice(([], ["--source-fps", "25"], ["--source-fps", "25", "--layout", "flame-56"]))
    argv += drawn.choice(([], [], ["--smooth"], ["--keep-pose"], ["--fps", drawn.choice(("30", "240", "1"))]))
    return Case(argv=common(drawn, *argv), note=f"{name} {path.suffix} {note}")


def _odd_npy(drawn: Random, content: bytes) -> tuple[bytes, str]:
    if drawn.random() < 0.3:
        shape = drawn.choice(
            ("(99999999999, 53)", "(0, 53)", "(16, -53)", "(2147483648, 2147483648)", "()", "((1,),)")
        )
        return structured.npy_header(
            shape, drawn.choice(("<f4", ">f8", "|O", "<U9", "<c8"))
        ), f"shape {shape}"
    file = io.BytesIO()
    values = structured.odd_array(drawn, np.load(io.BytesIO(content), allow_pickle=False))
    np.save(file, values)
    return file.getvalue(), f"{values.dtype} {values.shape}"


def live_link(drawn: Random, files: Path, folder: Path) -> Case:
    """A take whose table was damaged or edited."""
    shutil.copytree(files / "sets/live-link", folder / "in")
    path = folder / "in/take.csv"
    content = path.read_text()
    if drawn.random() < 0.6:
        words = (
            "19:16:58:29.273",
            "19:16:58;29.273",
            "61",
            "51",
            "1.053",
            "-0.2",
            "0,5",
            "NaN",
            "JawOpen",
            "Timecode",
        )
        text, note = structured.edited_text(drawn, content, words)
        data = structured.encoded(drawn, text)
    else:
        data, note, _ = mutate.damaged(drawn, content.encode())
    path.write_bytes(data)
    return Case(argv=common(drawn, "preprocess", "live-link", "in", "--out", "out", *_ALONE), note=note)


def archive(drawn: Random, files: Path, folder: Path) -> Case:
    """A data set in a damaged or hostile archive."""
    root = files / "sets/folder"
    sort = drawn.choice(("zip", "zip", "tar", "tgz", "hostile", "hostile"))
    if sort == "hostile":
        name, data, note = _hostile_archive(drawn)
    else:
        name = {"zip": "s.zip", "tar": "s.tar", "tgz": "s.tar.gz"}[sort]
        made = (
            seeds_data.zipped(root)
            if sort == "zip"
            else seeds_data.tarred(root, "w" if sort == "tar" else "w:gz")
        )
        data, note, _ = mutate.damaged(drawn, made)
    (folder / name).write_bytes(data)
    return Case(
        argv=common(drawn, "preprocess", "folder", name, "--out", "out", *_ALONE), note=f"{name} {note}"
    )


def _hostile_archive(drawn: Random) -> tuple[str, bytes, str]:
    sort = drawn.choice(
        ("escape", "absolute", "link", "deep", "bomb", "device", "many", "names", "nested", "media")
    )
    script = b"ffconcat version 1.0\nfile '../../../outside/secret.txt'\n"
    if sort in ("escape", "absolute", "names", "nested", "bomb", "media"):
        members = {
            "escape": {"../../outside/x.wav": b"x"},
            "absolute": {"/tmp/outside-x.wav": b"x"},
            "names": {
                "a\nb.wav": b"x",
                "é" * 100 + ".wav": b"x",
                "CON.wav": b"x",
                "a/" * 200 + "b.wav": b"x",
            },
            "nested": {"b.zip": structured.zipped({"c.zip": structured.zipped({"d.wav": b"x"})})},
            "bomb": {f"{k}.wav": bytes(20 << 20) for k in range(3)},
            "media": {"a.mp4": script, "a.npz": b"x"},
        }[sort]
        return "s.zip", structured.zipped(members), sort
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind, target in {
            "link": [("l", tarfile.SYMTYPE, "../../outside"), ("l/x.wav", tarfile.REGTYPE, "")],
            "device": [("a.wav", tarfile.CHRTYPE, ""), ("b.wav", tarfile.FIFOTYPE, "")],
            "deep": [("a/" * 2000 + "b.wav", tarfile.REGTYPE, "")],
            "many": [(f"{k}.wav", tarfile.LNKTYPE, "0.wav") for k in range(500)],
        }[sort]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return "s.tar", file.getvalue(), sort


def manifest(drawn: Random, files: Path, folder: Path) -> Case:
    """A manifest of lines or of Parquet, damaged or edited, read by every command that takes one."""
    shutil.copytree(files / "corpus", folder / "corpus")
    path = folder / "corpus/manifest.jsonl"
    content = path.read_bytes()
    if drawn.random() < 0.3:
        path.unlink()
        path = folder / "corpus/manifest.parquet"
        data, note = _parquet(drawn, files)
    elif drawn.random() < 0.7:
        text, note = structured.edited_lines(drawn, content.decode())
        data = text.encode("utf-8", "surrogatepass")
    else:
        data, note, _ = mutate.damaged(drawn, content)
    path.write_bytes(data)
    named = str(path.relative_to(folder))
    steps = (
        "--recipe",
        "fer.debug",
        *seeds_models.options(*seeds_models.FAST, "train.steps=1"),
        "--device",
        "cpu",
    )
    argv = drawn.choice((
        ("preprocess", "check", named, *_ALONE), ("preprocess", "stats", named, *_ALONE),
        ("preprocess", "shards", named, "--out", "out"), ("train-fer", named, "--out", "run", *steps),
    ))  # fmt: skip
    return Case(argv=common(drawn, *argv), note=f"{path.suffix} {note}")


def _parquet(drawn: Random, files: Path) -> tuple[bytes, str]:
    content = (files / "sets/manifest.parquet").read_bytes()
    if drawn.random() < 0.6:
        data, note, _ = mutate.damaged(drawn, content)
        return data, note
    table = pq.read_table(io.BytesIO(content))
    name = drawn.choice(table.column_names)
    at = table.column_names.index(name)
    sort = drawn.choice(("drop", "type", "null", "rows", "rename", "list"))
    if sort == "drop":
        table = table.remove_column(at)
    elif sort == "type":
        table = table.set_column(at, name, pa.array([drawn.choice((1, 2**62))] * table.num_rows))
    elif sort == "null":
        table = table.set_column(at, name, pa.nulls(table.num_rows))
    elif sort == "rename":
        table = table.rename_columns([column + "x" * (column == name) for column in table.column_names])
    elif sort == "list":
        table = table.set_column(at, name, pa.array([[1, 2]] * table.num_rows))
    else:
        table = pa.concat_tables([table.slice(0, 1)] * 2000).combine_chunks()
    file = io.BytesIO()
    pq.write_table(table, file, compression=drawn.choice(("NONE", "ZSTD", "SNAPPY")))
    return file.getvalue(), f"{sort} {name}"


def finished(drawn: Random, files: Path, folder: Path) -> Case:
    """The folder of a finished run, one of whose files was damaged: the next run makes it as it was."""
    shutil.copytree(files / "sets/folder", folder / "in")
    shutil.copytree(files / "sets/done", folder / "out")
    path = drawn.choice(sorted(path for path in (folder / "out").rglob("*") if path.is_file()))
    if drawn.random() < 0.4:
        path = folder / "out/journal.jsonl"
    content = path.read_bytes()
    if path.suffix == ".jsonl" and content and drawn.random() < 0.6:
        text, note = structured.edited_lines(drawn, content.decode())
        data = text.encode("utf-8", "surrogatepass")
    else:
        data, note, _ = mutate.damaged(drawn, content)
    path.write_bytes(data)
    name = str(path.relative_to(folder))
    # Each clip's source is told by content; a clean run gives the same.
    return Case(
        argv=common(drawn, "preprocess", "folder", "in", "--out", "out", *_ALONE), note=f"{name} {note}",
        outputs=("out",), expected="same", undamaged={name: content},
    )  # fmt: skip


KINDS = (
    Kind("data-set", 10, data_set),
    Kind("live-link", 4, live_link),
    Kind("archive", 4, archive),
    Kind("manifest", 7, manifest),
    Kind("finished", 5, finished),
)
