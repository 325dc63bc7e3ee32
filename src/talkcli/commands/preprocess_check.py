"""`talk preprocess check`, `stats` and `shards`: check, count and pack the clips of a manifest."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkcli.commands.options import AsJson, Quiet, Workers
from talkcli.console import Console, print_error
from talkcli.engine.errors import InputError
from talkcli.engine.wording import counted

if TYPE_CHECKING:
    from talkcli.engine.data.statistics import Spread

Manifest = Annotated[Path, typer.Argument(help="Manifest, or its folder.")]
# Largest number of clips that `check` prints for each kind of finding; --json has all of them.
_SHOWN = 3
# Largest number of labels in a group that `stats` lists; of larger groups it prints the number alone.
_MOST_ROWS = 20


def check(manifest: Manifest, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Verify every file of a manifest and the motion's plausibility; exit with code 3 if a clip is broken."""
    from talkcli.engine.pipelines.check_manifest import check_manifest, kinds

    with Console(as_json=as_json, quiet=quiet) as console:
        found = check_manifest(manifest, console, num_workers=workers)
        document = {
            "manifest": str(manifest),
            "clips": found.num_clips,
            "broken": len({finding.clip for finding in found.broken}),
            "findings": [asdict(finding) | {"broken": finding.broken} for finding in found.findings],
            "origins": found.origins,
            "lags": {clip: asdict(lag) for clip, lag in found.lags.items()},
        }
        rows = []
        for kind, findings in kinds(found.findings).items():
            verdict = "broken" if findings[0].broken else "doubtful"
            examples = [
                f"{finding.clip}: {finding.text}" if finding.clip else finding.text for finding in findings
            ]
            more = [f"and {len(examples) - _SHOWN} more (--json)"] if len(examples) > _SHOWN else []
            rows.append((kind, verdict, str(len(findings)), "\n".join([*examples[:_SHOWN], *more])))
        if not rows:
            rows.append(("nothing", "", "0", "Every file is whole, every motion plausible."))
        motion = ", ".join(f"{count} {origin}" for origin, count in found.origins.items()) or "none"
        title = f"{counted(found.num_clips, 'clip')}, {document['broken']} broken; motion: {motion}"
        console.table(document, title=title, header=("what", "verdict", "times", "where"), rows=rows)
    if found.broken:
        # The error is printed and not raised: with --json the one document on stdout is the report.
        print_error(
            f"Broken: {document['broken']} of {counted(found.num_clips, 'clip')}, the first: "
            f"{found.broken[0].clip}: {found.broken[0].text}",
            "Run talk preprocess again: it makes anew what is no longer whole.",
            InputError.exit_code,
            as_json=False,
        )
        raise typer.Exit(InputError.exit_code)


def stats(manifest: Manifest, workers: Workers = 2, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Count clips, hours, labels, speakers and licences of a manifest; measure durations and loudness."""
    from talkcli.engine.pipelines.check_manifest import measure_manifest

    with Console(as_json=as_json, quiet=quiet) as console:
        found = measure_manifest(manifest, console, num_workers=workers)
        rows = [("all clips", "", str(found.num_clips), f"{found.hours:.3f}", "")]
        if found.num_pictures:
            rows.append(("still pictures", str(found.num_pictures), "", "", ""))
        for name, groups in found.groups.items():
            if len(groups) > _MOST_ROWS:
                rows.append((name, f"{len(groups)} (--json lists them)", "", "", ""))
                continue
            rows += [
                (
                    "" if index else name,
                    label,
                    str(item.clips),
                    f"{item.seconds / 3600:.3f}",
                    str(item.speakers),
                )
                for index, (label, item) in enumerate(groups.items())
            ]
        rows.append(("duration", _five(found.duration_s, "s"), "", "", ""))
        rows.append(("loudness (RMS)", _five(found.loudness_dbfs, "dBFS"), "", "", ""))
        header = ("", "least, quartiles, greatest; or label", "clips", "hours", "speakers")
        console.table(
            {"manifest": str(manifest)} | asdict(found), title=str(manifest), header=header, rows=rows
        )


def shards(
    manifest: Manifest,
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder to write: SPLIT-NNNNNN.tar, SPLIT.json.")],
    max_clips: Annotated[
        int, typer.Option("--max-clips", min=1, help="Largest number of clips in a shard.")
    ] = 1000,
    max_mb: Annotated[
        float | None,
        typer.Option("--max-mb", min=0.001, help="Approximate size of a shard, in megabytes (10^6 bytes)."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Pack the clips of a manifest into tar files for webdataset and wids, and list them."""
    from talkcli.engine.data.shards import write_shards

    with Console(as_json=as_json, quiet=quiet) as console:
        made = write_shards(manifest, out, console, max_clips=max_clips, max_mb=max_mb)
        document = {
            "indices": [str(path) for path in made.indices], "shards": made.num_shards,
            "kept": made.num_kept, "clips": made.num_clips,
        }  # fmt: skip
        shards = f"{counted(made.num_shards, 'shard')} ({made.num_kept} kept)"
        text = f"{counted(made.num_clips, 'clip')} in {shards} below {out}"
        console.result(document, text)


def _five(found: Spread | None, unit: str) -> str:
    if found is None:
        return "-"
    return " ".join(f"{value:.2f}" for value in asdict(found).values()) + f" {unit}"
