"""Settings of a model that the official code has built in: where they differ, it runs another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from talkcli.engine.types import Config


def differing(config: Config, built_in: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return as phrases where a config differs from the built-in settings, of several the nearest ones.

    Args:
        config: Settings of a model.
        built_in: For each variant of the official code, values by dotted names.
    """
    ours = flat(config.model_dump(mode="json"))
    found = [
        [f"{key} {value} instead of {ours.get(key)}" for key, value in each.items() if ours.get(key) != value]
        for each in built_in
    ]
    return min(found, key=len, default=[])


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names."""
    whole: dict[str, Any] = {}
    for key, value in settings.items():
        whole |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return whole
