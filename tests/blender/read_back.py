"""Runs in a process with `bpy`: builds a scene, imports into it with the script, prints what is in the saved
file as JSON: `read_back.py SCRIPT CURVES SOUND START`.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import bpy

KEYS = ("jawOpen", "blendShape1.MouthClose", "eyeBlink_L", "Eye Blink Right", "mouthSmile.L", "smirk")


def mesh(name: str, keys: tuple[str, ...]) -> None:
    made = bpy.data.meshes.new(name)
    made.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    item = bpy.data.objects.new(name, made)
    bpy.context.collection.objects.link(item)
    if keys:
        item.shape_key_add(name="Basis")
    for key in keys:
        item.shape_key_add(name=key)


def fcurves(keys: bpy.types.Key) -> list[bpy.types.FCurve]:
    action = keys.animation_data.action
    if hasattr(action, "layers") and len(action.layers):
        slot = keys.animation_data.action_slot
        return list(action.layers[0].strips[0].channelbag(slot).fcurves)
    return list(action.fcurves)


def main(script: str, curves: str, sound: str, start: str) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 30
    mesh("Face", KEYS)
    mesh("Teeth", ("JawOpen",))
    mesh("Hat", ())
    sys.argv = [script, "--", curves, sound, "--start", start, "--save", "out.blend"]
    runpy.run_path(script, run_name="__main__")
    # A second import takes the place of the first.
    runpy.run_path(script, run_name="__main__")
    bpy.ops.wm.open_mainfile(filepath=str(Path("out.blend").resolve()))
    scene = bpy.context.scene
    found = {"frame_end": scene.frame_end, "version": list(bpy.app.version), "meshes": {}}
    for item in bpy.data.objects:
        keys = item.data.shape_keys
        if keys is None:
            continue
        found["meshes"][item.name] = {
            fcurve.data_path: [list(point.co) for point in fcurve.keyframe_points] for fcurve in fcurves(keys)
        }
        scene.frame_set(int(start) + 12)
        found["meshes"][item.name]["shown"] = {block.name: block.value for block in keys.key_blocks}
    editor = scene.sequence_editor
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    found["strips"] = [
        [strip.type, strip.frame_start, strip.frame_final_duration, bpy.path.abspath(strip.sound.filepath)]
        for strip in strips
    ]
    Path("found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
