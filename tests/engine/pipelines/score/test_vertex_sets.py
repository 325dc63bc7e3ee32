from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import write_motion
from talkcli.engine.pipelines.score.motions import Generation, score_motions
from talkcli.engine.pipelines.score.vertex_sets import read_vertex_sets
from talkcli.engine.types import Silent, VertexMotion

LIPS = [1, 4, 5]


def vertices(path: Path, seed: int, scale: float = 0.01) -> np.ndarray:
    neutral = np.random.default_rng(7).normal(0, 0.1, (9, 3)).astype(np.float32)
    moved = neutral + np.random.default_rng(seed).normal(0, scale, (12, 9, 3)).astype(np.float32)
    write_motion(path, VertexMotion(vertices=moved, neutral=neutral, fps=25.0, topology="mine"))
    return moved


def test_lips_that_a_user_names_are_measured(tmp_path: Path) -> None:
    made, true = vertices(tmp_path / "a.npz", 0), vertices(tmp_path / "b.npz", 1)
    (tmp_path / "sets.json").write_text(json.dumps({"lips": LIPS[::-1]}))

    def scored(sets: Path | None) -> dict[str, object]:
        return score_motions(
            [tmp_path / "a.npz"], truth=tmp_path / "b.npz", audio=None, dataset=None, head_name=None,
            generation=Generation(), thresholds=(), reporter=Silent(), vertex_sets=sets,
            metrics=["lve_mm", "eve_mm"],
        )  # fmt: skip

    assert "no region lips" in str(scored(None)["overall"]["lve_mm"]["reason"])  # type: ignore[index]
    report = scored(tmp_path / "sets.json")
    by_hand = 1000 * np.linalg.norm(made[:, LIPS] - true[:, LIPS], axis=-1).max(axis=1).mean()
    assert report["overall"]["lve_mm"]["value"] == pytest.approx(by_hand, rel=1e-5)  # type: ignore[index]
    assert report["vertex_sets"]["lips"] == 3  # type: ignore[index]
    assert report["overall"]["eve_mm"]["value"] is None  # type: ignore[index]
    (tmp_path / "sets.json").write_text(json.dumps({"lips": [1, 9]}))
    with pytest.raises(InputError, match="vertex 9, but mine has 9"):
        scored(tmp_path / "sets.json")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"lips": []}', '{"lips": 1}', '{"lips": [1.5]}', '{"lips": [-1]}', '{"lips": ["a"]}',
     '{"lips": [true]}', '{"mouth": [1]}', '{"lips": [1e400]}', '{"lips": [99999999999]}'],
)  # fmt: skip
def test_what_is_no_file_of_sets(text: str, tmp_path: Path) -> None:
    (tmp_path / "sets.json").write_text(text)
    with pytest.raises(InputError, match="sets"):
        read_vertex_sets(tmp_path / "sets.json")
