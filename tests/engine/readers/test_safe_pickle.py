from __future__ import annotations

import collections
import os
import pickle
import resource
import struct
import subprocess
import sys
import time
import types
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

from talkcli.engine.errors import InputError
from talkcli.engine.readers import pickle_machine
from talkcli.engine.readers.pickle_records import Record
from talkcli.engine.readers.safe_pickle import StoredArray, read_pickle
from tests.engine.data.mutations import survives


class Call:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


def stored(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.pkl"
    path.write_bytes(content)
    return path


def refused(tmp_path: Path, content: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read_pickle(stored(tmp_path, content))
    return caught.value.problem


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["f8", ">f4", "i2", "u1", "b1"])
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int, dtype: str, in_place: bool) -> None:
    long = np.arange(480).reshape(20, 6, 4).astype(dtype)
    array = long[:2, :3]
    content = {"c": array, "f": np.asfortranarray(array), "scalar": array[1, 1, 1], "none": array[:0]}
    content |= {"long": long, "long f": np.asfortranarray(long)}
    read = read_pickle(stored(tmp_path, pickle.dumps(content, protocol)), in_place=in_place)
    for key, array in content.items():
        if key.startswith("long"):
            assert isinstance(read[key], StoredArray) == in_place
        found = read[key].read() if isinstance(read[key], StoredArray) else read[key]
        np.testing.assert_array_equal(found, array)


def test_arrays_that_stayed_are_checked_when_they_are_read(tmp_path: Path) -> None:
    array = np.arange(1000, dtype=np.int16)
    path = stored(tmp_path, pickle.dumps({"a": array, "shape": array.reshape(10, 100)}, 2))
    there = read_pickle(path, in_place=True)
    assert str(path) in repr(there["a"])
    for shape, words in (((999,), "an array of shape"), ((10,), r"an array of shape \(10,\) in \d+ bytes")):
        with pytest.raises(InputError, match=words):
            replace(there["a"], shape=shape).read()
    os.utime(path, ns=(1, 1))
    with pytest.raises(InputError, match="has changed"):
        there["a"].read()
    path.unlink()
    with pytest.raises(InputError, match="There is no file"):
        there["a"].read()


def test_gigabytes_that_stay_take_no_memory(tmp_path: Path) -> None:
    length = 1 << 30
    start = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01"
    start += b"\x8a\x05" + (length // 2).to_bytes(5, "little") + b"\x85cnumpy\ndtype\nU\x02i2\x85R\x89T"
    path = stored(tmp_path, start + struct.pack("<i", length))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + length)
        file.seek(0, os.SEEK_END)
        file.write(b"tb.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    array = read_pickle(path, in_place=True)
    assert array.shape == (length // 2,)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    with pytest.raises(InputError, match="more than any model file"):
        read_pickle(path)


def test_python_2_wrote_protocol_0(tmp_path: Path) -> None:
    """By hand, as numpy 1.16 and Python 2.7 wrote it: bytes as the repr of a string."""
    samples = np.arange(-200, 200, dtype="<i2")
    text = repr(samples.tobytes())[1:].encode()
    content = (
        b"(dp0\nS'FaceTalk_170725_00137_TA'\np1\n(dp2\nS'audio'\np3\n"
        b"cnumpy.core.multiarray\n_reconstruct\np4\n(cnumpy\nndarray\np5\n(I0\ntp6\nS'b'\np7\ntp8\nRp9\n"
        b"(I1\n(I400\ntp10\ncnumpy\ndtype\np11\n(S'i2'\np12\nI0\nI1\ntp13\nRp14\n"
        b"(I3\nS'<'\np15\nNNNI-1\nI-1\nI0\ntp16\nbI00\nS" + text + b"\np17\ntp18\nbs"
        b"S'sample_rate'\np19\nI22000\nsS'loud'\np20\nI01\nsS'gain'\np21\nF0.5\nsS'big'\nL123L\nss."
    )
    for in_place in (False, True):
        (inner,) = read_pickle(stored(tmp_path, content), in_place=in_place).values()
        audio = inner.pop("audio")
        np.testing.assert_array_equal(audio.read() if in_place else audio, samples)
        assert inner == {"sample_rate": 22000, "loud": True, "gain": 0.5, "big": 123}
        assert inner["loud"] is True


@pytest.mark.parametrize("protocol", range(6))
def test_scalars_of_numpy_as_keys(tmp_path: Path, protocol: int) -> None:
    content = {np.int64(7): np.int64(8), 9: 10}
    assert read_pickle(stored(tmp_path, pickle.dumps(content, protocol))) == {7: 8, 9: 10}


def test_plain_containers(tmp_path: Path) -> None:
    content = {"a": [1, 2.5, None, True], "b": ("x", {"y": "ä"}), "c": 2**70}
    assert read_pickle(stored(tmp_path, pickle.dumps(content, 2))) == content
    assert read_pickle(stored(tmp_path, pickle.dumps({"s": {3}}, 2))) == {"s": [3]}


@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "csc_array"])
@pytest.mark.parametrize("renamed", [False, True])
def test_sparse_matrices_become_dense(tmp_path: Path, kind: str, renamed: bool) -> None:
    dense = np.random.default_rng(0).random((5, 9))
    dense[dense < 0.6] = 0
    content = pickle.dumps(getattr(scipy.sparse, kind)(dense), 2)
    if renamed:
        content = content.replace(b"scipy.sparse._cs", b"scipy.sparse.cs")
    np.testing.assert_array_equal(read_pickle(stored(tmp_path, content)), dense)


