"""Check of documents against docs/score-report.schema.json, for the keywords that this schema uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[1] / "docs" / "score-report.schema.json").read_text(encoding="utf-8")
)
_KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "oneOf", "anyOf", "type", "const", "enum",
    "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
}  # fmt: skip
_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def faults(  # noqa: PLR0911  one return a keyword
    document: Any, schema: dict[str, Any] = SCHEMA, where: str = "$"
) -> list[str]:
    """Return what is wrong with `document`, each with its place."""
    assert set(schema) <= _KNOWN, f"the check does not know {set(schema) - _KNOWN}"
    if "$ref" in schema:
        return faults(document, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], where)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            found = [faults(document, each, where) for each in schema[several]]
            fitting = found.count([])
            if fitting == 0:
                return min(found, key=len)
            return [] if several == "anyOf" or fitting == 1 else [f"{where}: several fit"]
    if "type" in schema and not any(_is(document, kind) for kind in _list(schema["type"])):
        return [f"{where}: {document!r:.40} is no {schema['type']}"]
    if "const" in schema and document != schema["const"]:
        return [f"{where}: {document!r:.40} is not {schema['const']!r}"] * 99
    if "enum" in schema and document not in schema["enum"]:
        return [f"{where}: {document!r:.40} is none of {schema['enum']}"]
    wrong = []
    if isinstance(document, dict):
        wrong += [f"{where}: no {key}" for key in schema.get("required", ()) if key not in document]
        known = schema.get("properties", {})
        for key, value in document.items():
            below = known.get(key, schema.get("additionalProperties", {}))
            wrong += faults(value, below, f"{where}.{key}")
    if isinstance(document, list):
        if not schema.get("minItems", 0) <= len(document) <= schema.get("maxItems", len(document)):
            wrong.append(f"{where}: {len(document)} items")
        for index, value in enumerate(document):
            wrong += faults(value, schema.get("items", {}), f"{where}[{index}]")
    return wrong


def _list(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def _is(value: Any, kind: str) -> bool:
    if kind in ("number", "integer"):
        whole = isinstance(value, int) or (kind == "number" and isinstance(value, float))
        return whole and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])
