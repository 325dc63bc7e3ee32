"""From a manifest to model files: the jobs behind the training commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from talkcli.engine.checkpoints.lip_reader import load_lip_reader
from talkcli.engine.checkpoints.model_file import read_content, read_header, save_model
from talkcli.engine.checkpoints.pretrained import load_emotion2vec, load_wav2vec2
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.models.deeptalk.content import PhoneContent, PhoneContentConfig, Wav2vec2Content
from talkcli.engine.models.deeptalk.dee import Dee, Emotion2vecStem
from talkcli.engine.models.deeptalk.deeptalk import DeepTalk
from talkcli.engine.models.deeptalk.fer import FER_CLASSES, Fer, FerConfig
from talkcli.engine.models.deeptalk.phones import PhoneEncoder
from talkcli.engine.models.deeptalk.prior import build_prior
from talkcli.engine.out_folder import claim
from talkcli.engine.pipelines.training.data import TrainingData, load_data
from talkcli.engine.pipelines.training.limits import built, check_batch, enough_memory
from talkcli.engine.pipelines.training.parts import (
    check_same_fer,
    check_window,
    fill,
    part_config,
    with_speakers,
)
from talkcli.engine.pipelines.training.recipes import (
    DeepTalkRecipe,
    DeeRecipe,
    FerRecipe,
    PhonesRecipe,
    PriorRecipe,
    Recipe,
)
from talkcli.engine.pipelines.training.sources import Sources
from talkcli.engine.train.backward import check_size
from talkcli.engine.train.batches import Batches, prepare
from talkcli.engine.train.cache import cached_ears
from talkcli.engine.train.launch import first_does, launched, reporter_of
from talkcli.engine.train.loop import train
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.dee import DeeObjective
from talkcli.engine.train.objectives.deeptalk import DeepTalkObjective
from talkcli.engine.train.objectives.fer import FerObjective, class_weights
from talkcli.engine.train.objectives.phones import PhonesObjective
from talkcli.engine.train.objectives.prior import PriorObjective
from talkcli.engine.train.run_folder import RunFolder, check_out, open_run
from talkcli.engine.types import Reporter

# What train-vq makes.
PRIORS = ("th_vqvae", "vqvae", "vae")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every training command is told."""

    manifest: Path
    out: Path
    seed: int = 0
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class Trained:
    """Where the model lies and how good it is on the validation split."""

    model: Path
    measures: dict[str, float]

    def report(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"model": str(self.model), "measures": self.measures}

    def __str__(self) -> str:
        shown = ", ".join(f"{name} {value:.4g}" for name, value in self.measures.items())
        return f"{self.model}: {shown}"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What train-gen builds on, as given on the command line.

    Stage 1 takes `dee`, `prior` and, where the recipe hears with it, `phones` or `wav2vec2`; stage 2 takes
    `start`, the model of stage 1, which holds all of them. `lip_reader` serves the lip-reading loss of
    either.
    """

    dee: str | None = None
    prior: str | None = None
    phones: str | None = None
    wav2vec2: str | None = None
    start: str | None = None
    lip_reader: str | None = None


def train_fer(recipe: FerRecipe, job: Job, reporter: Reporter) -> Trained | None:
    """Train the expression classifier on the frames of the manifest's train split; see `_run` for errors."""

    def build(data: TrainingData) -> Objective:
        for split, clips in (("train", data.training), ("val", data.validation)):
            if not {clip.emotion.label for clip in clips} & set(FER_CLASSES):
                raise InputError(
                    f"No clip of the {split} split of {job.manifest} has one of the emotions that FER tells "
                    f"apart: {', '.join(FER_CLASSES)}.",
                    hint="Check the emotions of the manifest.",
                )
        return FerObjective(built(Fer, recipe.model), recipe.objective, class_weights(data.emotions()))

    sources = _sources({}, job)
    return _run("fer", recipe, job, sources, build, reporter, sound=False, still=True)


