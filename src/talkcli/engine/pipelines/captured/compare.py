"""Captured against performed: visemes of films beside the performer's, and the layers beside whole faces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from talkcli.engine.audio.align import Aligner, by_energy
from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError
from talkcli.engine.face.captured import Captured
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.surface import Surface
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.performers.rules import Rules
from talkcli.engine.pipelines.captured.gains import performed
from talkcli.engine.pipelines.captured.phones import Said, phone_values, windows
from talkcli.engine.pipelines.captured.table import films
from talkcli.engine.pipelines.captured.whole_face import Face, whole_face
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.pipelines.score.words import read_words
from talkcli.engine.types import Alignment, Reporter, Silent


def viseme_rows(folder: Path, table: Captured, reporter: Reporter) -> list[str]:
    """Return two Markdown tables for the films in `folder`, which the performer repeats.

    The first has lip gap and mouth width at the middles of the phones, in millimetres: of the films, of the
    hand-made visemes and of the performer's. The second has the quartiles over phones of the times of
    co-articulation, in seconds.
    """
    seen = [film for film in films(folder, reporter) if film.alignment]
    words = [(film.speech, film.alignment) for film in seen if film.alignment]
    hand_made, shown = (list(performed(words, gains)) for gains in ({}, table.gains))
    filmed = [Said(take=film.take, alignment=film.alignment) for film in seen if film.alignment]
    values = [phone_values(takes)[0] for takes in (filmed, hand_made, shown)]
    columns = "captured | hand-made | performed"
    rows = [f"| phone | number | gap: {columns} | width: {columns} |", "|---" * 8 + "|"]
    # The performer is as long as the sound, which may end before the middle of a film's last phone.
    common = set.intersection(*(set(found) for found in values))
    for symbol in sorted(common, key=lambda symbol: (-values[0][symbol].mean["gap_mm"], symbol)):
        cells = [symbol.lower(), str(values[0][symbol].count)]
        cells += [f"{one[symbol].mean[measure]:.1f}" for measure in ("gap_mm", "width_mm") for one in values]
        rows.append(f"| {' | '.join(cells)} |")
    rows += ["", "| time half way | captured | performed |", "|---|---|---|"]
    seen_s, shown_s = windows(filmed), windows(shown)
    for name in sorted(seen_s.keys() & shown_s.keys()):
        cells = [_quartiles(one[name].quartiles) for one in (seen_s, shown_s)]
        rows.append(f"| `{name}` | {' | '.join(cells)} |")
    return rows


def layer_rows(folders: Sequence[Path], table: Captured, reporter: Reporter) -> list[str]:
    """Return a Markdown table: quartiles of the performer's face with all layers, beside captured ones.

    `folders` hold speech as wav, at any depth, and its transcripts where there are any; without them, the
    mouth follows the loudness.
    """
    generated = whole_face(_generated(folders, reporter))
    names = sorted(table.whole_face)
    rows = [f"| measure | generated | {' | '.join(names)} |", "|---|---|" + "---|" * len(names)]
    for measure, spread in generated.items():
        found = [table.whole_face[name].get(measure) for name in names]
        cells = [_quartiles(one.quartiles) if one else "" for one in (spread, *found)]
        rows.append(f"| `{measure}` | {' | '.join(cells)} |")
    return rows


def _generated(folders: Sequence[Path], reporter: Reporter) -> Iterator[Face]:
    """Yield the performer's face, with all layers, for every sound below `folders`, in order of names."""
    head, aligner = load_head("ada"), Aligner()
    for folder in folders:
        paths = sorted(folder.rglob("*.wav"))
        try:
            words = read_words(folder, [path.stem for path in paths])
        except InputError as error:
            reporter.note(error.problem)
            words = {}
        for done, path in enumerate(paths):
            speech = read_speech(path, Silent())
            said = words.get(path.stem)
            alignment: Alignment = by_energy(speech)
            if said is not None and said.text:
                alignment = aligner.align(speech, said.text)
            rules = Rules(alignment, layers={"brows": True}, reporter=reporter)
            (motion,) = rules.perform(speech, Sampling())
            yield Face(take=Measured(Surface(motion, head)), speech=speech)
            reporter.progress("performing", done + 1, len(paths))


def _quartiles(values: tuple[float, float, float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
