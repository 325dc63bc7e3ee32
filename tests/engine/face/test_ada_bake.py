"""The embedded head's asset is what the code generates, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from talkcli.engine.errors import AssetError
from talkcli.engine.face.ada.head import AdaHead, asset_path
from talkcli.engine.face.ada.person import PEOPLE


@pytest.mark.slow
def test_regenerated_assets_are_the_shipped_ones(tmp_path: Path) -> None:
    # A process of its own: checking every call's shapes would make it five times slower.
    subprocess.run([sys.executable, "-m", "talkcli.engine.face.ada.bake", str(tmp_path)], check=True)
    for name in PEOPLE:
        made, shipped = asset_path(name, tmp_path).read_bytes(), asset_path(name).read_bytes()
        if made != shipped:
            one, other = load(made), load(shipped)
            differing = [key for key in one if not np.array_equal(one[key], other.get(key))]
            pytest.fail(f"differing arrays of {name}: {differing}")


def test_missing_asset_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="does not exist") as caught:
        AdaHead.load("none", tmp_path)
    assert "bake" in str(caught.value.hint)
