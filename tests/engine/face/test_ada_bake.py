"""The embedded head's asset is what the code generates, to the last bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from talkcli.engine.errors import AssetError
from talkcli.engine.face.ada.head import ASSET, AdaHead


@pytest.mark.slow
def test_regenerated_asset_is_the_shipped_one(tmp_path: Path) -> None:
    target = tmp_path / "ada.safetensors"
    # A process of its own: checking every call's shapes would make it five times slower.
    subprocess.run([sys.executable, "-m", "talkcli.engine.face.ada.bake", str(target)], check=True)
    made, shipped = target.read_bytes(), ASSET.read_bytes()
    if made != shipped:
        one, other = load(made), load(shipped)
        differing = [key for key in one if not np.array_equal(one[key], other.get(key))]
        pytest.fail(f"differing arrays: {differing}")


def test_missing_asset_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="does not exist") as caught:
        AdaHead.load(tmp_path / "none.safetensors")
    assert "bake" in str(caught.value.hint)
