"""What torch.save wrote comes back as torch.load gives it; what would crash, stop or fill it is refused."""

from __future__ import annotations

import collections
import io
import pickle
import resource
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from talkcli.engine.checkpoints.foreign import read_state_dict
from talkcli.engine.errors import InputError
from talkcli.engine.readers.pt import load_weights_only
from tests.engine.data.mutations import survives


def write(path: Path, value: Any, *, old: bool = False) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=not old)
    return path


def assert_equal(found: Any, wanted: Any) -> None:
    if isinstance(wanted, torch.Tensor):
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        assert torch.equal(found, wanted)
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for key, value in wanted.items():
            assert_equal(found[key], value)
    elif isinstance(wanted, (list, tuple)):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert_equal(one, other)
    else:
        assert found == wanted
        assert type(found) is type(wanted)


@pytest.mark.parametrize("old", [False, True])
def test_content_arrives_as_from_torch_load(tmp_path: Path, old: bool) -> None:
    torch.manual_seed(0)
    whole = torch.randn(6, 8)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.randn(5, 3)).sum().backward()
    optimiser.step()
    kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.complex64]
    # What the older format cannot hold.
    kinds += [] if old else [torch.uint16, torch.float8_e5m2]
    value = {
        "views": [whole, whole[2:4, 1::3], whole.T, whole[3], whole[:0]],
        "kinds": [whole.to(kind) for kind in kinds],
        "number": torch.tensor(7),
        "wide": torch.ones(3, 1).expand(3, 40),
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": torch.get_rng_state(),
        "plain": (1, -2.5, None, True, "text", "long" * 200, [{}], {3: "x"}, 1 << 40, whole.shape),
    }
    path = write(tmp_path / "a.pt", value, old=old)
    wanted = torch.load(path, weights_only=True)
    # Ordered dictionaries come as dictionaries, and sizes as tuples.
    wanted["model"] = dict(wanted["model"])
    wanted["plain"] = (*wanted["plain"][:-1], tuple(whole.shape))
    found = load_weights_only(path)
    assert_equal(found, wanted)
    assert found["views"][0].data_ptr() == found["views"][2].data_ptr()


