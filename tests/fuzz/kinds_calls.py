"""Attacks on recipes, settings, option values, paths and streams."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import click
import typer
import yaml

from talkcli.engine.assets import RECIPES_DIR
from tests.fuzz import mutate, seeds_models, structured
from tests.fuzz.case import Case, Kind, common

_RECIPES = {"fer": "fer.debug", "vq": "th_vqvae.debug"}
_VALUES = (
    "", "nan", "-nan", "inf", "-inf", ".inf", "-.inf", ".nan", "1e308", "1e-308", "-1", "0", "0.0", "-0", "1e999", "1" * 400,
    "9" * 5000, "2147483648", "18446744073709551616", "-9223372036854775809", "1e10", "0x10", "1_0", "1,5", "٣", "½",
    "é", "日本", "\udcff", "a b", "None", "null", "true", "[]", "{}", "[1,2]", "{a: 1}", "- a", "'", '"', "\\", "\n", "\x1b[0m",
    "*a", "&a a", "!!int", "!!python/name:os.system", "2001-99-99", "2001-01-01", "=", "a=b", "../x", "/proc/x", ".", "-", "--", "--json",
    "%s", "{0}", "[red]", "$HOME", "a" * 300, "a/" * 300, "auto", "cuda", "cuda:-1", "cpu:7", "mps", "happy:nan", "angry:1e9", ":",
    "happy:", "=0.5", "sync_r=nan", "x=1", "~", "<<", "1:30", "1e5", "3", "0.5",
)  # fmt: skip
# What takes long by its nature, or is no attack.
_SKIPPED = {"bench", "doctor", "preprocess corpus", "preprocess debug"}


def recipe(drawn: Random, files: Path, folder: Path) -> Case:
    """A YAML recipe: edited, damaged or hostile."""
    method, name = drawn.choice(list(_RECIPES.items()))
    content = (RECIPES_DIR / f"{name}.yaml").read_text()
    sort = drawn.random()
    if sort < 0.5:
        document, note = structured.edited(drawn, yaml.safe_load(content))
        plain = drawn.random() < 0.8
        text = _as_yaml(document) if plain else structured.dumped(document)
        data = text.encode("utf-8", "surrogatepass")
    elif sort < 0.75:
        data, note, _ = mutate.damaged(drawn, content.encode())
    else:
        note, text = drawn.choice(list(_hostile_yaml(drawn).items()))
        data = text.encode("utf-8", "surrogatepass")
    (folder / "r.yaml").write_bytes(data)
    return _train(drawn, method, files, ("--recipe", "r.yaml"), note)


def _as_yaml(document: Any) -> str:
    """YAML of `document`; JSON, which is YAML too, where lists lie too deep for PyYAML."""
    try:
        return str(yaml.safe_dump(document, allow_unicode=True))
    except RecursionError:
        return structured.dumped(document)


def _hostile_yaml(drawn: Random) -> dict[str, str]:
    laughs = "a0: &a0 [1,1]\n" + "".join(
        f"a{k}: &a{k} [*a{k - 1},*a{k - 1},*a{k - 1},*a{k - 1}]\n" for k in range(1, 28)
    )
    merges = "b0: &b0 {x: 1}\n" + "".join(
        f"b{k}: &b{k} {{<<: [*b{k - 1},*b{k - 1},*b{k - 1}]}}\n" for k in range(1, 28)
    )
    return {
        "date": "train: {steps: 2001-99-99}", "int": "train: {steps: !!int x}", "float": "train: {steps: !!float ''}",
        "deep": "train: " + "[" * drawn.choice((50, 990, 20_000)), "deep map": "{a: " * 5000, "laughs": laughs, "merges": merges,
        "self": "&a [*a]", "self merge": "&a {<<: *a}", "tag": "train: !!python/object/apply:os.system ['touch ../outside/x']",
        "binary": "train: {steps: !!binary AA==}", "set": "train: !!set {steps, a}", "omap": "train: !!omap [a: 1]",
        "pairs": "train: !!pairs [a: 1]", "documents": "train: {}\n---\ntrain: {}\n", "key": "? [1, 2]\n: 3", "null key": "null: 1",
        "digits": f"train: {{steps: {'9' * 5000}}}", "base": "base: r.yaml", "base path": "base: ../../outside/secret.txt",
        "base list": "base: [1]", "base number": "base: 3", "base long": f"base: {'x' * 5000}", "base zero": 'base: "a\\0.yaml"',
        "octal": "train: {steps: 0o17, seed: 1_000}", "sexagesimal": "train: {steps: 190:20:30}", "tab": "train:\n\tsteps: 1",
        "many": "".join(f"k{k}: {k}\n" for k in range(20_000)), "long": f"{'k' * 100_000}: 1", "int key": "train: {1: 2}\n3: 4",
        "bool key": "train: {yes: 2}", "scalar": "5", "list": "- train", "stage": "stage_2: 5", "bom": "\ufefftrain: {steps: 1}",
        "anchor": "train: &a {steps: 1}\ndata: *b", "timestamp": "train: {steps: 2001-12-14t21:59:43.10-05:00}",
    }  # fmt: skip


def setting(drawn: Random, files: Path, folder: Path) -> Case:
    """--set with values and keys that make no sense."""
    method, name = drawn.choice(list(_RECIPES.items()))
    recipe_values = yaml.safe_load((RECIPES_DIR / f"{name}.yaml").read_text())
    keys = [f"{group}.{key}" for group, values in recipe_values.items() for key in values]
    keys += [
        "train.epochs",
        "train.clip_norm",
        "train.seed",
        "data.smooth",
        "data.copies",
        "model",
        "train",
        "storage",
        "x",
        "",
        ".",
    ]
    keys += [
        "train.average",
        "train.precision",
        "train.accumulate",
        "model.kind",
        "train.warmup_steps",
        "train..steps",
        "a.b.c.d",
    ]
    settings = [f"{drawn.choice(keys)}={drawn.choice(_VALUES)}" for _ in range(drawn.choice((1, 1, 2)))]
    if drawn.random() < 0.1:
        settings[0] = drawn.choice(_VALUES)
    # An empty section asks for training in full length, which takes long by its nature.
    settings = ["train=[]" if text == "train={}" else text for text in settings]
    note = " ".join(part[:40] for part in settings)
    return _train(
        drawn, method, files, ("--recipe", name, *seeds_models.options(*settings)), note, before=True
    )


def _train(
    drawn: Random, method: str, files: Path, rest: tuple[str, ...], note: str, before: bool = False
) -> Case:
    few = seeds_models.options("train.steps=1", "data.size=2", "data.frames=8")
    manifest = str(files / "corpus/manifest.jsonl")
    options = (*few, *rest) if before else (*rest, *few)
    if before and drawn.random() < 0.5:
        options = (*options, "--set", "train.steps=1")
    return Case(
        argv=common(drawn, f"train-{method}", manifest, "--out", "run", *options, "--device", "cpu"), note=note,
        outputs=("run/last.safetensors",),
    )  # fmt: skip


def _commands() -> dict[str, click.Command]:
    from talkcli.app import app

    found: dict[str, click.Command] = {}
    todo = [("", typer.main.get_command(app))]
    while todo:
        path, command = todo.pop()
        below = getattr(command, "commands", None)
        if below:
            todo += [(f"{path} {name}".strip(), item) for name, item in below.items()]
        elif path not in _SKIPPED:
            found[path] = command
    return dict(sorted(found.items()))


_PLAIN = {
    "animate": ("{s}/sounds/a.wav", "--model", "{s}/runs/gen", "--device", "cpu", "--out", "o.npz"),
    "render": ("{s}/ada.npz", "--size", "64", "--out", "fr"),
    "blender": ("--out", "o.py"),
    "export": ("{s}/ada.npz", "--out", "o.csv"),
    "score motions": ("{s}/ada.npz",),
    "score dataset": ("{s}/corpus", "--model", "{s}/runs/gen", "--device", "cpu", "--workers", "0"),
    "score diversity": ("--audio", "{s}/sounds/a.wav", "--model", "{s}/runs/gen", "--takes", "2", "--device", "cpu"),
    "score emotion": ("--dataset", "{s}/corpus", "--model", "{s}/runs/gen", "--device", "cpu"),
    "score study": ("a={s}/sounds", "b={s}/sounds", "--out", "o.html"),
    "score study-results": ("{s}/ada.npz",),
    "score compare": ("{s}/ada.npz", "{s}/ada.npz"),
    "convert deeptalk": ("--vq", "{s}/official/TH-VQVAE.pth", "--out", "o.safetensors"),
    "preprocess check": ("{s}/corpus", "--workers", "0"),
    "preprocess stats": ("{s}/corpus", "--workers", "0"),
    "preprocess shards": ("{s}/corpus", "--out", "out"),
    "preprocess emovox": ("{s}/sets/folder", "--anchors", "{s}/corpus", "--dee", "{s}/runs/gen", "--out", "out", "--workers", "0"),
    "train-gen": ("{s}/corpus", "--dee", "{s}/runs/dee", "--prior", "{s}/runs/vq", "--recipe", "deeptalk.debug", "--out", "run"),
}  # fmt: skip


def option(drawn: Random, files: Path, folder: Path) -> Case:
    """Any option of any command with any value."""
    commands = _commands()
    name = drawn.choice(list(commands))
    kind = name.split()[-1]
    plain = _PLAIN.get(name)
    if plain is None and name.startswith("train-"):
        few = seeds_models.options("train.steps=1", "data.size=2", "data.frames=8")
        plain = (
            "{s}/corpus",
            "--recipe",
            _RECIPES.get(name[6:], f"{name[6:]}.debug"),
            "--out",
            "run",
            "--device",
            "cpu",
            *few,
        )
    elif plain is None:
        root = files / "sets" / kind
        plain = (str(root if root.exists() else files / "sets/folder"), "--out", "out", "--workers", "0")
    argv = [*name.split(), *(part.replace("{s}", str(files)) for part in plain)]
    options = [
        p
        for p in commands[name].params
        if isinstance(p, click.Option) or getattr(p, "opts", [""])[0].startswith("-")
    ]
    added = []
    for _ in range(drawn.choice((1, 1, 2, 3))):
        chosen = drawn.choice(options)
        flag = drawn.choice([*chosen.opts, *chosen.secondary_opts])
        # Work that is asked for is done: how many processes and performances is no attack.
        if flag in ("--help", "-h", "--workers", "--cluster"):
            continue
        added.append(flag)
        if not getattr(chosen, "is_flag", False):
            # Nobody is kept from overwriting a file that --out names.
            writes = flag in (
                "--out",
                "-o",
                "--out-dir",
                "--plot",
                "--contact-sheet",
                "--preview",
                "--junit",
                "--report",
                "--cache",
            )
            added.append(drawn.choice(_VALUES) if writes else _value(drawn, files))
    note = f"{name} {' '.join(added)[:60]}"
    spare = drawn.random()
    if spare < 0.1:
        del argv[drawn.randrange(len(name.split()), len(argv))]
    elif spare < 0.15:
        argv.append(drawn.choice(_VALUES))
    argv = [part.replace("\x00", "") for part in (*argv, *added)]
    return Case(argv=common(drawn, *argv), note=note)


def _value(drawn: Random, files: Path) -> str:
    places = [
        str(path)
        for path in (files / "sounds/a.wav", files / "ada.npz", files / "runs/vq", files / "corpus", files)
    ]
    return drawn.choice(places) if drawn.random() < 0.25 else drawn.choice(_VALUES)


def place(drawn: Random, files: Path, folder: Path) -> Case:
    """Inputs and outputs that are no plain files, or have odd names."""
    shutil.copy(files / "sounds/a.wav", folder / "a.wav")
    shutil.copy(files / "ada.npz", folder / "m.npz")
    os.mkfifo(folder / "fifo")
    (folder / "loop.npz").symlink_to("loop.npz")
    (folder / "dangling.npz").symlink_to("nowhere/x.npz")
    (folder / "out-link.npz").symlink_to("../outside/secret.txt")
    (folder / "dir.npz").mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "mine.npz").write_bytes(b"mine")
    (folder / "closed").mkdir(mode=0o500)
    odd = (
        "fifo", "loop.npz", "dangling.npz", "dir.npz", "empty", "/dev/null", "/dev/zero", "/dev/full", "/dev/stdin", "/proc/self/mem",
        "/proc/self/environ", "-", "", ".", "a\nb.npz", "\udcff.npz", "é" * 100 + ".npz", "x" * 300 + ".npz", "x/" * 2100 + "y.npz",
        "~/x.npz", "$HOME.npz", "a.npz/b.npz", "mine.npz/x.npz", " .npz", ".npz", "-x.npz", "nul\x01.npz", "deep/er/o.npz", "O.NPZ", "o.mp4",
        "out-link.npz", "m.npz", "a.wav", "/proc/nowhere/all.npz", "closed/o.npz", "con.npz", "[red]x.npz", "%d.npz", "frames", "frames/",
    )  # fmt: skip
    path = drawn.choice(odd)
    cpu = ("--model", str(files / "runs/gen"), "--device", "cpu")
    corpus = str(files / "corpus")
    few = seeds_models.options("train.steps=1", "data.size=2", "data.frames=8")
    argv = drawn.choice((
        ("animate", path, *cpu, "--out", "o.npz"), ("animate", "a.wav", *cpu, "--out", path), ("animate", "a.wav", *cpu, "--out", path),
        ("animate", "a.wav", *cpu, "--out", "o.npz", "--emotion-from", path), ("animate", "a.wav", "--model", path, "--out", "o.npz"),
        ("animate", "a.wav", "--model", "rules", "--text", path, "--out", "o.npz"), ("render", path, "--out", "fr", "--size", "64"),
        ("animate", path, *cpu, "--out-dir", "out", "--workers", "0"), ("animate", "a.wav", *cpu, "--out-dir", path, "--workers", "0"),
        ("animate", "a.wav", *cpu, "--out", "o.npz", "--plot", path), ("animate", "a.wav", *cpu, "--out", "o.npz", "--size", "64", "--contact-sheet", path),
        ("blender", "--out", path), ("render", "m.npz", "--out", path, "--size", "64"), ("render", "m.npz", "--out", "fr", "--size", "64", "--head", path),
        ("export", path, "--out", "o.csv"), ("export", "m.npz", "--out", path), ("export", "m.npz", "--out", "o.csv", "--speech", path),
        ("export", "m.npz", "--out", "o.rhubarb.tsv", "--speech", "a.wav", "--text", path),
        ("render", "m.npz", "--out", "o.mp4", "--size", "64", "--audio", path), ("score", path), ("score", "m.npz", "--truth", path), ("score", "m.npz", "--junit", path), ("score", "m.npz", "--report", path), ("score", "compare", path, path),
        ("score", "m.npz", "--text", path), ("score", "m.npz", "--audio", path), ("preprocess", "check", path, "--workers", "0"),
        ("preprocess", "stats", path, "--workers", "0"), ("preprocess", "shards", corpus, "--out", path),
        ("preprocess", "folder", path, "--out", "out", "--workers", "0"),
        ("preprocess", "folder", str(files / "sets/folder"), "--out", path, "--workers", "0"),
        ("preprocess", "live-link", path, "--out", "out", "--workers", "0"), ("train-fer", path, "--recipe", "fer.debug", "--out", "run", *few),
        ("train-fer", corpus, "--recipe", "fer.debug", "--out", path, "--device", "cpu", *few), ("train-fer", corpus, "--recipe", path, "--out", "run"),
        ("convert", "deeptalk", "--vq", path, "--out", "o.safetensors"), ("convert", "deeptalk", path, "--to", "official", "--out", "d"),
        ("train-dee", corpus, "--fer", path, "--recipe", "dee.debug", "--out", "run", "--device", "cpu", *few),
    ))  # fmt: skip
    return Case(
        argv=common(drawn, *(part.replace("\x00", "") for part in argv)), note=f"{argv[0]} {path[:40]!r}"
    )


def traps(drawn: Random, files: Path, folder: Path) -> Case:
    """Output folders in which somebody put links and files beforehand."""
    out = folder / "out"
    out.mkdir()
    trap = drawn.choice((".lock", "audio", "motion", "manifest.jsonl", "journal.jsonl", "quarantine.jsonl", "CARD.md", "manifest.parquet",
                         "report.jsonl", ".unpacked", "run.json", "state.pt", "log.jsonl", "tensorboard", "best.safetensors", "last.safetensors", "a.npz", "a"))  # fmt: skip
    sort = drawn.choice(("file link", "folder link", "dangling", "fifo", "folder", "loop"))
    target = {
        "file link": "../../outside/secret.txt",
        "folder link": "../../outside",
        "dangling": "../../outside/new",
        "loop": trap,
    }
    if sort in target:
        (out / trap).symlink_to(target[sort])
    elif sort == "fifo":
        os.mkfifo(out / trap)
    else:
        (out / trap).mkdir()
    corpus = str(files / "corpus")
    few = seeds_models.options("train.steps=1", "data.size=2", "data.frames=8")
    argv = drawn.choice((
        ("preprocess", "folder", str(files / "sets/folder"), "--out", "out", "--workers", "0"),
        ("preprocess", "folder", str(files / "sets/folder"), "--out", "out", "--workers", "0"),
        ("animate", str(files / "sounds/a.wav"), "--model", str(files / "runs/gen"), "--out-dir", "out", "--format", "npz,frames", "--size", "64", "--workers", "0"),
        ("preprocess", "shards", corpus, "--out", "out"),
        ("train-fer", corpus, "--recipe", "fer.debug", "--out", "out", "--device", "cpu", *few),
        ("train-fer", corpus, "--recipe", "fer.debug", "--out", "out", "--device", "cpu", *few, drawn.choice(("--resume", "--overwrite"))),
    ))  # fmt: skip
    return Case(argv=common(drawn, *argv), note=f"{argv[0]} {trap} {sort}")


def stream(drawn: Random, files: Path, folder: Path) -> Case:
    """stdout and stderr that are closed, full, or that nobody reads."""
    name = drawn.choice(
        ("closed-stdout", "full-stdout", "broken-stdout", "closed-stderr", "full-stderr", "broken-stderr")
    )
    argv = drawn.choice((
        ("animate", str(files / "sounds/a.wav"), "--model", str(files / "runs/gen"), "--out", "o.npz"),
        ("animate", "absent.wav", "--out", "o.npz"), ("animate", "--nonsense"), ("score", str(files / "ada.npz")),
        ("preprocess", "stats", str(files / "corpus"), "--workers", "0"), ("preprocess", "check", str(files / "corpus"), "--workers", "0"),
        ("--version",), ("--help",), ("animate", "--help"), ("train-fer", str(files / "corpus"), "--out", "run", "--recipe", "nothing"),
    ))  # fmt: skip
    return Case(
        argv=argv if argv[0].startswith("-") or "--help" in argv else common(drawn, *argv),
        note=f"{argv[0]} {name}",
        stream=name,
    )


KINDS = (
    Kind("recipe", 6, recipe),
    Kind("setting", 6, setting),
    Kind("option", 10, option),
    Kind("place", 6, place),
    Kind("trap", 3, traps),
    Kind("stream", 3, stream),
)
