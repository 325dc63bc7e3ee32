"""Where the bundle is looked for, and that only a whole one of the right kind is read."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path

import pytest

from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.video.arkit_scores import FaceScorer
from talkcli.engine.video.bundle import BUNDLE_FILE, bundle_path, find_bundle, read_bundle

NETWORKS = ("face_detector.tflite", "face_landmarks_detector.tflite", "face_blendshapes.tflite")


def made_bundle(
    *names: str, content: bytes = b"\0\0\0\0TFL3" + bytes(200), packing: int = zipfile.ZIP_STORED
) -> bytes:
    """A zip of networks that hold nothing."""
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", packing) as archive:
        # zipfile warns of two parts of one name.
        warnings.simplefilter("ignore", UserWarning)
        for name in names:
            archive.writestr(name, content)
    return packed.getvalue()


MANY = made_bundle(
    *NETWORKS, *["more"] * 65, content=b"\0\0\0\0TFL3" + bytes(1 << 20), packing=zipfile.ZIP_DEFLATED
)


def test_variable_before_cache_file_or_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TALK_FACE_LANDMARKER", raising=False)
    assert bundle_path() is None
    with pytest.raises(AssetError, match="TALK_FACE_LANDMARKER is not set") as caught:
        find_bundle()
    assert caught.value.exit_code == 4
    assert "Apache-2.0" in (caught.value.hint or "")
    for folder in ("cache", "mine"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / BUNDLE_FILE).touch()
    assert find_bundle() == tmp_path / "cache" / BUNDLE_FILE
    for named in (tmp_path / "mine", tmp_path / "mine" / BUNDLE_FILE):
        monkeypatch.setenv("TALK_FACE_LANDMARKER", str(named))
        assert find_bundle() == tmp_path / "mine" / BUNDLE_FILE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no bundle of FaceLandmarker, or is cut short"),
        (b"not a zip" * 100, "no bundle of FaceLandmarker, or is cut short"),
        (made_bundle(*NETWORKS)[:-40], "no bundle of FaceLandmarker, or is cut short"),
        (made_bundle("hand_detector.tflite"), "lacks face_detector.tflite"),
        (made_bundle(*NETWORKS[:2]), "lacks face_blendshapes.tflite"),
        (made_bundle(*NETWORKS, content=b"<html>" * 20), "damaged in face_detector.tflite"),
        (made_bundle(*NETWORKS).replace(bytes(200), bytes(199) + b"x", 1), "damaged in face_detector.tflite"),
        (made_bundle(*NETWORKS, packing=zipfile.ZIP_LZMA), "face_detector.tflite is packed in an unusual"),
        (
            made_bundle(*NETWORKS, packing=zipfile.ZIP_BZIP2),
            "face_detector.tflite is packed in an unusual",
        ),
        (made_bundle(*NETWORKS, NETWORKS[0]), "several of its parts have one name"),
        (MANY, "larger than any bundle"),
    ],
    ids=[
        "empty",
        "foreign",
        "truncated",
        "hands",
        "without scores",
        "no networks",
        "a changed byte",
        "lzma",
        "bzip2",
        "one name twice",
        "many small ones",
    ],
)
def test_other_and_damaged_files_are_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / BUNDLE_FILE
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_bundle(path)
    assert str(path) in caught.value.problem


def test_networks_that_do_not_run_are_an_error_without_a_trace(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mediapipe")
    path = tmp_path / BUNDLE_FILE
    path.write_bytes(made_bundle(*NETWORKS))
    with pytest.raises(InputError, match="mediapipe cannot run"), FaceScorer(path):
        pass
    assert capfd.readouterr() == ("", "")
