"""Films in the places of RAVDESS and MEAD become measured motion beside the sound that lies there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.audio.io import read_speech
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.prepare.adapters.filmed import HowToLook
from talkcli.engine.prepare.adapters.mead_raw import mead_raw_sources
from talkcli.engine.prepare.adapters.ravdess import whole_ravdess_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.ravdess_names import EMOFACE_SPLIT
from talkcli.engine.types import Silent


def ffmpeg(*arguments: object) -> None:
    # GRID's sound ends in half a packet, of which ffmpeg complains.
    subprocess.run([ffmpeg_binary(), "-v", "fatal", "-y", *map(str, arguments)], check=True)


@pytest.mark.data
@pytest.mark.slow
def test_films_become_motion_in_both_sets(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mediapipe")
    film = shared_data / "video" / "grid" / "lwbsza.mpg"
    # Half of it is enough, and has a blink.
    part = ("-ss", 1.0, "-i", film, "-t", 1.6)

    # RAVDESS: a film without sound, which lies beside it.
    actor = tmp_path / "ravdess" / "Actor_03"
    actor.mkdir(parents=True)
    ffmpeg(*part, "-an", "-crf", 12, actor / "02-01-03-01-01-01-03.mp4")
    ffmpeg(*part, "-vn", "-ar", 48_000, actor / "03-01-03-01-01-01-03.wav")
    how = HowToLook(preview=tmp_path / "seen")
    sources = whole_ravdess_sources(
        tmp_path / "ravdess", EMOFACE_SPLIT, ("speech",), Silent(), motion="video", how=how
    )
    built = build(sources, tmp_path / "a", Silent(), Plan(num_workers=0))
    (clip,) = built.entries
    assert (clip.id, clip.speaker, clip.sex) == ("ravdess/02-01-03-01-01-01-03", "ravdess-03", "male")
    assert (clip.emotion, clip.fps, clip.num_frames) == ("happy", 25.0, 40)
    assert (tmp_path / "seen" / f"{clip.id}.mp4").stat().st_size > 50_000
    assert read_speech(tmp_path / "seen" / f"{clip.id}.mp4", Silent()).duration_s > 1.5

    # MEAD: sound of its own is read before the film's, and found to belong to it.
    mead = tmp_path / "mead" / "M003"
    place = Path("front/surprised/level_2")
    (mead / "video" / place).mkdir(parents=True)
    (mead / "audio" / "surprised" / "level_2").mkdir(parents=True)
    ffmpeg(*part, "-crf", 12, mead / "video" / place / "001.mp4")
    ffmpeg(*part, "-vn", mead / "audio" / "surprised" / "level_2" / "001.m4a")
    # A film and its sound of different lengths.
    ffmpeg(*part, "-crf", 12, mead / "video" / place / "002.mp4")
    ffmpeg("-i", film, "-vn", mead / "audio" / "surprised" / "level_2" / "002.m4a")
    # A copy that was cut short.
    whole = (mead / "video" / place / "001.mp4").read_bytes()
    (mead / "video" / place / "003.mp4").write_bytes(whole[: len(whole) // 2])
    (mead / "video" / place / "004.mp4").touch()
    built = build(
        mead_raw_sources(tmp_path / "mead", Silent()), tmp_path / "b", Silent(), Plan(num_workers=0)
    )
    assert [(clip.id, clip.emotion, clip.num_frames) for clip in built.entries] == [
        ("mead/M003_surprised_2_001", "surprise", 40)
    ]
    reasons = {item.id.removeprefix("mead/M003_surprised_2_"): item.reason for item in built.dropped}
    assert sorted(reasons) == ["002", "003", "004"]
    assert "do not belong to one recording" in reasons["002"]
    assert "0 bytes" in reasons["004"]

    # The same face, by whatever way: mouths agree but for what coding did to the pictures.
    one, other = (
        read_motion(tmp_path / out / str(clip.motion))[0].coeffs
        for out, clip in (("a", clip), ("b", built.entries[0]))
    )
    jaw = slice(50, 53)
    assert np.corrcoef(one[:, jaw].ravel(), other[:, jaw].ravel())[0, 1] > 0.99
