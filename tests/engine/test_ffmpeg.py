"""Media that nobody vouches for opens no other file, makes no sound of its own and is named nowhere."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import ffmpeg_binary, reading_command
from talkcli.engine.types import Silent
from talkcli.engine.video.pictures import open_film

DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
mediaPresentationDuration="PT1S" minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">
<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{target}</BaseURL>
</Representation></AdaptationSet></Period></MPD>"""
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
HLS_MAP = (
    '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="{target}"\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n'
)
LISTS = {
    "dash": DASH,
    "hls": HLS,
    "hls_map": HLS_MAP,
    "hls_master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
    "ffconcat": "ffconcat version 1.0\nfile {target}\n",
    "ffconcat_options": "ffconcat version 1.0\nfile {target}\noption safe 0\nduration 1\n",
    "asx": '<ASX version="3.0"><ENTRY><REF HREF="{target}"/></ENTRY></ASX>',
    "smil": '<smil><body><audio src="{target}"/></body></smil>',
    "pls": "[playlist]\nFile1={target}\nNumberOfEntries=1\n",
    "cue": 'FILE "{target}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "rtsp_reference": "RTSPtextRTSP://127.0.0.1/{target}\n",
    "imf": '<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">{target}'
    "</CompositionPlaylist>",
    "avisynth": 'WavSource("{target}")\n',
    "concat_protocol": "concat:{target}|{target}",
    "webvtt": "WEBVTT\n\n00:00.000 --> 00:01.000\n{target}\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{target}"/></svg>',
}
SCRIPTS = {
    "sbg": "base: 200+10/50\nNOW base\n+24:00:00 base",
    "sbg_noise": "-SE\nnoise: pink/80\n00:00 == noise ->\n23:59 noise\n",
    "lavfi": "sine=frequency=220:duration=36000",
    "tty": "\x1b[2J" + "text " * 500,
    "tedcaptions": '{"captions":[{"duration":1000,"content":"x","startOfParagraph":true,"startTime":0}]}',
    "srt": "1\n00:00:00,000 --> 99:00:00,000\nwords\n",
    "ass": "[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:05.00,D,,0,0,0,,x\n",
    "ffmetadata": ";FFMETADATA1\ntitle=x\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=36000000\n",
}


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sound and film that only a reader of other files could find."""
    folder = tmp_path_factory.mktemp("secret")
    times = np.arange(16_000) / 16_000
    soundfile.write(folder / "s.wav", 0.5 * np.sin(2 * np.pi * 220 * times), 16_000)
    subprocess.run(
        [
            ffmpeg_binary(), "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64",
            "-i", str(folder / "s.wav"), str(folder / "s.mp4"), "-map", "1:a", str(folder / "s.m4a"),
            "-map", "1:a", "-map", "0:v", str(folder / "s.ts"),
        ],
        check=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("suffix", ["mp4", "mp3", "wav", "m3u8", "mpd", "txt"])
@pytest.mark.parametrize("kind", [*LISTS, *SCRIPTS])
def test_lists_and_scripts_are_no_sound(tmp_path: Path, secret: Path, kind: str, suffix: str) -> None:
    listing = tmp_path / f"a.{suffix}"
    for target in ("s.wav", "s.m4a", "s.ts", str(secret / "s.m4a"), f"file:{secret / 's.ts'}")[
        # Names beside the list are the rule for ffconcat, absolute ones for manifests: both for the first.
        :: 1 if suffix in ("mp4", "mp3") and kind in ("dash", "hls", "ffconcat") else 3
    ]:
        if not target.startswith(("/", "file:")):
            shutil.copy(secret / target, tmp_path)
        listing.write_text((LISTS | SCRIPTS)[kind].replace("{target}", target))
        with pytest.raises(InputError) as caught:
            read_speech(listing, Silent())
        assert str(listing) in caught.value.problem
        assert len(caught.value.problem) < 400


@pytest.mark.parametrize("kind", LISTS)
def test_lists_are_no_film(tmp_path: Path, secret: Path, kind: str) -> None:
    listing = tmp_path / "a.mp4"
    listing.write_text(LISTS[kind].replace("{target}", str(secret / "s.mp4")))
    with pytest.raises(InputError):
        open_film(listing)


def referring(content: bytes, name: str) -> bytes:
    """An m4a whose samples lie in the file `name`, said as QuickTime does: an alias in place of `url `."""
    base = Path(name).name.encode()
    path = struct.pack(">HH", 2, len(name)) + name.encode() + b"\0" * (len(name) % 2) + b"\xff\xff\0\0"
    alias = bytes(10 + 28 + 12) + bytes([len(base)]) + base.ljust(63, b"\0") + bytes(16)
    alias += struct.pack(">HH", 1, 1) + bytes(16) + path
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    at = content.index(b"url ") - 4
    patched = bytearray(content[:at] + entry + content[at + 12 :])
    for atom in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        start = patched.index(atom) - 4
        struct.pack_into(">I", patched, start, struct.unpack_from(">I", patched, start)[0] + len(entry) - 12)
    return bytes(patched)


@pytest.mark.parametrize("absolute", [False, True])
def test_quicktime_references_to_other_files_are_not_followed(
    tmp_path: Path, secret: Path, absolute: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (secret / "s.m4a").read_bytes()
    (tmp_path / "b.m4a").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    Path("a.m4a").write_bytes(referring(content, str(tmp_path / "b.m4a") if absolute else "b.m4a"))
    with pytest.raises(InputError):
        read_speech(Path("a.m4a"), Silent())


@pytest.mark.parametrize(
    "name", ["%03d.wav", "a%d.png", "-dash.m4a", "http:x.m4a", "a\nb.m4a", "concat:a|b.m4a"]
)
def test_a_name_is_a_name(tmp_path: Path, secret: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(secret / "s.m4a", tmp_path / name)
    # A relative name is the dangerous one: it is what an option or a protocol looks like.
    monkeypatch.chdir(tmp_path)
    assert read_speech(Path(name), Silent()).duration_s == pytest.approx(1.0, abs=0.05)


def test_names_that_are_no_text(tmp_path: Path, secret: Path) -> None:
    path = tmp_path / b"caf\xe9.m4a".decode("utf-8", "surrogateescape")
    shutil.copy(secret / "s.m4a", path)
    assert read_speech(path, Silent()).duration_s == pytest.approx(1.0, abs=0.05)


def test_no_other_protocol_is_open_to_the_input(secret: Path) -> None:
    command = reading_command("-v", "error")
    assert command[command.index("-protocol_whitelist") + 1] == "fd"
    allowed = set(command[command.index("-format_whitelist") + 1].split(","))
    assert not allowed & {
        "concat", "dash", "hls", "hls,applehttp", "imf", "sdp", "rtsp", "sap", "image2", "sbg", "lavfi",
        "avisynth", "libopenmpt", "libgme", "svg_pipe", "webm_dash_manifest", "dvdvideo", "vobsub", "data",
    }  # fmt: skip
