"""Retargeting of a motion file: motion of one head as motion of another (`engine/retarget`)."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.exports.formats import check_distinct, export, format_of, split_suffix
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.arkit import arkit_curves
from talkcli.engine.face.avatar.as_rig import read_avatar_rig
from talkcli.engine.face.channels import ADA, ARKIT, learned, space_name
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import AVATARS, GENERATED, head_file, load_head
from talkcli.engine.face.landmark_file import read_landmarks
from talkcli.engine.face.motion_file import check_channels, check_range, read_any_motion, write_motion
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.face.surface import Surface, topology_of
from talkcli.engine.face.topology import Topology
from talkcli.engine.files import atomic_path, check_file, sha256
from talkcli.engine.origin import carried
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.retarget.convert import (
    ARKIT_NAME,
    Retargeted,
    found_mapping,
    known_source,
    measured,
    retarget,
)
from talkcli.engine.retarget.mapping import Mapping
from talkcli.engine.retarget.mapping_file import SUFFIXES, read_mapping, write_mapping
from talkcli.engine.types import AnyMotion, Motion, Reporter
from talkcli.engine.version import __version__
from talkcli.engine.wording import parameter

# Motion of the target; weights as a table with one row per frame.
MOTION, TABLE = ".npz", ".csv"
# What is reported of a recording: the part that was kept, in seconds, and the whole.
_OF_TAKE = ("start_s", "whole_s")


def retarget_file(
    path: Path,
    outs: Sequence[Path],
    *,
    to: str | None,
    source_head: str | None = None,
    landmarks: Path | None = None,
    mapping: Path | None = None,
    found: Path | None = None,
    reporter: Reporter,
) -> dict[str, Any]:
    """Write the motion of `path` as motion of another head.

    Args:
        path: Motion file, or a CSV of Live Link Face.
        outs: Files: .npz for a motion file, .csv for a table of weights; motion of ada and ARKit's curves
            also in the formats of talk export, whose .csv is that of Live Link Face.
        to: Target: "arkit", the name of a head, or a head's file. None with a `mapping`, whose targets are
            then all that is known of the target.
        source_head: Head of the source: a name or a file; None for the motion's own.
        landmarks: File with the landmarks of the target, for a rig whose file has none.
        mapping: Mapping to use as it is; None finds the motion by names and landmarks.
        found: File for the mapping that talk finds, for the user to edit.
        reporter: Receiver of notes, warnings and progress.

    Returns:
        The outputs, what was kept, and the settings, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    _check(path, outs, to, source_head, landmarks, mapping, found)
    motion, meta = _read(path, reporter)
    if found is not None and not isinstance(motion, Motion):
        raise InputError(f"{path} holds vertices, and a mapping takes channels: leave `write_mapping` out.")
    source = known_source(motion) if source_head is None or source_head in GENERATED else motion
    to = ARKIT_NAME if _is_arkit(to) else to
    target = None if to in (None, ARKIT_NAME) else _target(str(to), landmarks, reporter)
    report: dict[str, Any] = {"kept": None, **{key: meta[key] for key in _OF_TAKE if key in meta}}
    if mapping is not None:
        given = read_mapping(mapping)
        moved = _mapped(motion, source, given, to, target)
        report |= {"how": "mapping", "mapping_source": given.origin or None}
        _check_formats(outs, moved)
        if target is not None:
            # Nobody needs landmarks for a mapping; without them nothing is measured.
            with contextlib.suppress(AssetError):
                told = measured(Surface(source, _moved_by(source, source_head)), target, moved)
                report |= {"kept": told.document(), "lines": told.lines()}
    else:
        surface = Surface(source, _moved_by(source, source_head))
        if target is not None:
            # The solver takes a while.
            _check_motion_files(outs, target.channels)
        _check_landmarks(surface.topology, target)
        made: Retargeted = retarget(surface, target, reporter)
        moved = made.motion
        report["how"] = made.how
        if made.kept is not None:
            report |= {"kept": made.kept.document(), "lines": made.kept.lines()}
        _check_formats(outs, moved)
        if found is not None:
            assert isinstance(surface.topology, Head)
            write_mapping(found, found_mapping(surface.topology, target, _origin(surface.topology, to)))
    written = {
        **carried(meta),
        "command": "retarget",
        "talk": __version__,
        "motion_sha256": sha256(path),
        "how": report["how"],
        "mapping_sha256": sha256(mapping) if mapping else None,
        "mapping_source": report.get("mapping_source"),
        "kept": report["kept"],
        "motion": meta,
    }
    for out in outs:
        _write(out, moved, written, reporter)
    outputs = [*outs, *([found] if found else [])]
    return {
        "outputs": [str(out) for out in outputs],
        "frames": moved.num_frames,
        "fps": moved.fps,
        "head": moved.head,
        "channels": list(moved.channels),
        **report,
    }


