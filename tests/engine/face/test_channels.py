from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.face.channels import (
    ADA,
    ARKIT,
    FLAME,
    JAW,
    NUM_COEFFS,
    NUM_EXPRESSION,
    TONGUE,
    is_mouth,
    is_share,
    learned,
    only_learned,
    space_name,
)
from talkcli.engine.finish.stack import within_range
from talkcli.engine.types import Motion, VertexMotion


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


def test_the_tongue_may_follow_and_nothing_learns_it() -> None:
    assert not set(TONGUE) & set(ADA)
    assert all(is_mouth(name) and is_share(name) for name in TONGUE)
    assert learned(ADA + TONGUE) == learned(ADA) == ADA
    for other in (FLAME, TONGUE + ADA, ADA[:-1] + TONGUE, ADA + TONGUE[:2], FLAME + TONGUE):
        assert learned(other) == other
    coeffs = np.arange(112, dtype=np.float32).reshape(2, 56)
    wide = Motion(coeffs=coeffs, fps=25.0, head="ada", channels=ADA + TONGUE, meta={"seed": 1})
    kept = only_learned(wide)
    assert (kept.channels, kept.meta) == (ADA, {"seed": 1})
    np.testing.assert_array_equal(kept.coeffs, coeffs[:, :53])
    assert only_learned(kept) is kept
    given = VertexMotion(vertices=np.zeros((2, 4, 3)), neutral=np.zeros((4, 3)), fps=25.0, topology="x")
    assert only_learned(given) is given


def test_the_tongue_is_kept_within_its_range() -> None:
    wide = Motion(coeffs=np.full((2, 56), 2, np.float32), fps=25.0, head="ada", channels=ADA + TONGUE)
    limited = within_range(wide).coeffs
    assert (limited[:, 53:] == 1).all() and (limited[:, 50:53] == 2).all()
