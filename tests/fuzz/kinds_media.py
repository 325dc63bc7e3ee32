"""Attacks on sounds, films and texts."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import numpy as np
import soundfile

from tests.fuzz import mutate, seeds, structured
from tests.fuzz.case import Case, Kind, common

GEN = "runs/gen/best.safetensors"
# Formats that tell their length, or in which an end is marked: a cut one must not pass for the whole.
_TELLS = (
    "a.wav", "a24.wav", "float.wav", "x.wav", "rf.wav", "a.aiff", "a.au", "a.caf", "a.w64", "a.flac", "a.m4a", "a.mp4",
    "a.mov", "xing.mp3", "ff.flac", "a.ogg", "a.opus",
)  # fmt: skip
_FRAMES = (13, 24)


def _animate(seeds_folder: Path, sound: str) -> tuple[str, ...]:
    return ("animate", sound, "--model", str(seeds_folder / GEN), "--out", "o.npz", "--device", "cpu")


def sound(drawn: Random, files: Path, folder: Path) -> Case:
    """A damaged sound, read as speech, as emotion or as a film's sound."""
    names = sorted(path.name for path in (files / "sounds").iterdir())
    name, other = drawn.choice(names), drawn.choice(names)
    content = (files / "sounds" / name).read_bytes()
    change = mutate.damaged(drawn, content, (files / "sounds" / other).read_bytes())
    shown = (
        name if drawn.random() < 0.8 else drawn.choice(("x.wav", "x.mp3", "x.mp4", "x", "x.flac", "x.ogg"))
    )
    (folder / shown).write_bytes(change.content)
    # Half of the good sound is not looked for: damage may hit the samples, or lengths that say less.
    case = {"note": f"{name} {change.note}", "outputs": ("o.npz",), "frames": (1, 40 * seeds.FRAMES)}
    if drawn.random() < 0.9:
        return Case(argv=common(drawn, *_animate(files, shown)), **case)
    (folder / "whole.wav").write_bytes((files / "sounds/a.wav").read_bytes())
    argv = (*_animate(files, "whole.wav"), "--emotion-from", shown)
    return Case(argv=common(drawn, *argv), **case)


def cut_sound(drawn: Random, files: Path, folder: Path) -> Case:
    """Half a download: refused, or nearly all of it is there."""
    name = drawn.choice(_TELLS)
    content = (files / "sounds" / name).read_bytes()
    (folder / name).write_bytes(mutate.cut(drawn, content, 0.3, 0.85))
    return Case(
        argv=common(drawn, *_animate(files, name)), note=f"{name} cut", outputs=("o.npz",),
        frames=(seeds.FRAMES - 1, seeds.FRAMES + 2),
    )  # fmt: skip


def sound_variant(drawn: Random, files: Path, folder: Path) -> Case:
    """Sound forms as programs write them: accepted, at their whole length."""
    name, content, note, frames = _variant(drawn, files)
    (folder / name).write_bytes(content)
    return Case(
        argv=common(drawn, *_animate(files, name)),
        note=note,
        outputs=("o.npz",),
        expected="accept",
        frames=frames,
    )