def _check(
    path: Path,
    outs: Sequence[Path],
    to: str | None,
    source_head: str | None,
    landmarks: Path | None,
    mapping: Path | None,
    found: Path | None,
) -> None:
    """Raise UsageError for parameters that contradict each other, and for outputs that cannot be written."""
    if to is None and mapping is None:
        raise UsageError("`to` is missing: which head is meant?", hint="For example `to=arkit`.")
    if landmarks is not None and (to is None or _is_arkit(to)):
        raise UsageError(f"{to or 'A mapping'} needs no landmarks: leave `landmarks` out.")
    if mapping is not None and found is not None:
        raise UsageError(
            "`mapping` is used as it is, so that there is none to find: leave `write_mapping` out."
        )
    if not outs and found is None:
        raise UsageError("`out` is missing: where should the motion go?")
    if found is not None and found.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{parameter('write_mapping', found)} ends neither in .csv nor in .npz.")
    for out in [*outs, *([found] if found else [])]:
        check_file(out)
    files = [head_file(name) for name in (to, source_head) if name]
    check_distinct([*outs, *([found] if found else [])], [path, landmarks, mapping, *files])


def _check_formats(outs: Sequence[Path], motion: Motion) -> None:
    """Raise UsageError for the first of `outs` whose format cannot hold `motion`, and InputError for motion
    that talk would refuse.
    """
    for out in outs:
        if split_suffix(out)[1].lower() not in (MOTION, TABLE) and not _holds(out, motion):
            raise UsageError(
                f"{parameter('out', out)}: motion of {motion.head} becomes a {MOTION}, or a table ({TABLE}).",
                hint="talk export writes further formats of motion for ada.",
            )
    _check_motion_files(outs, motion.channels, motion)


def _holds(out: Path, motion: Motion) -> bool:
    """Return whether the format of `out` is one for `motion`; ARKit's curves go where motion of ada goes."""
    shown = known_source(motion)
    suffix = split_suffix(out)[1].lower()
    if suffix in (MOTION, "") or not isinstance(shown, Motion):
        return False
    return format_of(out).space == space_name(shown.head, shown.channels)


def _check_motion_files(outs: Sequence[Path], channels: Sequence[str], motion: Motion | None = None) -> None:
    """Raise InputError for names, and for numbers of `motion`, that talk would refuse in motion files."""
    for out in outs:
        if split_suffix(out)[1].lower() == MOTION:
            try:
                check_channels(out, channels)
                if motion is not None:
                    check_range(out, motion)
            except InputError as error:
                raise InputError(error.problem, hint=f"Write a table: {out.with_suffix(TABLE)}.") from error


def _check_landmarks(source: Topology, target: Head | None) -> None:
    """Raise InputError where nobody knows the landmarks that a motion is retargeted by."""
    by_names = isinstance(target, ShapeRig) and target.landmark_vertices is None
    if isinstance(source, ShapeRig) and source.landmark_vertices is None and not by_names:
        raise InputError(
            f"Nobody knows the landmarks of {source.name}, which the motion moves.",
            hint="Write them into a rig (.npz) as `landmarks` (docs/retarget.md), or give a `mapping`.",
        )


def _is_arkit(name: str | None) -> bool:
    return name is not None and name.lower() == ARKIT_NAME


