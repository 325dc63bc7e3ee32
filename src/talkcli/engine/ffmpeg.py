"""How the ffmpeg binary that imageio-ffmpeg bundles is called on files that nobody vouches for.

A media file can name other files: playlists, manifests and edit lists do, and scripts make sound or pictures
without end. So ffmpeg gets each file as its standard input, is allowed no protocol besides that one
descriptor, and only formats that hold all of their sound and pictures themselves. The file's name never
reaches ffmpeg: it can be no option, protocol or pattern, and turns up in no log that is read.
"""

from __future__ import annotations

import re

import imageio_ffmpeg

from talkcli.engine.errors import AssetError

# Containers and codecs of sound and film. Left out on purpose: lists and manifests (concat, dash, hls, imf,
# sdp), scripts and module music (sbg, lavfi, avisynth, libopenmpt, libgme), sequences of pictures (image2),
# svg, subtitles and text, games' own formats, and what has no header to know it by (g722, aptx, s16le).
_FORMATS = (
    "aac", "ac3", "ac4", "aiff", "amr", "apac", "ape", "apng", "asf", "ast", "au", "avi", "avr", "av1",
    "bonk", "caf", "daud", "dhav", "dsf", "dss", "dts", "dtshd", "dv", "eac3", "flac", "flv", "gif",
    "gxf", "h264", "hevc", "ilbc", "ipmovie", "ircam", "ivf", "lc3", "loas", "m4v", "matroska", "webm",
    "mjpeg", "mlp", "mov", "mp4", "m4a", "3gp", "3g2", "mj2", "mp3", "mpc", "mpc8", "mpeg", "mpegts",
    "mpegvideo", "mxf", "nistsphere", "nsv", "nut", "nuv", "obu", "ogg", "oma", "osq", "paf", "pva",
    "pvf", "qcp", "qoa", "rka", "rm", "shn", "smjpeg", "sox", "spdif", "swf", "tak", "truehd", "tta",
    "ty", "vc1", "voc", "vqf", "w64", "wav", "wavarc", "wsd", "wtv", "wv", "wve", "xwma",
    "yuv4mpegpipe",
)  # fmt: skip


def ffmpeg_binary() -> str:
    """Return path of the ffmpeg to call. Raises AssetError when this platform's wheel bundles none."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise AssetError(
            f"No ffmpeg binary was found ({error}).",
            hint="Run: pip install --force-reinstall imageio-ffmpeg; or set IMAGEIO_FFMPEG_EXE to an ffmpeg.",
        ) from error


def reading_command(*options: str) -> list[str]:
    """Begin a command that reads media from its standard input; what to do with it is to be added.

    Run it with `stdin` set to the media file, opened in binary mode (a pipe would not do: containers are read
    back and forth). `options` are those of the input. Needs ffmpeg 6.0 or later. Raises AssetError when there
    is no ffmpeg.
    """
    return [
        ffmpeg_binary(), "-nostdin", "-hide_banner", *options,
        "-protocol_whitelist", "fd", "-format_whitelist", ",".join(_FORMATS), "-i", "fd:",
    ]  # fmt: skip


def refused_format(said: str) -> bool:
    """Tell from ffmpeg's log whether the input is of a format that is known and not read."""
    # A part's own line, not a title that says so.
    return (
        re.search(r"^\[[^\]]* @ [^\]]*\] (?:\[\w+\] )?Format not on whitelist", said, re.MULTILINE)
        is not None
    )
