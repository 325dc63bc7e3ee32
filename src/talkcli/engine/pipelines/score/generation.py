"""Generation of the motion to score when no predictions are given, and its description in reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from talkcli.engine.audio.align import by_energy
from talkcli.engine.audio.degrade import Degradation, degrade
from talkcli.engine.checkpoints.model_file import Meta, num_values, read_config
from talkcli.engine.cores import usable_cores
from talkcli.engine.device import SMALL, resolve_device
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import sha256
from talkcli.engine.methods import EMBEDDED, METHODS
from talkcli.engine.performers.deeptalk import DeepTalkPerformer
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.performers.open import (
    chosen_controls,
    generator_file,
    header_of,
    open_model,
    open_performer,
    performer_of,
)
from talkcli.engine.performers.performer import Controls, Performer, Sampling
from talkcli.engine.performers.rules import RULES
from talkcli.engine.pipelines.score.cache import TakeCache, take_cache
from talkcli.engine.types import Alignment, AnyMotion, Emotion, Reporter, Speech
from talkcli.engine.wording import parameter

# Smallest number of clips for which a worker process is worth its start: it loads torch, a model and a head
# before its first clip, which takes as long as 16 clips of 4 s.
_CLIPS_A_WORKER = 16
# Largest number of worker processes, unless the user asks for more.
_MOST_WORKERS = 4
# Largest seed that generators of random numbers take.
_LAST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Generation:
    """Settings of the performer that makes the motion; `sigma`, `actor`, `takes` and `seed` are as in its
    sampling and controls. `degrade` is what happens to the speech before the performer gets it; measures use
    the speech as it was. With `layers` the motion has all layers of `talk animate`, without it those that
    draw nothing at random.
    """

    model_name: str = EMBEDDED
    device_name: str = "auto"
    sigma: float | None = None
    actor: str | None = None
    takes: int = 1
    seed: int = 0
    degrade: Degradation | None = None
    layers: bool = False
    cache: TakeCache | None = None

    def heard(self, speech: Speech) -> Speech:
        """Return what the performer gets of `speech`."""
        return speech if self.degrade is None else degrade(speech, self.degrade)

    @property
    def layers_wanted(self) -> dict[str, bool | None] | None:
        """The choice of layers, as performers take it: {} for the defaults of `talk animate`, None for those
        that draw nothing at random.
        """
        return {} if self.layers else None

    def with_seeds(self, num_seeds: int) -> list[Generation]:
        """Return the settings with `seed` and the seeds that follow it, `num_seeds` in all.

        Raises UsageError for a seed that no generator of random numbers takes.
        """
        last = self.seed + num_seeds - 1
        if num_seeds < 1 or last > _LAST_SEED:
            raise UsageError(
                f"{parameter('seeds', num_seeds)} from {self.seed} on: the last seed may be {_LAST_SEED}."
            )
        return [replace(self, seed=seed) for seed in range(self.seed, last + 1)]

    @property
    def by_rules(self) -> bool:
        return self.model_name == RULES

    @property
    def sampling(self) -> Sampling:
        return Sampling(actor=self.actor, takes=self.takes, seed=self.seed)

    def told(self, emotion: Emotion | None) -> Emotion | None:
        """Return the emotion of a clip for a method that takes emotions by their labels alone; None for any
        other, which hears it in the voice.
        """
        if self.by_rules:
            return None
        controls = METHODS[generator_file(self.model_name)[1].method].controls
        return emotion if "emotion" in controls and "emotion_from" not in controls else None

    def controls(self, header: Meta) -> Controls:
        """Return the controls of the performer with this `header`. Raises UsageError when it has no such
        control.
        """
        return chosen_controls(header, {"sigma": self.sigma})

    def draws(self) -> bool:
        """Return whether seeds differ. Raises InputError for a file that is no generator."""
        header = header_of(self.model_name)
        # Layers move channels of a head, so that vertices have none.
        layers = self.layers and header.num_verts is None
        return layers or self.by_rules or self.controls(header).is_random

    def head_name(self) -> str:
        """Return the name of the motion's head or topology. Raises InputError for a file that is no
        generator.
        """
        return header_of(self.model_name).head

    def makes_vertices(self) -> bool:
        """Return whether the performer makes vertices. Raises InputError for a file that is no generator."""
        return header_of(self.model_name).num_verts is not None

    def described(self, reporter: Reporter) -> dict[str, Any]:
        """Return the settings for reports, ready for JSON, with the `method` and `weights_sha256` of the
        model.

        The reporter gets a note when the performer chooses an actor by default.
        """
        settings = asdict(replace(self, cache=None)) | {
            "method": RULES,
            "weights_sha256": None,
            "actor_by_default": False,
            "emotion": None,
        }
        if not self.by_rules:
            path = weights_of(self.model_name)
            header, config = read_config(path)
            settings |= {"method": header.method, "weights_sha256": sha256(path)}
            if METHODS[header.method].motion is not None:
                # A method that takes labels gets those of the clips.
                sampling = replace(self.sampling, emotion=self.told(Emotion()))
                cast, by_default = performer_of(header.method).cast_of(config, sampling, reporter)
                settings |= {"actor": cast.actor, "actor_by_default": by_default}
                settings |= {"emotion": None if sampling.emotion is None else "the clip's label"}
        # Where motion is kept changes nothing about it.
        del settings["cache"]
        return settings

    def cached(self, folder: Path | None, described: dict[str, Any]) -> Generation:
        """Return the same settings with a cache; the rules, which are fast and need words, get none.

        Args:
            folder: Folder of the entries; None for that of the user's cache.
            described: Settings as `described` returns them.
        """
        if self.by_rules:
            return self
        header, _ = read_config(weights_of(self.model_name))
        device = resolve_device(self.device_name).type
        kept = take_cache(folder, described, self.controls(header), header.head, device)
        return replace(self, cache=kept)

    def workers(self, num_clips: int, wanted: int | None) -> int:
        """Return the number of worker processes for `num_clips` clips; 0 means to work in this process.

        `wanted` is the number that the user asked for; None chooses it. The choice is 0 for large models and
        on a GPU, since these use the whole machine by themselves.
        """
        if wanted is not None:
            return wanted
        if not self.by_rules:
            size = num_values(weights_of(self.model_name))
            if size >= SMALL or resolve_device(self.device_name).type != "cpu":
                return 0
        most = min(usable_cores(), _MOST_WORKERS, num_clips // _CLIPS_A_WORKER)
        return most if most > 1 else 0


def performances(
    generation: Generation,
    speech: Speech,
    phones: Alignment | str,
    reporter: Reporter,
    emotion: Emotion | None = None,
) -> list[AnyMotion]:
    """Perform `speech`.

    Args:
        generation: Performer and its settings.
        speech: Speech to perform.
        phones: Phones for the rules, or the reason why they are unknown: then the rules follow the loudness.
        reporter: Receiver of warnings.
        emotion: Emotion of the clip, for a method that takes it by its label; None if it is unknown.

    Raises:
        TalkError: When the performer cannot perform this.
    """
    told, cache = generation.told(emotion), generation.cache
    if cache is not None and (kept := cache.read(speech, generation.takes, told)) is not None:
        return kept
    if generation.by_rules:
        if isinstance(phones, str):
            reporter.warn(f"The rules perform a clip by its loudness: {phones}.")
            phones = by_energy(speech)
        performer = open_performer(RULES, phones=phones, layers=generation.layers_wanted, reporter=reporter)
    else:
        performer = _model(generation.model_name, generation.device_name, layers=generation.layers)
    controls = generation.controls(performer.header)
    sampling = replace(generation.sampling, emotion=told)
    made = list(performer.perform(generation.heard(speech), sampling, controls))
    if cache is not None:
        try:
            cache.write(speech, made, told)
        except (InputError, OSError) as error:
            reporter.note(f"The motion is not kept in {cache.folder}: {error}.")
    return made


@lru_cache(maxsize=1)
def _model(model_name: str, device_name: str, *, layers: bool) -> Performer:
    """Load the model, once per process: seeds and takes change nothing about it."""
    return open_model(model_name, device_name, layers={} if layers else None)


def open_deeptalk(model_name: str, device_name: str) -> DeepTalkPerformer:
    """Load a DEEPTalk model, for tables about its emotion and its codes; `model_name` is as for `weights_of`.

    Raises InputError for a model of another method.
    """
    performer = open_model(model_name, device_name)
    if not isinstance(performer, DeepTalkPerformer):
        raise InputError(
            f"This table is about the emotion embedding and the codes of DEEPTalk, but {model_name} is a "
            f"{performer.header.method} model.",
            hint="Give `model` a DEEPTalk.",
        )
    return performer
