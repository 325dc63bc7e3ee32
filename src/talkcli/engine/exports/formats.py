"""Catalogue of the output formats, by the suffix of the output's name.

To add a format, write its file beside this one and add its row here: `talk animate`, `talk export`, `talk
render` and the Python interface find it by the suffix. Rows hold strings only, so that checking a name
imports no writer. A suffix may have several parts (`.rhubarb.json`): of all that a name ends in, the longest
decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.piece import SOUND_BESIDE, Piece
from talkcli.engine.face.channels import space_name
from talkcli.engine.face.topology import Topology
from talkcli.engine.files import check_file, real_path
from talkcli.engine.methods import resolve
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import MotionSpace, Reporter
from talkcli.engine.wording import parameter


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row of the catalogue. Functions are written as `module:function`."""

    write: str
    """Function that writes a piece: `write(out, piece)`. It leaves the whole output or nothing."""
    write_all: str | None = None
    """Function that writes all takes into one output, `write_all(out, pieces)`; None: each has its own."""
    write_head: str | None = None
    """Function that writes a head without motion, `write_head(out, head)`; None: the format needs motion."""
    check: str | None = None
    """Function that refuses an output before any work: `check(out, shot, overwrite)`. None accepts any file
    name."""
    fits: str | None = None
    """Function that refuses motion and heads that the format cannot hold, beyond `space`: `fits(out, space,
    fps, topology)`, with None for a topology that nobody knows yet."""
    drawn: bool = False
    """Whether the format shows pictures; it then needs a head or a mesh to draw."""
    surface: bool = False
    """Whether the format holds vertices; it then needs the head or the mesh that the motion moves."""
    sound: bool = False
    """Whether the format contains the speech, or says something of it."""
    sound_beside: bool = False
    """Whether the speech goes into a wav file beside the output (`exports/sound_beside.py`)."""
    phones: bool = False
    """Whether the phones of the motion make a difference to the format."""
    space: str | None = None
    """The only motion that the format can hold: `ada` or `flame`; None for any."""
    folder: bool = False
    """Whether the output is a folder, with one file per frame."""


_EXPORTS = "talkcli.engine.exports"
# Keys of the formats below.
MOTION, VIDEO, FRAMES = ".npz", ".mp4", "folder"
# Name of the format that has no suffix.
_FRAMES_NAME = "frames"


def _film(container: str) -> Format:
    return Format(
        write=f"{_EXPORTS}.video:write",
        check=f"{_EXPORTS}.video:check",
        drawn=True,
        sound=container != ".gif",
    )


def _curves(module: str, *, phones: bool = False) -> Format:
    """Return the row of a format that holds ARKit's curves."""
    return Format(write=f"{_EXPORTS}.{module}:write", space="ada", phones=phones)


def _visemes(module: str, function: str) -> Format:
    return Format(write=f"{_EXPORTS}.{module}:{function}", space="ada", sound=True, phones=True)


def _meshes(function: str) -> Format:
    return Format(
        write=f"{_EXPORTS}.meshes:{function}", check=f"{_EXPORTS}.meshes:check", surface=True, folder=True
    )


def _usd(*, sound_beside: bool = True) -> Format:
    return Format(
        write=f"{_EXPORTS}.usd.write:write",
        check=f"{_EXPORTS}.usd.write:check",
        surface=True,
        sound=True,
        sound_beside=sound_beside,
    )