def test_sparse_indices_out_of_range_are_refused(tmp_path: Path) -> None:
    matrix = scipy.sparse.csc_matrix(np.eye(3))
    matrix.indices[1] = 100
    assert "outside" in refused(tmp_path, pickle.dumps(matrix, 2))


@pytest.fixture
def chumpy(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """Classes that pickle under chumpy's names; gone again before anything is read back by the test."""
    made = {}
    for module, name in (("chumpy.ch", "Ch"), ("chumpy.reordering", "Select"), ("chumpy.ch_ops", "add")):
        for part in ("chumpy", module):
            if part not in sys.modules:
                monkeypatch.setitem(sys.modules, part, types.ModuleType(part))
        made[name] = type(name, (), {"__module__": module})
        setattr(sys.modules[module], name, made[name])
    return types.SimpleNamespace(**made)


@pytest.mark.parametrize("protocol", [0, 2])
def test_chumpy_leaves_and_selections(tmp_path: Path, chumpy: types.SimpleNamespace, protocol: int) -> None:
    leaf, select = chumpy.Ch(), chumpy.Select()
    leaf.x = np.arange(6.0).reshape(2, 3)
    select.a, select.idxs, select.preferred_shape = leaf, np.array([5, 0, 1, 2]), (2, 2)
    read = read_pickle(stored(tmp_path, pickle.dumps({"leaf": leaf, "select": select}, protocol)))
    np.testing.assert_array_equal(read["leaf"], leaf.x)
    np.testing.assert_array_equal(read["select"], [[5, 0], [1, 2]])


def test_chumpy_computations_are_refused(tmp_path: Path, chumpy: types.SimpleNamespace) -> None:
    node = chumpy.add()
    node.a, node.b = 1, 2
    assert "chumpy.ch_ops.add" in refused(tmp_path, pickle.dumps(node, 2))


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("name", ["system", "eval", "exec", "Popen", "load", "nested", "argument"])
def test_hostile_globals_are_refused_by_name(tmp_path: Path, name: str, protocol: int) -> None:
    marker = tmp_path / "ran"
    system = Call(os.system, f"touch {marker}")
    content = {
        "system": system,
        "eval": Call(eval, f"open({str(marker)!r}, 'w')"),
        "exec": Call(exec, f"open({str(marker)!r}, 'w')"),
        "Popen": Call(subprocess.Popen, ["touch", str(marker)]),
        "load": Call(np.load, str(marker)),
        "nested": {"v_template": [1, (2, system)]},
        "argument": Call(collections.OrderedDict, system),
    }[name]
    problem = refused(tmp_path, pickle.dumps(content, protocol))
    assert (name if name not in ("nested", "argument") else "system") in problem
    assert "Nothing of it has run" in problem
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["copy_reg\n__newobj__", "copyreg\nadd_extension", "builtins\ngetattr", "functools\npartial"]
)
def test_helpers_of_attacks_are_refused_too(tmp_path: Path, name: str) -> None:
    problem = refused(tmp_path, f"\x80\x02c{name}\n)R.".encode("latin-1"))
    assert name.replace("\n", ".") in problem


def test_names_cannot_reach_the_terminal(tmp_path: Path) -> None:
    for name in ("chumpy.\x1b[31mred", "chumpy." + "x" * 1000, "os\x1b[2J"):
        problem = refused(tmp_path, b"\x80\x02c" + name.encode() + b"\nCh\n.")
        assert "\x1b" not in problem
        assert len(problem) < 300


