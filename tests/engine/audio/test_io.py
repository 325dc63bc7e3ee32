from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.audio.io import read_speech, write_wav
from talkcli.engine.errors import InputError
from talkcli.engine.ffmpeg import ffmpeg_binary
from talkcli.engine.types import Silent, Speech
from tests.engine.fakes import Told

RATE_HZ = 16_000
TONE_HZ = 220


def tone(seconds: float = 1.0, rate_hz: int = RATE_HZ, level: float = 0.5) -> np.ndarray:
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    return (level * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)


def ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_binary(), "-nostdin", "-v", "error", "-y", *arguments], check=True)


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_speech(path, Silent())
    assert str(path) in caught.value.problem
    return caught.value


def loudest_hz(speech: Speech) -> float:
    spectrum = np.abs(np.fft.rfft(speech.samples))
    return float(spectrum.argmax() * RATE_HZ / len(speech.samples))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_libsndfile_formats_keep_pitch_and_length(tmp_path: Path, suffix: str, rate_hz: int) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(rate_hz=rate_hz), rate_hz)
    listener = Told()
    speech = read_speech(path, listener)
    assert speech.rate_hz == RATE_HZ
    assert speech.samples.dtype == np.float32
    assert speech.duration_s == pytest.approx(1.0, abs=0.03)
    assert loudest_hz(speech) == pytest.approx(TONE_HZ, abs=2)
    assert listener.warnings == []


@pytest.mark.parametrize("name", ["a.m4a", "a.webm", "a.mkv", "a.mpg", "-y.mp4", "http:x.mov", "a b'c.m4a"])
def test_containers_go_through_the_bundled_ffmpeg(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "in.wav", tone(), RATE_HZ)
    ffmpeg("-i", str(tmp_path / "in.wav"), f"file:{tmp_path / name}")
    # A relative name is the dangerous one: it is what an option or a protocol looks like.
    monkeypatch.chdir(tmp_path)
    listener = Told()
    speech = read_speech(Path(name), listener)
    assert speech.duration_s == pytest.approx(1.0, abs=0.05)
    assert loudest_hz(speech) == pytest.approx(TONE_HZ, abs=4)
    assert listener.warnings == []


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(), RATE_HZ)
    (tmp_path / "a.flac").rename(tmp_path / "a.raw")
    assert read_speech(tmp_path / "a.raw", Silent()).duration_s == 1.0


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 48_000, 96_000, 192_000])
def test_any_rate_becomes_16_khz(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate_hz=rate_hz), rate_hz)
    speech = read_speech(tmp_path / "a.wav", Silent())
    assert speech.duration_s == pytest.approx(1.0, abs=1e-4)
    middle = speech.samples[2000:-2000]
    np.testing.assert_allclose(middle, tone()[2000 : len(speech.samples) - 2000], atol=2e-3)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_int_and_float_have_the_same_scale(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ, subtype=subtype)
    np.testing.assert_allclose(read_speech(tmp_path / "a.wav", Silent()).samples, tone(), atol=0.02)


def test_channels_with_sound_are_averaged(tmp_path: Path) -> None:
    channels = np.stack([tone(), 0 * tone(), 0.5 * tone(), 0 * tone(), 0 * tone(), 0 * tone()], axis=1)
    soundfile.write(tmp_path / "a.wav", channels, RATE_HZ, subtype="FLOAT")
    np.testing.assert_allclose(read_speech(tmp_path / "a.wav", Silent()).samples, 0.75 * tone(), atol=1e-6)


def test_reading_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(rate_hz=44_100), 44_100)
    first, second = (read_speech(tmp_path / "a.wav", Silent()).samples.tobytes() for _ in range(2))
    assert first == second


def test_written_wav_reads_back_within_16_bits(tmp_path: Path) -> None:
    write_wav(tmp_path / "new" / "a.wav", Speech(samples=tone()))
    np.testing.assert_allclose(
        read_speech(tmp_path / "new" / "a.wav", Silent()).samples, tone(), atol=1 / 32768
    )


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "folder" in refused(tmp_path).problem
    assert "does not exist" in refused(tmp_path / "none.wav").problem
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in refused(tmp_path / "pipe.wav").problem
    (tmp_path / "empty.wav").touch()
    assert "empty" in refused(tmp_path / "empty.wav").problem
    assert "cannot be read" in refused(tmp_path / "empty.wav" / "x.wav").problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    (tmp_path / "a.wav").chmod(0)
    assert "permission" in refused(tmp_path / "a.wav").problem


def test_permission_denied_is_an_input_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)

    def deny(*arguments: object, **named: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert "permission" in refused(tmp_path / "a.wav").problem


@pytest.mark.parametrize("name", ["text.wav", "text.txt", "noise.bin", "noise.mp3"])
def test_what_is_no_audio(tmp_path: Path, name: str) -> None:
    content = b"not sound\n" * 200 if name.startswith("text") else random.Random(0).randbytes(50_000)
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path / name).hint


