"""Valid texts and miniature data sets, one clip or two each, as the tests of the adapters make them."""

from __future__ import annotations

import io
import lzma
from pathlib import Path

import numpy as np
import soundfile

from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.types import Motion, VertexMotion
from tests.engine.prepare.adapters import (
    live_link_tables,
    test_affectnet,
    test_artalk,
    test_beat2,
    test_diffposetalk,
    test_emote,
    test_mead,
)
from tests.engine.prepare.adapters.vertex_trees import moving, template, write_files, write_pickle
from tests.engine.render.shapes import sphere
from tests.fuzz import structured

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = {end}
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = {end}
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.2
            text = "B"
        intervals [2]:
            xmin = 0.2
            xmax = 0.5
            text = "AA1"
        intervals [3]:
            xmin = 0.5
            xmax = {end}
            text = ""
"""
SHORT = '"ooTextFile"\n"TextGrid"\n0\n{end}\n<exists>\n1\n"IntervalTier"\n"phones"\n0\n{end}\n2\n0\n0.3\n"AA"\n0.3\n{end}\n"M"\n'


def texts(folder: Path, seconds: float) -> None:
    folder.mkdir()
    (folder / "long.TextGrid").write_text(TEXTGRID.format(end=seconds))
    (folder / "short.TextGrid").write_text(SHORT.format(end=seconds))
    (folder / "words.txt").write_text("Kids are talking.\n")


def motion(path: Path, head: str = "ada", frames: int = 3) -> None:
    """A few frames of an opening mouth."""
    coeffs = np.zeros((frames, 53), np.float32)
    coeffs[:, 50] = np.linspace(0, 0.2, frames)
    channels = ADA if head == "ada" else FLAME
    pose = np.full((frames, 3), 0.1, np.float32)
    meta = {"command": "animate", "seed": 0, "layers": [], "cleanup": {"smooth": False}}
    write_motion(path, Motion(coeffs=coeffs, fps=25.0, head=head, channels=channels, pose=pose), meta)


def vertices(path: Path, frames: int = 3) -> None:
    """A few frames of a ball of vertices that grows, with its triangles."""
    neutral, faces = sphere(4, 6)
    grown = neutral * np.linspace(1, 1.1, frames, dtype=np.float32)[:, None, None]
    motion_of = VertexMotion(vertices=grown, neutral=neutral, fps=25.0, topology="ball", faces=faces)
    write_motion(path, motion_of, {"command": "animate", "seed": 0})


def data_sets(folder: Path, samples: np.ndarray) -> None:
    """One folder a data set, named as the command that reads it."""
    folder.mkdir()
    own = folder / "folder"
    own.mkdir()
    frames = len(samples) // 640
    for name in ("one", "two"):
        soundfile.write(own / f"{name}.wav", samples, 16_000)
        motion(own / f"{name}.npz", frames=frames)
    np.save(own / "bare.npy", np.full((frames, 56), 0.1, np.float32))
    soundfile.write(own / "bare.wav", samples, 16_000)
    (own / "labels.csv").write_text(
        "id,speaker,emotion,intensity,split\none,anna,happy,0.5,train\ntwo,bob,,,val\n"
    )
    test_mead.write_clip(folder / "mead", "M003_5_3_001")
    test_emote.write_clip(folder / "emote", "M003/front/angry/level_3/001")
    test_emote.write_sound(folder / "emote", "M003/front/angry/level_3/001")
    clip = folder / "diffposetalk"
    test_diffposetalk.write_clip(clip / "FLAME_coeffs/TH050/000.npz", clip / "audio/TH050/000.flac")
    test_artalk.write_clip(folder / "artalk", "a.pt", "a.wav")
    test_affectnet.write_lists(folder / "affectnet", [("1/a.jpg", 1)], [("1/b.jpg", 2)])
    for name in ("a", "b"):
        test_affectnet.write_codes(folder / "affectnet/codes" / name)
    test_beat2.write_clip(folder / "beat2" / test_beat2.ENGLISH, "1_wayne_0_1_1")
    test_beat2.write_splits(folder / "beat2" / test_beat2.ENGLISH, n1_wayne_0_1_1="train")
    at_rest = template(23_370, 0, height=1.0)
    write_files(folder / "biwi", "F2_e01", moving(at_rest, 2), 25, rate_hz=16_000)
    write_pickle(folder / "biwi/templates.pkl", {"F2": at_rest.astype(np.float32)}, 4)
    _live_link(folder / "live-link")
    packed = folder / "packed" / "lmdb"
    packed.mkdir(parents=True)
    (packed / "data.mdb").write_bytes(lzma.decompress((GOLDEN / "lmdb/hdtf_tfhp.mdb.xz").read_bytes()))
    (packed / "train.txt").write_text("TH001/000\nTH001/001\nTH002/000\n")
    _facegood(folder / "facegood", samples)


def _live_link(folder: Path) -> None:
    rows = live_link_tables.table(seconds=1.0, rate=30)
    live_link_tables.save(folder / "take.csv", rows)
    live_link_tables.save_sound(folder / "take.wav", seconds=1.0)


def _facegood(folder: Path, samples: np.ndarray) -> None:
    folder.mkdir()
    names = [f"jaw_thrust_{index}" for index in range(115)] + ["mouth_stretch_c"]
    (folder / "bs_names.txt").write_text("\n".join(names) + "\n")
    (folder / "arkit_map.csv").write_text('arkit,facegood,status\n"jawOpen","","mouth_stretch_c"\n')
    soundfile.write(folder / "1114_2_01.wav", np.tile(samples, 6), 16_000)
    frames = round(6 * len(samples) / 16_000 * 30)
    np.save(folder / "bs_value_1114_2_01.npy", np.full((frames, 116), 0.1))


def zipped(folder: Path) -> bytes:
    """A folder as a zip."""
    return structured.zipped(
        {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    )


def tarred(folder: Path, mode: str = "w:gz") -> bytes:
    import tarfile

    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, arcname="set")
    return file.getvalue()
