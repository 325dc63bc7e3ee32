"""Where motion comes from is said by whoever makes it, and repeated by whatever depends on it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import talkcli.engine.prepare
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest, write_manifest
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.files import sha256
from talkcli.engine.origin import KINDS, PERFORMED, Origin, origin_of, said, tally
from talkcli.engine.pipelines.check_manifest import check_manifest, measure_manifest
from talkcli.engine.pipelines.preprocess import preprocess_debug
from talkcli.engine.pipelines.training.data import load_data
from talkcli.engine.prepare.adapters.folder import folder_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import Silent
from tests.engine.data.test_clips import write_clip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [None, "deeptalk 0123456789ab"])
def test_an_origin_goes_through_a_motion_files_meta(kind: str, by: str | None) -> None:
    origin = Origin.model_validate({"kind": kind, "by": by})
    assert origin_of({"origin": origin.model_dump(exclude_none=True), "seed": 1}) == origin
    assert KINDS[origin.kind] in str(origin)
    assert (by or "") in str(origin)
    assert origin.is_stand_in == (kind in ("performed", "generated"))


@pytest.mark.parametrize(
    "meta",
    [
        None, [], "captured", 3, {}, {"origin": None}, {"origin": "captured"}, {"origin": []},
        {"origin": {"kind": "measured"}}, {"origin": {"kind": "captured", "when": "today"}},
        {"origin": {"kind": 1}}, {"origin": {"kind": "fitted", "by": ""}},
        {"origin": {"kind": "fitted", "by": "x" * 100_000}}, {"origin": {"kind": "fitted", "by": 5}},
    ],
)  # fmt: skip
def test_what_says_nothing_known_is_of_unknown_origin(meta: object) -> None:
    assert origin_of(meta) is None
    assert said(origin_of(meta)) == "of unknown origin"


def test_origins_are_counted_in_words() -> None:
    found = tally([None, PERFORMED, PERFORMED, Origin(kind="captured", by="ARKit")])
    assert list(found.items()) == [
        ("performed by rules", 2), ("captured (ARKit)", 1), ("of unknown origin", 1),
    ]  # fmt: skip


def test_every_recording_with_motion_states_its_origin() -> None:
    """Whoever makes a `Recording` of motion or vertices must think of it."""
    folder = Path(talkcli.engine.prepare.__file__).parent
    stated = 0
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Recording":
                keys = {keyword.arg for keyword in node.keywords}
                assert "origin" in keys or not keys & {"motion", "mesh"}, f"{path}:{node.lineno}"
                stated += "origin" in keys
    assert stated >= 10


def test_performed_motion_says_so_everywhere(tmp_path: Path) -> None:
    out = tmp_path / "set"
    preprocess_debug(out, reporter=Silent())
    for name in ("manifest.jsonl", "manifest.parquet"):
        assert {entry.origin for entry in read_manifest(out / name)} == {PERFORMED}
    _, meta = read_motion(out / (read_manifest(out)[0].motion or ""))
    assert origin_of(meta) == PERFORMED
    assert "| performed by rules | 12 |" in (out / "CARD.md").read_text(encoding="utf-8")
    statistics = measure_manifest(out, Silent(), num_workers=0)
    assert statistics.groups["origins"]["performed by rules"].clips == 12
    assert check_manifest(out, Silent(), num_workers=0).origins == {"performed by rules": 12}
    assert "; motion: 8 performed by rules" in load_data(out, Silent()).meta().trained_on


def test_a_manifest_of_before_is_of_unknown_origin(tmp_path: Path) -> None:
    out = tmp_path / "set"
    preprocess_debug(out, reporter=Silent())
    old = []
    for entry in read_manifest(out):
        path = out / (entry.motion or "")
        motion, _ = read_motion(path)
        write_motion(path, motion, {"cleanup": {}})
        digests = entry.sha256.model_copy(update={"motion": sha256(path)})
        old.append(entry.model_copy(update={"origin": None, "sha256": digests}))
    write_manifest(out / "manifest.jsonl", old)
    assert "origin" not in (out / "manifest.jsonl").read_text(encoding="utf-8")
    assert {clip.origin for clip in load_clips(out, None, Silent())} == {None}
    assert "; motion: 8 of unknown origin" in load_data(out, Silent()).meta().trained_on
    assert list(measure_manifest(out, Silent(), num_workers=0).groups["origins"]) == ["of unknown origin"]


def test_a_folders_files_keep_what_they_say(tmp_path: Path) -> None:
    """`--origin` is for files that say nothing."""
    root = tmp_path / "root"
    for name in ("says", "silent"):
        write_clip(root, name)
    motion, _ = read_motion(root / "says.npz")
    generated = Origin(kind="generated", by="deeptalk 0123456789ab")
    write_motion(root / "says.npz", motion, {"origin": generated.model_dump()})
    for given, silent in (("captured", Origin(kind="captured")), (None, None)):
        out = tmp_path / f"out-{given}"
        sources = folder_sources(root, None, "mine", Silent(), origin=given)  # type: ignore[arg-type]
        built = build(sources, out, Silent(), Plan(num_workers=0))
        assert {entry.id: entry.origin for entry in built.entries} == {"says": generated, "silent": silent}
