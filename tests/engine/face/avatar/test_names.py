"""Names of shapes, as programs write them."""

from __future__ import annotations

import pytest

from talkcli.engine.face.avatar.names import Meaning, expression_meaning, meaning_of
from talkcli.engine.face.channels import ARKIT


@pytest.mark.parametrize(
    "written",
    [
        lambda name: name,
        lambda name: name[0].upper() + name[1:],
        lambda name: name.lower(),
        lambda name: name.upper(),
        lambda name: name.replace("Left", "_L").replace("Right", "_R"),
        lambda name: name.replace("Left", "_left").replace("Right", "_right"),
        lambda name: name.replace("Left", ".L").replace("Right", ".R"),
        lambda name: f"blendShape1.{name}",
        lambda name: f"Face|{name}",
    ],
)
def test_every_name_of_arkit_in_every_spelling(written) -> None:  # type: ignore[no-untyped-def]
    wrong = {name: written(name) for name in ARKIT if getattr(meaning_of(written(name)), "name", "") != name}
    assert not wrong


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("left_eye_blink", Meaning("arkit", "eyeBlink", "Left")),
        ("eyesClosed", Meaning("arkit", "eyeBlink")),
        ("mouthSmile", Meaning("arkit", "mouthSmile")),
        ("mouthOpen", Meaning("arkit", "mouthOpen")),
        ("browInnerUp_R", Meaning("arkit", "browInnerUp", "Right")),
        ("viseme_PP", Meaning("viseme", "PP")),
        ("viseme_I", Meaning("viseme", "ih")),
        ("vrc.v_aa", Meaning("viseme", "aa")),
        ("Fcl_MTH_A", Meaning("vowel", "aa")),
        ("Face.M_F00_000_00_Fcl_EYE_Close_R", Meaning("arkit", "eyeBlink", "Right")),
        ("Fcl_ALL_Joy", Meaning("mood", "happy")),
        ("mouth", None),
        ("Fcl_HA_Fung1", None),
        ("viseme_R", None),
        ("", None),
        ("_" * 100_000, None),
    ],
)
def test_names_of_other_programs(name: str, meaning: Meaning | None) -> None:
    assert meaning_of(name) == meaning


def test_presets_of_vrm() -> None:
    assert expression_meaning("aa", preset=True) == Meaning("vowel", "aa")
    assert expression_meaning("U", preset=True) == Meaning("vowel", "ou")
    assert expression_meaning("blink_l", preset=True) == Meaning("arkit", "eyeBlink", "Left")
    assert expression_meaning("lookLeft", preset=True) == Meaning("look", "Left")
    assert expression_meaning("sorrow", preset=True) == Meaning("mood", "sad")
    # A name that its author chose is that of a shape: no vowel.
    assert expression_meaning("A", preset=False) is None
    assert expression_meaning("BrowDownLeft", preset=False) == Meaning("arkit", "browDown", "Left")
