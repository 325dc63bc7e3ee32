"""Model files: what comes back, and what is refused with which sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from talkcli.engine.checkpoints import model_file
from talkcli.engine.checkpoints.model_file import (
    Meta,
    load_model,
    read_content,
    read_header,
    save_model,
    save_weights,
    shipped_weights,
)
from talkcli.engine.errors import AssetError, InputError
from talkcli.engine.face.channels import ADA
from talkcli.engine.models.deeptalk.th_vqvae import ThVqvae, ThVqvaeConfig
from tests.engine.fakes import small_disk

CONFIG = ThVqvaeConfig(width=16, heads=2, feedforward=16, decoder_feedforward=16, codes=12)
META = Meta(head="ada", channels=ADA, fps=25, trained_on="two clips", licence="CC0-1.0")


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_model(tmp_path / "m.safetensors", ThVqvae(CONFIG), meta=META)
    return tmp_path / "m.safetensors"


def _rewrite(path: Path, change: dict[str, object], drop: str | None = None, add: str | None = None) -> None:
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["talk"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if drop:
        del tensors[drop]
    if add:
        tensors[add] = torch.zeros(3)
    header.update(checksum=model_file._checksum(tensors), header_checksum=None)
    save_file(tensors, path, metadata={"talk": json.dumps({**header, **change})})


def test_round_trip(saved: Path) -> None:
    model, header = load_model(saved)
    assert header.method == "th_vqvae"
    assert header.model_dump(include=set(Meta.model_fields)) == META.model_dump()
    assert model.config == CONFIG
    assert not model.training
    torch.manual_seed(0)
    again = ThVqvae(CONFIG)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_equal_weights_are_equal_files(saved: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "n.safetensors", load_model(saved)[0], meta=META)
    assert saved.read_bytes() == (tmp_path / "n.safetensors").read_bytes()


def test_a_full_disk_keeps_the_file_from_before(saved: Path) -> None:
    before = saved.read_bytes()
    with small_disk(), pytest.raises(InputError, match="cannot be written"):
        save_model(saved, ThVqvae(CONFIG), meta=META)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_half_storage_keeps_vectors(tmp_path: Path) -> None:
    model = ThVqvae(CONFIG)
    save_model(tmp_path / "h.safetensors", model, meta=META, storage="float16")
    loaded, _ = load_model(tmp_path / "h.safetensors")
    assert loaded.smooth.weight.dtype == torch.float32
    assert torch.equal(loaded.smooth.bias, model.smooth.bias)
    assert torch.equal(loaded.smooth.weight, model.smooth.weight.half().float())


def test_half_storage_keeps_what_float16_cannot_hold(tmp_path: Path) -> None:
    model = ThVqvae(CONFIG)
    model.quantizer_top.ema_sum[0, 0] = 1e5
    save_model(tmp_path / "h.safetensors", model, meta=META, storage="float16")
    assert load_model(tmp_path / "h.safetensors")[0].quantizer_top.ema_sum[0, 0] == 1e5


def test_loading_draws_nothing(saved: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    load_model(saved)
    assert torch.equal(torch.rand(3), expected)


def test_unused_tensors_are_carried_and_not_loaded(saved: Path) -> None:
    model, _ = load_model(saved)
    carried = {"somebody.elses": torch.arange(3.0), "counter": torch.tensor(4)}
    save_weights(saved, model.state_dict(), method="th_vqvae", config=model.config, meta=META, unused=carried)
    again, header = load_model(saved)
    assert header.format == 2
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())
    content = read_content(saved)
    assert content.config == CONFIG
    assert content.weights.keys() == model.state_dict().keys()
    assert content.unused.keys() == carried.keys()
    assert all(torch.equal(value, content.unused[name]) for name, value in carried.items())


@pytest.mark.parametrize("size", [0, 4, 100, 5000])
def test_truncated(saved: Path, size: int) -> None:
    saved.write_bytes(saved.read_bytes()[:size])
    with pytest.raises(InputError, match="not a complete safetensors file"):
        load_model(saved)


def test_flipped_bit(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[-100] ^= 1
    saved.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        load_model(saved)


def test_a_changed_header_is_told(saved: Path) -> None:
    data = saved.read_bytes()
    for old, new in (
        (b"two clips", b"two clipt"),
        (b"CC0-1.0", b"CC1-1.0"),
        (b'dropout\\": 0.1', b'dropout\\": 0.2'),
    ):
        assert data.count(old) == 1
        saved.write_bytes(data.replace(old, new))
        for read in (read_header, load_model):
            with pytest.raises(InputError, match="checksum does not match its header"):
                read(saved)


def test_files_of_before_have_no_checksum_of_the_header(saved: Path) -> None:
    with safe_open(saved, "pt") as file:
        header = json.loads(file.metadata()["talk"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert header.pop("header_checksum") > 0
    # Spaced as pydantic did.
    save_file(tensors, saved, metadata={"talk": json.dumps(header, separators=(",", ":"))})
    assert read_header(saved).header_checksum is None
    load_model(saved)


def test_foreign_and_missing(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="another program"):
        load_model(tmp_path / "foreign.safetensors")
    (tmp_path / "text.safetensors").write_text("hello, this is no model")
    with pytest.raises(InputError, match="not a complete safetensors file"):
        read_header(tmp_path / "text.safetensors")
    with pytest.raises(InputError, match="no model file"):
        read_header(tmp_path / "absent.safetensors")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 99}, "model format 99"),
        ({"method": "unheard_of"}, "does not know"),
        ({"config": {"wdith": 3}}, "is not valid for this version"),
        ({"head": None}, "incomplete"),
    ],
)
def test_headers_that_do_not_fit(saved: Path, change: dict[str, object], sentence: str) -> None:
    _rewrite(saved, change)
    with pytest.raises(InputError, match=sentence):
        load_model(saved)


def test_wrong_tensors_are_listed(saved: Path) -> None:
    _rewrite(saved, {}, drop="smooth.bias", add="extra")
    with pytest.raises(InputError, match=r"missing smooth\.bias; unknown extra"):
        load_model(saved)
    _rewrite(saved, {"config": {**CONFIG.model_dump(), "codes": 13}}, drop="extra")
    with pytest.raises(InputError, match=r"quantizer_top.codebook is \(12, 16\) instead of \(13, 16\)"):
        load_model(saved)


def test_embedded_weights_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "WEIGHTS_DIR", tmp_path)
    with pytest.raises(AssetError, match="embedded model"):
        shipped_weights()
