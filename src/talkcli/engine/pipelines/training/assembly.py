"""How a training is put together from its recipe, the parts it is given and the data.

`Assembly` does for a method whose model and objective follow from the recipe alone. Others derive from it.
"""

from __future__ import annotations

from functools import partial

from talkcli.engine.methods import METHODS, build, resolve
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import built
from talkcli.engine.train.objective import Objective
from talkcli.engine.types import Reporter


class Assembly:
    """One training of a method.

    `recipe` may become another one at the start: sizes of parts come from their files. `sound` and `still`
    are as in `load_data`. Derived classes name their own schema `Recipe`.
    """

    Recipe: type[recipes.Recipe]
    sound = True
    still = False

    @property
    def vertices(self) -> bool:
        """Whether the method learns from clips of vertices; else from coefficients."""
        return METHODS[self.method].motion == "vertices"

    def __init__(
        self, method: str, recipe: recipes.Recipe, parts: GivenParts, *, stage: int, reporter: Reporter
    ) -> None:
        """Read what the parts say of themselves, before any data is read.

        Raises UsageError for parts that are missing or do not fit the recipe, InputError for files that
        cannot be read.
        """
        self.method, self.recipe, self.parts = method, recipe, parts
        self.stage, self.reporter = stage, reporter

    def build(self, data: TrainingData) -> Objective:
        """Build the model, its weights drawn from torch's global generator, and what is minimised.

        Raises InputError for data that cannot train the method, UsageError for sizes that do not fit.
        """
        row = METHODS[self.method]
        objective: Objective = resolve(row.objective)(
            built(partial(build, self.method), self.recipe.model, data.space.width), self.recipe.objective
        )
        return objective


def assembly_of(method: str) -> type[Assembly]:
    """Find what puts the training of a method together."""
    target = METHODS[method].assembly
    assembly: type[Assembly] = Assembly if target is None else resolve(target)
    return assembly