def train_dee(
    recipe: DeeRecipe,
    job: Job,
    reporter: Reporter,
    *,
    emotion2vec: str | None = None,
    fer: str | None = None,
) -> Trained | None:
    """Train the emotion embedding on the manifest's train split; see `_run` for errors.

    `emotion2vec` (published weights) and `fer` (model of train-fer) are needed where the recipe builds on
    them; either may be the word random.
    """
    sources = _sources({"--emotion2vec": emotion2vec, "--fer": fer}, job)

    def build(data: TrainingData) -> Objective:
        model = built(Dee, recipe.model)
        if isinstance(model.audio_stem, Emotion2vecStem):
            path = sources.published("--emotion2vec", what="emotion2vec", reporter=reporter)
            if path is not None:
                load_emotion2vec(model.audio_stem.encoder, path)
        if isinstance(recipe.model.expression, FerConfig):
            if sources.is_random("--fer"):
                sources.published("--fer", what="the expression classifier", reporter=reporter)
            else:
                path = sources.ours("--fer", what="an expression classifier", command="train-fer")
                check_same_fer(part_config(path, "--fer", "fer"), recipe.model.expression)
                fill(model.fer, path, "--fer", data.moved)
        else:
            model.motion_scale.fit(data.motion())
        return DeeObjective(model, recipe.objective)

    return _run("dee", recipe, job, sources, build, reporter)


def train_phones(recipe: PhonesRecipe, job: Job, reporter: Reporter) -> Trained | None:
    """Train the front-end on the aligned clips of the manifest's train split; see `_run` for errors."""

    def build(data: TrainingData) -> Objective:
        for split, clips in (("train", data.training), ("val", data.validation)):
            if all(clip.alignment is None for clip in clips):
                raise InputError(
                    f"No clip of the {split} split of {job.manifest} says which phone is when.",
                    hint="Make the clips with talk preprocess corpus, or name TextGrids in the manifest.",
                )
        return PhonesObjective(built(PhoneEncoder, recipe.model), recipe.objective)

    return _run("phones", recipe, job, _sources({}, job), build, reporter)


def train_vq(recipe: PriorRecipe, job: Job, reporter: Reporter) -> Trained | None:
    """Train a motion prior on the motion of the manifest's train split; see `_run` for errors."""

    def build(data: TrainingData) -> Objective:
        model = built(build_prior, recipe.model)
        check_window(recipe, model.frames_multiple)
        if recipe.model.standardise:
            model.motion_scale.fit(data.motion())
        return PriorObjective(model, recipe.objective, data.head)

    sources = _sources({}, job)
    return _run(recipe.model.kind, recipe, job, sources, build, reporter, sound=False)


def train_gen(
    recipe: DeepTalkRecipe, job: Job, reporter: Reporter, *, parts: Parts, stage: int = 1
) -> Trained | None:
    """Train the generator, in stage 1 on a trained embedding and prior, in stage 2 going on from stage 1; see
    `_run` for errors.
    """
    given = {
        "--dee": parts.dee,
        "--prior": parts.prior,
        "--phones": parts.phones,
        "--wav2vec2": parts.wav2vec2,
    }
    if stage == 2:
        unused = [option for option, value in given.items() if value is not None]
        if unused:
            raise UsageError(f"Stage 2 takes {unused[0]} from the model of stage 1.", hint="Leave it out.")
        given = {"--start": parts.start}
    elif parts.start is not None:
        raise UsageError("--start is for stage 2.", hint="Add --stage 2, or leave --start out.")
    sources = _sources({**given, "--lip-reader": parts.lip_reader}, job)
    if stage == 2:
        start = sources.ours("--start", what="the generator of stage 1", command="train-gen")
        known = part_config(start, "--start", "deeptalk")
        update = {
            "dee": known.dee,
            "prior": known.prior,
            "speakers": known.speakers,
            "nobody": True if recipe.objective.nobody_share > 0 else known.nobody,
        }
        if isinstance(known.content, PhoneContentConfig):
            update["content"] = known.content
    else:
        dee = sources.ours("--dee", what="a trained emotion embedding", command="train-dee")
        prior = sources.ours("--prior", what="a trained motion prior", command="train-vq")
        update = {
            "dee": part_config(dee, "--dee", "dee"),
            "prior": part_config(prior, "--prior", recipe.model.prior.kind),
        }
        if isinstance(recipe.model.content, PhoneContentConfig) and not sources.is_random("--phones"):
            phones = sources.ours("--phones", what="a trained phone encoder", command="train-phones")
            encoder = part_config(phones, "--phones", "phones")
            update["content"] = recipe.model.content.model_copy(update={"encoder": encoder})
    recipe = recipe.model_copy(update={"model": recipe.model.model_copy(update=update)})

    def build(data: TrainingData) -> Objective:
        if stage == 2:
            model = built(DeepTalk, recipe.model)
            fill(model, start, "--start", data.moved)
        else:
            model = built(DeepTalk, with_speakers(recipe, data.speakers))
            fill(model.dee, dee, "--dee", data.moved)
            fill(model.prior, prior, "--prior", data.moved)
            if isinstance(model.content, PhoneContent):
                if sources.is_random("--phones"):
                    sources.published("--phones", what="the phone encoder", reporter=reporter)
                else:
                    fill(model.content.encoder, phones, "--phones", data.moved)
            if isinstance(model.content, Wav2vec2Content):
                path = sources.published("--wav2vec2", what="wav2vec 2.0", reporter=reporter)
                if path is not None:
                    load_wav2vec2(model.content.encoder, path)
        check_window(recipe, model.prior.frames_multiple)
        lips = None
        if recipe.objective.lip_reading_weight > 0 or recipe.objective.swap_lip_reading_weight > 0:
            path = sources.published("--lip-reader", what="a lip reader", reporter=reporter)
            reader = LipReader(LipReaderConfig()) if path is None else load_lip_reader(path)
            lips = LipReading(
                data.head,
                reader,
                follow=recipe.objective.lip_crop_follows,
                recompute=recipe.objective.lip_recompute,
            )
        return DeepTalkObjective(model, recipe.objective, data.head, lips)

    return _run("deeptalk", recipe, job, sources, build, reporter)


