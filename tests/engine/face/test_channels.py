from __future__ import annotations

import pytest

from talkcli.engine.face.channels import ADA, ARKIT, FLAME, JAW, NUM_COEFFS, NUM_EXPRESSION, space_name


@pytest.mark.parametrize("names", [ADA, FLAME])
def test_fifty_expressions_then_the_jaw(names: tuple[str, ...]) -> None:
    assert len(names) == len(set(names)) == NUM_COEFFS == 53
    assert names[NUM_EXPRESSION:] == JAW == ("jawPitch", "jawYaw", "jawRoll")


def test_ada_holds_every_arkit_shape_but_the_jaws_turns() -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52
    assert set(ARKIT) - set(ADA) == {"jawOpen", "jawLeft", "jawRight"}
    assert set(ADA) - set(ARKIT) == {"lipSeal", *JAW}


def test_motion_of_any_person_is_motion_of_ada() -> None:
    assert [space_name(name, ADA) for name in ("ada", "abe", "mine")] == ["ada"] * 3
    assert space_name("flame", FLAME) == "flame"
    assert space_name("ball", ("nod", "swell")) == "ball"
