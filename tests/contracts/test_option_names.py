"""The engine names parameters, not options; and every command can say all its parameters as options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from talkcli.app import app
from talkcli.option_names import spellings, translated

ENGINE = Path(__file__).resolve().parents[2] / "src" / "talkcli" / "engine"
# Options that a literal of talk itself stands for: what it looks for in its own command line.
OURS = {("lifetime.py", "--json")}
# Those of other programs: pip, torchrun, dask.
FOREIGN = ("--force-reinstall", "--nproc-per-node", "--nthreads")
BARE = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# A command line for a shell keeps its options.
COMMAND_LINE = re.compile(r"\btalk [a-z].*", re.DOTALL)
# In place of what a string is filled with, which may be a name.
FILLED = "filled"
NAMED = re.compile(r"`([a-z][a-z0-9_]*)[`=]")


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string but docstrings and the words of other processes' command lines."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # Also what stands below a field.
            skipped.update(each.value for each in body if isinstance(each, ast.Expr))
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
        if isinstance(node, ast.List):
            skipped.update(node.elts)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else FILLED for part in node.values)
            yield node.lineno, "".join(map(str, parts))


def engine_texts() -> Iterator[tuple[str, int, str]]:
    for path in sorted(ENGINE.rglob("*.py")):
        name = path.relative_to(ENGINE).as_posix()
        for line, text in literals(ast.parse(path.read_text())):
            yield name, line, text


def bare_options(text: str) -> list[str]:
    return [option for option in BARE.findall(COMMAND_LINE.sub("", text)) if option not in FOREIGN]


def test_the_engine_names_no_options() -> None:
    found = [
        f"{name}:{line}: {option}"
        for name, line, text in engine_texts()
        for option in bare_options(text)
        if (name, option) not in OURS
    ]
    assert not found, "name the parameter in backticks instead (docs/conventions.md)"


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("x = 'Add --takes 2.'", ["--takes"]),
        ("x = f'--{name} is odd.'", ["--filled"]),
        ("x = ('Add '\n '--hold-slow.')", ["--hold-slow"]),
        ("def f():\n    '''As --takes.'''", []),
        ("x = 'Use `device=cpu`.'", []),
        ("x = f'Run: talk preprocess {name} ROOT --out {out}'", []),
        ("x = 'Use --device cpu, or see talk doctor.'", ["--device"]),
        ("x = ['--out', 'a']", []),
    ],
)
def test_the_search_finds_them(source: str, options: list[str]) -> None:
    assert [option for _, text in literals(ast.parse(source)) for option in bare_options(text)] == options


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its path; of groups, what they hold."""
    held = getattr(command, "commands", None)
    if held is None:
        yield path, command
        return
    for name, each in held.items():
        yield from commands(each, (*path, name))


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_option_has_the_name_of_its_long_form(path: tuple[str, ...]) -> None:
    parameters = COMMANDS[path].params
    names = spellings(parameters)
    for parameter in parameters:
        if parameter.param_type_name != "option":
            assert translated(f"`{parameter.name}`", names) == names[parameter.name].shown
            continue
        long = next(option for option in parameter.opts if option.startswith("--"))
        public = long[2:].replace("-", "_")
        for name in {public, parameter.name}:
            # No name of one is the public name of another.
            assert translated(f"`{name}`", names) == long
        if parameter.is_flag:
            assert translated(f"`{public}=True`", names) == long
            for negative in parameter.secondary_opts:
                assert translated(f"`{public}=False`", names) == negative
        else:
            assert translated(f"Add `{public}=X y`.", names) == f"Add {long} X y."


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_makes_itself_known(path: tuple[str, ...]) -> None:
    """By the callback of --json, or its words would be those of no command."""
    as_json = next(parameter for parameter in COMMANDS[path].params if "--json" in parameter.opts)
    assert as_json.callback.__name__ == "_speaks"


def test_the_engine_names_parameters_that_there_are() -> None:
    known = {name for command in COMMANDS.values() for name in spellings(command.params)}
    found = [
        f"{name}:{line}: {word}"
        for name, line, text in engine_texts()
        for word in NAMED.findall(text)
        if word not in known and word != FILLED
    ]
    assert not found
