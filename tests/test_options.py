"""docs/options.md has every option of every command, with its default; and the README, where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from icplan.cli.main import cli

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<option>`-.*?) \| (?P<of>.*?) \| (?P<default>.*?) ?\| (?P<does>.+) \|$")
PROGRAM = "icplan"


def commands(command: click.Command, *names: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below one, by the words that call it; the program itself is among them."""
    yield " ".join(names) or PROGRAM, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands(inner, *names, name)


def options() -> dict[tuple[str, str], click.Option]:
    """Every option of every command, by its spelling and the command."""
    return {
        (spelt, name): option
        for name, command in commands(cli)
        for option in command.params
        if isinstance(option, click.Option)
        for spelt in (*option.opts, *option.secondary_opts)
    }


def told() -> dict[tuple[str, str], str]:
    """The default that the document tells, by the option's spelling and the command."""
    found: dict[tuple[str, str], str] = {}
    for row in filter(None, map(ROW.match, DOCUMENT.splitlines())):
        for spelt in re.findall(r"`(--?[\w-]+)", row["option"]):
            for name in re.findall(r"`([\w ]+)`", row["of"]):
                assert (spelt, name) not in found
                found[spelt, name] = row["default"].strip("`")
    return found


OPTIONS = options()


def test_every_option_is_told_and_no_other() -> None:
    assert len(OPTIONS) > 70
    assert set(told()) == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS, ids=" of ".join)
def test_the_default_that_is_told_is_the_one(option: tuple[str, str]) -> None:
    default = OPTIONS[option].default
    shown = isinstance(default, str | int | float) and not isinstance(default, bool)
    assert told()[option] == (str(default) if shown else "")


def test_the_readme_leads_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/options.md)" in readme
    variables = re.findall(r"^\| `([A-Z_]+)` \|", DOCUMENT, re.MULTILINE)
    assert OPTIONS["--file", "plan"].envvar in variables
