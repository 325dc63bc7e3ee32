"""MeshTalk's parts at a tiny size: who sees what, drawn classes, rates, the filter."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talkcli.engine.audio.ear import cut, hear
from talkcli.engine.models.meshtalk import latent
from talkcli.engine.models.meshtalk.config import LatentConfig, MeshTalkConfig
from talkcli.engine.models.meshtalk.context import ContextModel
from talkcli.engine.models.meshtalk.latent import one_hot
from talkcli.engine.models.meshtalk.meshtalk import MeshTalk, smooth
from talkcli.engine.models.meshtalk.speech import LogPower, SpeechEncoder, published_frames

TINY = LatentConfig(heads=3, classes=5, width=8, expression_width=8, mesh_widths=(12, 10))


def context() -> ContextModel:
    torch.manual_seed(0)
    return ContextModel(width=8, hidden=4, heads=3, classes=5, dilations=(1, 2)).eval()


def tiny(fps: int = 25) -> MeshTalk:
    torch.manual_seed(0)
    sizes = TINY.model_copy(update={"fps": fps})
    return MeshTalk(MeshTalkConfig(latent=sizes, hidden=4, dilations=(1, 2)), 30).eval()


def test_a_class_depends_on_those_before_it_alone() -> None:
    model, speech = context(), torch.randn(1, 6, 8)
    codes = one_hot(torch.randint(0, 5, (1, 6, 3)), 5).float()
    logs = model(codes, speech)
    for frame, head in ((2, 0), (2, 1), (3, 1)):
        other = codes.clone()
        other[0, frame, head * 5 : (head + 1) * 5] = codes[0, frame, head * 5 : (head + 1) * 5].roll(1)
        changed = (model(other, speech) != logs).any(-1)[0]
        assert not changed[:frame].any() and not changed[frame, : head + 1].any()
        # What comes later sees it; nothing sees the last variable, as published.
        assert changed.any()


def test_classes_one_by_one_are_those_of_all_at_once() -> None:
    model, speech = context(), torch.randn(2, 9, 8)
    labels = model.sample(speech, temperature=0.0)
    assert torch.equal(model(one_hot(labels, 5).float(), speech).argmax(-1), labels)


def test_classes_are_drawn_by_their_probabilities() -> None:
    model = context()
    torch.nn.init.normal_(model.outward.bias)
    speech = torch.randn(1, 1, 8).expand(20_000, -1, -1)
    drawn = model.sample(speech, generator=torch.Generator().manual_seed(0))
    # The first variable of the first frame sees nothing, so that its probabilities are known.
    first = model(torch.zeros(1, 1, 15), speech[:1])[0, 0, 0].exp()
    shares = torch.bincount(drawn[:, 0, 0], minlength=5) / len(drawn)
    assert (shares - first).abs().max() < 4 * (0.25 / len(drawn)) ** 0.5
    sharp = model.sample(speech[:2000], temperature=0.05, generator=torch.Generator().manual_seed(0))
    assert (sharp[:, 0, 0] == first.argmax()).float().mean() > 0.9


def test_takes_differ_by_the_generator_alone() -> None:
    model, samples = tiny(), torch.randn(1, 8000)
    one, same, other = (
        model.generate(samples, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(model.generate(samples, temperature=0.0), model.generate(samples, temperature=0.0))


@pytest.mark.parametrize(("samples", "at_25"), [(1, 1), (640, 1), (641, 2), (16_000, 25)])
def test_number_of_frames(samples: int, at_25: int) -> None:
    sound = 0.1 * torch.randn(1, samples)
    assert tiny(25).generate(sound).shape == (1, at_25, 30)
    assert tiny(30).generate(sound).shape == (1, published_frames(samples), 30)
    assert tiny(25).generate(torch.zeros(1, samples)).isfinite().all()


def test_shared_hops_are_those_of_windows_of_one_second() -> None:
    """Inside of the sound a frame of 25 fps hears what a window around its middle would, apart from the
    window's reflected edges.
    """
    torch.manual_seed(0)
    encoder = SpeechEncoder(8, 0.0).eval()
    samples = 0.01 * torch.randn(1, 48_000)
    front = encoder.front
    shared = encoder.of_clip(samples)[0]
    scaled = samples * (0.01 / samples.abs().mean())
    for frame in (20, 37, 50):
        middle = 640 * frame + 320
        # Two tenths more on both sides, without reflection.
        around = scaled[:, middle - 8400 : middle + 8400]
        hops = front.of_pieces(around.unfold(1, 800, 160))
        assert hops.shape[1] == 101
        torch.testing.assert_close(encoder(hops)[0, 0], shared[frame], rtol=1e-4, atol=1e-5)


def test_the_filter_is_scipys_and_leaves_the_rest() -> None:
    from scipy.ndimage import gaussian_filter1d

    faces = torch.randn(1, 30, 15, dtype=torch.float64)
    shares = torch.zeros(2, 5, dtype=torch.float64)
    shares[0, 1], shares[0, 3], shares[1, 4] = 1.0, 0.4, 1.0
    made = smooth(faces.clone(), shares)[0].unflatten(1, (5, 3)).numpy()
    points = faces[0].unflatten(1, (5, 3)).numpy()
    filtered = gaussian_filter1d(points, 2.0, axis=0, radius=4, mode="nearest")
    np.testing.assert_array_equal(made[:, [0, 2]], points[:, [0, 2]])
    np.testing.assert_allclose(made[:, [1, 4]], filtered[:, [1, 4]], atol=1e-12)
    np.testing.assert_allclose(made[:, 3], 0.6 * points[:, 3] + 0.4 * filtered[:, 3], atol=1e-12)


def test_step_1_stays_as_it_is_in_training() -> None:
    model = tiny().train()
    assert not model.prior.training and model.context.training
    assert not any(value.requires_grad for value in model.prior.parameters())
    with pytest.raises(ValueError, match="are no vertices"):
        MeshTalk(MeshTalkConfig(latent=TINY), 31)
    with pytest.raises(ValueError, match="greater than 0"):
        MeshTalkConfig(dilations=(0,))


def test_faces_of_long_speech_are_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sound = tiny(), 0.1 * torch.randn(1, 640 * 20)
    whole = model.generate(sound, temperature=0.0)
    monkeypatch.setattr(latent, "_AT_ONCE", 7)
    torch.testing.assert_close(model.generate(sound, temperature=0.0), whole)


def test_a_stretch_of_a_clip_hears_the_clip_around_it() -> None:
    """Training cuts stretches out of clips: their codes are those of the whole clip."""
    torch.manual_seed(0)
    encoder = SpeechEncoder(8, 0.0).eval()
    samples = 0.01 * torch.randn(1, 640 * 60)
    whole, ears = encoder.of_clip(samples), {LogPower.name: encoder.front}
    for first, last in ((0, 16), (20, 36), (44, 60)):
        sound = cut(hear(ears, samples), ears, first, last)
        made = encoder.of_frames(sound[LogPower.name])
        torch.testing.assert_close(made, whole[:, first:last], rtol=1e-4, atol=1e-5)


def test_the_coldest_temperatures_take_the_most_probable_class() -> None:
    model, speech = context(), torch.randn(1, 5, 8)
    assert torch.equal(model.sample(speech, temperature=1e-39), model.sample(speech, temperature=0.0))
