"""From a manifest to model files: the jobs behind train-dee, train-vq and train-gen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from talkcli.engine.audio.log_mel import LogMel, LogMelConfig
from talkcli.engine.checkpoints.model_file import (
    Header,
    Meta,
    Storage,
    load_model,
    model_file,
    read_header,
    save_model,
)
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.device import resolve_device
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.files import sha256
from talkcli.engine.models.dee import Dee, DeeConfig
from talkcli.engine.models.deeptalk import DeepTalk, DeepTalkConfig
from talkcli.engine.models.th_vqvae import ThVqvae, ThVqvaeConfig
from talkcli.engine.train.batches import BatchConfig, Batches, prepare
from talkcli.engine.train.loop import LoopConfig, train
from talkcli.engine.train.objective import Objective
from talkcli.engine.train.objectives.dee import DeeObjective, DeeObjectiveConfig
from talkcli.engine.train.objectives.deeptalk import DeepTalkObjective, DeepTalkObjectiveConfig
from talkcli.engine.train.objectives.th_vqvae import ThVqvaeObjective, ThVqvaeObjectiveConfig
from talkcli.engine.train.run_folder import open_run
from talkcli.engine.types import MODEL_FPS, Clip, Config, Reporter


class Recipe(Config):
    """What the three recipes share."""

    data: BatchConfig = BatchConfig()
    train: LoopConfig = LoopConfig()
    storage: Storage = "float32"
    """Precision of matrices in the model file."""


class DeeRecipe(Recipe):
    """Everything train-dee can be told."""

    model: DeeConfig = DeeConfig()
    objective: DeeObjectiveConfig = DeeObjectiveConfig()


class ThVqvaeRecipe(Recipe):
    """Everything train-vq can be told."""

    model: ThVqvaeConfig = ThVqvaeConfig()
    objective: ThVqvaeObjectiveConfig = ThVqvaeObjectiveConfig()


class DeepTalkRecipe(Recipe):
    """Everything train-gen can be told; `model.dee` and `model.prior` are those of the checkpoints."""

    model: DeepTalkConfig = DeepTalkConfig()
    objective: DeepTalkObjectiveConfig = DeepTalkObjectiveConfig()


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


def train_dee(recipe: DeeRecipe, job: Job, reporter: Reporter) -> Trained:
    """Train the emotion embedding on the manifest's train split; see `_run` for errors."""

    def build(data: _Data) -> Objective:
        model = Dee(recipe.model)
        model.motion_scale.fit(data.motion())
        return DeeObjective(model, recipe.objective)

    return _run("dee", recipe, recipe.model.front_end, job, build, reporter)


def train_vq(recipe: ThVqvaeRecipe, job: Job, reporter: Reporter) -> Trained:
    """Train the motion prior on the motion of the manifest's train split; see `_run` for errors."""

    def build(data: _Data) -> Objective:
        model = ThVqvae(recipe.model)
        if recipe.model.standardise:
            model.motion_scale.fit(data.motion())
        return ThVqvaeObjective(model, recipe.objective, data.head)

    return _run("th_vqvae", recipe, LogMelConfig(), job, build, reporter)


def train_gen(
    recipe: DeepTalkRecipe,
    job: Job,
    reporter: Reporter,
    *,
    dee: Path | None = None,
    prior: Path | None = None,
) -> Trained:
    """Train the generator on a trained `dee` and `prior` (model files or run folders); see `_run` for errors.

    Both may be left out to go on with a run: its own state holds them.
    """
    parts = _parts(job, dee, prior)
    model = recipe.model.model_copy(update={"dee": parts["dee"][1], "prior": parts["th_vqvae"][1]})
    recipe = recipe.model_copy(update={"model": model})

    def build(data: _Data) -> Objective:
        if len(data.speakers) > recipe.model.identity:
            raise UsageError(
                f"The train split has {len(data.speakers)} speakers, model.identity has room for "
                f"{recipe.model.identity}.",
                hint=f"Add --set model.identity={len(data.speakers)}.",
            )
        model = DeepTalk(recipe.model.model_copy(update={"speakers": data.speakers}))
        for name, part in (("dee", model.dee), ("th_vqvae", model.prior)):
            path = parts[name][0]
            if path is None:
                continue
            loaded, header = load_model(path)
            _check_head(path, header, data.head)
            part.load_state_dict(loaded.state_dict())
        return DeepTalkObjective(model, recipe.objective, data.head)

    return _run("deeptalk", recipe, model.dee.front_end, job, build, reporter)


@dataclass(frozen=True, kw_only=True)
class _Data:
    """The clips of a manifest, and what they share."""

    training: list[Clip]
    validation: list[Clip]
    head: Head
    speakers: tuple[str, ...]

    def motion(self) -> torch.Tensor:
        return torch.cat([torch.from_numpy(clip.motion.coeffs) for clip in self.training])


