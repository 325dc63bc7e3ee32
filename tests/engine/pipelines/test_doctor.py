from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from talkcli.engine.errors import AssetError
from talkcli.engine.optional import OPTIONAL_PACKAGES
from talkcli.engine.pipelines import doctor
from talkcli.engine.types import Silent
from tests.engine.face import flame_twin
from tests.engine.judges.syncnets import random_state

_real_egl = doctor._egl


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FLAME", raising=False)
    monkeypatch.delenv("TALK_FACE_LANDMARKER", raising=False)
    monkeypatch.delenv("TALK_SYNCNET", raising=False)
    monkeypatch.delenv("TALK_INCEPTION", raising=False)
    # A process of its own takes seconds; one test below starts it.
    monkeypatch.setattr(doctor, "_egl", lambda: doctor.Check(name="egl", state="ok", found="not looked at"))


def by_name(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in report["checks"]}


def test_what_is_here_is_found_with_versions_and_hashes() -> None:
    found = by_name(doctor.examine(Silent()))
    assert "torch 2." in found["packages"]["found"]
    assert "libx264" in found["ffmpeg"]["found"]
    assert found["head ada"]["state"] == "ok"
    assert "sha256" in found["head ada"]["found"]
    for package in OPTIONAL_PACKAGES:
        assert found[package]["state"] == "ok" or found[package]["unlocks"]
    assert found["head flame"]["state"] == "missing"
    assert "TALK_FLAME" in found["head flame"]["unlocks"]


def test_a_broken_need_is_named_and_does_not_stop_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Path:
        raise AssetError("the weights are gone", hint="fetch them")

    monkeypatch.setattr(doctor, "shipped_weights", fail)
    monkeypatch.setattr(doctor, "ffmpeg_binary", lambda: "/nonexistent/ffmpeg")
    report = doctor.examine(Silent())
    assert report["ok"] is False
    broken = {name for name, check in by_name(report).items() if check["state"] == "broken"}
    assert {"weights", "ffmpeg"} <= broken
    assert "fetch them" in by_name(report)["weights"]["found"]
    assert "cuda" in by_name(report)


@pytest.mark.parametrize("broken", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\nsleep 30\n"])
def test_an_ffmpeg_that_fails_or_hangs_is_reported(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "ffmpeg"
    binary.write_text(broken)
    binary.chmod(0o755)
    monkeypatch.setattr(doctor, "ffmpeg_binary", lambda: str(binary))
    monkeypatch.setattr(doctor, "_SUBPROCESS_S", 1.0)
    found = by_name(doctor.examine(Silent()))["ffmpeg"]
    assert found["state"] == "broken"


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "file" / "cache"))
    assert doctor._cache()[0].state == "missing"
    assert doctor._flame()[0].found == "no file"


def test_a_flame_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "generic_model.pkl"
    monkeypatch.setenv("TALK_FLAME", str(path))
    flame_twin.write_flame(path, flame_twin.flame_arrays())
    assert "40 vertices" in doctor._flame()[0].found
    path.write_bytes(b"not a pickle")
    assert doctor._flame()[0].state == "missing"


def test_optional_packages_that_are_missing_say_what_they_unlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "is_installed", lambda package: False)
    checks = {check.name: check for check in doctor._optional()}
    assert set(checks) == set(OPTIONAL_PACKAGES)
    assert "'.[gl]'" in checks["pyrender"].found


def test_a_driver_that_dies_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_EGL_PROGRAM", "import os; os.abort()")
    assert _real_egl().state == "missing"
    assert "ended with" in _real_egl().found
    monkeypatch.setattr(doctor, "_EGL_PROGRAM", "import time; time.sleep(9)")
    monkeypatch.setattr(doctor, "_SUBPROCESS_S", 0.1)
    assert "within" in _real_egl().found


def test_the_bundle_of_scores_is_missing_damaged_or_told_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (missing,) = doctor._face_landmarker()
    assert missing.state == "missing"
    assert "`capture=both`" in missing.unlocks and "TALK_FACE_LANDMARKER" in missing.unlocks
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(b"half of it")
    monkeypatch.setenv("TALK_FACE_LANDMARKER", str(path))
    (damaged,) = doctor._face_landmarker()
    assert (damaged.state, damaged.unlocks) == ("missing", missing.unlocks)
    assert "cut short" in damaged.found
    monkeypatch.setattr(doctor, "read_bundle", lambda path: b"whole")
    (found,) = doctor._face_landmarker()
    assert found.state == "ok" and "sha256" in found.found


def test_judges_that_come_with_talk_and_judges_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = by_name({"checks": [vars(check) for check in doctor._own_judges()]})
    assert all("sha256" in found[f"judge {name}"]["found"] for name in ("sync", "ffd"))
    emotion = found["judge emotion_image"]
    assert emotion["state"] == "ok" or "talk train-judge" in emotion["unlocks"]
    missing = by_name({"checks": [vars(check) for check in doctor._published_judges()]})
    assert "TALK_SYNCNET=/path/to/syncnet_v2.model" in missing["judge syncnet"]["unlocks"]
    assert "fid" in missing["judge inception"]["unlocks"]
    (tmp_path / "syncnet_v2.model").write_bytes(b"no weights")
    monkeypatch.setenv("TALK_SYNCNET", str(tmp_path))
    wrong = by_name({"checks": [vars(check) for check in doctor._published_judges()]})
    assert wrong["judge syncnet"]["state"] == "missing"
    assert "syncnet_v2.model" in wrong["judge syncnet"]["found"]
    torch.save(random_state(), tmp_path / "syncnet_v2.model")
    right = by_name({"checks": [vars(check) for check in doctor._published_judges()]})
    assert right["judge syncnet"]["state"] == "ok"
    assert "published hash unknown" in right["judge syncnet"]["found"]
