"""Motion that a model made is read again only where it would be made again in the same way."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.pipelines.score import generation as generation_module
from talkcli.engine.pipelines.score.cache import TakeCache, take_cache
from talkcli.engine.pipelines.score.generation import Generation, performances
from talkcli.engine.types import Motion, Silent, Speech

SPEECH = Speech(samples=np.linspace(-0.1, 0.1, 1600, dtype=np.float32))
DESCRIBED: dict[str, Any] = {
    "model_name": "embedded", "device_name": "auto", "method": "deeptalk", "weights_sha256": "ab" * 32,
    "sigma": None, "actor": None, "actor_by_default": False, "takes": 2, "seed": 0, "degrade": None,
    "layers": False,
}  # fmt: skip


def motion(seed: int) -> Motion:
    rng = np.random.default_rng(seed)
    return Motion(
        coeffs=rng.random((5, 53)).astype(np.float32),
        fps=25.0,
        head="ada",
        channels=ADA,
        pose=rng.random((5, 3)).astype(np.float32),
        meta={"seed": seed},
    )


def same(one: Motion, other: object) -> bool:
    assert isinstance(other, Motion)
    assert one.pose is not None and other.pose is not None
    return bool(
        np.array_equal(one.coeffs, other.coeffs)
        and np.array_equal(one.pose, other.pose)
        and one.meta == other.meta
    )


def test_takes_come_back_as_they_were(tmp_path: Path) -> None:
    cache = TakeCache(tmp_path, "a")
    assert cache.read(SPEECH, 2) is None
    made = [motion(0), motion(1)]
    cache.write(SPEECH, made)
    kept = cache.read(SPEECH, 2)
    assert kept is not None and all(map(same, made, kept))
    # Of another sound, number of takes or model there is nothing.
    assert cache.read(replace(SPEECH, samples=SPEECH.samples * 2), 2) is None
    assert cache.read(SPEECH, 3) is None
    assert TakeCache(tmp_path, "b").read(SPEECH, 2) is None


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone", "text", "folder"])
def test_a_damaged_entry_counts_as_missing_and_is_made_anew(damage: str, tmp_path: Path) -> None:
    cache = TakeCache(tmp_path, "a")
    cache.write(SPEECH, [motion(0), motion(1)])
    path = sorted(tmp_path.glob("*-1.npz"))[0]
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 3] ^= 0xFF
        path.write_bytes(content)
    elif damage == "text":
        path.write_text("hello")
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    assert cache.read(SPEECH, 2) is None
    if damage != "folder":
        cache.write(SPEECH, [motion(0), motion(1)])
        assert cache.read(SPEECH, 2) is not None


def test_everything_that_changes_the_motion_changes_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key(
        controls: object = DeepTalkControls(), head: str = "ada", device: str = "cpu", **changed: Any
    ) -> str:
        return take_cache(tmp_path, DESCRIBED | changed, controls, head, device).made_by

    usual = key()
    # Names and places change nothing.
    assert key(model_name="runs/gen", device_name="cpu") == usual
    flame = tmp_path / "head.pkl"
    flame.write_bytes(b"one")
    others = [
        key(weights_sha256="cd" * 32), key(seed=1), key(takes=3), key(sigma=0.1), key(actor="x"),
        key(degrade="noise"), key(layers=True), key(method="th_vqvae"), key(device="cuda"), key(head="flame"),
        key(DeepTalkControls(tau_top=0.5)), key(head=str(flame)),
    ]  # fmt: skip
    flame.write_bytes(b"two")
    others.append(key(head=str(flame)))
    monkeypatch.setattr("talkcli.engine.pipelines.score.cache.code_digest", lambda *_: "other code")
    others.append(key())
    assert len({usual, *others}) == len(others) + 1


def test_the_oldest_entries_go_first(tmp_path: Path) -> None:
    cache = TakeCache(tmp_path, "a")
    speeches = [replace(SPEECH, samples=SPEECH.samples * scale) for scale in (1, 2, 3)]
    for speech in speeches:
        cache.write(speech, [motion(0)])
    size = sum(path.stat().st_size for path in tmp_path.glob("*.npz"))
    cache.trim(size)
    # The first was used last. File systems count time in ticks of some milliseconds.
    for speech in (*speeches, speeches[0]):
        assert cache.read(speech, 1)
        time.sleep(0.02)
    cache.trim(size - 1)
    assert [cache.read(speech, 1) is not None for speech in speeches] == [True, False, True]
    cache.trim(0)
    assert list(tmp_path.iterdir()) == []


def test_a_model_performs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Fake:
        header = None

        def perform(self, *_: object) -> list[Motion]:
            asked.append(1)
            return [motion(3)]

    monkeypatch.setattr(generation_module, "_model", lambda *_, **__: Fake())
    monkeypatch.setattr(Generation, "controls", lambda *_: None)
    generation = Generation(cache=TakeCache(tmp_path, "a"))
    first = performances(generation, SPEECH, "unknown", Silent())
    second = performances(generation, SPEECH, "unknown", Silent())
    assert len(asked) == 1
    assert isinstance(first[0], Motion) and same(first[0], second[0])
    performances(replace(generation, cache=None), SPEECH, "unknown", Silent())
    assert len(asked) == 2


def test_a_disk_that_refuses_costs_a_note_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        header = None

        def perform(self, *_: object) -> list[Motion]:
            return [motion(3)]

    class Notes(Silent):
        def note(self, text: str) -> None:
            said.append(text)

    said: list[str] = []
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(generation_module, "_model", lambda *_, **__: Fake())
    monkeypatch.setattr(Generation, "controls", lambda *_: None)
    generation = Generation(cache=TakeCache(tmp_path / "file" / "below", "a"))
    assert len(performances(generation, SPEECH, "unknown", Notes())) == 1
    assert "not kept" in said[0]


def test_the_report_does_not_say_where_motion_is_kept(tmp_path: Path) -> None:
    generation = Generation()
    described = generation.described(Silent())
    kept = generation.cached(tmp_path, described)
    assert kept.cache is not None and kept.cache.folder == tmp_path
    assert kept.described(Silent()) == described
    assert Generation(model_name="rules").cached(tmp_path, {}).cache is None
