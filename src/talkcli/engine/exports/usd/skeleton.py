"""A rig in USD: a skeleton, a mesh bound to it with blend shapes, and an animation of both.

Axis names: `frames`, `verts`, `joints`, `targets`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.exports.rig.rig import Joint, Moves, Rig, Target, influences
from talkcli.engine.exports.usd.library import pxr
from talkcli.engine.exports.usd.mesh import add_mesh, vectors

# Joints that may move one vertex.


def add_rig(stage: Any, path: str, rig: Rig, moves: Moves) -> Any:
    """Add `rig`, moved by `moves`, to `stage`, and return the prim that holds everything."""
    skel = pxr("UsdSkel")
    root = skel.Root.Define(stage, path)
    mesh = add_mesh(stage, f"{path}/mesh", rig.topology)
    skeleton = _add_skeleton(stage, f"{path}/skeleton", rig.joints)
    animation = _add_animation(stage, f"{path}/animation", rig, moves)
    skel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    binding = skel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(pxr("Gf").Matrix4d(1.0))
    _bind_joints(binding, rig.shares)
    pxr("UsdGeom").Scope.Define(stage, f"{path}/mesh/targets")
    shapes = [_add_target(stage, f"{mesh.GetPath()}/targets/{item.name}", item) for item in rig.targets]
    binding.CreateBlendShapesAttr([target.name for target in rig.targets])
    binding.CreateBlendShapeTargetsRel().SetTargets([shape.GetPath() for shape in shapes])
    # The box around everything that moves: the head may turn about any point within it.
    low, high = rig.topology.template.min(axis=0), rig.topology.template.max(axis=0)
    margin = np.linalg.norm(high - low) / 2
    root.CreateExtentAttr(vectors(np.stack([low - margin, high + margin])))
    root.GetPrim().SetCustomDataByKey("licence", rig.licence)
    return root.GetPrim()


def paths_of(joints: tuple[Joint, ...]) -> list[str]:
    """Return the path of each joint, as skeletons name them."""
    paths: list[str] = []
    for joint in joints:
        paths.append(joint.name if joint.parent is None else f"{paths[joint.parent]}/{joint.name}")
    return paths


def _steps(joints: tuple[Joint, ...]) -> Float[np.ndarray, "joints 3"]:
    """Return the place of each joint at rest, relative to its parent's."""
    return np.stack(
        [joint.place - (0.0 if joint.parent is None else joints[joint.parent].place) for joint in joints]
    )


def _add_skeleton(stage: Any, path: str, joints: tuple[Joint, ...]) -> Any:
    skel, gf = pxr("UsdSkel"), pxr("Gf")

    def moved(place: np.ndarray) -> Any:
        return gf.Matrix4d(1.0).SetTranslate(gf.Vec3d(*map(float, place)))

    skeleton = skel.Skeleton.Define(stage, path)
    skeleton.CreateJointsAttr(paths_of(joints))
    skeleton.CreateBindTransformsAttr([moved(joint.place) for joint in joints])
    skeleton.CreateRestTransformsAttr([moved(step) for step in _steps(joints)])
    return skeleton


def _bind_joints(binding: Any, shares: Float[np.ndarray, "verts joints"]) -> None:
    """Bind each vertex to the joints that move it most."""
    vt = pxr("Vt")
    joints, kept = influences(shares)
    most = joints.shape[1]
    binding.CreateJointIndicesPrimvar(constant=False, elementSize=most).Set(
        vt.IntArray.FromNumpy(joints.astype(np.int32).ravel())
    )
    binding.CreateJointWeightsPrimvar(constant=False, elementSize=most).Set(
        vt.FloatArray.FromNumpy(kept.ravel())
    )


def _add_target(stage: Any, path: str, target: Target) -> Any:
    """Add a blend shape, whose displacements and changes of normals share their points."""
    skel, vt = pxr("UsdSkel"), pxr("Vt")
    points = np.union1d(target.rows, target.bent)
    steps, bends = np.zeros((2, len(points), 3), np.float32)
    steps[np.searchsorted(points, target.rows)] = target.steps
    bends[np.searchsorted(points, target.bent)] = target.bends
    shape = skel.BlendShape.Define(stage, path)
    shape.CreatePointIndicesAttr(vt.IntArray.FromNumpy(points.astype(np.int32)))
    shape.CreateOffsetsAttr(vectors(steps))
    shape.CreateNormalOffsetsAttr(vectors(bends))
    return shape


def _add_animation(stage: Any, path: str, rig: Rig, moves: Moves) -> Any:
    skel, gf, vt = map(pxr, ("UsdSkel", "Gf", "Vt"))
    animation = skel.Animation.Define(stage, path)
    animation.CreateJointsAttr(paths_of(rig.joints))
    animation.CreateBlendShapesAttr([target.name for target in rig.targets])
    steps = _steps(rig.joints)
    places = np.repeat(steps[None], moves.num_frames, axis=0)
    for joint, moved in moves.places.items():
        places[:, joint] = moved
    turns = np.tile([1.0, 0.0, 0.0, 0.0], (moves.num_frames, len(rig.joints), 1))
    for joint, turned in moves.turns.items():
        turns[:, joint] = turned
    weights, rotations = animation.CreateBlendShapeWeightsAttr(), animation.CreateRotationsAttr()
    translations = animation.CreateTranslationsAttr()
    animation.CreateScalesAttr(vt.Vec3hArray(len(rig.joints), gf.Vec3h(1)))
    if not moves.places:
        translations.Set(vectors(steps))
    for frame in range(moves.num_frames):
        values = np.ascontiguousarray(moves.weights[frame], np.float32)
        weights.Set(vt.FloatArray.FromNumpy(values), frame)
        rotations.Set([gf.Quatf(*map(float, turn)) for turn in turns[frame]], frame)
        if moves.places:
            translations.Set(vectors(places[frame]), frame)
    return animation