def _run(
    method: str,
    recipe: Recipe,
    front_end: LogMelConfig,
    job: Job,
    build: Callable[[_Data], Objective],
    reporter: Reporter,
) -> Trained:
    """Load, build, train and export.

    Raises InputError for a manifest or clip that cannot be used, UsageError for a run folder or recipe that
    does not fit, DeviceError for a missing device, TalkError when the loss stops being a number.
    """
    device = resolve_device(job.device)
    file = job.manifest / "manifest.jsonl" if job.manifest.is_dir() else job.manifest
    # A missing manifest is reported by its reader.
    digest = sha256(file) if file.is_file() else ""
    document = {
        "method": method,
        "manifest": str(job.manifest),
        "manifest_sha256": digest,
        "seed": job.seed,
        "recipe": recipe.model_dump(mode="json"),
    }
    data = _load(job.manifest, reporter)
    with torch.random.fork_rng(devices=[]):
        # Initial weights come from torch's global generator.
        torch.manual_seed(job.seed)
        objective = build(data)
    objective.to(device)
    run = open_run(job.out, document, resume=job.resume, overwrite=job.overwrite)
    ears = LogMel(front_end)
    sets = [
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
    ]
    batches = Batches(
        training=sets[0],
        validation=sets[1],
        config=recipe.data,
        seed=job.seed,
        num_mels=front_end.num_mels,
    )
    meta = _meta(job.manifest, digest, data)

    def export(path: Path) -> None:
        save_model(path, objective.model, meta=meta, storage=recipe.storage)

    measures = train(
        objective,
        batches,
        recipe.train,
        run,
        export=export,
        reporter=reporter,
        seed=job.seed,
        device=device,
    )
    return Trained(model=run.best, measures=measures)


def _load(manifest: Path, reporter: Reporter) -> _Data:
    training, validation = (load_clips(manifest, split, reporter) for split in ("train", "val"))
    first = training[0].motion
    for clip in [*training, *validation]:
        if (clip.motion.head, clip.motion.channels) != (first.head, first.channels):
            raise InputError(
                f"Clip {clip.id} moves the head {clip.motion.head}, clip {training[0].id} the head "
                f"{first.head}: one model speaks one head's channels.",
                hint="Split the manifest by head.",
            )
    head = load_head(first.head)
    if head.channels != first.channels:
        raise InputError(
            f"The channels of clip {training[0].id} are not those of the head {first.head}.",
            hint="Run talk preprocess again.",
        )
    speakers = tuple(sorted({clip.speaker for clip in training}))
    return _Data(training=training, validation=validation, head=head, speakers=speakers)


def _meta(manifest: Path, digest: str, data: _Data) -> Meta:
    licences = sorted({entry.licence for entry in read_manifest(manifest) if entry.split == "train"})
    hours = sum(clip.motion.duration_s for clip in data.training) / 3600
    return Meta(
        head=data.head.name,
        channels=data.head.channels,
        fps=MODEL_FPS,
        trained_on=f"{len(data.training)} clips, {hours:.2f} h, manifest sha256 {digest}",
        licence="; ".join(licences),
    )


def _parts(job: Job, dee: Path | None, prior: Path | None) -> dict[str, tuple[Path | None, Any]]:
    """File and config of both parts: from the paths, else from the run that is to go on."""
    schemas: dict[str, type[Config]] = {"dee": DeeConfig, "th_vqvae": ThVqvaeConfig}
    options = {"dee": ("--dee", "train-dee", dee), "th_vqvae": ("--prior", "train-vq", prior)}
    known = _known_parts(job) if job.resume else {}
    parts: dict[str, tuple[Path | None, Any]] = {}
    for method, (option, command, given) in options.items():
        if given is None and method in known:
            parts[method] = (None, schemas[method].model_validate(known[method]))
            continue
        if given is None:
            raise UsageError(
                f"{option} is missing: the generator builds on a trained {method}.",
                hint=f"Train one with talk {command}, then give its run folder to {option}.",
            )
        path = model_file(given)
        header = read_header(path)
        if header.method != method:
            raise InputError(f"{option} {path} holds a {header.method}, a {method} is needed.")
        parts[method] = (path, schemas[method].model_validate(header.config))
    return parts


def _known_parts(job: Job) -> dict[str, Any]:
    """Configs of the parts inside a run that has a state to go on from."""
    run_file = job.out / "run.json"
    if not (run_file.is_file() and (job.out / "state.pt").is_file()):
        return {}
    try:
        model = json.loads(run_file.read_text(encoding="utf-8"))["recipe"]["model"]
        return {"dee": model["dee"], "th_vqvae": model["prior"]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{run_file} is not readable ({error}).", hint="Start again with --overwrite."
        ) from error


def _check_head(path: Path, header: Header, head: Head) -> None:
    if (header.head, header.channels) != (head.name, head.channels):
        raise InputError(
            f"{path} was trained on the head {header.head}, the manifest's motion is for {head.name}.",
            hint="Train all three parts on the same head.",
        )
