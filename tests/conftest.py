"""What every test shares: the place of the real data."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real speech and motion; the test is skipped, visibly, where it is absent."""
    path = Path(os.environ.get("TALK_SHARED_DATA", _DEFAULT))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}; set TALK_SHARED_DATA")
    return path


@pytest.fixture(scope="session")
def shared_probes(shared_data: Path) -> Path:
    """The folder of the probe files; the test is skipped, visibly, where it is absent."""
    path = shared_data.parent / "facts" / "probes"
    if not path.is_dir():
        pytest.skip(f"no probe files at {path}")
    return path


def pytest_configure() -> None:
    """Give processes under test the signals of a shell's foreground: nohup and `&` let them be ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