def _variant(drawn: Random, files: Path) -> tuple[str, bytes, str, tuple[int, int]]:
    folder = files / "sounds"
    once, twice = (seeds.FRAMES - 2, seeds.FRAMES + 3), (2 * seeds.FRAMES - 4, 2 * seeds.FRAMES + 6)
    sort = drawn.choice(("plain", "plain", "wav-length", "joined", "tagged", "open-flac", "rate", "chunk"))
    if sort == "wav-length":
        content = bytearray((folder / "a.wav").read_bytes())
        at = content.index(b"data") + 4
        length = drawn.choice(
            (0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0xFFFFF000, len(content) - at + drawn.randrange(4, 30))
        )
        content[at : at + 4] = struct.pack("<I", length)
        content[4:8] = struct.pack("<I", drawn.choice((0, 0xFFFFFFFF, length)))
        return "a.wav", bytes(content), f"wav of length {length:#x}", once
    if sort == "joined":
        name = drawn.choice(("open.mp3", "xing.mp3", "a.ogg", "a.opus", "a.aac", "a.ts"))
        return (
            name,
            (folder / name).read_bytes() * 2,
            f"two {name}",
            (twice[0] if name != "a.ts" else 1, twice[1]),
        )
    if sort == "tagged":
        name = drawn.choice(("open.mp3", "xing.mp3", "a.aac"))
        size = drawn.choice((0, 10, 300, 5000))
        head = b"ID3\x04\x00\x00" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + bytes(size)
        tail = drawn.choice((b"", b"TAG" + bytes(125)))
        return name, head + (folder / name).read_bytes() + tail, f"{name} with tags", once
    if sort == "open-flac":
        content = bytearray((folder / "a.flac").read_bytes())
        # The stream's length is in 36 bits from byte 21 on.
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        return "a.flac", bytes(content), "flac of unknown length", once
    if sort == "rate":
        rate = drawn.choice((8000, 11025, 22050, 24000, 32000, 44100, 48000, 96000))
        channels, form = drawn.choice((1, 2, 6)), drawn.choice(("wav", "flac", "mp3", "m4a", "ogg", "mkv"))
        if form == "mp3":
            channels, rate = min(channels, 2), min(rate, 48000)
        if form in ("m4a", "ogg", "mkv"):
            rate = min(max(rate, 16000), 48000)
        codec = {"ogg": ("-c:a", "libvorbis"), "mkv": ("-c:a", "aac")}.get(form, ())
        made = folder.parent / f"made.{rate}.{channels}.{form}"
        if not made.exists():
            seeds.ffmpeg("-i", folder / "a.wav", "-ar", rate, "-ac", channels, *codec, made)
        return f"r.{form}", made.read_bytes(), f"{form} of {rate} Hz, {channels} channels", once
    if sort == "chunk":
        content = (folder / "a.wav").read_bytes()
        at = content.index(b"data")
        size = drawn.choice((0, 1, 3, 26, 5001))
        extra = (
            drawn.choice((b"LIST", b"JUNK", b"bext", b"id3 "))
            + struct.pack("<I", size)
            + bytes(size + size % 2)
        )
        both = content[:at] + extra + content[at:] if drawn.random() < 0.5 else content + extra
        return "a.wav", both, "wav with another chunk", once
    name = drawn.choice(sorted(path.name for path in folder.iterdir()))
    shown = (
        name
        if drawn.random() < 0.7
        else drawn.choice(("x", "x.wav", "x.mp3", "ä ö.bin", "corrupt error.mp4"))
    )
    return shown, (folder / name).read_bytes(), f"{name} as {shown}", once


def hostile_sound(drawn: Random, files: Path, folder: Path) -> Case:
    """Scripts, playlists and promises under the name of a sound."""
    secret = "../outside/secret.wav"
    (folder / "beside.wav").write_bytes((files / "sounds/a.wav").read_bytes())
    name = drawn.choice(("beside.wav", secret, str(folder / "beside.wav"), f"file:{folder}/beside.wav"))
    forms = {
        "ffconcat": f"ffconcat version 1.0\nfile '{name}'\n",
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{name}\n#EXT-X-ENDLIST\n",
        "hls-master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration='
        f'"PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="audio/mp4">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{name}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
        "sbg": "-SE\na: pink/100 200+10/50\nNOW a\n+12:00:00 a\n",
        "imf": f'<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/><!--{name}-->',
        "smil": f'<smil><body><audio src="{name}"/></body></smil>',
        "ffmeta": f";FFMETADATA1\ntitle={name}\n",
        "cue": f'FILE "{name}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
        "reference mov": _reference_mov(name),
        "txd": f"!ELF {name}",
        "html": "<!DOCTYPE html><html><body>404</body></html>",
        "lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n",
        "pls": f"[playlist]\nFile1={name}\nNumberOfEntries=1\n",
        "shell": "#!/bin/sh\ntouch ../outside/x\n",
    }
    if drawn.random() < 0.25:
        return _promise(drawn, files, folder)
    sort = drawn.choice(list(forms))
    text = forms[sort]
    content = text if isinstance(text, bytes) else text.encode()
    shown = drawn.choice(("a.mp3", "a.mp4", "a.wav", "a.m4a", "a.mpd", "a.m3u8", "a.txt", "a"))
    (folder / shown).write_bytes(content)
    return Case(
        argv=common(drawn, *_animate(files, shown)),
        note=f"{sort} as {shown}",
        outputs=("o.npz",),
        expected="refuse",
    )


def _reference_mov(name: str) -> bytes:
    """A QuickTime reference movie: it names another file."""

    def atom(kind: bytes, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return struct.pack(">I", len(content) + 8) + kind + content

    where = name.encode() + b"\x00"
    reference = atom(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(where)), where)
    return atom(b"ftyp", b"qt  ", bytes(4), b"qt  ") + atom(b"moov", atom(b"rmra", atom(b"rmda", reference)))


