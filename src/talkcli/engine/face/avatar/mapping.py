"""How an avatar shows ARKit's curves: which shapes and bones it has for them, and what stands in for others.

The rules, in this order, for a curve of ARKit:
1. the shape of that name, of the same side;
2. the shape of both sides, for the mean of both curves; the shapes of two sides, for a curve without sides;
3. the bone of an eye or of the jaw;
4. `mouthOpen` for `jawOpen`; a look of both eyes for the looks of each;
5. for the curves of speech, shapes of visemes, where nothing opens the mouth;
6. an expression of the whole face (happy, angry, sad, surprised) for the curve that makes most of it.
Without a shape for `mouthClose` the jaw opens less, so that lips meet. Axis names: `frames`, `shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.avatar.names import BOTH, LEFT, MOUTH_OPEN, RIGHT, SIDES, STEMS, Meaning
from talkcli.engine.face.avatar.rig import EYES, JAW, LEFT_EYE, RIGHT_EYE, Rig
from talkcli.engine.face.avatar.shapes import Shape, Shapes, Target
from talkcli.engine.face.avatar.vrm import Expression, applied
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.visemes import VISEME_SETS, VisemeSet, viseme_weights

Curves = Mapping[str, Float[np.ndarray, "frames"]]
# Looks to a side by the eyes: of the left one outwards, of the right one inwards.
_LOOKS = {
    LEFT: ("eyeLookOutLeft", "eyeLookInRight"), RIGHT: ("eyeLookInLeft", "eyeLookOutRight"),
}  # fmt: skip
# The expression of VRM that stands in for a stem.
_MOODS = {"mouthSmile": "happy", "mouthFrown": "sad", "browDown": "angry", "browOuterUp": "surprised"}
_FULL_SETS = {"viseme": "oculus", "vowel": "vrm"}
# Fewer visemes than this are no set.
_FEWEST = 3


@dataclass(frozen=True)
class Plan:
    """What moves for each curve of ARKit."""

    shapes: tuple[Shape, ...]
    """Shapes that are set."""
    sources: tuple[Mapping[str, float], ...]
    """For each of `shapes` the curves whose weighted sum it shows; empty for visemes."""
    visemes: VisemeSet | None
    """Set of the shapes of visemes that speak; None where shapes of ARKit do."""
    named: Mapping[str, str]
    """Curve to the shape of the file that was made for it."""
    derived: Mapping[str, str]
    """Curve to what stands in for it, in words."""
    missing: tuple[str, ...]
    eyes: bool
    """Whether the bones of the eyes look."""
    jaw: tuple[str, ...]
    """Curves that the bone of the jaw shows."""
    holds_jaw: bool
    """Whether `mouthClose` keeps the jaw shut, as no shape closes the lips."""
    _columns: Mapping[str, int] = field(default_factory=dict)

    def followed(self, curves: Curves) -> Curves:
        """Return the curves that bones and shapes follow."""
        if not self.holds_jaw:
            return curves
        return {**curves, "jawOpen": np.maximum(curves["jawOpen"] - curves["mouthClose"], 0.0)}

    def weights(self, curves: Curves) -> Float[np.ndarray, "frames shapes"]:
        """Return the weight of each of `shapes`, after the rules of expressions."""
        shown = self.followed(curves)
        found = np.zeros((len(curves["jawOpen"]), len(self.shapes)), np.float32)
        for column, sources in enumerate(self.sources):
            for name, share in sources.items():
                found[:, column] += np.float32(share) * shown[name]
        if self.visemes is not None:
            spoken = viseme_weights(curves, self.visemes)
            for number, name in enumerate(self.visemes.names):
                if name in self._columns:
                    found[:, self._columns[name]] = spoken[:, number]
        found = found.clip(0.0, 1.0)
        worn = [shape.expression or _PLAIN for shape in self.shapes]
        return applied(worn, found) if any(item is not _PLAIN for item in worn) else found

    def targets(self, curves: Curves) -> dict[Target, Float[np.ndarray, "frames"]]:
        """Return the weight from 0 to 1 over time of each morph target that anything moves."""
        weights = self.weights(curves)
        found: dict[Target, Float[np.ndarray, "frames"]] = {}
        for column, shape in enumerate(self.shapes):
            for target, share in shape.moves:
                found[target] = found.get(target, 0.0) + np.float32(share) * weights[:, column]
        return {target: values.clip(0.0, 1.0) for target, values in found.items()}


_PLAIN = Expression(name="", preset=False)


def map_curves(shapes: Shapes, rig: Rig, *, bones_look: bool = True) -> Plan:
    """Return what the avatar does for each curve of ARKit."""
    return _Mapper(shapes, rig, bones_look).mapped()


class _Mapper:
    def __init__(self, shapes: Shapes, rig: Rig, bones_look: bool) -> None:
        self._known, self._bones, self._bones_look = shapes.known, rig.bones, bones_look
        self._used: dict[str, tuple[Shape, dict[str, float]]] = {}
        self._named: dict[str, str] = {}
        self._derived: dict[str, str] = {}

    def mapped(self) -> Plan:
        speaking = self._visemes()
        for stem, sides in STEMS.items():
            for side in sides:
                self._own(stem, side)
        for stem, sides in STEMS.items():
            for side in sides:
                self._stand_in(stem, side)
        eyes, jaw = self._eyes(), self._jaw()
        self._looks()
        self._moods()
        visemes = self._speak(speaking) if "jawOpen" not in self._all() else None
        opened = "jawOpen" in self._all() and visemes is None
        shapes = [shape for shape, _ in self._used.values()]
        holds = opened and "mouthClose" not in self._named and "mouthClose" not in self._derived
        if holds:
            self._derived["mouthClose"] = "jawOpen, which opens less"
        return Plan(
            shapes=tuple(shapes),
            sources=tuple(sources for _, sources in self._used.values()),
            visemes=visemes,
            named=self._named,
            derived=self._derived,
            missing=tuple(name for name in ARKIT if name not in self._all()),
            eyes=eyes,
            jaw=jaw,
            holds_jaw=holds,
            _columns={
                shape.meaning.stem: column
                for column, shape in enumerate(shapes)
                if visemes is not None and shape.meaning is not None and shape.meaning.kind in _FULL_SETS
            },
        )

    def _all(self) -> Mapping[str, str]:
        return self._named | self._derived

    def _use(self, shape: Shape, sources: Mapping[str, float]) -> None:
        self._used.setdefault(shape.name, (shape, {}))[1].update(sources)

    def _shape(self, stem: str, side: str) -> Shape | None:
        return self._known.get(Meaning("arkit", stem, side))

    def _own(self, stem: str, side: str) -> None:
        shape = self._shape(stem, side)
        if shape is not None:
            self._use(shape, {f"{stem}{side}": 1.0})
            self._named[f"{stem}{side}"] = shape.name

    def _stand_in(self, stem: str, side: str) -> None:
        """A shape of both sides for one, or two shapes of a side for a curve without."""
        name = f"{stem}{side}"
        if name in self._named or stem in ("jaw", "mouth"):
            return
        if side:
            other = f"{stem}{LEFT if side == RIGHT else RIGHT}"
            shape = self._shape(stem, BOTH)
            # Where the other side has a shape of its own, that of both would move it twice.
            if shape is not None and other not in self._named:
                self._use(shape, {name: 0.5})
                self._derived[name] = f"{shape.name}, which moves both sides"
            return
        pair = [self._shape(stem, of) for of in SIDES]
        if all(pair):
            for shape in pair:
                assert shape is not None
                self._use(shape, {name: 1.0})
            self._derived[name] = " and ".join(shape.name for shape in pair if shape is not None)
        elif stem == "jawOpen":
            opening = self._shape(MOUTH_OPEN, BOTH)
            if opening is not None:
                self._use(opening, {name: 1.0})
                self._derived[name] = opening.name

    def _eyes(self) -> bool:
        looks = [f"eyeLook{way}{side}" for way in ("Up", "Down", "In", "Out") for side in SIDES]
        # One eye that follows shapes and one that does not would squint.
        if not self._bones_look or any(name in self._all() for name in looks):
            return False
        found = [name in self._bones for name in EYES]
        for name in looks:
            bone = LEFT_EYE if name.endswith(LEFT) else RIGHT_EYE
            if bone in self._bones:
                self._derived[name] = f"bone {bone}"
        return any(found)

    def _jaw(self) -> tuple[str, ...]:
        if JAW not in self._bones or "jawOpen" in self._all():
            return ()
        shown = tuple(name for name in ("jawOpen", "jawLeft", "jawRight") if name not in self._all())
        self._derived |= dict.fromkeys(shown, "bone jaw")
        return shown

    def _looks(self) -> None:
        for side, names in _LOOKS.items():
            shape = self._known.get(Meaning("look", side))
            if shape is not None and not any(name in self._all() for name in names):
                self._use(shape, dict.fromkeys(names, 0.5))
                self._derived |= dict.fromkeys(names, f"{shape.name}, which moves both eyes")

    def _moods(self) -> None:
        for stem, mood in _MOODS.items():
            shape, names = self._known.get(Meaning("mood", mood)), [f"{stem}{side}" for side in SIDES]
            if shape is not None and not any(name in self._all() for name in names):
                self._use(shape, dict.fromkeys(names, 0.5))
                self._derived |= dict.fromkeys(names, f"{shape.name}, which moves the whole face")

    def _visemes(self) -> dict[str, Shape]:
        """Return the shapes of the set of visemes that the avatar has most of."""
        best: dict[str, Shape] = {}
        for kind in _FULL_SETS:
            found = {meaning.stem: shape for meaning, shape in self._known.items() if meaning.kind == kind}
            if len(found) >= _FEWEST and len(found) > len(best):
                best = found
        return best

    def _speak(self, found: Mapping[str, Shape]) -> VisemeSet | None:
        """Let visemes speak: no other shape moves what their poses consist of."""
        if not found:
            return None
        kind = next(iter(found.values())).meaning
        assert kind is not None
        whole = VISEME_SETS[_FULL_SETS[kind.kind]]
        # Of those that the avatar lacks, the others show as much as they can.
        visemes = replace(
            whole,
            shapes={name: pose for name, pose in whole.shapes.items() if name in found or name == whole.rest},
        )
        # A smile is an expression too, and not the sound's alone.
        spoken = [
            name
            for name in ARKIT
            if any(name in pose for pose in visemes.poses.values()) and not name.startswith("mouthSmile")
        ]
        for name, (_, sources) in list(self._used.items()):
            for curve in spoken:
                sources.pop(curve, None)
            if not sources:
                del self._used[name]
        for shape in found.values():
            self._use(shape, {})
        for name in spoken:
            self._named.pop(name, None)
            self._derived[name] = f"{len(found)} visemes"
        return visemes
