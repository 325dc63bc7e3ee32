"""JUnit XML of a score, which programs that run tests display."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from talkcli.engine.errors import TalkError
from talkcli.engine.files import atomic_path

# Characters that XML 1.0 cannot hold in any form.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, thresholds: Sequence[Mapping[str, Any]], errors: Mapping[str, TalkError]) -> None:
    """Write a test case for each threshold, and one for each clip with an error.

    A score without either is written as one case that passed, since some programs take an empty suite for a
    failure.

    Args:
        path: File to write.
        thresholds: Thresholds as a report lists them (`verdict`).
        errors: Error by clip; the error of the whole score has the name `score`.

    Raises:
        InputError: When `path` is no place for a file.
    """
    suite = ElementTree.Element("testsuite", {"name": "talk score"})
    for item in thresholds:
        case = _case(suite, "threshold", f"not {item['metric']} {item['fails_if']} {item['limit']:g}")
        if item["missed"] is not None:
            ElementTree.SubElement(case, "failure", {"message": _plain(item["missed"])})
    for clip, error in errors.items():
        case = _case(suite, "clip", clip)
        hint = "" if error.hint is None else error.hint
        ElementTree.SubElement(case, "error", {"message": _plain(error.problem)}).text = _plain(hint)
    if len(suite) == 0:
        _case(suite, "clip", "score")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(errors)))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def _case(suite: ElementTree.Element, kind: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", {"classname": f"talk.score.{kind}", "name": _plain(name)}
    )


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
