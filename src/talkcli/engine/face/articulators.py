"""The moving parts of a mouth by the channels of ada that move them; names without a side stand for both."""

from __future__ import annotations

from talkcli.engine.face.channels import ADA

# Channels that move together, because one set of muscles moves them.
ARTICULATORS: dict[str, tuple[str, ...]] = {
    "jaw": ("jawPitch", "jawForward"),
    "round": ("mouthFunnel", "mouthPucker"),
    "spread": ("mouthStretch", "mouthSmile", "mouthDimple"),
    "part": ("mouthLowerDown", "mouthUpperUp"),
    "press": ("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPress"),
    "tongue": ("tongueOut",),
}


def columns(name: str) -> tuple[int, ...]:
    """Return where `name` stands in ada's 53 numbers: one column, or the left and the right one."""
    if name in ADA:
        return (ADA.index(name),)
    return ADA.index(f"{name}Left"), ADA.index(f"{name}Right")
