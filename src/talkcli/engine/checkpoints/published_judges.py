"""Loaders of the published judges whose files hold exactly the network's tensors: SyncNet and Inception."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from talkcli.engine.checkpoints.fit import check_fit
from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.judges.inception import Inception
from talkcli.engine.judges.syncnet import SyncNet

Network = TypeVar("Network", bound=nn.Module)

# Ending of the counters of batch normalisation, which files of old versions of PyTorch lack. No score uses
# them.
_COUNTER = ".num_batches_tracked"


def load_syncnet(path: Path) -> SyncNet:
    """Return the frozen network in the file `path`, `syncnet_v2.model`.

    Raises InputError when the file is missing or not a weight file, or when tensors are missing (the counters
    of batch normalisation may be), unknown or of another shape, which the message lists.
    """
    return _filled(SyncNet(), path, "SyncNet v2")


def load_inception(path: Path) -> Inception:
    """Return the frozen network in the file `path`, pytorch-fid's `pt_inception-2015-12-05`.

    Raises InputError as `load_syncnet` does.
    """
    return _filled(Inception(), path, "FID's Inception v3")


def _filled(network: Network, path: Path, name: str) -> Network:
    wanted = network.state_dict()
    counters = {key: torch.zeros_like(value) for key, value in wanted.items() if key.endswith(_COUNTER)}
    tensors = counters | read_state_dict(path)
    check_fit(tensors, wanted, f"{path} does not hold {name}")
    network.load_state_dict(tensors)
    return network