def test_allowed_names_are_never_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    monkeypatch.setattr(torch.storage, "_load_from_bytes", called.append)
    content = b"\x80\x02ctorch.storage\n_load_from_bytes\nU\x03abc\x85R."
    assert isinstance(read_pickle(stored(tmp_path, content)), Record)
    assert called == []


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cchumpy.ch\nCh\n}U\x08__call__cos\nsystem\nsb.",  # state on a class
        b"(S'touch x'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch x'\no.",  # OBJ
        b"Pabc\n.",  # a persistent id
        b"\x80\x02\x82\x01.",  # an extension
        b"\x80\x02cnumpy\ndtype\n)R(K\x01tb)R.",  # a call of what is no name
        b"\x80\x02}(K\x01\x85K\x02\x85K\x03K\x04us.",  # tuples as keys
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",  # a terabyte of bytearray
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b".",  # bytes longer than memory
        b"\x80\x02]r\xff\xff\xff\xffq\x00j\xfe\xff\xff\xff.",  # memo indices at the end of the range
        b"\x80\x02]q\x00h\x00a.",  # a list that contains itself
        b"\x80\x02" + b"]" * 5_000 + b"a" * 4_999 + b".",  # deep nesting
        b"\x80\x02" + b")" + b"\x85" * 5_000 + b".",  # deep nesting of tuples
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01\x8a\x06\x00\x00\x00\x00\x00\x01\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R\x89U\x00tb.",
        b"", b"\x00", b"not a pickle", b"\x80\x02.", b"\x80\xff.", b"\x80\x02K\x01",
    ],
)  # fmt: skip
def test_malformed_and_explosive_content_is_refused(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content)


def test_shared_nodes_are_visited_once(tmp_path: Path) -> None:
    content: Any = [1.0]
    for _ in range(10):
        content = [content, content]
    read = read_pickle(stored(tmp_path, pickle.dumps(content, 2)))
    assert read[0] is read[1]


def bombs() -> dict[str, bytes]:
    """Small files that unfold: shared parts, empty matrices, reorderings of one array, text beside text."""
    laughs: Any = ["ha"]
    for _ in range(50):
        laughs = [laughs, laughs]
    shared = np.arange(1 << 20, dtype=np.uint8)
    empty = scipy.sparse.csc_matrix((1 << 28, 1))
    long_lines = scipy.sparse.csc_matrix(np.eye(3))
    long_lines.indptr = np.array([0, 1 << 60, 1 << 61, 1 << 61])
    start = b"\x80\x02cchumpy.reordering\nSelect\nq\x01"
    state = pickle.dumps({"a": shared, "idxs": np.zeros(1 << 20, np.int32)}, 2)[2:-1]
    select = (
        start
        + b"0]q\xf0"
        + state.replace(b"q\x01", b"r\x01\x01\x00\x00")
        + b"q\xff0("
        + b"h\x01)Rh\xffb" * 400
    )
    return {
        "laughs": pickle.dumps(laughs, 2),
        "shared array": pickle.dumps([shared] * 1000, 2),
        "text": pickle.dumps(["x" * 10_000, *"y" * 4_000], 2),
        "empty matrix": pickle.dumps(empty, 2),
        "long lines": pickle.dumps(long_lines, 2),
        "selections": select + b"l.",
        "steps": b"\x80\x02" + b"]0" * 100_000 + b"].",
        "marks": b"\x80\x02" + b"(" * 100_000 + b".",
        "integer": b"\x80\x02\x8b" + struct.pack("<i", 1 << 24) + b"\x7f" * (1 << 24) + b".",
        "digits": b"I" + b"9" * (1 << 20) + b"\n.",
        "collisions": pickle.dumps({index * ((1 << 61) - 1): 0 for index in range(2000)}, 2),
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_are_refused_soon(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Checks of types make every step slow here.
    monkeypatch.setattr(pickle_machine, "_MOST_STEPS", 50_000)
    path = stored(tmp_path, bombs()[name])
    before, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(InputError, match="was not read"):
        read_pickle(path)
    assert time.monotonic() - started_s < 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_mutations(tmp_path: Path, protocol: int) -> None:
    """Damage gives a sentence, or content no larger than the file allows."""
    content = {
        "a": np.arange(200.0), "m": scipy.sparse.csc_matrix(np.eye(4)), "t": ("x", 1, {"y": [2.5]}),
    }  # fmt: skip
    whole = pickle.dumps(content, protocol)
    read = partial(read_pickle, in_place=protocol == 2)
    assert survives(lambda content: read(stored(tmp_path, content)), whole) > 60


def test_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.arange(3))
    assert read_pickle(tmp_path / "plain.npy").tolist() == [0, 1, 2]
    np.save(tmp_path / "dict.npy", np.array({"a": np.ones(2)}, dtype=object), allow_pickle=True)
    assert read_pickle(tmp_path / "dict.npy")["a"].tolist() == [1, 1]
    np.save(tmp_path / "bad.npy", np.array([Call(os.system, "true")], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="system"):
        read_pickle(tmp_path / "bad.npy")
    with pytest.raises(InputError, match="There is no file"):
        read_pickle(tmp_path / "absent.npy")
