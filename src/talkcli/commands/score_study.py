"""`talk score study` and `talk score study-results`: what people say of the methods' videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkcli.commands.options import AsJson, Quiet, Seed
from talkcli.commands.score_tables import number
from talkcli.commands.score_verdict import check_outputs
from talkcli.console import Console
from talkcli.engine.errors import UsageError
from talkcli.engine.wording import counted

_TITLE = "Study of talking faces"


def study(
    methods: Annotated[
        list[str],
        typer.Argument(
            metavar="METHOD=DIR...",
            help="Two methods or more, each with its folder of videos (mp4, webm); a clip has the same file "
            "name in all folders.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Page to write (.html).")],
    title: Annotated[str, typer.Option("--title", help="Title that raters see.")] = _TITLE,
    questions: Annotated[
        str,
        typer.Option(
            "--questions",
            metavar="NAMES",
            help="What raters are asked of each pair, with commas between: emotion, lips, naturalness, "
            "diversity, realism, enjoyment.",
        ),
    ] = "emotion,lips,naturalness,diversity",
    trials: Annotated[
        int, typer.Option("--trials", min=1, max=500, help="Largest number of pairs that a rater sees.")
    ] = 30,
    checks: Annotated[
        int, typer.Option("--checks", min=0, max=20, help="Number of checks of attention among them.")
    ] = 3,
    videos_beside: Annotated[
        bool,
        typer.Option(
            "--videos-beside", help="Put the videos into a folder beside the page instead of into the page."
        ),
    ] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Build a page on which people compare methods' videos, A against B.

    talk score study ours=out/ours theirs=out/theirs --out study.html

    The page needs no server. Each rater downloads one JSON file of answers, for talk score study-results.
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.study.kit import build_study
        from talkcli.engine.pipelines.score.study.videos import parse_methods

        folders = parse_methods(methods)
        check_outputs({"--out": out}, list(folders.values()))
        done = build_study(
            folders,
            out,
            title=title,
            questions=[name.strip() for name in questions.split(",") if name.strip()],
            trials=trials,
            checks=checks,
            videos_beside=videos_beside,
            seed=seed,
            reporter=console,
        )
        lines = [
            f"{done['output']}: {counted(len(done['methods']), 'method')}, "
            f"{counted(len(done['clips']), 'clip')}",
            f"each rater sees {counted(done['pairs_in_form'], 'pair')} and "
            f"{counted(done['checks_in_form'], 'check')}, in one of {counted(done['forms'], 'form')}",
        ]
        if done["pairs_shown"] < done["pairs"]:
            console.warn(
                f"The forms show {done['pairs_shown']} of {counted(done['pairs'], 'pair')}; use more "
                "--trials or fewer clips."
            )
        if done["videos"]:
            lines.append(f"videos in {done['videos']}: give it away together with the page")
        console.result(done, "\n".join(lines))


def study_results(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULTS...", help="Files that raters downloaded, or folders of them."),
    ],
    scores: Annotated[
        list[str] | None,
        typer.Option(
            "--scores",
            metavar="[METHOD=]FILE",
            help="Report of talk score --json on a method's clips, once per method; its metrics are "
            "correlated with the ratings. Without METHOD= the file's name is the method's.",
        ),
    ] = None,
    allow_failed: Annotated[
        int,
        typer.Option(
            "--allow-failed", min=0, max=20, help="Checks of attention that a rater may fail and be kept."
        ),
    ] = 0,
    seed: Seed = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Tabulate the answers of a study, with intervals and tests.

    talk score study-results answers/*.json --scores ours.json --scores theirs.json
    """
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.study.tabulate import study_results as tabulate

        report = tabulate(
            results, scores=_by_method(scores or []), allowed=allow_failed, seed=seed, reporter=console
        )
        raters = report["raters"]
        for rater in raters["dropped"]:
            who = f"{rater['rater']} ({rater['code']})" if rater["code"] else rater["rater"]
            console.warn(f"Left out, rater {who}: {rater['reason']}.")
        if as_json:
            console.result(report, "")
            return
        _show_pairs(console, report)
        if report["correlations"]:
            _show_correlations(console, report)


def _by_method(given: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, equals, file = text.partition("=")
        path = Path(file if equals else text)
        method = name if equals else path.stem
        if method in found:
            raise UsageError(f"--scores gives the method {method} twice.")
        found[method] = path
    return found


def _show_pairs(console: Console, report: dict[str, Any]) -> None:
    raters = report["raters"]
    title = "\n".join(
        [
            f"study {report['study']['id']}: {report['study']['title']}",
            f"{counted(raters['kept'], 'rater')} of {raters['given']} kept; 5: the first is much better, "
            "3: no difference, 1: the second is much better",
            f"intervals of 95 %, bootstrap over raters and clips ({report['draws']} draws)",
            "p: two-sided sign test without ties, which takes answers as independent; Holm: adjusted for all "
            "rows",
            "differs: the interval excludes 3 and Holm is below 0.05",
        ]
    )
    rows = []
    for row in report["pairs"]:
        shares = row["shares"] or dict.fromkeys("54321")
        verdict = {True: "yes", False: "no", None: row["reason"]}[row["differs"]]
        if row["differs_alone"] and not row["differs"]:
            verdict = "not after Holm"
        rows.append(
            (
                f"{row['first']} / {row['second']}",
                row["question"],
                number(row["mean"]),
                _interval(row["interval"]),
                verdict,
                *(number(row[name]) for name in ("prefer_first", "tie", "prefer_second")),
                *(number(value) for value in shares.values()),
                number(row["p"]),
                number(row["p_holm"]),
                f"{row['answers']} ({row['raters']} x {row['clips']})",
            )
        )
    header = (
        "first / second", "question", "mean", "95 %", "differs", "prefer 1st", "tie", "prefer 2nd",
        "5", "4", "3", "2", "1", "p", "Holm", "answers (raters x clips)",
    )  # fmt: skip
    console.table(report, title=title, header=header, rows=rows)


def _show_correlations(console: Console, report: dict[str, Any]) -> None:
    title = (
        "metrics and ratings: Spearman's correlation of the metric's difference with the mean score, over\n"
        "pairs and clips; an error that people dislike has a negative one\n"
        "intervals of 95 %, bootstrap over clips"
    )
    rows = [
        (
            row["metric"],
            row["question"],
            number(row["spearman"]),
            _interval(row["interval"]) if row["interval"] or not row["reason"] else row["reason"],
            f"{row['points']} ({row['clips']})",
        )
        for row in report["correlations"]
    ]
    console.table(report, title=title, header=("metric", "question", "rho", "95 %", "n (clips)"), rows=rows)


def _interval(bounds: list[float] | None) -> str:
    return "-" if bounds is None else f"{number(bounds[0])} to {number(bounds[1])}"
