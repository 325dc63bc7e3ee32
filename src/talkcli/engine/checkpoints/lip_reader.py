"""The front-end of a published lip reader, out of the recogniser's own weight file.

Keys lie below `encoder.frontend.`, or stand alone where somebody has cut the front-end out.
"""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig

_PREFIX = "encoder.frontend."
# The recogniser behind the front-end: projection, conformer, and what turns features into words.
_REST = ("encoder.embed.", "encoder.encoders.", "encoder.after_norm.", "decoder.", "ctc.")


def load_lip_reader(path: Path) -> LipReader:
    """The frozen front-end in the file `path`, with the activation that its tensors tell.

    Raises InputError when the file is missing or no weight file, and one that lists what is missing, unknown
    or misshapen; the rest of the recogniser is left in the file.
    """
    tensors = {
        name.removeprefix(_PREFIX): value
        for name, value in read_state_dict(path).items()
        if not name.startswith(_REST)
    }
    learned = any(name.endswith(".relu1.weight") for name in tensors)
    reader = LipReader(LipReaderConfig(activation="prelu" if learned else "swish"))
    check_fit(tensors, reader.state_dict(), f"{path} does not hold the front-end of a lip reader")
    reader.load_state_dict(tensors)
    return reader
