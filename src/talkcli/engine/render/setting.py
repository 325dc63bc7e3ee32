"""The scene of a shot: the studio, with the look, the camera and the background that were asked for."""

from __future__ import annotations

from talkcli.engine.face.topology import Topology
from talkcli.engine.render.background import with_background
from talkcli.engine.render.framing import framed
from talkcli.engine.render.renderer import Scene
from talkcli.engine.render.shot import Shot
from talkcli.engine.render.studio import VIEWS, studio_scene


def scene_of(topology: Topology, shot: Shot) -> Scene:
    """Return the scene of a head or mesh.

    Raises what `studio_scene`, `framed` and `with_background` raise.
    """
    width, height = shot.size
    scene = studio_scene(topology, yaw_deg=VIEWS[shot.view], look=shot.look)
    scene = framed(scene, topology, camera=shot.camera, zoom=shot.zoom)
    return with_background(scene, shot.background, width, height)