def zipped(path: Path, content: bytes, **storages: bytes) -> Path:
    """An archive as torch.save writes it around a pickle of one's own."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
        archive.writestr("a/byteorder", b"little")
        for name, data in storages.items():
            archive.writestr(f"a/data/{name.removeprefix('s')}", data)
    return path


def unzipped(path: Path, content: bytes) -> Path:
    """The same in the format of before PyTorch 1.6."""
    torch.save(0, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    # The number 0 is the fourth pickle.
    at = whole.index(b"\x80\x02K\x00.")
    path.write_bytes(whole[:at] + content + whole[at + 5 :])
    return path


# A storage of four floats, and the beginning of a tensor in it.
STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n("


def tensor(offset: bytes, shape: bytes, strides: bytes) -> bytes:
    return b"\x80\x02}U\x01w" + TENSOR + STORAGE + offset + shape + strides + b"\x89}tRs."


def hostile() -> dict[str, bytes]:
    shared = b"\x80\x02]q\x00" + b"".join(b"](h%ch%ceq%c" % (k, k, k + 1) for k in range(200)) + b"."
    ordered = b"ccollections\nOrderedDict\n)R"
    return {
        "deep tuples": b"\x80\x02)" + b"\x85" * 20_000 + b".",
        "deep marked tuples": b"\x80\x02" + b"(" * 10_000 + b"t" * 10_000 + b".",
        "deep lists": b"\x80\x02" + b"]" * 10_000 + b"a" * 9_999 + b".",
        "dictionaries that hold themselves": b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.",
        "an ordered one that holds itself": b"\x80\x02" + ordered + b"q\x00X\x05\x00\x00\x00modelh\x00s.",
        "a ring of two": b"\x80\x02}q\x00X\x05\x00\x00\x00model}q\x01X\x05\x00\x00\x00modelh\x00ss.",
        "a list that holds itself": b"\x80\x02]q\x00h\x00a.",
        "4 GB of bytearray": b"\x80\x05\x96" + struct.pack("<Q", 4 << 30) + b".",
        "4 GB of bytes": b"\x80\x04\x8e" + struct.pack("<Q", 4 << 30) + b".",
        "4 GB of text": b"\x80\x02X" + struct.pack("<I", 0xFFFFFFFF) + b".",
        "an integer of a megabyte": b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
        "an integer of a million digits": b"I" + b"9" * 1_000_000 + b"\n.",
        "laughs": shared,
        "doubling": b"\x80\x02N" + b"2\x86" * 1000 + b".",
        "sets of tuples": b"\x80\x04\x8f(" + b")" + b"\x85" * 10_000 + b"\x90.",
        "frozen sets of each other": b"\x80\x04(\x91q\x00" + b"(h\x00h\x00\x91q\x00" * 1000 + b".",
        "deep keys": b"\x80\x02}" + b")" + b"\x85" * 1000 + b"Ns.",
        "objects as keys": b"\x80\x02}" + b"cx\ny\n(" * 1000 + b"tR" * 1000 + b"Ns.",
        "a stride of zero": tensor(b"K\x00", b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85", b"K\x00\x85"),
        "beyond the storage": tensor(b"K\x02", b"K\x03\x85", b"K\x01\x85"),
        "before the storage": tensor(b"J\xff\xff\xff\xff", b"K\x03\x85", b"K\x01\x85"),
        "a negative stride": tensor(b"K\x03", b"K\x03\x85", b"J\xff\xff\xff\xff\x85"),
        "a negative length": tensor(b"K\x00", b"J\xff\xff\xff\xff\x85", b"K\x01\x85"),
        "overflowing strides": tensor(b"K\x00", b"K\x02\x85", b"\x8a\x09" + bytes(8) + b"\x01\x85"),
        "a shape of text": tensor(b"K\x00", b"U\x01x\x85", b"K\x01\x85"),
        "a thousand axes": tensor(b"K\x00", b"(" + b"K\x01" * 1000 + b"t", b"(" + b"K\x01" * 1000 + b"t"),
        "no storage": b"\x80\x02" + TENSOR + b"K\x00K\x00)))tR.",
        "no reference": b"\x80\x02K\x01Q.",
        "a reference to code": b"\x80\x02(U\x06modulecos\nsystem\nU\x01xtQ.",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x01\x85R.",
        b"\x80\x04\x95" + struct.pack("<Q", 4 << 30) + b"N.",
        b"\x80\x02Nr\xff\xff\xff\xff.",
    ],
)
def test_a_call_a_frame_and_a_memo_ask_for_no_memory(tmp_path: Path, content: bytes) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    load_weights_only(zipped(tmp_path / "a.pt", content))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("name", hostile())
def test_hostile_pickles_are_refused_soon(tmp_path: Path, name: str, old: bool) -> None:
    make = unzipped if old else zipped
    storages = {} if old else {"s0": bytes(16)}
    path = make(tmp_path / "a.pt", hostile()[name], **storages)
    before, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    for read in (load_weights_only, read_state_dict):
        with pytest.raises(InputError) as caught:
            read(path)
        assert len(caught.value.problem) < 500
    # Checks of types make every step slow here.
    assert time.monotonic() - started_s < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000


def test_a_view_is_no_way_to_unfold(tmp_path: Path) -> None:
    """Many names for the whole of one storage: what reads them all one by one would need as many copies."""
    storage = torch.zeros(1 << 20)
    path = write(tmp_path / "a.pt", {f"n{index}": storage.view(-1) for index in range(100)})
    with pytest.raises(InputError, match="unfolds to more than"):
        load_weights_only(path)
    tied = {"in": storage, "out": storage}
    assert load_weights_only(write(tmp_path / "b.pt", tied)).keys() == tied.keys()


def test_damage_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pt", {"w": torch.arange(100.0), "step": 5})
    whole = path.read_bytes()
    at = whole.index(torch.arange(100.0).numpy().tobytes()[:80])
    for bit in range(0, 3200, 331):
        flipped = bytearray(whole)
        flipped[at + bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="damaged"):
            load_weights_only(path)
    path.write_bytes(whole + b"more")
    load_weights_only(path)


@pytest.mark.parametrize("change", ["cut", "empty", "long", "twice", "big endian"])
def test_archives_that_are_none_of_pytorch(tmp_path: Path, change: str) -> None:
    content = zipped(tmp_path / "a.pt", pickle.dumps({}, 2)).read_bytes()
    path = tmp_path / "b.pt"
    if change in ("cut", "empty"):
        path.write_bytes(content[:-30] if change == "cut" else b"PK\x05\x06" + bytes(18))
    elif change == "big endian":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", pickle.dumps({}, 2))
            archive.writestr("a/byteorder", b"big")
    elif change == "twice":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", pickle.dumps({}, 2))
            archive.writestr("b/data.pkl", pickle.dumps({}, 2))
    else:
        # The list of parts says that one is a gigabyte.
        central = content.rindex(b"PK\x01\x02")
        changed = bytearray(content)
        changed[central + 20 : central + 28] = struct.pack("<II", 1 << 30, 1 << 30)
        path.write_bytes(changed)
    with pytest.raises(InputError):
        load_weights_only(path)


def test_storages_of_the_old_format_lie_where_the_file_says(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pt", {"a": torch.arange(5.0), "b": torch.arange(7)}, old=True)
    whole = path.read_bytes()
    at = whole.index(struct.pack("<q", 5) + torch.arange(5.0).numpy().tobytes())
    for count in (-1, 4, 6, 1 << 40, (1 << 63) - 1):
        path.write_bytes(whole[:at] + struct.pack("<q", count) + whole[at + 8 :])
        with pytest.raises(InputError):
            load_weights_only(path)


@pytest.mark.parametrize("old", [False, True])
def test_mutations(tmp_path: Path, old: bool) -> None:
    content = io.BytesIO()
    value = collections.OrderedDict(a=torch.arange(20.0).view(4, 5), b={"c": [1, (2.5, "x")]})
    torch.save(value, content, _use_new_zipfile_serialization=not old)

    def read(mutant: bytes) -> object:
        (tmp_path / "m.pt").write_bytes(mutant)
        return load_weights_only(tmp_path / "m.pt")

    assert survives(read, content.getvalue()) > 50
