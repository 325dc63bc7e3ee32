"""The check values of PROBE_RULE.md."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor

from tests.engine.probe_rule import drawn, filled, keys, sound


def test_the_generator() -> None:
    first = [
        -0.340485458727926,
        0.9839609838090837,
        0.29048454435442226,
        0.6839379761368036,
        0.7215850902721286,
    ]
    numbers = drawn("test", 1_000_001)
    np.testing.assert_allclose(numbers[:5], first, rtol=1e-11)
    assert numbers[1_000_000] == pytest.approx(-0.5649881581775844, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "shape", "first", "last"),
    [
        ("vertice_map.weight", (64, 15069), [0.00984748546, 0.000211085178, -0.00900610164], -0.0136127966),
        ("vertice_map.bias", (64,), [-0.0043204613, -0.0166651122, -0.0127182547], -0.00443686498),
        (
            "transformer_decoder.layers.0.norm1.weight",
            (64,),
            [0.927081466, 0.940964401, 1.05904925],
            0.904610336,
        ),
        (
            "audio_encoder.encoder.pos_conv_embed.conv.weight_g",
            (1, 1, 128),
            [1.02396691, 0.947590292, 0.998328745],
            1.06347334,
        ),
        (
            "audio_encoder.encoder.pos_conv_embed.conv.weight_v",
            (768, 48, 128),
            [0.0131715182, 0.00148963567, 0.00808596052],
            -0.0214878097,
        ),
        (
            "audio_encoder.masked_spec_embed",
            (768,),
            [0.0723056719, -0.0140836444, -0.0973107442],
            0.0414626002,
        ),
        ("motion_encoder.squasher.0.2.running_var", (128,), [1.08007431, 1.00033534, 1.01579142], 1.02148867),
    ],
)
def test_weights(name: str, shape: tuple[int, ...], first: list[float], last: float) -> None:
    value: Tensor = filled(name, shape)
    assert value.shape == shape
    np.testing.assert_allclose(value.flatten()[:3], first, rtol=1e-7)
    assert float(value.flatten()[-1]) == pytest.approx(last, rel=1e-7)


def test_sound() -> None:
    samples = sound(1.0)
    expected = [0, 0.0379015003, 0.0690858018, 0.164726717, -0.0378710042]
    np.testing.assert_allclose(samples[[0, 1, 2, 100, 15999]], expected, atol=1e-10)
    assert samples.std() == pytest.approx(0.1346291202, rel=1e-9)
    assert sound(1.36).std() == pytest.approx(0.1346695720, rel=1e-9)


def test_keys() -> None:
    assert keys("# comment\na.b\t(2, 3)\tfloat32\nc\t(4,)\tfloat32\nd\t()\tint64\n") == {
        "a.b": (2, 3),
        "c": (4,),
        "d": (),
    }
