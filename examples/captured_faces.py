"""Measure what captured faces do, and say how the performer and the layers stand beside them.

    talk preprocess video GRID_S1 --keep-pose --licence CC-BY-4.0 --out prepared/grid_s1
    talk preprocess video GRID --keep-pose --licence CC-BY-4.0 --out prepared/grid
    talk preprocess facegood FACEGOOD --out prepared/facegood
    python examples/captured_faces.py --fitted prepared/grid_s1 --held-out prepared/grid \
        --curves prepared/facegood --live-link LIVE_LINK --out table.json
    python examples/captured_faces.py --compare prepared/grid_s1
    python examples/captured_faces.py --layers SPEECH
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from talkcli.console import Console
from talkcli.engine.errors import TalkError
from talkcli.engine.face.captured import captured
from talkcli.engine.pipelines.captured.compare import layer_rows, viseme_rows
from talkcli.engine.pipelines.captured.table import Sets, make_table, write_table


def main() -> None:
    """Write the table, or print how the performer or the layers stand beside it.

    Ends with 2 for arguments that ask for nothing or do not go together, and as `talk` does for bad input.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fitted", type=Path, help="prepared films of GRID that the visemes follow")
    parser.add_argument("--held-out", type=Path, help="prepared films of GRID that are reported only")
    parser.add_argument("--curves", type=Path, help="prepared clips of FACEGOOD")
    parser.add_argument("--live-link", type=Path, nargs="*", default=(), help="folders of Live Link Face CSV")
    parser.add_argument("--out", type=Path, help="the table to write")
    parser.add_argument("--compare", type=Path, help="prepared films of GRID that the performer repeats")
    parser.add_argument(
        "--layers", type=Path, nargs="*", default=(), help="folders of speech with transcripts"
    )
    given = parser.parse_args()
    if (given.fitted is None) != (given.out is None):
        parser.error("--fitted and --out need each other")
    if given.fitted is None and (given.held_out or given.curves or given.live_link):
        parser.error("--held-out, --curves and --live-link need --fitted and --out")
    if not (given.fitted or given.compare or given.layers):
        parser.error("nothing to do: give --fitted with --out, --compare or --layers")
    try:
        _measure(given)
    except TalkError as error:
        print(f"error: {error.problem}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None


def _measure(given: argparse.Namespace) -> None:
    """Do what the arguments ask for."""
    with Console() as console:
        if given.fitted:
            sets = Sets(
                fitted=given.fitted, held_out=given.held_out, curves=given.curves, live_link=given.live_link
            )
            write_table(make_table(sets, console), given.out)
        if given.compare:
            print("\n".join(viseme_rows(given.compare, captured(), console)))
        if given.layers:
            print("\n".join(layer_rows(given.layers, captured(), console)))


if __name__ == "__main__":
    main()
