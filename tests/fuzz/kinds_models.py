"""Attacks on motion files, model files, checkpoints of others, run folders, heads and their caches."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import struct
import zipfile
from pathlib import Path
from random import Random

import numpy as np
import torch

from tests.fuzz import mutate, seeds_models, structured
from tests.fuzz.case import Case, Kind, common

GEN = "runs/gen/best.safetensors"
_SMALL = ("--size", "64", "--overwrite")


def motion(drawn: Random, files: Path, folder: Path) -> Case:
    """A motion file, damaged in its bytes (where zip's checksums tell) or with other arrays in it."""
    content = (files / drawn.choice(("ada.npz", "ada.npz", "vertices.npz"))).read_bytes()
    undamaged = {}
    if drawn.random() < 0.5:
        data, note, _ = mutate.damaged(drawn, content, (files / "flame.npz").read_bytes())
        if "splice" not in note and "append" not in note:
            undamaged = {"m.npz": content}
    elif drawn.random() < 0.1:
        data, note = _hostile_npz(drawn), "hostile"
    else:
        data, note = structured.edited_npz(drawn, content)
    (folder / "m.npz").write_bytes(data)
    where = drawn.random()
    if where < 0.75:
        out = "o.mp4" if drawn.random() < 0.1 else "fr"
        argv: tuple[str, ...] = ("render", "m.npz", "--out", out, *_SMALL)
        if drawn.random() < 0.15:
            argv += ("--fps", drawn.choice(("1", "240", "60")))
        outputs: tuple[str, ...] = (out,)
    else:
        (folder / "t.npz").write_bytes(content)
        argv = drawn.choice(
            (
                ("score", "m.npz"),
                ("score", "t.npz", "--truth", "m.npz"),
                ("score", "m.npz", "--truth", "t.npz"),
            )
        )
        outputs = ()
    expected = "same" if undamaged and outputs == ("fr",) else "any"
    return Case(argv=common(drawn, *argv), note=note, outputs=outputs, undamaged=undamaged, expected=expected)


def _hostile_npz(drawn: Random) -> bytes:
    members = {
        "format": structured.npy_header("()", "<i8", struct.pack("<q", 1)),
        "coeffs": structured.npy_header(
            drawn.choice(("(99999999999, 53)", "(3, 53)", "(-1, 53)", "()", "(3,53,")), "<f4"
        ),
        "fps": structured.npy_header("()", "<f8", struct.pack("<d", 25)),
        "head": structured.npy_header("()", "<U3", "ada".encode("utf-32-le")),
        "channels": structured.npy_header("(999999999,)", drawn.choice(("<U1", "<U0", "|O")), b""),
        "meta": structured.npy_header("()", "<U2", "{}".encode("utf-32-le")),
    }
    return structured.zipped({f"{name}.npy": content for name, content in members.items()})


def model(drawn: Random, files: Path, folder: Path) -> Case:
    """A model file with damaged weights (the checksum tells) or an edited header."""
    sort = drawn.choice(("gen", "gen", "gen", "vq", "dee", "fer", "phones"))
    content = (files / f"runs/{sort}/best.safetensors").read_bytes()
    first = 8 + struct.unpack("<Q", content[:8])[0]
    undamaged = {}
    if drawn.random() < 0.4:
        after = first if drawn.random() < 0.6 else 0
        data, note, at = mutate.damaged(drawn, content, content, after=after)
        if at >= first:
            undamaged = {"m.safetensors": content}
    else:
        data, note = structured.edited_model(drawn, content)
    (folder / "m.safetensors").write_bytes(data)
    argv, outputs = _use_model(drawn, sort, files, folder)
    expected = "same" if undamaged and outputs else "any"
    return Case(
        argv=common(drawn, *argv),
        note=f"{sort} {note}",
        outputs=outputs,
        undamaged=undamaged,
        expected=expected,
    )


def _use_model(
    drawn: Random, sort: str, files: Path, folder: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    cpu = ("--device", "cpu")
    if (sort == "gen" and drawn.random() < 0.85) or sort == "phones":
        return ("animate", str(files / "sounds/a.wav"), "--model", "m.safetensors", "--out", "o.npz", *cpu), (
            "o.npz",
        )
    if drawn.random() < 0.3:
        return ("convert", "deeptalk", "m.safetensors", "--to", "official", "--out", "official"), ()
    if drawn.random() < 0.2:
        argv = (
            "preprocess",
            "emovox",
            str(files / "sets/folder"),
            "--anchors",
            str(files / "corpus"),
            "--dee",
            "m.safetensors",
        )
        return (*argv, "--out", "out", "--workers", "0"), ()
    option = {"vq": "--prior", "dee": "--dee", "fer": "--fer", "gen": "--start"}[sort]
    parts = {"--dee": files / "runs/dee", "--prior": files / "runs/vq", option: "m.safetensors"}
    steps = ("--recipe", "deeptalk.debug", *seeds_models.options(*seeds_models.FAST, "train.steps=1"), *cpu)
    manifest = str(files / "corpus/manifest.jsonl")
    if sort == "fer":
        return (
            "train-dee",
            manifest,
            "--fer",
            "m.safetensors",
            "--recipe",
            "dee.debug",
            "--out",
            "run",
            *steps[2:],
        ), ()
    if option == "--start":
        return ("train-gen", manifest, "--stage", "2", "--start", "m.safetensors", "--out", "run", *steps), ()
    named = tuple(str(part) for pair in parts.items() for part in pair)
    return ("train-gen", manifest, *named, "--out", "run", *steps, "--set", "model.prior.width=8"), ()


def checkpoint(drawn: Random, files: Path, folder: Path) -> Case:
    """A torch file of others: damaged, made of hostile instructions, or tensors of odd kinds."""
    names = sorted(path.name for path in (files / "official").iterdir())
    name = drawn.choice(names)
    content = (files / "official" / name).read_bytes()
    if drawn.random() < 0.5:
        data, note, _ = mutate.damaged(drawn, content)
    else:
        data, note = hostile_torch(drawn)
    (folder / "x.pt").write_bytes(data)
    where = drawn.choice(("--vq", "--gen", "--fer", "--dee", "artalk", "emotion2vec", "wav2vec2", "lip"))
    if where.startswith("--"):
        extra = ("--fer", "x.pt") if where in ("--gen", "--dee") else ()
        argv: tuple[str, ...] = ("convert", "deeptalk", where, "x.pt", *extra, "--out", "o.safetensors")
    elif where == "artalk":
        (folder / "in").mkdir()
        shutil.move(folder / "x.pt", folder / "in" / "a.pt")
        shutil.copy(files / "sets/artalk/a.wav", folder / "in" / "a.wav")
        argv = ("preprocess", "artalk", "in", "--out", "out", "--workers", "0")
    else:
        manifest = str(files / "corpus/manifest.jsonl")
        argv = {
            "emotion2vec": ("train-dee", manifest, "--recipe", "dee", "--emotion2vec", "x.pt", "--fer", "random"),
            "wav2vec2": ("train-gen", manifest, "--recipe", "deeptalk", "--wav2vec2", "x.pt", "--dee", str(files / "runs/dee"), "--prior", str(files / "runs/vq")),
            "lip": ("train-gen", manifest, "--recipe", "deeptalk.debug", "--lip-reader", "x.pt", "--stage", "2", "--start", str(files / GEN)),
        }[where] + ("--out", "run", "--device", "cpu", "--set", "train.steps=1")  # fmt: skip
    return Case(argv=common(drawn, *argv), note=f"{where} {note}")


def hostile_torch(drawn: Random) -> tuple[bytes, str]:
    """A torch zip whose pickle is an attack."""

    def many(opcode: bytes, count: int) -> bytes:
        return b"\x80\x02" + opcode * count + b"."

    depth = drawn.choice((100, 5_000, 1_000_000))
    programs = {
        "deep tuple": b"\x80\x02)" + b"\x85" * depth + b".",
        "deep list": many(b"]", 1)[:-1] + b"]a" * depth + b".",
        "own dict": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
        "own list": b"\x80\x02]q\x00h\x00a.",
        "system": b"\x80\x02cos\nsystem\nX\x16\x00\x00\x00touch ../outside/owned\x85R.",
        "bytearray": b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\x00\x00\x00\x00\x01\x85R.",
        "laughs": b"\x80\x02]q\x00"
        + b"".join(b"]q" + bytes([k + 1]) + b"(" + (b"h" + bytes([k])) * 10 + b"e" for k in range(30))
        + b".",
        "marks": many(b"(", depth),
        "memo": b"\x80\x02}" + b"r\xff\xff\xff\x7f" + b".",
        "long int": b"\x80\x02\x8b\xff\xff\xff\x7f" + bytes(100) + b".",
        "unicode": b"\x80\x02X\xff\xff\xff\x7fabc.",
        "eval": b"\x80\x02c__builtin__\neval\nX\x04\x00\x00\x001+11\x85R.",
        "getattr": b"\x80\x02c__builtin__\ngetattr\n.",
        "no stop": b"\x80\x02}",
        "empty": b"",
        "text": pickle.dumps("hello", 2),
        "number": pickle.dumps({"a": 10**300}, 2),
        "names": pickle.dumps({"x" * 100_000: 1, 3: None}, 2),
    }
    kinds = [*programs, "tensor", "tensor", "bare"]
    sort = drawn.choice(kinds)
    if sort == "tensor":
        value = drawn.choice((
            torch.full((40, 106), float("nan")), torch.zeros(0), torch.zeros(2, 3, dtype=torch.int64), torch.zeros(()),
            torch.zeros(1).expand(3000, 106), torch.zeros(40, 106).to(torch.bfloat16), {"a": [1, {2: 3}]}, [torch.zeros(3)],
            torch.zeros(40, 106).to_sparse(), torch.full((40, 106), 1e30), None, {"model": {"model": {"state_dict": {}}}},
            torch.zeros(3, dtype=torch.complex64), torch.zeros(1).expand(10**9, 53), {"weight": torch.zeros(1).expand(10**6, 10**6)},
        ))  # fmt: skip
        file = io.BytesIO()
        torch.save(value, file)
        return file.getvalue(), f"tensor {type(value).__name__}"
    if sort == "bare":
        return programs[drawn.choice(list(programs))], "bare pickle"
    members = {
        "a/data.pkl": programs[sort],
        "a/byteorder": b"little",
        "a/version": b"3\n",
        "a/data/0": bytes(64),
    }
    return structured.zipped(members, deflate=drawn.random() < 0.2), sort


def run_folder(drawn: Random, files: Path, folder: Path) -> Case:
    """A run that goes on from a damaged folder: another model must not come of it."""
    method, recipe = drawn.choice(list(seeds_models.HALF.items()))
    run = folder / "run"
    shutil.copytree(files / f"runs/half-{method}", run)
    name = drawn.choice(
        ("state.pt", "state.pt", "state.pt", "run.json", "log.jsonl", "best.safetensors", "last.safetensors")
    )
    path = run / name
    content = path.read_bytes() if path.exists() else b""
    sort = drawn.random()
    if sort < 0.15 and name == "state.pt":
        data, note = hostile_torch(drawn)
    elif sort < 0.5 and name == "run.json":
        document, note = structured.edited(drawn, json.loads(content))
        data = structured.dumped(document).encode()
    elif sort < 0.5 and name == "log.jsonl":
        text, note = structured.edited_lines(drawn, content.decode())
        data = text.encode("utf-8", "surrogatepass")
    else:
        data, note, _ = mutate.damaged(drawn, content, content)
    path.write_bytes(data)
    argv = [
        "train-" + method,
        str(files / "corpus/manifest.jsonl"),
        "--recipe",
        recipe,
        "--out",
        "run",
        "--resume",
    ]
    argv += [*seeds_models.options(*seeds_models.FAST, *seeds_models.SAVED), "--device", "cpu"]
    return Case(
        argv=common(drawn, *argv), note=f"{method} {name} {note}", outputs=("run/last.safetensors",), expected="same",
        undamaged={f"run/{name}": content},
    )  # fmt: skip


def head(drawn: Random, files: Path, folder: Path) -> Case:
    """A FLAME file of the user's: the published pickle, or an npz."""
    (folder / "f.npz").write_bytes((files / "flame.npz").read_bytes())
    sort = drawn.choice(("pickle", "pickle", "hostile", "npz", "npz", "masks", "cache", "landmarks"))
    content = (files / "heads/head.pkl").read_bytes()
    named, undamaged, expected = "h.pkl", {}, "any"
    if sort == "pickle":
        data, note, _ = mutate.damaged(drawn, content)
    elif sort == "hostile":
        data, note = hostile_torch(drawn)
        note = f"hostile {note}"
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    elif sort in ("npz", "cache"):
        cached = (files / "heads/cached.npz").read_bytes()
        if drawn.random() < 0.5:
            data, note = structured.edited_npz(drawn, cached, texts=())
        else:
            data, note, _ = mutate.damaged(drawn, cached)
        named = "h.npz"
        if sort == "cache":
            # The head is whole, what was kept of it is not.
            named, expected, undamaged = (
                "h.pkl",
                "any" if " " in note else "same",
                {f"c/flame/{(files / 'heads/cached.name').read_text()}": None},
            )
            place = folder / "c/flame"
            place.mkdir(parents=True)
            (place / (files / "heads/cached.name").read_text()).write_bytes(data)
            data = content
    elif sort == "landmarks":
        data, note = content, ""
    else:
        data = content
        masks, note, _ = mutate.damaged(drawn, pickle.dumps({"lips": np.arange(5), "nose": np.arange(3)}, 2))
        (folder / "FLAME_masks.pkl").write_bytes(masks)
    (folder / named).write_bytes(data)
    landmarks = (files / "heads/landmark_embedding.npy").read_bytes()
    if sort == "landmarks":
        landmarks, note, _ = mutate.damaged(drawn, landmarks)
    (folder / "landmark_embedding.npy").write_bytes(landmarks)
    argv = ("render", "f.npz", "--head", named, "--out", "fr", *_SMALL)
    return Case(
        argv=common(drawn, *argv), note=f"{sort} {note}", outputs=("fr",), environment={"TALK_CACHE": "c"},
        expected=expected, undamaged=undamaged,
    )  # fmt: skip


def own_head(drawn: Random, files: Path, folder: Path) -> Case:
    """A head's file of talk: damaged in its bytes, or with other arrays in it."""
    content = (files / "heads/own.npz").read_bytes()
    undamaged = {}
    if drawn.random() < 0.4:
        data, note, _ = mutate.damaged(drawn, content, (files / "ada.npz").read_bytes())
        if "splice" not in note and "append" not in note:
            undamaged = {"h.npz": content}
    else:
        data, note = structured.edited_npz(drawn, content, texts=("person",))
    (folder / "h.npz").write_bytes(data)
    (folder / "m.npz").write_bytes((files / "ada.npz").read_bytes())
    outputs: tuple[str, ...] = ()
    argv: tuple[str, ...] = ("head", "h.npz", "--set", drawn.choice(("age=60", "age=1e9", "=", "hair=\x00")))
    if drawn.random() < 0.8:
        argv, outputs = ("render", "m.npz", "--head", "h.npz", "--out", "fr", *_SMALL), ("fr",)
    expected = "same" if undamaged and outputs else "any"
    return Case(argv=common(drawn, *argv), note=note, outputs=outputs, undamaged=undamaged, expected=expected)


def background(drawn: Random, files: Path, folder: Path) -> Case:
    """A picture behind the head, damaged."""
    name = drawn.choice(("wall.png", "wall.jpg"))
    other = files / "heads" / ("wall.jpg" if name == "wall.png" else "wall.png")
    data, note, _ = mutate.damaged(drawn, (files / "heads" / name).read_bytes(), other.read_bytes())
    (folder / name).write_bytes(data)
    (folder / "m.npz").write_bytes((files / "ada.npz").read_bytes())
    argv = ("render", "m.npz", "--background", name, "--out", "fr", *_SMALL)
    return Case(argv=common(drawn, *argv), note=f"{name} {note}", outputs=("fr",))


KINDS = (
    Kind("motion", 10, motion),
    Kind("model", 10, model),
    Kind("checkpoint", 9, checkpoint),
    Kind("run-folder", 8, run_folder),
    Kind("head", 7, head),
    Kind("own-head", 5, own_head),
    Kind("background", 3, background),
)