def test_video_without_sound(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=d=0.2:s=64x64", str(tmp_path / "mute.mp4"))
    assert "no sound track" in refused(tmp_path / "mute.mp4").problem


def test_no_samples_and_less_than_a_frame(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", tone()[:0], RATE_HZ)
    assert "no samples" in refused(tmp_path / "none.wav").problem
    soundfile.write(tmp_path / "short.wav", tone()[:639], RATE_HZ)
    assert "39.9 ms" in refused(tmp_path / "short.wav").problem
    soundfile.write(tmp_path / "frame.wav", tone()[:640], RATE_HZ)
    assert len(read_speech(tmp_path / "frame.wav", Silent()).samples) == 640


def test_not_a_number_is_refused_with_its_place(tmp_path: Path) -> None:
    samples = tone()
    samples[8000], samples[9000] = np.nan, np.inf
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ, subtype="FLOAT")
    error = refused(tmp_path / "a.wav")
    assert "2 samples" in error.problem
    assert "sample 8000 (0.500 s)" in error.problem


@pytest.mark.parametrize("rate_hz", [4_000, 384_000])
def test_rates_out_of_range(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), rate_hz)
    assert f"{rate_hz} Hz" in refused(tmp_path / "a.wav").problem


def test_errors_name_the_users_file_and_not_ours(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", tone(), RATE_HZ)
    ffmpeg("-i", str(tmp_path / "in.wav"), "-ar", "7350", str(tmp_path / "slow.m4a"))
    assert "7350 Hz" in refused(tmp_path / "slow.m4a").problem
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=16000:d=0.01", str(tmp_path / "blink.mkv"))
    assert "40 ms" in refused(tmp_path / "blink.mkv").problem


def test_a_cut_wav_is_refused_with_the_amounts(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[: 44 + 2 * 8000])
    assert "0.50 of 1.00 s" in refused(tmp_path / "a.wav").problem
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:44])
    assert "no samples" in refused(tmp_path / "a.wav").problem


def test_a_wav_written_to_a_pipe_is_not_called_cut(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE_HZ)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[40:44] = struct.pack("<I", 0xFFFF_FFFF)
    (tmp_path / "a.wav").write_bytes(content)
    listener = Told()
    assert len(read_speech(tmp_path / "a.wav", listener).samples) == RATE_HZ
    assert listener.warnings == []


@pytest.mark.parametrize("suffix", ["flac", "mp3", "webm"])
def test_a_cut_compressed_file_is_refused(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / "in.wav", tone(4.0), RATE_HZ)
    path = tmp_path / f"a.{suffix}"
    ffmpeg("-i", str(tmp_path / "in.wav"), str(path))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "cut short" in refused(path).problem


def test_silence_is_let_through_with_a_warning(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", 0 * tone(), RATE_HZ)
    listener = Told()
    assert not read_speech(tmp_path / "a.wav", listener).samples.any()
    assert "silent" in listener.warnings[0]


@pytest.mark.parametrize("level", [2.0, 1e30])
def test_sound_beyond_full_scale_is_scaled_and_warned_of(tmp_path: Path, level: float) -> None:
    soundfile.write(tmp_path / "a.wav", tone(level=level), RATE_HZ, subtype="FLOAT")
    listener = Told()
    speech = read_speech(tmp_path / "a.wav", listener)
    np.testing.assert_allclose(speech.samples, tone(level=1.0), atol=1e-3)
    assert "full scale" in listener.warnings[0]


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "m4a"])
def test_damaged_files_give_sound_or_a_sentence(tmp_path: Path, suffix: str) -> None:
    soundfile.write(tmp_path / "in.wav", tone(0.5), RATE_HZ, subtype="FLOAT")
    ffmpeg("-i", str(tmp_path / "in.wav"), str(tmp_path / f"whole.{suffix}"))
    whole = (tmp_path / f"whole.{suffix}").read_bytes()
    chance = random.Random(0)
    for trial in range(8 if suffix == "m4a" else 40):
        content = bytearray(whole)
        # Half of the damage goes into the header, where it hurts most.
        reach = min(len(content), 120) if trial % 2 else len(content)
        for _ in range(chance.choice([1, 4, 30])):
            content[chance.randrange(reach)] = chance.choice([0, 127, 255, chance.randrange(256)])
        if trial % 4 == 0:
            del content[chance.randrange(1, len(content)) :]
        path = tmp_path / f"damaged.{suffix}"
        path.write_bytes(content)
        try:
            speech = read_speech(path, Silent())
        except InputError:
            continue
        assert np.abs(speech.samples).max() <= 1


@pytest.mark.data
def test_real_recordings(shared_data: Path) -> None:
    listener = Told()
    for path in sorted((shared_data / "emotion" / "ravdess_original_48k").rglob("*.wav")):
        speech = read_speech(path, listener)
        assert speech.duration_s == pytest.approx(soundfile.info(path).duration, abs=1e-3)
    video = sorted((shared_data / "video" / "grid").rglob("*.mpg"))[0]
    assert read_speech(video, listener).duration_s == pytest.approx(3.0, abs=0.2)
    assert listener.warnings == []
