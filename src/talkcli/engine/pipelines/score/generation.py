"""Who animates where no predictions are given, and what a report says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from talkcli.engine.audio.align import by_energy
from talkcli.engine.checkpoints.model_file import Meta, num_values, read_config
from talkcli.engine.device import SMALL, resolve_device, usable_cores
from talkcli.engine.errors import InputError
from talkcli.engine.files import sha256
from talkcli.engine.methods import EMBEDDED, METHODS
from talkcli.engine.performers.deeptalk import DeepTalkPerformer
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.performers.open import (
    chosen_controls,
    header_of,
    open_model,
    open_performer,
    performer_of,
)
from talkcli.engine.performers.performer import Controls, Performer, Sampling
from talkcli.engine.performers.rules import RULES
from talkcli.engine.types import Alignment, AnyMotion, Reporter, Speech

# A process loads a model and a head before its first clip, which takes as long as some clips do.
_CLIPS_A_WORKER = 6
_MOST_WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How a performer animates where no predictions are given; fields as in `Sampling` and its controls."""

    model_name: str = EMBEDDED
    device_name: str = "auto"
    sigma: float | None = None
    actor: str | None = None
    takes: int = 1
    seed: int = 0

    @property
    def by_rules(self) -> bool:
        return self.model_name == RULES

    @property
    def sampling(self) -> Sampling:
        return Sampling(actor=self.actor, takes=self.takes, seed=self.seed)

    def controls(self, header: Meta) -> Controls:
        """Return the controls of the performer with this `header`. Raises UsageError for one that it does not
        have.
        """
        return chosen_controls(header, {"sigma": self.sigma})

    def head_name(self) -> str:
        """Name the head or topology of the motion. Raises InputError for a file that is no generator."""
        return header_of(self.model_name).head

    def makes_vertices(self) -> bool:
        """Return whether the performer makes vertices. Raises InputError for a file that is no generator."""
        return header_of(self.model_name).num_verts is not None

    def described(self, reporter: Reporter) -> dict[str, Any]:
        """For reports, ready for JSON: the settings, who performs, and `method` and `weights_sha256` of the
        model. Tells of an actor by default.
        """
        settings = asdict(self) | {"method": RULES, "weights_sha256": None, "actor_by_default": False}
        if not self.by_rules:
            path = weights_of(self.model_name)
            header, config = read_config(path)
            settings |= {"method": header.method, "weights_sha256": sha256(path)}
            if METHODS[header.method].motion is not None:
                cast, by_default = performer_of(header.method).cast_of(config, self.sampling, reporter)
                settings |= {"actor": cast.actor, "actor_by_default": by_default}
        return settings

    def workers(self, num_clips: int, wanted: int | None) -> int:
        """In how many processes `num_clips` are done: `wanted`, else as many as are worth their start; 0 is
        this one alone, as for large models and on a GPU, which use all of the machine by themselves.
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
    generation: Generation, speech: Speech, phones: Alignment | str, reporter: Reporter
) -> list[AnyMotion]:
    """Perform `speech`; the rules perform its `phones`, where these are a reason for not knowing them, its
    loudness.
    """
    if generation.by_rules:
        if isinstance(phones, str):
            reporter.warn(f"A clip is performed by its loudness: {phones}.")
            phones = by_energy(speech)
        performer = open_performer(RULES, phones=phones, reporter=reporter)
    else:
        performer = _model(generation)
    return list(performer.perform(speech, generation.sampling, generation.controls(performer.header)))


@lru_cache(maxsize=1)
def _model(generation: Generation) -> Performer:
    """Return what performs speech, loaded once a process."""
    return open_model(generation.model_name, generation.device_name)


def open_deeptalk(model_name: str, device_name: str) -> DeepTalkPerformer:
    """Load a DEEPTalk, `model_name` as for `weights_of`: for tables about its emotion and its codes.

    Raises InputError for another method.
    """
    performer = open_model(model_name, device_name)
    if not isinstance(performer, DeepTalkPerformer):
        raise InputError(
            f"This table is about the emotion embedding and the codes of DEEPTalk; {model_name} is a "
            f"{performer.header.method} model.",
            hint="Give `model` a DEEPTalk.",
        )
    return performer
