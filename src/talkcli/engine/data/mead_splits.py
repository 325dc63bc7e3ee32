"""MEAD's actors and terms, which hold for the set in every form it is passed around in."""

from __future__ import annotations

from talkcli.engine.data.manifest import Split

LICENCE = "MEAD's own terms, research only"
# Of 47 public actors; the list is DEEPTalk's, which took EMOTE's.
_ACTORS: dict[Split, str] = {
    "train": "M003 M005 M007 M009 M011 M012 M013 M019 M022 M023 M024 M025 M026 M027 M028 M029 M030 M031"
    " W009 W011 W014 W015 W016 W018 W019 W021 W023 W024 W025 W026 W028 W029",
    "val": "M032 M033 M034 M035 W033 W035 W036",
    "test": "M037 M039 M040 M041 M042 W037 W038 W040",
}
SPLIT_OF_ACTOR: dict[str, Split] = {
    actor: split for split, actors in _ACTORS.items() for actor in actors.split()
}
