"""Draws the heads on one page: three views of each, then the emotions and every channel of ada.

python examples/contact_sheet.py [docs/ada.png]
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, JAW_OPEN_RAD, JAW_SIDE_RAD, TONGUE
from talkcli.engine.face.expressions import EMOTION_POSES, pose_vector
from talkcli.engine.face.heads import GENERATED
from talkcli.engine.render.renderer import Camera
from talkcli.engine.render.software import SoftwareRenderer
from talkcli.engine.render.studio import VIEWS, studio_scene

WIDTH = 1440
CHANNELS = (*ADA, *TONGUE)
EMOTIONS = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise", "contempt")
# Full scale of the channels that are angles.
FULL = {"jawPitch": JAW_OPEN_RAD, "jawYaw": JAW_SIDE_RAD, "jawRoll": 0.1}
# Channels that do something only on an open mouth are shown on one.
ALSO = {
    "mouthClose": {"jawPitch": JAW_OPEN_RAD},
    "lipSeal": {"jawPitch": 0.2},
    "tongueOut": {"jawPitch": 0.2},
    "tongueTipUp": {"jawPitch": 0.12, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3},
    "tongueBetween": {"jawPitch": 0.08, "mouthLowerDownLeft": 0.3, "mouthLowerDownRight": 0.3},
    "tongueBackUp": {"jawPitch": 0.2},
}
# Close-ups: target in metres, field height in metres.
MOUTH, EYES, FACE = ((0.0, -0.068, 0.06), 0.125), ((0.0, 0.008, 0.06), 0.125), ((0.0, -0.035, 0.04), 0.2)


def close_up(name: str) -> tuple[tuple[float, float, float], float]:
    """Which part of the face a channel moves."""
    if name.startswith(("eye", "brow")):
        return EYES
    return MOUTH if name.startswith(("mouth", "jaw", "lip", "tongue")) else FACE


class Studio:
    """One renderer for each framing, made when first needed."""

    def __init__(self, head: AdaHead) -> None:
        self.head = head
        self.renderers: dict[object, SoftwareRenderer] = {}

    def picture(
        self,
        pose: Mapping[str, float],
        label: str,
        size: int,
        yaw_deg: float = 0.0,
        framing: tuple[tuple[float, float, float], float] | None = None,
    ) -> Image.Image:
        """The head in `pose`, labelled."""
        key = (size, yaw_deg, framing)
        if key not in self.renderers:
            scene = studio_scene(self.head, yaw_deg=yaw_deg)
            if framing is not None:
                target, height = framing
                distance = height / 2 / math.tan(math.radians(scene.camera.fov_deg) / 2)
                yaw = math.radians(yaw_deg)
                ahead = np.array([math.sin(yaw), 0.0, math.cos(yaw)])
                x, y, z = (float(value) for value in np.array(target) + distance * ahead)
                scene = replace(
                    scene, camera=Camera(eye=(x, y, z), target=target, fov_deg=scene.camera.fov_deg)
                )
            self.renderers[key] = SoftwareRenderer(scene, size, size)
        coeffs = torch.from_numpy(pose_vector(CHANNELS, pose))[None]
        image = Image.fromarray(self.renderers[key].render(self.head(coeffs)[0].numpy()))
        font = ImageFont.load_default(size=max(11, size // 22))
        draw = ImageDraw.Draw(image)
        left, top, right, bottom = draw.textbbox((6, 3), label, font=font)
        draw.rectangle((left - 6, 0, right + 5, bottom + top), fill=(14, 15, 18))
        draw.text((6, 3), label, fill=(235, 230, 220), font=font)
        return image


def rows(studio: Studio) -> Iterator[list[Image.Image]]:
    """The page from top to bottom."""
    for name in GENERATED:
        other = studio if name == studio.head.name else Studio(AdaHead.load(name))
        yield [other.picture({}, f"{name}, {view}", WIDTH // 3, yaw_deg=yaw) for view, yaw in VIEWS.items()]
    for first in (0, 4):
        yield [
            studio.picture(EMOTION_POSES[name], name, WIDTH // 4, 12.0, ((0.0, -0.02, 0.02), 0.25))
            for name in EMOTIONS[first : first + 4]
        ]
    for first in range(0, len(CHANNELS), 9):
        yield [
            studio.picture(
                {**ALSO.get(name, {}), name: FULL.get(name, 1.0)}, name, WIDTH // 9, framing=close_up(name)
            )
            for name in CHANNELS[first : first + 9]
        ]


def main(target: Path) -> None:
    """Write the sheet."""
    drawn = list(rows(Studio(AdaHead.load())))
    page = Image.new("RGB", (WIDTH, sum(row[0].height for row in drawn)), (14, 15, 18))
    y = 0
    for row in drawn:
        for column, image in enumerate(row):
            page.paste(image, (column * image.width, y))
        y += row[0].height
    target.parent.mkdir(parents=True, exist_ok=True)
    page.save(target, optimize=True)
    print(f"wrote {target}")


if __name__ == "__main__":
    main(
        Path(sys.argv[1])
        if len(sys.argv) > 1
        else Path(__file__).resolve().parent.parent / "docs" / "ada.png"
    )
