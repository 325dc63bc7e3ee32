"""Training of the sync judge of pictures: on drawings of the mouths of clips with sound, and on films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import numpy as np
import torch
from jaxtyping import UInt8
from pydantic import Field

from talkcli.engine.assets import cache_dir
from talkcli.engine.checkpoints.judge_weights import own_judge
from talkcli.engine.code_digest import code_digest
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import sha256
from talkcli.engine.judges.sync_image import SIDE, SyncImageConfig
from talkcli.engine.judges.two_towers import TwoTowers, TwoTowersConfig
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.face_pictures import FilmPictures
from talkcli.engine.pipelines.score.video_files import film_of_each
from talkcli.engine.pipelines.training import recipes
from talkcli.engine.pipelines.training.assembly import Assembly
from talkcli.engine.pipelines.training.data import TrainingData
from talkcli.engine.pipelines.training.limits import check_choice
from talkcli.engine.train.cache import kept
from talkcli.engine.train.example import PicturesOf
from talkcli.engine.train.mouths import DrawnMouths
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.sync_image import SyncImageObjectiveConfig
from talkcli.engine.types import MODEL_FPS, Clip

# One validation clip is drawn for so many training clips.
_PER_VALIDATION = 6


class SyncImageRecipe(recipes.Recipe):
    """The recipe of a training of the sync judge of pictures."""

    model: SyncImageConfig = SyncImageConfig()
    objective: SyncImageObjectiveConfig = SyncImageObjectiveConfig()
    drawn: Annotated[int, Field(ge=1, le=10**6)] = 120
    """Largest number of training clips that are drawn, evenly spaced in the manifest; a second of motion
    takes about 0.2 s of one core."""
    begin_hearing: bool = False
    """Begin with the tower of sound of our judge of lip curves, which knows what a sound looks like: then few
    pictures are enough. The sizes of that tower must be the same."""
    films: str | None = None
    """Folder of the films that captured clips were made from: a clip that has the name of a film there is
    seen in it, and not drawn; that needs mediapipe."""


class SyncImageAssembly(Assembly):
    """Assembly of the sync judge of pictures; it chooses the clips that it draws."""

    Recipe = SyncImageRecipe
    recipe: SyncImageRecipe
    _films: Mapping[str, Path] = MappingProxyType({})

    def chosen(self, data: TrainingData) -> TrainingData:
        """Return clips with a film, and as many of the others as the recipe draws.

        Raises InputError for a folder without any film of a clip.
        """
        clips = [*data.training, *data.validation]
        if self.recipe.films is not None:
            self._films = film_of_each(Path(self.recipe.films), [clip.id for clip in clips])
        drawn = self.recipe.drawn
        return replace(
            data,
            training=self._some(data.training, drawn),
            validation=self._some(data.validation, max(drawn // _PER_VALIDATION, 1)),
        )

    def _some(self, clips: list[Clip], drawn: int) -> list[Clip]:
        """Return the clips with a film, and at most `drawn` of the others, evenly spaced."""
        without = [clip.id for clip in clips if clip.id not in self._films]
        places = np.linspace(0, len(without), min(drawn, len(without)), endpoint=False).astype(int)
        taken = {without[place] for place in places}
        return [clip for clip in clips if clip.id in self._films or clip.id in taken]

    def look(self, data: TrainingData) -> PicturesOf:
        """Return what makes the pictures of a clip.

        Raises AssetError where the head of the clips cannot be drawn.
        """
        draw = DrawnMouths(data.head)
        return lambda clip: (
            filmed_mouths(clip, self._films[clip.id]) if clip.id in self._films else draw(clip)
        )

    def build(self, data: TrainingData) -> Objective:
        """Build model and objective as `Assembly.build` does.

        Raises UsageError for windows without a choice, and for altered clips, whose pictures nobody has.
        """
        recipe = self.recipe
        check_choice(recipe.data.frames, recipe.model.window)
        if recipe.data.copies or recipe.data.pairs:
            raise UsageError(
                "Pictures of altered clips cannot be drawn.",
                hint="Leave out data.copies and data.pairs.",
            )
        objective = super().build(data)
        if recipe.begin_hearing:
            objective.model.load_state_dict(
                {**objective.model.state_dict(), **_hearing_of_sync(recipe.model)}
            )
        return objective


def _hearing_of_sync(config: SyncImageConfig) -> dict[str, torch.Tensor]:
    """Return the weights by which our judge of lip curves hears.

    Raises AssetError without that judge, UsageError when it hears in another way than `config` says.
    """
    judge, _ = own_judge("sync")
    for name in TwoTowersConfig.model_fields:
        if getattr(judge.config, name) != getattr(config, name):
            raise UsageError(
                f"model.{name} is not that of our judge of lip curves, by whose hearing this begins.",
                hint="Leave out the sizes of the model, or set begin_hearing=false.",
            )
    shared = TwoTowers(config).state_dict().keys()
    return {name: weights for name, weights in judge.state_dict().items() if name in shared}


def filmed_mouths(clip: Clip, film: Path) -> UInt8[np.ndarray, "frames side side"]:
    """Return the crops of the mouth in the film of a clip, at 25 fps, from the user's cache or made now.

    Raises InputError for a film without a face, and when a new entry cannot be written.
    """

    def crops() -> torch.Tensor:
        try:
            found = list(FilmPictures(film).mouths(SIDE, float(MODEL_FPS), clip.motion.num_frames))
        except UndefinedMetricError as error:
            raise InputError(str(error), hint="Take the clip's film out of the folder.") from error
        return torch.from_numpy(np.concatenate(found))

    digest = code_digest(FilmPictures.__module__)[:32]
    path = cache_dir() / "features" / f"mouths-{digest}" / f"{sha256(film)}.safetensors"
    return kept(path, (clip.motion.num_frames, SIDE, SIDE), torch.uint8, crops).numpy()
