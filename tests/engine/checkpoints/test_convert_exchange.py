"""Tensors to our names and back: what is renamed, kept, checked and refused."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from talkcli.engine.checkpoints.convert.exchange import differences, equal, give, receive
from talkcli.engine.checkpoints.convert.layout import Entry, Layout, copied, transformer_layer, under
from talkcli.engine.errors import InputError
from talkcli.engine.nn.transformer import TransformerLayer, sinusoids

LAYOUT: Layout = [
    Entry("a.weight", (2, 3), "first.weight"),
    Entry("a.scale", (1,), "scale"),
    Entry("a.num_batches_tracked", (), "count"),
    Entry("a.positions.weight_g", (1, 1, 4), "norm.original0"),
    Entry("a.positions.weight_v", (2, 2, 4), "norm.original1"),
    Entry("a.template", (2, 2)),
    Entry("a.pos_enc", (1, 40, 6), codes=lambda: sinusoids(40, 6)[None]),
    *copied("b", "a", [Entry("a.weight", (2, 3))]),
]


@pytest.fixture
def state() -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(0)
    values = {entry.official: torch.randn(entry.shape, generator=draw) for entry in LAYOUT}
    values["a.num_batches_tracked"] = torch.tensor(7)
    values["a.pos_enc"] = sinusoids(40, 6)[None]
    values["b.weight"] = values["a.weight"].clone()
    return values


def test_renamed_and_back(state: dict[str, Tensor]) -> None:
    received = receive(LAYOUT, state, "x.pth")
    assert list(received.weights) == ["first.weight", "scale", "count", "norm.original0", "norm.original1"]
    assert received.weights["scale"].shape == ()
    assert list(received.unused) == ["a.template"]
    back = give(LAYOUT, *received)
    assert list(back) == [entry.official for entry in LAYOUT]
    assert differences(back, state) == []
    assert back["b.weight"] is back["a.weight"]


def test_new_spelling_of_weight_norm(state: dict[str, Tensor]) -> None:
    old = dict(state)
    for part, name in (("0", "weight_g"), ("1", "weight_v")):
        state[f"a.positions.parametrizations.weight.original{part}"] = state.pop(f"a.positions.{name}")
    assert differences(give(LAYOUT, *receive(LAYOUT, state, "x.pth")), old) == []


def test_unused_tensors_that_never_were_are_zeros(state: dict[str, Tensor]) -> None:
    back = give(LAYOUT, receive(LAYOUT, state, "x.pth").weights, {})
    assert not back["a.template"].any()
    assert torch.equal(back["a.pos_enc"], state["a.pos_enc"])


def test_nearly_equal_position_codes_are_kept_bit_for_bit(state: dict[str, Tensor]) -> None:
    state["a.pos_enc"] = state["a.pos_enc"] + 1e-6
    received = receive(LAYOUT, state, "x.pth")
    assert torch.equal(received.unused["a.pos_enc"], state["a.pos_enc"])
    assert differences(give(LAYOUT, *received), state) == []


def test_other_position_codes_are_refused(state: dict[str, Tensor]) -> None:
    state["a.pos_enc"] = state["a.pos_enc"].flip(2)
    with pytest.raises(InputError, match=r"a\.pos_enc does not hold sines"):
        receive(LAYOUT, state, "x.pth")


def test_what_does_not_fit_is_listed(state: dict[str, Tensor]) -> None:
    state["extra"] = state.pop("a.template")
    state["a.weight"] = torch.zeros(3, 2)
    state["a.scale"] = torch.zeros(1, dtype=torch.float64)
    with pytest.raises(InputError) as caught:
        receive(LAYOUT, state, "x.pth")
    for words in (
        "x.pth",
        "missing a.template",
        "unknown extra",
        "a.weight is (3, 2) instead of (2, 3)",
        "a.scale holds torch.float64 instead of torch.float32",
    ):
        assert words in caught.value.problem


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused_where_they_are_read(
    state: dict[str, Tensor], value: float
) -> None:
    state["a.template"][0, 0] = value
    received = receive(LAYOUT, state, "x.pth")
    assert differences(give(LAYOUT, *received), state) == []
    state["a.positions.weight_v"][1, 0, 2] = value
    with pytest.raises(InputError, match=r"is not a model .*: a\.positions\.weight_v holds numbers that are"):
        receive(LAYOUT, state, "x.pth")


def test_long_lists_are_cut_and_counted(state: dict[str, Tensor]) -> None:
    state |= {f"extra{index}": torch.zeros(1) for index in range(11)}
    with pytest.raises(InputError, match=r"unknown extra7; and 3 more\."):
        receive(LAYOUT, state, "x.pth")


def test_a_copy_that_differs_is_refused(state: dict[str, Tensor]) -> None:
    state["b.weight"] = state["b.weight"] + 1
    with pytest.raises(InputError, match=r"b\.weight differs from a\.weight"):
        receive(LAYOUT, state, "x.pth")


def test_equal_goes_by_bytes() -> None:
    nan = torch.tensor([float("nan"), 1.0])
    assert equal(nan, nan.clone())
    assert not equal(nan, torch.tensor([1.0, float("nan")]))
    assert not equal(torch.zeros(2), torch.zeros(2, dtype=torch.int32))
    assert not equal(torch.zeros(2), torch.zeros(1, 2))
    assert differences({"a": nan}, {"b": nan}) == ["a", "b"]


@torch.no_grad()
def test_transformer_layers_mean_the_same() -> None:
    torch.manual_seed(0)
    theirs = torch.nn.TransformerEncoderLayer(12, 3, 20, dropout=0.0, activation="gelu", batch_first=True)
    ours = TransformerLayer(12, heads=3, feedforward=20, dropout=0.0)
    layout = under("", "", transformer_layer(12, 20))
    assert [entry.official for entry in layout] == list(theirs.state_dict())
    ours.load_state_dict(receive(layout, theirs.state_dict(), "x.pth").weights)
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(ours(x), theirs(x))