def _read(path: Path, reporter: Reporter) -> tuple[AnyMotion, dict[str, Any]]:
    """Return the motion and what is known of it; tells what was odd about a recording."""
    if path.suffix.lower() != TABLE:
        return read_any_motion(path)
    take = read_take(path)
    for remark in take.remarks.values():
        reporter.warn(f"{path}: {remark}")
    return take.motion, {"file": path.name, "start_s": take.start_s, "whole_s": take.whole_s}


def _moved_by(motion: AnyMotion, named: str | None) -> Topology:
    """Return the head, or the mesh, that `motion` moves; an avatar is all its morph targets."""
    name = named or (motion.head if isinstance(motion, Motion) else None)
    if name is not None and isinstance(motion, Motion) and Path(name).suffix.lower() in AVATARS:
        return read_avatar_rig(Path(name))
    return topology_of(motion, named)


def _target(name: str, landmarks: Path | None, reporter: Reporter) -> Head:
    """Return the target head, with the landmarks that the user gives; an avatar is all its morph targets.

    Raises UsageError where a head has landmarks of its own.
    """
    is_avatar = Path(name).suffix.lower() in AVATARS
    head = read_avatar_rig(Path(name)) if is_avatar else load_head(name)
    if landmarks is not None:
        if not isinstance(head, ShapeRig):
            raise UsageError(f"{name} has landmarks of its own: leave `landmarks` out.")
        return head.with_landmarks(read_landmarks(landmarks, head.template))
    if isinstance(head, ShapeRig) and head.landmark_vertices is None:
        reporter.warn(
            f"Nobody knows the landmarks of {name}: names of shapes alone decide, and closures are not "
            "looked after. Give `landmarks`."
        )
    return head


def _write(out: Path, motion: Motion, meta: dict[str, Any], reporter: Reporter) -> None:
    if split_suffix(out)[1].lower() == MOTION:
        write_motion(out, motion, meta)
    elif _holds(out, motion):
        shown = known_source(motion)
        export(out, Piece(motion=shown, meta=meta, reporter=reporter))
    else:
        _write_table(out, motion)


def _mapped(
    motion: AnyMotion, source: AnyMotion, mapping: Mapping, to: str | None, target: Head | None
) -> Motion:
    """Return the motion that `mapping` makes. Raises InputError where names do not fit."""
    if not isinstance(motion, Motion) or not isinstance(source, Motion):
        raise InputError("A mapping takes channels, but the motion has vertices.")
    # ARKit's weights have been turned into ada's channels, and a mapping may name either.
    chosen = motion if set(mapping.sources) <= set(motion.channels) else source
    coeffs, names = chosen.coeffs, chosen.channels
    if learned(names) == ADA and not set(mapping.sources) <= set(names):
        # The same motion in names of ARKit, as the source of many sheets.
        curves = arkit_curves(coeffs, names)
        if set(mapping.sources) <= set(curves):
            coeffs, names = np.stack([curves[name] for name in ARKIT], axis=1), ARKIT
    values = mapping.apply(coeffs, names)
    if not np.isfinite(values).all():
        raise InputError("The mapping makes values that are not finite numbers.")
    channels = mapping.targets
    known = ARKIT if _is_arkit(to) else None if target is None else target.channels
    if known is not None:
        missing = [name for name in channels if name not in known]
        if missing:
            raise InputError(f"The mapping names {missing[0]}, which {to} does not have.")
        whole = np.zeros((len(values), len(known)), np.float32)
        whole[:, [known.index(name) for name in channels]] = values
        values, channels = whole, known
    return Motion(coeffs=values, fps=motion.fps, head=to or "mapped", channels=channels, pose=motion.pose)


def _origin(source: Head, to: str | None) -> str:
    return f"talk {__version__}, found between the landmarks of {Path(source.name).name} and {to}"


def _write_table(path: Path, motion: Motion) -> None:
    """Write weights with one row per frame, and its time in seconds."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["time_s", *motion.channels])
    for frame, values in enumerate(motion.coeffs):
        table.writerow([f"{frame / motion.fps:.6f}", *(f"{value:.6f}" for value in values)])
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
