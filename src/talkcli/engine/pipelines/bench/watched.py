"""`talk` with one line more on stderr: when its first picture was drawn and given to the encoder.

The benchmark starts this module in place of talk, so nothing is imported before talk itself does it.
"""

from __future__ import annotations

import os
import time

# The line: this, and seconds of the system's monotonic clock.
SAID = b"first picture at "


def main() -> None:
    """Run the command line, with its progress watched."""
    from talkcli.console import Console

    progress, said = Console.progress, []

    def watched(self: Console, stage: str, done: int, total: int | None) -> None:
        if stage in ("video", "frames") and not said:
            said.append(time.monotonic())
            os.write(2, b"%s%f\n" % (SAID, said[0]))
        progress(self, stage, done, total)

    Console.progress = watched  # type: ignore[method-assign]
    from talkcli.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
