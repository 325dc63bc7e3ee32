"""The lip-reading loss: its crops, its gradients, and that it leads to the truth."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.losses.lip_reading import LipReading, apart, mouth_corners
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.torch_raster import TorchRenderer
from tests.engine.judges.lip_readers import stand_in_reader

JAW = ADA.index("jawPitch")


@pytest.fixture(scope="module")
def loss() -> LipReading:
    head = load_head("ada")
    return LipReading(head, stand_in_reader(), TorchRenderer(close_up(head), 224, 224))


def _opening(*radians: float) -> Tensor:
    coeffs = torch.zeros(1, len(radians), 53)
    coeffs[0, :, JAW] = torch.tensor(radians)
    return coeffs


def test_equal_motions_are_not_apart_and_others_are(loss: LipReading) -> None:
    true = torch.cat([_opening(0.0, 0.1, 0.3), _opening(0.2, 0.2, 0.0)])
    assert loss(true, loss.features(true)).item() == pytest.approx(0, abs=1e-6)
    wanted = loss.features(true)
    near, far = loss(true + 0.01 * (true > 0), wanted), loss(true.flip(0), wanted)
    assert 1e-5 < near < far


def test_gradients_reach_what_was_made(loss: LipReading) -> None:
    made = _opening(0.1, 0.2).requires_grad_()
    loss(made, loss.features(_opening(0.2, 0.3))).backward()
    assert made.grad is not None and made.grad.isfinite().all()
    assert (made.grad[0, :, JAW] != 0).all()
    assert made.grad[0, :, ADA.index("mouthSmileLeft")].abs().min() > 0


def test_bf16_reads_the_same_pictures_and_compares_in_full_precision(loss: LipReading) -> None:
    made, true = _opening(0.1, 0.2), _opening(0.11, 0.21)
    pictures = loss.mouths(made[0])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss.mouths(made[0]), pictures)
        found = loss(made, loss.features(true))
    # One minus a cosine in bfloat16 would be a multiple of 2^-8.
    assert found.dtype == torch.float32
    assert 0 < found.item() < 2**-6
    assert found.item() * 2**8 % 1 != 0


def test_mouths_are_crops_of_the_grey_picture(loss: LipReading) -> None:
    coeffs = _opening(0.0, 0.3)[0]
    vertices = loss.head(coeffs)
    picture = loss.renderer.render(vertices) @ torch.tensor([0.299, 0.587, 0.114])
    marks = loss.renderer.project(loss.head.landmarks(vertices))
    for frame, (column, row) in enumerate(mouth_corners(marks).int().tolist()):
        crop = picture[frame, row : row + 88, column : column + 88]
        torch.testing.assert_close(loss.mouths(coeffs)[frame], crop)
        assert (marks[frame, 48:].mean(0) - torch.tensor([column + 44, row + 44])).abs().max() < 4


def test_the_crop_follows_the_face_at_once_and_the_mouth_over_twelve_frames() -> None:
    still = torch.full((40, 68, 2), 100.0)
    assert (mouth_corners(still) == 56).all()
    jumped = still.clone()
    jumped[20:] += torch.tensor([10.0, -7.0])
    expected = torch.tensor([[56.0, 56]]).repeat(40, 1)
    expected[20:] = torch.tensor([66.0, 49])
    assert torch.equal(mouth_corners(jumped), expected)
    # The mouth alone moves away and the rest against it, so that the middle of all landmarks stays.
    away = still.clone()
    away[20, 48:] += 48.0
    away[20, :48] -= 20.0
    places = mouth_corners(away)[:, 0] - 56
    # A twelfth of 48 for each of the twelve frames that see frame 20: from five before it to six after.
    assert places.tolist() == [4.0 if 15 <= frame <= 26 else 0.0 for frame in range(40)]
    # Beyond the ends the first and the last frame go on.
    away = still.clone()
    away[0, 48:] += 48.0
    away[0, :48] -= 20.0
    assert mouth_corners(away)[:8, 0].tolist() == [56.0 + 4 * max(7 - frame, 0) for frame in range(8)]


def test_recomputing_changes_nothing_but_memory(loss: LipReading) -> None:
    true, results = _opening(0.1, 0.3), []
    for recompute in (False, True):
        made = (true * 0.5).requires_grad_()
        term = LipReading(loss.head, loss.reader, loss.renderer, recompute=recompute)(
            made, loss.features(true)
        )
        results.append((term, torch.autograd.grad(term, made)[0]))
    torch.testing.assert_close(results[0], results[1])


def test_apart_is_one_minus_the_mean_cosine() -> None:
    left = torch.tensor([[[1.0, 0, 0], [0, 2, 0]]])
    right = torch.tensor([[[3.0, 0, 0], [0, 0, 1]]])
    assert apart(left, right).item() == pytest.approx(0.5)


@pytest.mark.parametrize(("start", "true"), [(0.05, 0.2), (0.2, 0.02)])
def test_a_stand_in_reader_leads_the_jaw_to_the_truth(loss: LipReading, start: float, true: float) -> None:
    """With random weights the loss still knows the right opening, when gradients follow the crop."""
    following = LipReading(loss.head, loss.reader, loss.renderer, follow=True)
    wanted = following.features(_opening(true)).detach()
    jaw = torch.tensor(start, requires_grad=True)
    optimiser = torch.optim.Adam([jaw], lr=0.015, betas=(0.5, 0.9))
    place = torch.zeros(1, 1, 53)
    place[0, 0, JAW] = 1.0
    for _ in range(20):
        optimiser.zero_grad()
        following(jaw * place, wanted).backward()
        optimiser.step()
    assert abs(jaw.item() - true) < 0.15 * abs(start - true)