def _promise(drawn: Random, files: Path, folder: Path) -> Case:
    """Much sound in a small file, or a head that says so."""
    sort = drawn.choice(("silent flac", "long wav", "rates", "tiny", "inf", "channels"))
    path = folder / "a.wav"
    if sort == "silent flac":
        made = files / "hours.flac"
        if not made.exists():
            with soundfile.SoundFile(made, "w", 8000, 1, "PCM_16", format="FLAC") as file:
                for _ in range(90):
                    file.write(np.zeros(8000 * 3600 // 5, np.int16))
        path.write_bytes(made.read_bytes())
    elif sort == "long wav":
        content = bytearray((files / "sounds/a.wav").read_bytes())
        at = content.index(b"data") + 4
        content[at : at + 4] = struct.pack("<I", 0x70000000)
        path.write_bytes(content)
    elif sort == "rates":
        content = bytearray((files / "sounds/a.wav").read_bytes())
        content[24:28] = struct.pack("<I", drawn.choice((0, 1, 100, 4_000_000_000, 7999, 192_001)))
        path.write_bytes(content)
    elif sort == "tiny":
        soundfile.write(path, np.zeros(drawn.choice((0, 1, 639)), np.float32), 16_000)
    elif sort == "channels":
        soundfile.write(path, np.zeros((16, 1024), np.int16), 16_000)
    else:
        values = np.full(16_000, drawn.choice((np.inf, -np.inf, np.nan)), np.float32)
        soundfile.write(path, values, 16_000, subtype="FLOAT")
    return Case(
        argv=common(drawn, *_animate(files, "a.wav")), note=sort, outputs=("o.npz",), expected="refuse"
    )


def film(drawn: Random, files: Path, folder: Path) -> Case:
    """A damaged film, its faces looked for; or its sound alone."""
    names = sorted(path.name for path in (files / "films").iterdir())
    name, other = drawn.choice(names), drawn.choice(names)
    content = (files / "films" / name).read_bytes()
    change = mutate.damaged(drawn, content, (files / "films" / other).read_bytes())
    root = folder / "in"
    root.mkdir()
    (root / name).write_bytes(change.content)
    note = f"{name} {change.note}"
    if drawn.random() < 0.5:
        argv = ("preprocess", "video", "in", "--out", "out", "--workers", "0")
        return Case(argv=common(drawn, *argv), note=note)
    return Case(
        argv=common(drawn, *_animate(files, f"in/{name}")),
        note=note,
        outputs=("o.npz",),
        frames=(1, 40 * seeds.FRAMES),
    )


_WORDS = ("sil", "spn", "<unk>", "AH0", "ZZ", "", "AA1", "a " * 500, "xmin", "0.5", "-3", "IntervalTier")


def text(drawn: Random, files: Path, folder: Path) -> Case:
    """What is said: TextGrids and words, damaged, in any encoding, or nothing of the kind."""
    (folder / "a.wav").write_bytes((files / "sounds/a.wav").read_bytes())
    name = drawn.choice(("long.TextGrid", "short.TextGrid", "long.TextGrid", "words.txt"))
    content = (files / "texts" / name).read_text()
    sort = drawn.random()
    if sort < 0.5:
        changed, note = structured.edited_text(drawn, content, _WORDS)
        data = structured.encoded(drawn, changed)
    elif sort < 0.8:
        data, note, _ = mutate.damaged(drawn, content.encode())
    else:
        data, note = structured.encoded(drawn, content), "encoded"
    (folder / name).write_bytes(data)
    argv = ["animate", "a.wav", "--model", "rules", "--text", name, "--out", "o.npz"]
    if drawn.random() < 0.1:
        argv[5] = str(drawn.choice(structured.TEXTS))
        note = f"words {argv[5][:20]!r}"
    return Case(argv=common(drawn, *_safe(argv)), note=f"{name} {note}", outputs=("o.npz",), frames=_FRAMES)


def _safe(argv: list[str]) -> list[str]:
    """As a shell could pass it: no zeros, bytes that are not UTF-8 as Python holds them."""
    return [part.replace("\x00", "").replace("\ud800", "\udcff") for part in argv]


KINDS = (
    Kind("sound", 12, sound),
    Kind("sound-cut", 4, cut_sound),
    Kind("sound-variant", 4, sound_variant),
    Kind("sound-hostile", 4, hostile_sound),
    Kind("film", 3, film),
    Kind("text", 5, text),
)
