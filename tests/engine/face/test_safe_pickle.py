from __future__ import annotations

import collections
import os
import pickle
import random
import struct
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

from talkcli.engine.errors import InputError
from talkcli.engine.face.safe_pickle import Record, read_pickle


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


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "i4", "u4", "i8", "u1", "b1"])
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int, dtype: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    content = {"c": array, "f": np.asfortranarray(array), "scalar": array[1, 1, 1], "none": array[:0]}
    read = read_pickle(stored(tmp_path, pickle.dumps(content, protocol)))
    for key, array in content.items():
        np.testing.assert_array_equal(read[key], array)


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
        b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",  # deep nesting
        b"\x80\x02" + b")" + b"\x85" * 100_000 + b".",  # deep nesting of tuples
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01\x8a\x06\x00\x00\x00\x00\x00\x01\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R\x89U\x00tb.",
        b"", b"\x00", b"not a pickle", b"\x80\x02.", b"\x80\xff.", b"\x80\x02K\x01",
    ],
)  # fmt: skip
def test_malformed_and_explosive_content_is_refused(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content)


def test_shared_nodes_are_visited_once(tmp_path: Path) -> None:
    # Fifty doublings: 2^50 leaves if every path were walked.
    content: Any = [1.0]
    for _ in range(50):
        content = [content, content]
    read = read_pickle(stored(tmp_path, pickle.dumps(content, 2)))
    assert read[0] is read[1]


def test_random_damage_gives_content_or_a_sentence(tmp_path: Path) -> None:
    whole = pickle.dumps({"a": np.arange(5.0), "m": scipy.sparse.csc_matrix(np.eye(4)), "t": ("x", 1)}, 2)
    chance = random.Random(0)
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 3, 10])):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            read_pickle(stored(tmp_path, bytes(content)))
        except InputError:
            continue


def test_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.arange(3))
    assert read_pickle(tmp_path / "plain.npy").tolist() == [0, 1, 2]
    np.save(tmp_path / "dict.npy", np.array({"a": np.ones(2)}, dtype=object), allow_pickle=True)
    assert read_pickle(tmp_path / "dict.npy")["a"].tolist() == [1, 1]
    np.save(tmp_path / "bad.npy", np.array([Call(os.system, "true")], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="system"):
        read_pickle(tmp_path / "bad.npy")
    with pytest.raises(InputError, match="cannot be read"):
        read_pickle(tmp_path / "absent.npy")
