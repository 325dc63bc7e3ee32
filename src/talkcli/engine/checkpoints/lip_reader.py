"""Loader of a published lip reader's front-end from the weight file of the whole recogniser.

The names begin with `encoder.frontend.`, or have no prefix in a file of the front-end alone.
"""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig

_PREFIX = "encoder.frontend."
# Prefixes of the recogniser's other parts: projection, conformer, decoder and CTC layer.
_REST = ("encoder.embed.", "encoder.encoders.", "encoder.after_norm.", "decoder.", "ctc.")


def load_lip_reader(path: Path) -> LipReader:
    """Return the frozen front-end in the file `path`, with the activation that its tensors imply.

    It ignores the rest of the recogniser. Raises InputError when the file is missing or not a weight file, or
    when tensors are missing, unknown or of another shape, which the message lists.
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
