"""Heads turn on their necks: the skull as one piece, the shoulders not at all."""

from __future__ import annotations

import numpy as np
import torch

from talkcli.engine.face.heads import load_head
from talkcli.engine.face.turning import Neck


def test_the_skull_turns_as_one_piece_and_the_base_stays() -> None:
    head = load_head("ada")
    template = torch.from_numpy(np.ascontiguousarray(head.template))
    pose = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.3, 0.0, 0.0]])
    turned = Neck(head).turn(template.expand(3, -1, -1), pose)
    torch.testing.assert_close(turned[0], template)
    marks = head.landmarks(turned)
    before = torch.pdist(marks[0])
    for frame in (1, 2):
        torch.testing.assert_close(torch.pdist(marks[frame]), before, atol=1e-6, rtol=1e-5)
    nose = marks[:, 30]
    # About y the face turns to the subject's left, about x it looks down.
    assert nose[1, 0] - nose[0, 0] > 0.03
    assert nose[0, 1] - nose[2, 1] > 0.02
    lowest = template[:, 1] < template[:, 1].min() + 0.002
    torch.testing.assert_close(turned[1][lowest], template[lowest])
