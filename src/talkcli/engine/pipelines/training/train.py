"""Training from a manifest to a model file, behind every training command."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from talkcli.engine.checkpoints.model_file import read_content, read_header, save_model
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.methods import METHODS
from talkcli.engine.out_folder import claim
from talkcli.engine.pipelines.training.assembly import Assembly, assembly_of
from talkcli.engine.pipelines.training.data import TrainingData, load_data
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.limits import check_batch, enough_memory
from talkcli.engine.pipelines.training.recipes import Recipe
from talkcli.engine.train.backward import Backward, check_size
from talkcli.engine.train.batches import Batches, prepare
from talkcli.engine.train.cache import cached_ears
from talkcli.engine.train.estimate import estimate
from talkcli.engine.train.launch import first_does, launched, reporter_of
from talkcli.engine.train.loop import train
from talkcli.engine.train.objective import Objective, ears_of
from talkcli.engine.train.on_head import OnHead
from talkcli.engine.train.run_folder import RunFolder, check_out, open_run
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True, kw_only=True)
class Job:
    """The inputs and options of every training, beside its recipe and parts."""

    manifest: Path
    """Manifest of the clips, or its folder."""
    out: Path
    """Run folder to write."""
    seed: int = 0
    """Seed of initial weights, batches and altered copies."""
    device: str = "auto"
    """Device: auto, cpu, cuda or cuda:N."""
    resume: bool = False
    """Whether to continue the run in `out`."""
    overwrite: bool = False
    """Whether to replace the run in `out`."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The result of a training."""

    model: Path
    """Model file of the best checkpoint."""
    measures: dict[str, float]
    """Measures on the validation split, by name."""

    def report(self) -> dict[str, Any]:
        """Return the result, ready for JSON."""
        return {"model": str(self.model), "measures": self.measures}

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in self.measures.items())
        return f"{self.model}: {shown}"


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """What a training would take."""

    text: str
    """Weights, memory and time, in a sentence."""

    def report(self) -> dict[str, Any]:
        """Return the result, ready for JSON."""
        return {"estimate": self.text}

    def __str__(self) -> str:
        return self.text


def train_method(
    method: str,
    recipe: Recipe,
    job: Job,
    reporter: Reporter,
    *,
    parts: Mapping[str, str | None] | None = None,
    stage: int = 1,
) -> Trained | None:
    """Train a method of `METHODS` on the train split of a manifest.

    Under torchrun all processes train together; the first one returns the result, the others return None.

    Args:
        method: Name of the method.
        recipe: Recipe, of the method's `recipe_schema`.
        job: Inputs and options.
        reporter: Receiver of progress and warnings.
        parts: Parts that the training builds on, by the names in `PARTS`: a run folder, a file or `random`.
        stage: Number of the stage, for a method with several.

    Raises:
        InputError: For a manifest, clip or model file that cannot be used.
        UsageError: For a run folder, recipe or part that does not fit.
        DeviceError: For a missing device or too little memory.
        ExtraError: When the packages of training are not installed.
        TalkError: When the loss is no longer finite.
    """
    assembly = _assembly(method, recipe, job, reporter, parts, stage)
    with launched(job.device) as fabric, contextlib.ExitStack() as held, enough_memory():
        assembly.reporter = reporter_of(fabric, reporter)
        first_does(fabric, lambda: held.enter_context(claim(job.out)))
        data, objective = _built(assembly, job, fabric)
        document = {
            "method": assembly.method,
            "manifest": str(job.manifest),
            "manifest_sha256": data.manifest_sha256,
            "seed": job.seed,
            "recipe": assembly.recipe.model_dump(mode="json"),
            "inputs": assembly.parts.digests(),
            "input_paths": assembly.parts.paths(),
        }
        run = first_does(fabric, lambda: _opened(job, document))
        batches = _batches(assembly, job, data, objective, fabric)
        meta = data.meta(read_header(path) for path in assembly.parts.models())

        def export(path: Path) -> None:
            save_model(path, objective.model, meta=meta, storage=assembly.recipe.storage)

        measures = train(
            objective,
            batches,
            assembly.recipe.train,
            run,
            fabric=fabric,
            export=export,
            reporter=assembly.reporter,
            seed=job.seed,
        )
        return Trained(model=run.best, measures=measures) if fabric.global_rank == 0 else None


