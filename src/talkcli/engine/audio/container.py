"""Sound out of any container (m4a, mp4, webm, mpg, ...) by the ffmpeg binary that imageio-ffmpeg bundles."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from talkcli.engine.errors import InputError, TalkError
from talkcli.engine.ffmpeg import reading_command, refused_format
from talkcli.engine.lifetime import run_child

# Generous: decoding runs at hundreds of times real time, but disks may be slow.
_TIMEOUT_S = 120.0
_TIMEOUT_S_PER_MB = 2.0
# ffmpeg's lines read "[mov,mp4 @ 0x55d0] [error] moov atom not found".
_ERROR_LEVEL = re.compile(r"\[(error|fatal|panic)\]")
_LOG_PREFIX = re.compile(r"\[[^\]]*\]\s")


def decode_to_wav(path: Path, wav: Path) -> str:
    """Write the first sound track of `path` to `wav`: float, its own rate and channels.

    Returns ffmpeg's first complaint, empty when all went well. Raises InputError when there is no sound
    track, when the file is no media at all, or when ffmpeg does not finish.
    """
    command = [
        *reading_command("-v", "level+warning", "-y"),
        "-map", "0:a:0", "-map_metadata", "-1", "-c:a", "pcm_f32le", "-rf64", "auto", "-f", "wav",
        f"file:{wav}",
    ]  # fmt: skip
    timeout_s = _TIMEOUT_S + _TIMEOUT_S_PER_MB * path.stat().st_size / 1e6
    try:
        with path.open("rb") as file:
            done = run_child(command, stdin=file, capture_output=True, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path} was not decoded within {timeout_s:.0f} s.") from error
    said = done.stderr.decode("utf-8", "replace")
    if "matches no streams" in said:
        raise InputError(
            f"{path} holds no sound: there is no sound track in it.",
            hint="Give the speech as an audio file, or a video that was recorded with sound.",
        )
    if "No space left on device" in said:
        raise TalkError(
            f"There is no space to decode {path} in {wav.parent}.",
            hint="Free some, or set TMPDIR to another disk.",
        )
    if refused_format(said):
        raise InputError(
            f"{path} is no sound or video itself: it is a list, manifest, script or picture.",
            hint="Give the sound file: lists that name other files, and scripts, are not followed.",
        )
    errors = [_LOG_PREFIX.sub("", line).strip() for line in said.splitlines() if _ERROR_LEVEL.search(line)]
    # Below a certain likeness ffmpeg calls anything an mp3 or a drawing in letters.
    if "misdetection possible" in said or not wav.exists() or wav.stat().st_size == 0:
        because = f" ({errors[0]})" if errors else ""
        raise InputError(
            f"{path} is not audio or video in any format known here{because}.",
            hint="wav, flac, ogg, mp3, m4a, mp4, webm and mov work; is the file complete?",
        )
    return errors[0] if errors else ""
