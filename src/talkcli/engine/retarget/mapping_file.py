"""Files of mappings, .csv or .npz.

A csv has a header and one row per weight: target, source, weight. Pairs that are not named have weight 0. A
line `# source: WHO` before the header says where the weights come from; other lines with # are passed over.
An npz has `targets` and `sources` (names), `weights` (targets, sources), and `origin` (text, optional).
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import atomic_path
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.text import read_text
from talkcli.engine.retarget.mapping import Mapping, check_origin
from talkcli.engine.wording import parameter

SUFFIXES = (".csv", ".npz")
_HEADER = ["target", "source", "weight"]
_KIND = "mapping"
_HINT = "A mapping is a .csv with the columns target, source, weight, or an .npz (docs/retarget.md)."
_ORIGIN = re.compile(r"#\s*source\s*:\s*(.+)", re.IGNORECASE)
_LARGEST_BYTES = 1 << 24
_MOST_NAMES, _LONGEST_NAME, _MOST_WEIGHT = 4096, 200, 1e4
# Weights below are not worth a row.
_SMALLEST = 5e-4


def read_mapping(path: Path) -> Mapping:
    """Return the mapping in `path`.

    Raises UsageError for another suffix, and InputError for a file that is no mapping, with the line.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{parameter('mapping', path)} ends neither in .csv nor in .npz.", hint=_HINT)
    mapping = _read_csv(path) if suffix == ".csv" else _read_npz(path)
    check_origin(mapping)
    return mapping


def write_mapping(path: Path, mapping: Mapping) -> None:
    """Write `mapping` in the form of the suffix, so that a user can edit it."""
    if path.suffix.lower() == ".npz":
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                targets=np.array(mapping.targets),
                sources=np.array(mapping.sources),
                weights=mapping.weights,
                origin=np.array(mapping.origin),
            )
        return
    text = io.StringIO()
    if mapping.origin:
        text.write(f"# source: {' '.join(mapping.origin.split())}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_HEADER)
    for target, row in zip(mapping.targets, mapping.weights, strict=True):
        kept = np.flatnonzero(np.abs(row) >= _SMALLEST)
        # A target without weights keeps its place in the order.
        for source in kept if len(kept) else [0]:
            table.writerow([target, mapping.sources[source], f"{row[source]:.4g}" if len(kept) else "0"])
    with atomic_path(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _read_csv(path: Path) -> Mapping:
    lines = read_text(path, largest=_LARGEST_BYTES).splitlines()
    origin, weights = "", dict[tuple[str, str], float]()
    # Keep the order of first mention.
    targets, sources = dict[str, None](), dict[str, None]()
    header_seen = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            found = _ORIGIN.match(line.strip())
            origin = found[1].strip() if found and not origin else origin
            continue
        try:
            cells = [cell.strip() for cell in next(csv.reader([line]))]
        except csv.Error as error:
            raise InputError(f"{path}, line {number} is not readable CSV ({error}).", hint=_HINT) from error
        if not header_seen:
            if [cell.lower() for cell in cells] != _HEADER:
                raise InputError(f"{path}, line {number} is not {','.join(_HEADER)}.", hint=_HINT)
            header_seen = True
            continue
        if len(cells) != len(_HEADER) or not all(cells):
            raise InputError(f"{path}, line {number} has no target, source and weight.", hint=_HINT)
        target, source = cells[:2]
        if (target, source) in weights:
            raise InputError(f"{path}, line {number} gives {target} a second weight of {source}.")
        weights[target, source] = _weight(cells[2], f"{path}, line {number}")
        targets[target] = sources[source] = None
        if max(len(targets), len(sources)) > _MOST_NAMES or max(map(len, cells)) > _LONGEST_NAME:
            raise InputError(f"{path}, line {number}: no head has so many or such long names.")
    if not weights:
        raise InputError(f"{path} holds no weights.", hint=_HINT)
    matrix = np.zeros((len(targets), len(sources)))
    rows, columns = ({name: index for index, name in enumerate(names)} for names in (targets, sources))
    for (target, source), weight in weights.items():
        matrix[rows[target], columns[source]] = weight
    return Mapping(targets=tuple(targets), sources=tuple(sources), weights=matrix, origin=origin)


def _weight(cell: str, where: str) -> float:
    try:
        weight = float(cell)
    except ValueError:
        weight = np.nan
    if not abs(weight) <= _MOST_WEIGHT:
        raise InputError(f"{where}: {cell[:40]!r} is no weight within +-{_MOST_WEIGHT:g}.")
    return weight


def _read_npz(path: Path) -> Mapping:
    most = dict.fromkeys(("targets", "sources"), _MOST_NAMES * _LONGEST_NAME * 4) | {
        "weights": _MOST_NAMES * 1024 * 8,
        "origin": 1 << 14,
    }
    stored = read_arrays(
        path,
        ("targets", "sources", "weights"),
        kind=_KIND,
        hint=_HINT,
        optional=("origin",),
        most_bytes=most,
    )
    names = [_names(path, stored[key]) for key in ("targets", "sources")]
    weights, origin = stored["weights"], stored.get("origin", np.array(""))
    if weights.dtype.kind not in "fiu" or weights.shape != tuple(map(len, names)):
        raise InputError(f"{path} has weights of {weights.dtype} {weights.shape} for its names.", hint=_HINT)
    if not np.abs(weights.astype(np.float64)).max() <= _MOST_WEIGHT:
        raise InputError(f"{path} has weights that are no numbers within +-{_MOST_WEIGHT:g}.", hint=_HINT)
    if origin.dtype.kind != "U" or origin.shape != ():
        raise InputError(f"{path} has an origin that is no text.", hint=_HINT)
    return Mapping(
        targets=names[0], sources=names[1], weights=weights.astype(np.float64), origin=str(origin).strip()
    )


def _names(path: Path, stored: np.ndarray) -> tuple[str, ...]:
    if stored.dtype.kind != "U" or stored.ndim != 1 or not 0 < len(stored) <= _MOST_NAMES:
        raise InputError(f"{path} has no list of names.", hint=_HINT)
    names = tuple(str(name) for name in stored)
    if len(set(names)) != len(names):
        raise InputError(f"{path} names a channel twice.", hint=_HINT)
    return names