# Formats by suffix in lower case. `FRAMES` stands for a name without a suffix, and for an existing folder.
FORMATS: dict[str, Format] = {
    MOTION: Format(write=f"{_EXPORTS}.motion:write", phones=True),
    VIDEO: _film(".mp4"),
    ".webm": _film(".webm"),
    ".mov": _film(".mov"),
    ".gif": _film(".gif"),
    ".csv": replace(_curves("live_link"), fits=f"{_EXPORTS}.live_link:fits"),
    ".a2f.csv": _curves("a2f"),
    ".json": _curves("arkit_json"),
    ".vrma": _curves("vrma", phones=True),
    ".oculus.json": _visemes("visemes", "write_oculus_json"),
    ".oculus.csv": _visemes("visemes", "write_oculus_csv"),
    ".vrm.json": _visemes("visemes", "write_vrm_json"),
    ".vrm.csv": _visemes("visemes", "write_vrm_csv"),
    ".microsoft.json": _visemes("visemes", "write_microsoft_json"),
    ".microsoft.csv": _visemes("visemes", "write_microsoft_csv"),
    ".rhubarb.json": _visemes("rhubarb", "write_json"),
    ".rhubarb.tsv": _visemes("rhubarb", "write_tsv"),
    ".flame.npz": Format(write=f"{_EXPORTS}.flame_npz:write", space="flame"),
    ".obj": _meshes("write_obj"),
    ".ply": _meshes("write_ply"),
    ".pc2": Format(write=f"{_EXPORTS}.point_cache:write_pc2", surface=True),
    ".glb": Format(
        write=f"{_EXPORTS}.glb:write",
        write_head=f"{_EXPORTS}.glb:write_head",
        fits=f"{_EXPORTS}.rig.of_head:fits",
        surface=True,
        sound=True,
        sound_beside=True,
    ),
    ".html": Format(
        write=f"{_EXPORTS}.html:write",
        write_all=f"{_EXPORTS}.html:write_all",
        check=f"{_EXPORTS}.html:check",
        fits=f"{_EXPORTS}.rig.of_head:fits",
        surface=True,
        sound=True,
    ),
    ".usd": _usd(),
    ".usda": _usd(),
    ".usdc": _usd(),
    ".usdz": _usd(sound_beside=False),
    ".mdd": Format(write=f"{_EXPORTS}.point_cache:write_mdd", surface=True),
    ".vrm": Format(
        write=f"{_EXPORTS}.avatar:write",
        fits=f"{_EXPORTS}.avatar:fits",
        surface=True,
        sound=True,
        sound_beside=True,
        space="ada",
    ),
    FRAMES: Format(
        write=f"{_EXPORTS}.frames:write", check=f"{_EXPORTS}.frames:check", drawn=True, folder=True
    ),
}

# Pictures of a whole motion, which options of their own ask for, whatever the name of the file.
PLOT = Format(write=f"{_EXPORTS}.plot:write", check=f"{_EXPORTS}.plot:check", sound=True)
SHEET = Format(write=f"{_EXPORTS}.sheet:write", check=f"{_EXPORTS}.sheet:check", drawn=True)


def split_suffix(out: Path) -> tuple[str, str]:
    """Return the name of `out` before its suffix, and the suffix as it is written: the longest in `FORMATS`,
    else what `Path.suffix` says.
    """
    name = out.name
    known = [suffix for suffix in FORMATS if name.lower().endswith(suffix) and len(name) > len(suffix)]
    length = len(max(known, key=len)) if known else len(out.suffix)
    return name[: len(name) - length], name[len(name) - length :]


def take_path(out: Path, take: int, takes: int) -> Path:
    """Return the output of a take: `out` itself where there is one take, or one file for all."""
    stem, suffix = split_suffix(out)
    row = FORMATS.get(suffix.lower())
    if takes == 1 or (row is not None and row.write_all):
        return out
    # Enough digits that names in alphabetical order are in the order of takes.
    digits = max(2, len(str(takes)))
    return out.with_name(f"{stem}.take{take + 1:0{digits}d}{suffix}")


def format_of(out: Path, *, drawn: bool = False) -> Format:
    """Return the format of `out`; with `drawn`, of the formats that show pictures only.

    Raises UsageError when no such format has the suffix of `out`.
    """
    known = {suffix: row for suffix, row in FORMATS.items() if row.drawn or not drawn}
    suffix = split_suffix(out)[1]
    if suffix.lower() in known:
        return known[suffix.lower()]
    if suffix and not out.is_dir():
        endings = ", ".join(name for name in known if name != FRAMES)
        raise UsageError(
            f"{parameter('out', out)}: {suffix} files cannot be written{' here' if drawn else ''}.",
            hint=f"Use a name that ends in one of {endings}, or a folder for PNG frames.",
        )
    return known[FRAMES]


def format_named(name: str) -> str:
    """Return what the name of an output in the format `name` ends in: a suffix, or nothing for a folder.

    Names are suffixes without their first dot, in any case, and `frames` for a folder of PNG frames. Raises
    UsageError for any other.
    """
    suffix = f".{name.strip().lower().removeprefix('.')}"
    if suffix in FORMATS:
        return suffix
    if suffix == f".{_FRAMES_NAME}":
        return ""
    known = [key.removeprefix(".") for key in FORMATS if key != FRAMES]
    raise UsageError(
        f"{parameter('format', name)} is unknown.", hint=f"There is {', '.join([*known, _FRAMES_NAME])}."
    )


