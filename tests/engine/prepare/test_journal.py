"""The journal: what is written down counts once, what is damaged not at all."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.data.journal import Journal
from talkcli.engine.data.manifest import Digests, Entry
from talkcli.engine.prepare.record import Record


def record(name: str, fingerprint: str = "f") -> Record:
    entry = Entry(
        id=name, audio=f"{name}.flac", speaker="s", emotion="happy", intensity=1.0, split="train",
        sha256=Digests(audio="0" * 64), licence="MIT",
    )  # fmt: skip
    return Record(entry=entry, fingerprint=fingerprint, report={"lag_frames": 1.5})


def reopened(path: Path) -> dict[str, Record]:
    with Journal.open(path, Record.of) as journal:
        return dict(journal.records)


def test_the_later_line_of_a_clip_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert reopened(path) == {}
    with Journal.open(path, Record.of) as journal:
        for added in (record("a"), record("b"), record("a", "later")):
            journal.add(added)
        # Written at once, so that a kill now loses nothing.
        assert len(path.read_text().splitlines()) == 3
    assert reopened(path) == {"a": record("a", "later"), "b": record("b")}
    assert len(path.read_text().splitlines()) == 2


def test_a_line_that_was_cut_off_costs_its_clip_only(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path, Record.of) as journal:
        journal.add(record("a"))
        journal.add(record("b"))
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert set(reopened(path)) <= {"a", "b"}
        with Journal.open(path, Record.of) as journal:
            journal.add(record("c"))
        assert "c" in reopened(path)
    path.write_bytes(b'\xff{}\n[]\n{"entry": 1}\n' + whole)
    assert set(reopened(path)) == {"a", "b"}
