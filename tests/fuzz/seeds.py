"""The valid files that attacks begin with, all made here: sounds in every container, films, texts, motion, models."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from talkcli.engine.ffmpeg import ffmpeg_binary
from tests.fuzz import seeds_data, seeds_models

RATE_HZ = 16_000
SECONDS = 0.64
FRAMES = 16
# By libsndfile: name -> format, subtype. The length stands in the file unless the name ends in `_open`.
_SNDFILE = {
    "a.wav": ("WAV", "PCM_16"), "a24.wav": ("WAV", "PCM_24"), "float.wav": ("WAV", "FLOAT"),
    "ulaw.wav": ("WAV", "ULAW"), "adpcm.wav": ("WAV", "MS_ADPCM"), "x.wav": ("WAVEX", "PCM_16"),
    "rf.wav": ("RF64", "PCM_16"), "a.aiff": ("AIFF", "PCM_16"), "a.au": ("AU", "PCM_16"),
    "a.caf": ("CAF", "PCM_16"), "a.w64": ("W64", "PCM_16"), "a.flac": ("FLAC", "PCM_16"),
    "a.ogg": ("OGG", "VORBIS"), "a.opus": ("OGG", "OPUS"), "sndfile.mp3": ("MP3", "MPEG_LAYER_III"),
    "a.voc": ("VOC", "PCM_16"),
}  # fmt: skip
# By ffmpeg: name -> options.
_FFMPEG = {
    "xing.mp3": "-c:a libmp3lame -b:a 64k", "open.mp3": "-c:a libmp3lame -q:a 5 -write_xing 0",
    "a.m4a": "-c:a aac", "a.mp4": "-c:a aac", "a.mov": "-c:a pcm_s16le", "a.webm": "-c:a libopus",
    "a.mka": "-c:a libvorbis", "a.ts": "-c:a aac", "a.aac": "-c:a aac", "a.wma": "-c:a wmav2",
    "a.avi": "-c:a pcm_s16le", "a.flv": "-ar 44100 -c:a aac", "a.ac3": "-ar 48000 -c:a ac3",
    "fragments.mp4": "-c:a aac -movflags frag_keyframe+empty_moov",
    "ff.flac": "-c:a flac", "stream.wav": "-f wav -fflags +bitexact",
}  # fmt: skip


def make(folder: Path) -> None:
    """Fill `folder`; takes about half a minute."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    samples = speech()
    _sounds(folder / "sounds", samples)
    _films(folder / "films")
    seeds_data.texts(folder / "texts", SECONDS)
    seeds_data.data_sets(folder / "sets", samples)
    seeds_models.models(folder)
    talk(
        "preprocess",
        "folder",
        folder / "sets/folder",
        "--out",
        folder / "sets/done",
        "--workers",
        "0",
        "--quiet",
    )
    shutil.copy(folder / "sets/done/manifest.parquet", folder / "sets/manifest.parquet")


def speech() -> np.ndarray:
    """A voice-like buzz of two syllables, float32 at 16 kHz."""
    time_s = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    loud = np.clip(np.sin(2 * np.pi * 3 * time_s), 0.02, 1)
    buzz = sum(np.sin(2 * np.pi * 130 * part * time_s) / part for part in range(1, 20))
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    return (0.15 * loud * buzz + 0.01 * noise).astype(np.float32)


def wav(samples: np.ndarray, times: int = 1) -> bytes:
    """16-bit wav of `samples`, said `times` times."""
    file = io.BytesIO()
    soundfile.write(file, np.tile(samples, times), RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def ffmpeg(*arguments: object, stdin: bytes | None = None) -> bytes:
    command = [ffmpeg_binary(), "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, input=stdin).stdout


def talk(*arguments: object) -> None:
    """Run a command in this process; raises RuntimeError when it fails."""
    from talkcli.__main__ import main

    before = sys.argv
    sys.argv = ["talk", *map(str, arguments)]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"talk {' '.join(map(str, arguments))}: exit code {ended.code}") from ended
    finally:
        sys.argv = before


def _sounds(folder: Path, samples: np.ndarray) -> None:
    folder.mkdir()
    for name, (form, subtype) in _SNDFILE.items():
        soundfile.write(folder / name, samples, RATE_HZ, format=form, subtype=subtype)
    stereo = np.stack([samples, 0.5 * samples], axis=1)
    soundfile.write(folder / "stereo.wav", stereo, RATE_HZ, subtype="PCM_16")
    for name, options in _FFMPEG.items():
        ffmpeg("-i", folder / "a.wav", *options.split(), folder / name)


def _films(folder: Path) -> None:
    """Sixteen pixels, half a second: what is read before any face is looked for."""
    folder.mkdir()
    picture = ("-f", "lavfi", "-i", f"testsrc=size=32x32:rate=25:duration={SECONDS}")
    sound = ("-i", folder.parent / "sounds" / "a.wav")
    for name, options in {
        "f.mp4": "-c:v libx264 -c:a aac", "f.mkv": "-c:v libx264 -c:a libopus", "f.avi": "-c:v mpeg4 -c:a mp2",
        "f.webm": "-c:v libvpx -c:a libvorbis", "f.ts": "-c:v mpeg2video -c:a mp2",
    }.items():  # fmt: skip
        ffmpeg(*picture, *sound, *options.split(), "-ar", 48_000, folder / name)
