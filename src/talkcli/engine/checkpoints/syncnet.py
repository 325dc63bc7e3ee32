"""Loader of SyncNet's published weights, `syncnet_v2.model`."""

from __future__ import annotations

from pathlib import Path

import torch

from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.judges.syncnet import SyncNet

# Ending of the counters of batch normalisation, which files of old versions of PyTorch lack. No score uses
# them.
_COUNTER = ".num_batches_tracked"


def load_syncnet(path: Path) -> SyncNet:
    """Return the frozen network in the file `path`.

    Raises InputError when the file is missing or not a weight file, or when tensors are missing (the counters
    of batch normalisation may be), unknown or of another shape, which the message lists.
    """
    network = SyncNet()
    wanted = network.state_dict()
    counters = {name: torch.zeros_like(value) for name, value in wanted.items() if name.endswith(_COUNTER)}
    tensors = counters | read_state_dict(path)
    check_fit(tensors, wanted, f"{path} does not hold SyncNet v2")
    network.load_state_dict(tensors)
    return network