def check_output(
    out: Path, row: Format | None = None, *, shot: Shot, overwrite: bool = False, drawn: bool = False
) -> None:
    """Raise UsageError or InputError when `out` cannot be written; the check comes before any work.

    Args:
        out: File or folder to write.
        row: Its format; None for that of its name.
        shot: What the pictures show, and how.
        overwrite: Whether to replace the frames in a folder.
        drawn: Accept only formats that show pictures.
    """
    if str(out) == "-":
        raise UsageError(
            "`out=-`: pictures and motion are not written to stdout.",
            hint="Give the name of a file.",
        )
    row = row or format_of(out, drawn=drawn)
    if row.check is None:
        check_file(out)
    else:
        resolve(row.check)(out, shot, overwrite)


def check_space(outs: Iterable[Path], space: MotionSpace) -> None:
    """Raise UsageError for the first of `outs` whose format cannot hold motion of `space`."""
    name = f"vertices of {space.name}" if space.num_verts else space_name(space.name, space.channels)
    for out in outs:
        wanted = format_of(out).space
        if wanted is not None and wanted != name:
            raise UsageError(
                f"{parameter('out', out)}: {split_suffix(out)[1]} files hold motion of {wanted}, but this is "
                f"motion of {name}.",
                hint="talk retarget moves motion from one head to another.",
            )


def check_motion(outs: Sequence[Path], space: MotionSpace, fps: float, topology: Topology | None) -> None:
    """Raise UsageError for the first of `outs` whose format cannot hold motion of `space` at `fps` frames per
    second on `topology`, None for one that nobody knows yet; beyond what `check_space` finds.
    """
    for out in outs:
        row = format_of(out)
        if row.fits is not None:
            resolve(row.fits)(out, space, fps, topology)


def needs_head(outs: Iterable[Path]) -> list[Path]:
    """Return those of `outs` that show pictures or hold vertices, which only a head or a mesh has."""
    return [out for out in outs if format_of(out).drawn or format_of(out).surface]


def check_distinct(
    outs: Sequence[Path], inputs: Sequence[Path | None], *, speech: Path | None = None
) -> None:
    """Raise UsageError when an output is given twice, or would replace a file of `inputs`; so would the sound
    beside an output, which is written where there is `speech`, but never over the speech itself.
    """
    read = {real_path(path) for path in inputs if path and path.is_file()}
    seen: set[Path] = set()
    for out in outs:
        real = real_path(out)
        if real in read:
            raise UsageError(
                f"{parameter('out', out)} is also read, and writing would replace it.",
                hint="Give another `out`.",
            )
        row = FORMATS.get(split_suffix(out)[1].lower())
        if row is not None and row.sound_beside and speech is not None:
            sound = out.with_suffix(SOUND_BESIDE)
            if real_path(sound) in read - {real_path(speech)}:
                raise UsageError(
                    f"{parameter('out', out)}: its sound goes into {sound}, which is also read.",
                    hint="Give another `out`.",
                )
        if real in seen:
            raise UsageError(f"{parameter('out', out)} is given twice.")
        seen.add(real)


def note_folders(outs: Sequence[Path], reporter: Reporter) -> None:
    """Note which of `outs` become folders, since the user may have meant a file."""
    for out in outs:
        if not out.suffix and not out.exists():
            reporter.note(f"{out} becomes a folder of PNG frames; a video's name ends in {VIDEO}.")
        elif format_of(out).folder and not out.exists():
            reporter.note(f"{out} becomes a folder with one file per frame.")


def export(out: Path, piece: Piece, row: Format | None = None) -> None:
    """Write `piece` to `out` in the format `row`; None for that of its name.

    Raises UsageError, InputError or TalkError when it cannot; then no partial output is left.
    """
    row = row or format_of(out)
    check_output(out, row, shot=piece.shot, overwrite=piece.overwrite)
    resolve(row.write)(out, piece)


def export_all(out: Path, pieces: Sequence[Piece]) -> None:
    """Write all takes of `pieces` to `out`, whose format has `write_all`; raises what `export` does."""
    row = format_of(out)
    check_output(out, row, shot=pieces[0].shot, overwrite=pieces[0].overwrite)
    assert row.write_all is not None
    resolve(row.write_all)(out, pieces)
