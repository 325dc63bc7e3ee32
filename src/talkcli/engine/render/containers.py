"""Containers of films: the codecs of each, and the arguments by which ffmpeg writes them.

The same pictures give the same bytes: encoders run with a fixed number of threads and write nothing of the
time or of their version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from talkcli.engine.errors import UsageError

# AAC comes in blocks of 1024 samples; at this rate a block is shorter than a frame of any usual video. Opus
# has no other rate.
_SOUND_RATE_HZ = "48000"
_THREADS = "4"
# Rate in frames per second above which programs that show GIFs slow them down.
_FASTEST_GIF = 50
# Players take BT.709 for granted; ffmpeg would convert with BT.601 and shift the colour of skin.
_BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+bitexact,"
    "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709"
)


@dataclass(frozen=True, kw_only=True)
class Container:
    """What a suffix stands for."""

    muxer: str
    """Name of the container in ffmpeg."""
    pictures: Callable[[bool, float], list[str]]
    """Arguments of the pictures, from whether they have alpha and from their rate in frames per second."""
    sound: tuple[str, ...] | None
    """Arguments of the sound; None for a container without sound."""
    alpha: bool
    """Whether pictures may have alpha."""
    halved: str | None
    """Name of the codec when it stores colours at half the resolution, which needs even sizes."""
    muxing: tuple[str, ...] = ()
    """Arguments of the container."""


def _h264(_alpha: bool, _fps: float) -> list[str]:
    return [
        "-vf", _BT709, "-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-pix_fmt", "yuv420p",
        "-threads", _THREADS, "-flags:v", "+bitexact",
    ]  # fmt: skip


def _vp9(alpha: bool, _fps: float) -> list[str]:
    return [
        "-vf", _BT709, "-c:v", "libvpx-vp9", "-crf", "24", "-b:v", "0", "-deadline", "good", "-cpu-used", "5",
        "-pix_fmt", "yuva420p" if alpha else "yuv420p", "-threads", _THREADS, "-flags:v", "+bitexact",
        # The encoder of the alpha does not know frames that are never shown.
        *(["-auto-alt-ref", "0"] if alpha else []),
    ]  # fmt: skip


def _prores(alpha: bool, _fps: float) -> list[str]:
    return [
        "-vf", _BT709, "-c:v", "prores_ks", "-profile:v", "4444", "-vendor", "apl0",
        "-pix_fmt", "yuva444p10le" if alpha else "yuv444p10le", "-alpha_bits", "16" if alpha else "0",
        "-threads", _THREADS, "-flags:v", "+bitexact",
    ]  # fmt: skip


def _gif(alpha: bool, fps: float) -> list[str]:
    # One palette a picture: that of a whole film would need all of its pictures at once.
    palette = f"palettegen=stats_mode=single:reserve_transparent={int(alpha)}"
    slower = f"fps={_FASTEST_GIF}," if fps > _FASTEST_GIF else ""
    drawn = "paletteuse=new=1:dither=bayer:bayer_scale=5:alpha_threshold=128"
    return ["-vf", f"{slower}split[a][b];[a]{palette}[p];[b][p]{drawn}", "-loop", "0", "-threads", _THREADS]


# By suffix in lower case.
CONTAINERS: Mapping[str, Container] = {
    ".mp4": Container(
        muxer="mp4",
        pictures=_h264,
        sound=("-c:a", "aac", "-b:a", "160k", "-ar", _SOUND_RATE_HZ, "-flags:a", "+bitexact"),
        alpha=False,
        halved="H.264 in yuv420p",
        muxing=("-movflags", "+faststart"),
    ),
    ".webm": Container(
        muxer="webm",
        pictures=_vp9,
        sound=("-c:a", "libopus", "-b:a", "128k", "-ar", _SOUND_RATE_HZ, "-flags:a", "+bitexact"),
        alpha=True,
        halved="VP9 in yuv420p",
    ),
    ".mov": Container(
        muxer="mov",
        pictures=_prores,
        sound=("-c:a", "pcm_s16le", "-ar", _SOUND_RATE_HZ, "-flags:a", "+bitexact"),
        alpha=True,
        halved=None,
    ),
    ".gif": Container(muxer="gif", pictures=_gif, sound=None, alpha=True, halved=None),
}


def check_size(suffix: str, width: int, height: int) -> None:
    """Raise UsageError for a picture that the codec of `suffix`, which shares its colours among 2x2 pixels,
    cannot hold.
    """
    codec = CONTAINERS[suffix].halved
    if codec is not None and (width % 2 or height % 2 or min(width, height) < 2):
        raise UsageError(
            f"{width}x{height} pixels cannot be a video: {codec} needs even sizes.",
            hint=f"Use `size={max(2, width + width % 2)}x{max(2, height + height % 2)}`.",
        )


def check_alpha(suffix: str) -> None:
    """Raise UsageError when films of `suffix` have no transparency."""
    if not CONTAINERS[suffix].alpha:
        others = ", ".join(name for name, container in CONTAINERS.items() if container.alpha)
        raise UsageError(
            f"`background=transparent`: a film that ends in {suffix} has no transparency.",
            hint=f"Give `out` a name that ends in one of {others}, or the name of a folder for PNG frames.",
        )
