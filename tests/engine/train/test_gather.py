"""Rows of one process; those of two are in test_processes.py."""

import torch

from talkcli.engine.train.gather import gather


def test_one_process_has_its_rows() -> None:
    rows = torch.ones(3, 2, requires_grad=True)
    assert gather(rows) is rows