def _sources(given: dict[str, str | None], job: Job) -> Sources:
    """The parts `given` on the command line or remembered by the run that goes on.

    Raises UsageError where no run can be made or go on, before anything is read.
    """
    check_out(job.out, resume=job.resume, overwrite=job.overwrite)
    return Sources(given, job.out, resume=job.resume)


def _run(
    method: str,
    recipe: Recipe,
    job: Job,
    sources: Sources,
    build: Callable[[TrainingData], Objective],
    reporter: Reporter,
    *,
    sound: bool = True,
    still: bool = False,
) -> Trained | None:
    """Load, build, train and export; under torchrun in all processes together, of which the first one returns
    what was trained and the others None. `sound` and `still` as for `load_data`.

    Raises InputError for a manifest, clip or model file that cannot be used, UsageError for a run folder,
    recipe or part that does not fit, DeviceError for a missing device or too little memory, ExtraError
    without the packages of training, TalkError when the loss stops being a number.
    """
    with launched(job.device) as fabric, contextlib.ExitStack() as held, enough_memory():
        reporter = reporter_of(fabric, reporter)
        first_does(fabric, lambda: held.enter_context(claim(job.out)))
        check_size(recipe.data.size, recipe.train, fabric)
        data = load_data(job.manifest, reporter, leave_out=recipe.leave_out, sound=sound, still=still)
        with torch.random.fork_rng(devices=[]):
            # Initial weights come from torch's global generator.
            torch.manual_seed(job.seed)
            objective = build(data)
        ears = objective.model.ears if isinstance(objective.model, Dee | DeepTalk | PhoneEncoder) else {}
        check_batch(recipe.data, ears)
        document = {
            "method": method,
            "manifest": str(job.manifest),
            "manifest_sha256": data.manifest_sha256,
            "seed": job.seed,
            "recipe": recipe.model_dump(mode="json"),
            "inputs": sources.digests(),
            "input_paths": sources.paths(),
        }
        run = first_does(fabric, lambda: _opened(job, document))
        objective.to(fabric.device)
        if recipe.data.cache_features:
            ears = cached_ears(objective.model, ears)
        training, validation = (
            prepare(
                clips,
                ears,
                recipe.data,
                speakers=data.speakers,
                copies=copies,
                seed=job.seed,
                reporter=reporter,
            )
            for clips, copies in ((data.training, recipe.data.copies), (data.validation, 0))
        )
        batches = Batches(
            training=training, validation=validation, ears=ears, config=recipe.data, seed=job.seed
        )
        meta = data.meta(read_header(path) for path in sources.models())

        def export(path: Path) -> None:
            save_model(path, objective.model, meta=meta, storage=recipe.storage)

        measures = train(
            objective,
            batches,
            recipe.train,
            run,
            fabric=fabric,
            export=export,
            reporter=reporter,
            seed=job.seed,
        )
        return Trained(model=run.best, measures=measures) if fabric.global_rank == 0 else None


def _opened(job: Job, document: dict[str, Any]) -> RunFolder:
    """Open the run folder as `open_run` does. Raises InputError when its best model so far is damaged."""
    run = open_run(job.out, document, resume=job.resume, overwrite=job.overwrite)
    if job.resume and run.best.is_file():
        try:
            read_content(run.best)
        except InputError as error:
            raise InputError(
                f"Training cannot go on: {error.problem}",
                hint="Put the file back, or start again with --overwrite.",
            ) from error
    return run
