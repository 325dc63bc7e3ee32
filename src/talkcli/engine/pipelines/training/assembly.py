"""Assembly: the object that builds a training's model and objective from its recipe, its parts and the data.

`Assembly` itself serves every method whose model and objective follow from the recipe alone; the other
methods derive a class from it.
"""

from __future__ import annotations

from functools import partial

from talkcli.engine.methods import METHODS, build, resolve
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.example import PicturesOf
from talkcli.engine.train.objective import Objective
from talkcli.engine.types import Reporter


class Assembly:
    """One training of a method.

    The constructor may replace the settings of parts in `recipe` by those in the parts' files.
    """

    Recipe: type[recipes.Recipe]
    """Schema of the method's recipes, which a derived class sets."""
    sound = True
    """Whether the method takes in sound."""
    still = False
    """Whether the method also takes still pictures."""

    @property
    def vertices(self) -> bool:
        """Whether the method learns from clips of vertices and not of coefficients."""
        motion = METHODS[self.method].motion
        return (self.recipe.model.motion if motion == "either" else motion) == "vertices"

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        """Take recipe and parts; a derived class reads the settings of the parts here, before any data.

        Args:
            method: Name of the method in `METHODS`.
            recipe: Recipe of the method.
            parts: Ready-made parts of the run.
            stage: Number of the training's stage, from 1 on.
            reporter: Receiver of warnings.

        Raises:
            UsageError: For parts that are missing or do not fit the recipe.
            InputError: For files that cannot be read.
        """
        self.method, self.recipe, self.parts = method, recipe, parts
        self.stage, self.reporter = stage, reporter

    def chosen(self, data: TrainingData) -> TrainingData:
        """Return the clips to train on, which are all unless a derived class chooses."""
        return data

    def look(self, data: TrainingData) -> PicturesOf | None:  # noqa: ARG002  for derived classes
        """Return what makes the pictures of a clip, for a method that sees; None for the others."""
        return None

    def build(self, data: TrainingData) -> Objective:
        """Build the model, with weights from torch's global generator, and its objective.

        Raises InputError for data that cannot train the method, UsageError for sizes that do not fit.
        """
        row = METHODS[self.method]
        objective: Objective = resolve(row.objective)(
            built(partial(build, self.method), self.recipe.model, data.space.width), self.recipe.objective
        )
        return objective


def assembly_of(method: str) -> type[Assembly]:
    """Return the class of assembly of a method in `METHODS`."""
    target = METHODS[method].assembly
    assembly: type[Assembly] = Assembly if target is None else resolve(target)
    return assembly
