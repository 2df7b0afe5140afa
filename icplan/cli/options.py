"""Options that several commands share, and the files that they name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import click

from icplan.cli.console import Console
from icplan.errors import IcplanError, UsageError
from icplan.render.paint import escape
from icplan.render.problems import diagnostic_text
from icplan.spec.access import with_access
from icplan.spec.destroyed import destroyed
from icplan.spec.left_out import leave_out
from icplan.spec.load import Spec, read
from icplan.spec.source import LARGEST

DAY = 86400.0
_ANOTHER = {
    "interconnect file": "name another file with -f FILE",
    "access file": "name another file with --access FILE",
}


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
WITHOUT = click.option(
    "--without",
    multiple=True,
    metavar="ZONE",
    help="Leave a zone out: nothing of it is looked at or written. May be repeated.",
)
ACCESS = click.option(
    "--access",
    metavar="FILE",
    help="How zones are reached from here, in the place of what the file says.",
)
TIMEOUT = click.option(
    "--timeout",
    type=Seconds(0.1),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one database, cluster or container engine may take to answer.",
)


def console(context: click.Context) -> Console:
    """The console of this run."""
    found = context.find_object(Console)
    return found or Console()


def read_spec(
    file: str, without: Iterable[str] = (), access: str | None = None, *, destroy: bool = False
) -> Spec:
    """The file as a spec.

    Args:
        file: the interconnect file.
        without: zones to leave out.
        access: the access file.
        destroy: everything is to be taken apart.

    Raises:
        FileError: it cannot be understood.
        UsageError: a zone cannot be left out.
        IcplanError: it cannot be read.
    """
    spec = read(read_bytes(file, "interconnect file", LARGEST + 1), file)
    return for_this_run(spec, without, access, destroy=destroy)


def for_this_run(
    spec: Spec, without: Iterable[str], access: str | None, *, destroy: bool = False
) -> Spec:
    """The spec as the options have it.

    Raises:
        FileError: the access file cannot be understood.
        UsageError: a zone cannot be left out.
        IcplanError: the access file cannot be read.
    """
    spec = leave_out(spec, without)
    if destroy:
        if spec.without:
            raise _all_or_nothing(spec.without)
        spec = destroyed(spec)
    if access is None:
        return spec
    return with_access(spec, read_bytes(access, "access file", LARGEST + 1), access)


def _all_or_nothing(without: Iterable[str]) -> UsageError:
    """What is said to somebody who would take apart all but a zone."""
    return UsageError(
        " ".join(f"--without {escape(zone)}" for zone in sorted(without)),
        cause="what the zones share goes too, and a zone that is left out still uses it",
        cure="leave the option out; a zone that is no more is declared `state: gone`",
    )


def tell_warnings(out: Console, spec: Spec) -> None:
    """Says what in a file is no error, and most likely not meant."""
    for warning in spec.warnings:
        out.tell(diagnostic_text(warning, spec.lines(warning.origin), out.err, warning=True))


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
            cure=_ANOTHER.get(thing, "check it"),
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
