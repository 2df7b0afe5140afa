"""Options that several commands share, and the files that they name."""

from __future__ import annotations

import math
from pathlib import Path

import click

from icplan.cli.console import Console
from icplan.errors import IcplanError
from icplan.render.problems import diagnostic_text
from icplan.spec.load import Spec, read
from icplan.spec.source import LARGEST

DAY = 86400.0


class Seconds(click.FloatRange):
    """A time that ends: at least so many seconds, at most a day."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=DAY)

    def convert(
        self, value: float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number, but not `nan`, which is in no range and yet passes every comparison."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is no number of seconds.", param, ctx)
        return number


FILE = click.option(
    "-f",
    "--file",
    "file",
    default="interconnect.yaml",
    envvar="ICPLAN_FILE",
    show_default=True,
    help="The interconnect file.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
TIMEOUT = click.option(
    "--timeout",
    type=Seconds(0.1),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one database may take to answer.",
)


def console(context: click.Context) -> Console:
    """The console of this run."""
    found = context.find_object(Console)
    return found or Console()


def read_spec(file: str) -> Spec:
    """The file as a spec.

    Raises:
        FileError: it cannot be understood.
        IcplanError: it cannot be read.
    """
    return read(read_bytes(file, "interconnect file", LARGEST + 1), file)


def tell_warnings(out: Console, spec: Spec) -> None:
    """Says what in a file is no error, and most likely not meant."""
    for warning in spec.warnings:
        out.tell(diagnostic_text(warning, tuple(spec.document.lines), out.err, warning=True))


def read_bytes(file: str, thing: str, limit: int = -1) -> bytes:
    """A file's bytes, no more than `limit`.

    Raises:
        IcplanError: it cannot be read.
    """
    try:
        with Path(file).open("rb") as stream:
            return stream.read(limit)
    except OSError as error:
        raise IcplanError(
            thing,
            place=file,
            cause=f"it cannot be read: {(error.strerror or str(error)).lower()}",
            cure="name another file with -f FILE" if thing == "interconnect file" else "check it",
        ) from error


def write_bytes(file: str, data: bytes) -> None:
    """Writes a file as a whole, readable by its owner only.

    Raises:
        IcplanError: it cannot be written.
    """
    try:
        path = Path(file)
        path.touch(mode=0o600)
        path.write_bytes(data)
    except OSError as error:
        raise IcplanError(
            "plan file",
            place=file,
            cause=f"it cannot be written: {(error.strerror or str(error)).lower()}",
            cure="name another place with --out",
        ) from error
