"""Settings of a model that the official code has built in: where they differ, it runs another model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkcli.engine.types import Config


def differing(config: Config, built_in: Mapping[str, Any]) -> list[str]:
    """Return as phrases where a config differs from the built-in settings, values by dotted names."""
    ours = flat(config.model_dump(mode="json"))
    return [
        f"{key} {value} instead of {ours.get(key)}"
        for key, value in built_in.items()
        if ours.get(key) != value
    ]


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names."""
    whole: dict[str, Any] = {}
    for key, value in settings.items():
        whole |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return whole
