"""`talk score`: measure how good a motion is, and how much a model's performances differ."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from talkcli.commands.score_compare import compare
from talkcli.commands.score_diversity import diversity
from talkcli.commands.score_emotion import emotion
from talkcli.commands.score_motions import dataset, motions
from talkcli.commands.score_study import study, study_results

# Sub-command that runs where the command line names none.
_DEFAULT = "motions"
# Option that named a table before there were sub-commands, and its values that are sub-commands now.
_TABLE = "--table"
_TABLES = ("diversity", "emotion")


class ScoreGroup(TyperGroup):
    """Group of sub-commands of which the first word may be left out.

    `talk score face.npz` and `talk score --dataset ravdess` mean `talk score motions ...`, and `talk score
    --table emotion ...` means `talk score emotion ...`. A motion file that has the name of a sub-command is
    given as ./motions.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """See `with_command`."""
        return super().parse_args(ctx, with_command(args, self.commands))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the sub-commands, then the options of the default one."""
        super().format_help(ctx, formatter)
        default = self.commands[_DEFAULT]
        below = default.make_context(_DEFAULT, [], parent=ctx, resilient_parsing=True)
        default.format_help(below, formatter)


def with_command(args: list[str], commands: Any) -> list[str]:
    """Return the arguments of `talk score` with the sub-command that they leave out.

    Args:
        args: Arguments behind `talk score`.
        commands: Names of the sub-commands.
    """
    if args and (args[0] in commands or args[0] in ("--help", "-h")):
        return args
    for index, word in enumerate(args):
        if word == "--":
            break
        name, _, value = word.partition("=")
        after = index + 1
        if name == _TABLE and not value and after < len(args):
            value, after = args[after], after + 1
        if name == _TABLE and value in _TABLES:
            return [value, *args[:index], *args[after:]]
    return [_DEFAULT, *args]


app = typer.Typer(
    cls=ScoreGroup,
    help="Measure motion: against the true motion, the speech, and published numbers.\n\n"
    "talk score face.npz --truth true.npz --audio speech.wav\n\n"
    "talk score --dataset ravdess\n\n"
    "Without the name of a command talk score runs talk score motions, whose options follow below.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(motions)
app.command()(dataset)
app.command()(diversity)
app.command()(emotion)
app.command()(compare)
app.command()(study)
app.command("study-results")(study_results)
