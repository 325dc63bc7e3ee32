from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from talkcli.engine.errors import ExtraError
from talkcli.engine.optional import OPTIONAL_PACKAGES, is_installed, require

ROOT = Path(__file__).resolve().parents[2]
# Distributions whose name is not that of the package they install.
DISTRIBUTIONS = {"pxr": "usd-core"}


def test_installed_packages_are_found_and_imported() -> None:
    assert is_installed("json")
    assert require("json", purpose="this test").dumps([]) == "[]"


def test_a_missing_package_names_its_purpose_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_installed("no_such_package")
    with pytest.raises(ExtraError, match="Counting needs the package no_such_package") as caught:
        require("no_such_package", purpose="Counting")
    assert caught.value.hint == "install no_such_package"
    monkeypatch.setitem(OPTIONAL_PACKAGES, "no_such_package", ("gl", "counting"))
    with pytest.raises(ExtraError) as caught:
        require("no_such_package", purpose="Counting")
    assert caught.value.hint == "in the repository, run: pip install -e '.[gl]'"


def test_every_extra_named_exists_and_holds_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for package, (extra, unlocks) in OPTIONAL_PACKAGES.items():
        assert unlocks
        if extra:
            distribution = DISTRIBUTIONS.get(package, package.replace("_", "-"))
            assert any(item.startswith(distribution) for item in extras[extra]), package
