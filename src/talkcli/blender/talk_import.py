"""Import a face's curves and its sound into Blender 4 or 5, onto every mesh that has ARKit's shape keys.

blender --background scene.blend --python talk_import.py -- face.csv speech.wav --object Face

The curves come from talk: a motion file (.npz), ARKit's curves (.json), or a CSV of Live Link Face or of
Audio2Face. Shape keys may be spelled jawOpen, JawOpen, blendShape1.jawOpen, eyeBlink_L or Eye Blink Left. The
result is saved as scene.talk.blend. This file needs Blender and nothing else.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bpy

# Full scale of ARKit's jaw shapes on the jaw of talk's motion files, in radians, and the least opening that
# `mouthClose` scales with.
_JAW_OPEN_RAD, _JAW_SIDE_RAD, _SMALL_PITCH_RAD = 0.42, 0.14, 0.02
# Share of `tongueOut` that shows a tongue between the teeth.
_TONGUE_BETWEEN = 0.65
_TIMECODE = re.compile(r"(\d+):(\d+):(\d+)([:;])(\d+(?:\.\d+)?)")
# Rates to which drop-frame timecode counts; its frames come a thousandth slower (29.97).
_DROPPING, _SLOWER = (30, 60, 120), 1000 / 1001
# What the readers raise for damaged files.
_DAMAGED = (
    OSError, ValueError, KeyError, TypeError, IndexError, EOFError, ArithmeticError, RecursionError,
    MemoryError, NotImplementedError, csv.Error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
# Blender's number for straight lines between keys.
_LINEAR = 1
_STRIP = "talk"


class Curves(NamedTuple):
    """Values from 0 to 1 by the name of the curve, and the time of each frame in seconds."""

    times_s: list[float]
    values: dict[str, list[float]]


class ImportProblemError(Exception):
    """What a user can change, in a sentence."""


def read_curves(path: Path, fps: float | None = None) -> Curves:
    """Return the curves of a file; `fps` is the rate of timecodes that do not show it.

    Raises ImportProblemError for any other file, and for a rate that is not above 0.
    """
    if fps is not None and not 0 < fps < math.inf:
        raise ImportProblemError(f"--fps is {fps}, a number above 0 is needed.")
    readers = {".npz": _read_npz, ".json": _read_json, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise ImportProblemError(f"{path} is no .npz, .json or .csv file.")
    try:
        curves = readers[path.suffix.lower()](path, fps)
    except _DAMAGED as error:
        raise ImportProblemError(f"{path} cannot be read: {error}.") from error
    if not curves.times_s or not curves.values:
        raise ImportProblemError(f"{path} holds no curves.")
    if not all(
        math.isfinite(number) for numbers in (curves.times_s, *curves.values.values()) for number in numbers
    ):
        raise ImportProblemError(f"{path} has times or values that are no finite numbers.")
    return curves


def _read_json(path: Path, _fps: float | None) -> Curves:
    document = json.loads(path.read_text(encoding="utf-8"))
    frames = document["frames"]
    values = {
        name: [float(frame["weights"][column]) for frame in frames]
        for column, name in enumerate(document["names"])
    }
    return Curves([float(frame["time"]) for frame in frames], values)


def _read_csv(path: Path, fps: float | None) -> Curves:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    header = [name.strip() for name in rows[0]]
    rows = [row for row in rows[1:] if row]
    at = {name.lower(): column for column, name in enumerate(header)}
    if "timecode" not in at:
        raise ValueError("it has no column Timecode")
    stamps = [row[at["timecode"]] for row in rows]
    times = _clock(stamps, fps) if stamps and ":" in stamps[0] else [float(stamp) for stamp in stamps]
    named = {
        name: column
        for name, column in zip(header, range(len(header)), strict=True)
        if name and name.lower() not in ("timecode", "blendshapecount")
    }
    return Curves(times, {name: [float(row[column]) for row in rows] for name, column in named.items()})


def _clock(stamps: Sequence[str], fps: float | None) -> list[float]:
    """Return the seconds since the first of timecodes HH:MM:SS:FF.

    Frames are counted up to the rate, so that a second that ends within the file shows it. A semicolon before
    the frame marks drop-frame timecode: every minute but each tenth skips rate / 15 numbers at its start.
    """
    parts = []
    marks = set()
    for stamp in stamps:
        found = _TIMECODE.fullmatch(stamp.strip())
        if found is None:
            raise ValueError(f"{stamp!r} is no timecode")
        hours, minutes, seconds, mark, frame = found.groups()
        marks.add(mark)
        parts.append((int(hours) * 3600 + int(minutes) * 60 + int(seconds), float(frame)))
    if len(marks) > 1:
        raise ValueError("it mixes timecodes with and without dropped frames (; and :)")
    if fps is None:
        if parts[0][0] == parts[-1][0]:
            raise ValueError("its timecodes do not show the frame rate; add --fps")
        fps = max(int(frame) for _, frame in parts) + 1
    if ";" in marks:
        rate = round(fps)
        if rate not in _DROPPING:
            raise ValueError(
                f"it counts {rate} frames a second and drops some (;), which only 30, 60 and 120 do"
            )
        dropped = [rate // 15 * (second // 60 - second // 600) for second, _ in parts]
        counted = [second * rate + frame - less for (second, frame), less in zip(parts, dropped, strict=True)]
        times = [count / (rate * _SLOWER) for count in counted]
    else:
        times = [second + frame / fps for second, frame in parts]
    return [time - times[0] for time in times]


def _read_npz(path: Path, _fps: float | None) -> Curves:
    # Blender brings numpy along.
    import numpy as np

    with path.open("rb") as data, np.load(data, allow_pickle=False) as file:
        if "coeffs" not in file:
            raise ValueError("it is no motion file of coefficients")
        coeffs, fps = file["coeffs"].astype(float), float(file["fps"])
        at = dict(zip(map(str, file["channels"]), coeffs.T, strict=True))
    if "jawPitch" not in at or "mouthClose" not in at:
        raise ValueError("it is motion of another head than ada; export it as .json first")
    pitch, yaw, roll = (at.pop(name) for name in ("jawPitch", "jawYaw", "jawRoll"))
    del roll  # ARKit's jaw does not roll.
    opened = np.maximum(pitch, _SMALL_PITCH_RAD) / _JAW_OPEN_RAD
    at["mouthClose"] = np.minimum(at["mouthClose"] + at.pop("lipSeal") * opened, opened)
    at |= {"jawOpen": pitch / _JAW_OPEN_RAD, "jawLeft": yaw / _JAW_SIDE_RAD, "jawRight": -yaw / _JAW_SIDE_RAD}
    if "tongueBetween" in at:
        at["tongueOut"] = np.maximum(at["tongueOut"], _TONGUE_BETWEEN * at.pop("tongueBetween"))
    times = [frame / fps for frame in range(len(coeffs))]
    return Curves(times, {name: np.clip(values, 0.0, 1.0).tolist() for name, values in at.items()})


def plain(name: str) -> str:
    """Return the spelling by which names of curves and of shape keys are compared."""
    name = name.rsplit(".", 1)[-1] if not re.search(r"\.[LR]$", name) else name
    name = re.sub(r"[._ -]?L$", "Left", name) if re.search(r"([._ -]|[a-z])L$", name) else name
    name = re.sub(r"[._ -]?R$", "Right", name) if re.search(r"([._ -]|[a-z])R$", name) else name
    return re.sub(r"[^a-z0-9]", "", name.lower())


def import_curves(
    curves: Curves, *, name: str, first_frame: float, only: Sequence[str] = ()
) -> dict[str, list[str]]:
    """Key the shape keys of every mesh that has some of `curves`, and return their names by mesh.

    Args:
        curves: Curves to import.
        name: Name of the new actions.
        first_frame: Frame of the scene at which the curves begin.
        only: Names of the objects to animate; empty for every mesh with such keys.

    Raises ImportProblemError when no mesh has such keys.
    """
    unknown = [each for each in only if each not in bpy.data.objects]
    if unknown:
        raise ImportProblemError(f"The scene has no object {unknown[0]!r}.")
    chosen = [bpy.data.objects[each] for each in only] or list(bpy.data.objects)
    render = bpy.context.scene.render
    fps = render.fps / render.fps_base
    frames = [first_frame + time * fps for time in curves.times_s]
    by_plain = {plain(curve): values for curve, values in curves.values.items()}
    found: dict[str, list[str]] = {}
    for item in chosen:
        keys = getattr(item.data, "shape_keys", None)
        blocks = [] if keys is None else [block for block in keys.key_blocks if plain(block.name) in by_plain]
        if not blocks:
            continue
        fcurves = _new_action(keys, name)
        for block in blocks:
            path = f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value'
            _add_keys(fcurves.new(path), frames, by_plain[plain(block.name)])
        found[item.name] = [block.name for block in blocks]
    if not found:
        names = ", ".join(sorted(curves.values)[:8])
        raise ImportProblemError(f"No mesh has shape keys of these names: {names}, ...")
    scene = bpy.context.scene
    scene.frame_end = max(scene.frame_end, int(frames[-1] + 0.999))
    return found


def _new_action(keys: Any, name: str) -> Any:
    """Give the shape keys a new action, and return the collection that takes its curves."""
    action = bpy.data.actions.new(name)
    data = keys.animation_data or keys.animation_data_create()
    data.action = action
    if not hasattr(action, "layers"):
        # Blender before 4.4: an action is a list of curves.
        return action.fcurves
    slot = action.slots.new(id_type="KEY", name=keys.name)
    data.action_slot = slot
    strip = action.layers.new("talk").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves


def _add_keys(fcurve: Any, frames: Sequence[float], values: Sequence[float]) -> None:
    points = fcurve.keyframe_points
    points.add(len(frames))
    points.foreach_set("co", [number for both in zip(frames, values, strict=True) for number in both])
    points.foreach_set("interpolation", [_LINEAR] * len(frames))
    fcurve.update()


def import_sound(path: Path, first_frame: float) -> Any:
    """Add a sound strip at `first_frame`, in place of that of an earlier import; playback follows it."""
    if not path.is_file():
        raise ImportProblemError(f"{path} does not exist.")
    scene = bpy.context.scene
    editor = scene.sequence_editor or scene.sequence_editor_create()
    # Before Blender 4.4 strips were called sequences.
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    for strip in [strip for strip in strips if strip.name == _STRIP and strip.type == "SOUND"]:
        strips.remove(strip)
    channel = max((strip.channel for strip in strips), default=0) + 1
    try:
        made = strips.new_sound(_STRIP, str(path.absolute()), channel, round(first_frame))
    except RuntimeError as error:
        raise ImportProblemError(f"Blender cannot read {path}: {str(error).strip()}") from error
    scene.sync_mode = "AUDIO_SYNC"
    return made


def main(arguments: Sequence[str]) -> None:
    """Import what the command line names."""
    parser = argparse.ArgumentParser(prog="talk_import.py", description=__doc__)
    parser.add_argument("curves", type=Path, help=".npz, .json or .csv file")
    parser.add_argument("sound", type=Path, nargs="?", help="sound of the curves")
    parser.add_argument(
        "--object", action="append", default=[], help="mesh to animate; default: all that fit"
    )
    parser.add_argument("--start", type=int, default=1, help="frame at which they begin (default: 1)")
    parser.add_argument("--fps", type=float, help="rate of timecodes in a file shorter than a second")
    parser.add_argument("--save", type=Path, help="file to write; default: NAME.talk.blend beside the scene")
    given = parser.parse_args(arguments)
    curves = read_curves(given.curves, given.fps)
    found = import_curves(curves, name=given.curves.stem, first_frame=given.start, only=given.object)
    for item, names in found.items():
        print(f"{item}: {len(names)} shape keys, {len(curves.times_s)} keys each")
    if given.sound is not None:
        import_sound(given.sound, given.start)
    if given.save is not None or bpy.app.background:
        scene = Path(bpy.data.filepath or "scene.blend")
        target = given.save or scene.with_name(f"{scene.stem}.talk.blend")
        bpy.ops.wm.save_as_mainfile(filepath=str(target.absolute()), copy=True)
        print(target)


if __name__ == "__main__":
    try:
        main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
    except ImportProblemError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
