"""The entry point: the list of commands, and errors turned into messages and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Never

import click

from icplan import __version__
from icplan.cli.console import Console
from icplan.errors import Exit, IcplanError

# Imported when they are called: most commands need few of the libraries.
_COMMANDS = {
    "validate": "Check the file alone, offline.",
    "plan": "Show what would change, why, and what users would feel.",
    "show": "Show a saved plan again.",
    "apply": "Carry a plan out, or stop and say where it stands.",
    "destroy": "Take everything apart that the file declares.",
    "verify": "Check that reality serves the file.",
    "status": "Show all zones on one page.",
    "import": "Write the file of what is interconnected already.",
    "schema": "Print the JSON Schema of the file.",
    "unlock": "Remove the lock of a run that hangs.",
    "lab": "Real OVN zones on this machine, to try and to test.",
}

# Where the name of a command is a word of Python.
_MODULES = {"import": "import_"}


class _Commands(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"icplan.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = module.command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="icplan")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colours in the output; auto follows the terminal and NO_COLOR.",
)
@click.pass_context
def cli(context: click.Context, color: str) -> None:
    """Plan, apply and verify the interconnection of OVN availability zones from one file."""
    context.ensure_object(Console).color = color


def main() -> Never:
    """Runs a command and ends the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # Where only ASCII can be shown, the rest is shown as escapes.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs a command; gives its exit code."""
    console = Console(_color(arguments))
    try:
        result = cli.main(arguments, prog_name="icplan", standalone_mode=False, obj=console)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        console.tell("interrupted; nothing was written\n")
        return Exit.INTERRUPTED
    except IcplanError as error:
        # Rendering errors needs the grammar's library; a command that succeeds does not.
        from icplan.render.problems import error_document, error_text

        console.tell(error_text(error, console.err))
        # A command that has no --json was refused before it could fail.
        if "--json" in arguments and not console.printed:
            with suppress(IcplanError):
                console.print_json(error_document(error, error.exit))
        return error.exit
    except Exception as error:
        if os.environ.get("ICPLAN_DEBUG"):
            raise
        from icplan.render.problems import internal_error_text

        console.tell(internal_error_text(error))
        return Exit.FAILED
    return result if isinstance(result, int) else Exit.DONE


def _color(arguments: list[str]) -> str:
    """The --color that was asked for, also when the command line cannot be understood."""
    for index, argument in enumerate(arguments):
        value = argument.partition("=")[2]
        if argument == "--color" and index + 1 < len(arguments):
            value = arguments[index + 1]
        if argument.startswith("--color") and value in {"always", "never"}:
            return value
    return "auto"
