"""Which sound file belongs to a file of motion: the one whose path is the same but for folders of kinds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from talkcli.engine.data.names import files_below

# In the order in which they are preferred: what lost nothing first, films last.
SOUNDS = (".wav", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".mp3", ".mp4", ".mov")


def paired_sounds(
    root: Path, motions: Iterable[Path], kinds: Collection[str]
) -> list[tuple[str, Path, Path | None]]:
    """Name, motion and sound of every file of `motions` below `root`, in order of names; None for a sound
    that is not there. Folders called as in `kinds` do not count: with FLAME_coeffs and audio, the sound of
    FLAME_coeffs/anna/3.npz is audio/anna/3.flac, and both are anna/3.
    """

    def name(path: Path) -> str:
        return "/".join(part for part in path.relative_to(root).with_suffix("").parts if part not in kinds)

    preferred = sorted(files_below(root, SOUNDS), key=lambda path: -SOUNDS.index(path.suffix.lower()))
    sounds = {name(path): path for path in preferred}
    return sorted((name(path), path, sounds.get(name(path))) for path in motions)


def plain(name: str) -> str:
    """`name` without what no id may have."""
    return re.sub(r"[^\w./-]", "_", name)
