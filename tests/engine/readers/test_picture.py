"""Pictures of others: whole ones of every kind, and broken ones in one sentence."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from talkcli.engine.errors import InputError
from talkcli.engine.readers import picture as module
from talkcli.engine.readers.picture import read_picture
from tests.fuzz import mutate

RED = (200, 40, 40)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_it_covers_the_rectangle_and_is_cut_to_its_middle(tmp_path: Path, name: str) -> None:
    pixels = np.zeros((40, 160, 3), np.uint8)
    pixels[:, 60:100] = RED
    Image.fromarray(pixels).save(tmp_path / name, quality=95)
    read = read_picture(tmp_path / name, 20, 20)
    assert read.shape == (20, 20, 3)
    np.testing.assert_allclose(read[5:15, 5:15].reshape(-1, 3).mean(0), RED, atol=4)
    assert read_picture(tmp_path / name, 64, 16)[:, :16].max() < 30


def test_every_kind_of_picture_has_its_colours(tmp_path: Path) -> None:
    grey = np.full((8, 8), 100, np.uint8)
    kinds = {
        "grey": (Image.fromarray(grey), 100),
        "deep": (Image.fromarray(grey.astype(np.uint16) * 257), 100),
        "palette": (Image.fromarray(grey).convert("P"), 100),
        "clear": (Image.fromarray(np.full((8, 8, 4), (100, 100, 100, 0), np.uint8)), 0),
    }
    for name, (picture, value) in kinds.items():
        picture.save(tmp_path / f"{name}.png")
        assert set(read_picture(tmp_path / f"{name}.png", 4, 4).ravel().tolist()) == {value}, name


def test_it_is_turned_as_the_camera_was(tmp_path: Path) -> None:
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    read = read_picture(tmp_path / "a.png", 16, 8)
    assert read[:, :6].max() < 40 and read[:, 10:].min() > 215


def test_what_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    Image.new("RGB", (4, 4)).save(tmp_path / "gif.png", format="GIF")
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("1", (60_000, 60_000)).save(tmp_path / "wide.png")
    for name in ("text.png", "empty.jpg", "gif.png", "pipe.png", "wide.png", "none.png"):
        with pytest.raises(InputError, match=name):
            read_picture(tmp_path / name, 4, 4)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(module, "_MOST_PIXELS", 1000)
    with pytest.raises(InputError, match="64 x 64 pixels"):
        read_picture(tmp_path / "a.png", 4, 4)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_damage_is_refused_in_a_sentence_or_read(tmp_path: Path, name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / name)
    content, drawn, refused = (tmp_path / name).read_bytes(), Random(0), 0
    for _ in range(150):
        (tmp_path / name).write_bytes(mutate.damaged(drawn, content, content)[0])
        try:
            assert read_picture(tmp_path / name, 16, 16).shape == (16, 16, 3)
        except InputError as error:
            refused += 1
            assert name in error.problem
    assert refused > 20
