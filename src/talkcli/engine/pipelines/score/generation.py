"""Who animates where no predictions are given, and what a report says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from talkcli.engine.audio.align import by_energy
from talkcli.engine.checkpoints.model_file import num_values, read_config, read_header
from talkcli.engine.device import SMALL, resolve_device, usable_cores
from talkcli.engine.files import sha256
from talkcli.engine.models.deeptalk.deeptalk import DeepTalkConfig
from talkcli.engine.performers.actors import performing
from talkcli.engine.performers.named_model import EMBEDDED, weights_of
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.rules import RULES, Rules
from talkcli.engine.types import Alignment, Motion, Reporter, Speech

# A process loads a model and a head before its first clip, which takes as long as some clips do.
_CLIPS_A_WORKER = 6
_MOST_WORKERS = 4

Animate = Callable[[Speech], list[Motion]]


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How the model animates where no predictions are given; fields as in `sampling.Sampling`."""

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
        return Sampling(sigma=self.sigma, actor=self.actor, takes=self.takes, seed=self.seed)

    def head_name(self) -> str:
        """The head whose coefficients are made. Raises InputError for a file that is no model."""
        return Rules.header.head if self.by_rules else read_header(weights_of(self.model_name)).head

    def described(self, reporter: Reporter) -> dict[str, Any]:
        """For reports, ready for JSON: the settings, who performs, and `method` and `weights_sha256` of the
        model. Tells of an actor by default.
        """
        settings = asdict(self) | {"method": RULES, "weights_sha256": None, "actor_by_default": False}
        if not self.by_rules:
            path = weights_of(self.model_name)
            header, config = read_config(path)
            settings |= {"method": header.method, "weights_sha256": sha256(path)}
            if isinstance(config, DeepTalkConfig):
                settings["actor"], settings["actor_by_default"] = performing(config, self.actor, reporter)
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


@lru_cache(maxsize=1)
def animator(generation: Generation) -> Animate:
    """What performs speech, loaded once a process."""
    from talkcli.engine.performers.trained import Animator

    loaded = Animator(generation.model_name, generation.device_name)
    return lambda speech: list(loaded.motions(speech, generation.sampling))


def ruled(
    generation: Generation, speech: Speech, phones: Alignment | str, reporter: Reporter
) -> list[Motion]:
    """What the rules make of `phones`; where these are a reason for not knowing them, of the loudness."""
    if isinstance(phones, str):
        reporter.warn(f"A clip is performed by its loudness: {phones}.")
        phones = by_energy(speech)
    return list(Rules(phones, reporter=reporter).motions(speech, generation.sampling))
