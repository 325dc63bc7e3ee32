"""Changes of a person: what each field may be, and what is meant."""

from __future__ import annotations

from dataclasses import asdict, fields

import pytest

from talkcli.engine.errors import UsageError
from talkcli.engine.face.ada.person import HAIR_STYLES, PEOPLE, Person
from talkcli.engine.face.ada.settings import CHOICES, RANGES, allowed, changed, parse_settings


def test_fields_change_one_by_one() -> None:
    settings = parse_settings(["age=60", "hair-colour = grey", "lips=-1.5", "age=61", "seed=7"])
    person = changed(PEOPLE["abe"], settings)
    assert (person.age, person.hair_colour, person.lips, person.seed) == (61.0, "grey", -1.5, 7)
    rest = {name: value for name, value in asdict(person).items() if name not in settings}
    assert rest.items() <= asdict(PEOPLE["abe"]).items()
    assert changed(person, {}) == person


def test_every_field_can_be_changed_and_says_what_it_may_be() -> None:
    names = {field.name for field in fields(Person)}
    assert {*CHOICES, *RANGES} <= names
    for person in PEOPLE.values():
        assert changed(Person(), asdict(person)) == person
    assert allowed("age") == "18 to 90"
    assert allowed("hair") == ", ".join(HAIR_STYLES)
    assert allowed("chin") == "-3 to 3 standard deviations"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aeg=60", "Did you mean age?"), ("wings=2", "A person has sex, age"), ("age=17.9", "18 to 90"),
        ("age=91", "18 to 90"), ("age=old", "18 to 90"), ("age=nan", "18 to 90"), ("sex=-0.1", "0 to 1"),
        ("hair=bobb", "Did you mean bob?"), ("iris=red", "brown, hazel"), ("seed=1.5", "0 to 4294967295"),
        ("seed=-1", "0 to 4294967295"), ("chin=3.1", "-3 to 3"), ("age", "set=age=60"), ("=3", "set=age=60"),
        ("age=", "set=age=60"),
    ],
)  # fmt: skip
def test_mistakes_say_what_is_possible(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="set=") as caught:
        changed(Person(), parse_settings([text]))
    assert says in str(caught.value.hint)
