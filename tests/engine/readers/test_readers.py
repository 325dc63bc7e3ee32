"""Every reader names what lies in its file's place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.textgrid import read_alignment
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.checkpoints.model_file import read_header
from talkcli.engine.data.label_file import read_labels
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.performers.rules import read_words
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.prepare.tracker_files import read_tracker_motion
from talkcli.engine.readers.pt import read_tensor
from talkcli.engine.types import Silent
from talkcli.engine.video.pictures import open_film

_CONTENTS = {
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n",
        "git-lfs pointer for 5 bytes",
    ),
    "html": (b"<!DOCTYPE html><html><title>Sign in</title>", "web page .*Sign in"),
    "json": (b'{"error": "Invalid token"}', "JSON: 'Invalid token'"),
    "zeros": (b"\0" * 9000, "nothing but 9000 zero bytes"),
}
_READERS: dict[str, Callable[[Path], object]] = {
    "a.wav": lambda path: read_speech(path, Silent()),
    "a.mp3": lambda path: read_speech(path, Silent()),
    "a.mp4": open_film,
    "a.safetensors": read_header,
    "a.bin": read_state_dict,
    "a.pt": read_tensor,
    "a.npz": lambda path: read_tracker_motion(path, 25.0),
    "a.pkl": lambda path: read_tracker_motion(path, 25.0),
    "a.jsonl": read_manifest,
    "a.parquet": read_manifest,
    "labels.csv": read_labels,
    "take.csv": read_take,
    "a.TextGrid": read_alignment,
    "a.lab": lambda path: read_words(str(path)),
}


@pytest.mark.parametrize(("content", "words"), _CONTENTS.values(), ids=_CONTENTS.keys())
@pytest.mark.parametrize("name", _READERS)
def test_it_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        _READERS[name](tmp_path / name)
    assert caught.value.hint
