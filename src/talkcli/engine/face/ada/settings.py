"""Changes of single fields of a `Person`, checked: what each may be, and what is meant by a name misspelt."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from talkcli.engine.errors import UsageError
from talkcli.engine.face.ada.person import HAIR_COLOURS, HAIR_STYLES, IRIS_COLOURS, Person
from talkcli.engine.wording import parameter

CHOICES: Mapping[str, Iterable[str]] = {
    "hair": HAIR_STYLES,
    "hair_colour": HAIR_COLOURS,
    "iris": IRIS_COLOURS,
}
# Fields that are not named here are measures in standard deviations.
RANGES: Mapping[str, tuple[float, float]] = {
    "sex": (0, 1),
    "age": (18, 90),
    "build": (-1, 1),
    "tone": (0, 1),
    "brows": (0, 2),
    "asymmetry": (0, 2),
}
DEVIATIONS = (-3.0, 3.0)
MOST_SEED = 2**32 - 1


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """Return the fields in texts such as "age=60"; the last value of a field counts.

    Raises UsageError for a text without a name or a value.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise UsageError(f"{parameter('set', text)} is no FIELD=VALUE.", hint="For example `set=age=60`.")
        found[name.strip().replace("-", "_")] = value.strip()
    return found


def changed(person: Person, settings: Mapping[str, Any]) -> Person:
    """Return `person` with the fields of `settings`, which hold texts or values.

    Raises UsageError for a field that there is not, and for a value that it cannot have.
    """
    known = asdict(person)
    for name in settings:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, n=1)
            names = f"A person has {', '.join(known)}."
            raise UsageError(
                f"{parameter('set', name)}: a person has no such field.",
                hint=f"Did you mean {near[0]}? {names}" if near else names,
            )
    return replace(person, **{name: _value(name, value) for name, value in settings.items()})


def allowed(name: str) -> str:
    """Return in words what the field `name` may be."""
    if name in CHOICES:
        return ", ".join(CHOICES[name])
    if name == "seed":
        return f"0 to {MOST_SEED}"
    low, high = RANGES.get(name, DEVIATIONS)
    return f"{low:g} to {high:g}" + ("" if name in RANGES else " standard deviations")


def _value(name: str, given: Any) -> Any:
    if name in CHOICES:
        if not isinstance(given, str) or given not in CHOICES[name]:
            near = difflib.get_close_matches(str(given).lower(), CHOICES[name], n=1)
            raise _refused(name, given, f" Did you mean {near[0]}?" if near else "")
        return given
    try:
        if isinstance(given, bool):
            raise ValueError
        value = int(given) if name == "seed" else float(given)
    except (TypeError, ValueError, OverflowError):
        raise _refused(name, given) from None
    low, high = (0, MOST_SEED) if name == "seed" else RANGES.get(name, DEVIATIONS)
    if not low <= value <= high or not math.isfinite(value):
        raise _refused(name, given)
    return value


def _refused(name: str, given: Any, more: str = "") -> UsageError:
    return UsageError(
        f"{parameter('set', f'{name}={given}')} cannot be.", hint=f"{name} is {allowed(name)}.{more}"
    )