def estimate_method(
    method: str,
    recipe: Recipe,
    job: Job,
    reporter: Reporter,
    *,
    parts: Mapping[str, str | None] | None = None,
    stage: int = 1,
) -> Estimated | None:
    """Return what a training would take in time and memory, from two trial steps; nothing is written, except
    pictures that a judge looks at, into the user's cache.

    Arguments, and what it raises, are those of `train_method`.
    """
    assembly = _assembly(method, recipe, job, reporter, parts, stage)
    with launched(job.device) as fabric, enough_memory():
        assembly.reporter = reporter_of(fabric, reporter)
        data, objective = _built(assembly, job, fabric)
        batches = _batches(assembly, job, data, objective, fabric, writes=False)
        settings = assembly.recipe.train
        steps = settings.num_steps(batches.epoch)
        backward = Backward(objective, batches, settings, steps=steps, seed=job.seed, fabric=fabric)
        objective.model.train()
        text = estimate(backward, objective, settings, 0)
        return Estimated(text=text) if fabric.global_rank == 0 else None


def _assembly(
    method: str,
    recipe: Recipe,
    job: Job,
    reporter: Reporter,
    parts: Mapping[str, str | None] | None,
    stage: int,
) -> Assembly:
    stages = METHODS[method].stages
    if not 1 <= stage <= stages:
        raise UsageError(
            f"The training of {method} has {counted(stages, 'stage')}.",
            hint="Leave `stage` out." if stages == 1 else f"Give `stage` a number from 1 to {stages}.",
        )
    # Check the run folder first, before anything is read.
    check_out(job.out, resume=job.resume, overwrite=job.overwrite)
    given = GivenParts(method, parts or {}, job.out, resume=job.resume)
    return assembly_of(method)(method, recipe, given, stage=stage, reporter=reporter)


def _built(assembly: Assembly, job: Job, fabric: Fabric) -> tuple[TrainingData, Objective]:
    """Load the data, and build the model with its loss."""
    recipe = assembly.recipe
    check_size(recipe.data, recipe.train, fabric)
    data = assembly.chosen(
        load_data(
            job.manifest,
            assembly.reporter,
            leave_out=recipe.leave_out,
            sound=assembly.sound,
            still=assembly.still,
            vertices=assembly.vertices,
        )
    )
    with torch.random.fork_rng(devices=[]):
        # The assembly draws initial weights from torch's global generator.
        torch.manual_seed(job.seed)
        objective = assembly.build(data)
    if objective.model.method != assembly.method:
        raise UsageError(
            f"The recipe is for {objective.model.method}, not for {assembly.method}.",
            hint=f"Run talk train {objective.model.method}, or choose another recipe.",
        )
    neutral = getattr(objective.model, "neutral", None)
    if data.space.num_verts and isinstance(neutral, torch.Tensor):
        neutral.copy_(data.neutral())
    if data.by_head:
        objective = OnHead(objective, data.head)
    check_batch(recipe.data, ears_of(objective.model), data.space.width)
    return data, objective


def _batches(
    assembly: Assembly,
    job: Job,
    data: TrainingData,
    objective: Objective,
    fabric: Fabric,
    *,
    writes: bool = True,
) -> Batches:
    """Move the objective to its device, and prepare the windows of speech and motion; `writes` is whether the
    cache of features, where the recipe has one, gets new entries.
    """
    recipe = assembly.recipe
    objective.to(fabric.device)
    ears = ears_of(objective.model)
    if recipe.data.cache_features:
        ears = cached_ears(objective.model, ears, writes=writes)
    look = assembly.look(data)
    training, validation = (
        prepare(
            clips,
            ears,
            recipe.data,
            speakers=data.speakers,
            copies=copies,
            seed=job.seed,
            reporter=assembly.reporter,
            look=look,
        )
        for clips, copies in ((data.training, recipe.data.copies), (data.validation, 0))
    )
    return Batches(training=training, validation=validation, ears=ears, config=recipe.data, seed=job.seed)


def _opened(job: Job, document: dict[str, Any]) -> RunFolder:
    """Open the run folder as `open_run` does. Raises InputError when its best model so far is damaged."""
    run = open_run(job.out, document, resume=job.resume, overwrite=job.overwrite)
    if job.resume and run.best.is_file():
        try:
            read_content(run.best)
        except InputError as error:
            raise InputError(
                f"Training cannot go on: {error.problem}",
                hint="Put the file back, or start again with `overwrite`.",
            ) from error
    return run
