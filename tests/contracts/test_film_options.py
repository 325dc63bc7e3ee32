"""The options of films offer what the engine takes; command files may not import the engine's own types."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from talkcli.commands.data_set_command import _filmed
from talkcli.engine.video.merge import Capture
from talkcli.engine.video.stretch import Stretch
from talkcli.engine.video.tracker import FaceChoice


@pytest.mark.parametrize(
    ("option", "choices"), [("capture", Capture), ("face", FaceChoice), ("stretch", Stretch)]
)
def test_an_option_offers_the_engines_choices(option: str, choices: Any) -> None:
    assert get_args(get_type_hints(_filmed)[option]) == get_args(choices)
