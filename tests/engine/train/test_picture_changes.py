"""Random changes of pictures: off, one camera a row, and what each of them does."""

from __future__ import annotations

import torch

from talkcli.engine.train.picture_changes import PictureChanges, change_pictures

OFF = dict.fromkeys(PictureChanges.model_fields, 0.0)


def ramp() -> torch.Tensor:
    """Two rows of three equal pictures, dark at the left."""
    return torch.linspace(0.2, 0.8, 48).expand(2, 3, 48, 48).clone()


def changed(**how: float) -> torch.Tensor:
    torch.manual_seed(3)
    return change_pictures(ramp(), PictureChanges(**{**OFF, **how}))


def test_off_is_the_same_picture() -> None:
    torch.testing.assert_close(changed(), ramp(), atol=1e-5, rtol=1e-5)


def test_all_frames_of_a_row_have_one_camera() -> None:
    torch.manual_seed(0)
    found = change_pictures(ramp(), PictureChanges(noise=0))
    torch.testing.assert_close(found[:, 0], found[:, 2])
    assert (found[0] - found[1]).abs().mean() > 0.02
    assert found.min() >= 0
    assert found.max() <= 1


def test_a_mirrored_picture() -> None:
    torch.testing.assert_close(changed(mirror=1.0), ramp().flip(-1), atol=1e-5, rtol=1e-5)


def test_each_change_does_something() -> None:
    for name in OFF:
        if name != "blur":
            assert (changed(**{name: 1.0}) - ramp()).abs().mean() > 0.01, name


def test_blur_takes_what_is_fine() -> None:
    torch.manual_seed(0)
    fine = torch.zeros(1, 1, 48, 48)
    fine[..., ::2] = 1
    found = change_pictures(fine, PictureChanges(**{**OFF, "blur": 1.0}))
    assert found.std() < fine.std()
    torch.testing.assert_close(found.mean(), fine.mean(), atol=0.02, rtol=0)
