"""`icplan import`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from icplan.cli.importing import Named, asked
from icplan.cli.options import JSON, TIMEOUT, console
from icplan.errors import Exit, IcplanError, UsageError
from icplan.render.imports import import_document, import_text
from icplan.run.importing import look

_HERE = "interconnect.yaml"
"""How messages call a file that goes to stdout; relative paths count from here."""
_PORT = click.IntRange(1, 65535)


@click.command("import")
@click.option(
    "--kube-context",
    "contexts",
    multiple=True,
    metavar="CONTEXT",
    help="A Kube-OVN cluster, by its context of the kubeconfig. May be repeated.",
)
@click.option(
    "--kubeconfig",
    "kubeconfigs",
    multiple=True,
    metavar="FILE",
    help="The kubeconfig of all contexts, or one for each of them, in their order; without "
    "contexts the current one of each file. [default: KUBECONFIG, then ~/.kube/config]",
)
@click.option(
    "--ovn",
    "plain",
    nargs=3,
    multiple=True,
    metavar="ZONE NORTHBOUND SOUTHBOUND",
    help="A plain OVN zone and its databases, each as `ovn-nbctl --db` takes it. May be repeated.",
)
@click.option(
    "--router",
    "routers",
    nargs=2,
    multiple=True,
    metavar="ZONE ROUTER",
    help="The router of a plain zone [default: the one that is attached to transit switches].",
)
@click.option(
    "--tls",
    "certificates",
    nargs=4,
    multiple=True,
    metavar="ZONE CA CERTIFICATE KEY",
    help="The files for the ssl: addresses of a plain zone.",
)
@click.option(
    "--ic",
    "hosts",
    multiple=True,
    metavar="HOST",
    help="A host of the IC databases. May be repeated. [default: as the ConfigMaps say]",
)
@click.option(
    "--ic-ports",
    "ports",
    nargs=2,
    type=_PORT,
    metavar="NORTHBOUND SOUTHBOUND",
    help="Their ports [default: as the ConfigMaps say, else 6645 6646].",
)
@click.option(
    "--reach-through",
    "through",
    metavar="CONTEXT",
    help="The cluster through which the IC databases are reached [default: directly, else the "
    "first that leads there].",
)
@click.option("--name", metavar="NAME", help="The owner mark [default: the one that is there].")
@click.option("--out", metavar="FILE", help="Where the file goes [default: stdout].")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option(
    "--schema",
    default="interconnect.schema.json",
    show_default=True,
    metavar="PLACE",
    help="What the file's first line tells editors; `icplan schema` prints it.",
)
@JSON
@TIMEOUT
@click.pass_context
def command(
    context: click.Context,
    contexts: tuple[str, ...],
    kubeconfigs: tuple[str, ...],
    plain: tuple[tuple[str, str, str], ...],
    routers: tuple[tuple[str, str], ...],
    certificates: tuple[tuple[str, str, str, str], ...],
    hosts: tuple[str, ...],
    ports: tuple[int, int] | None,
    through: str | None,
    name: str | None,
    out: str | None,
    force: bool,
    schema: str,
    as_json: bool,
    timeout: float,
) -> int:
    """Write the file of what is interconnected already, and say what it cannot say.

    Writes nothing but the file. `icplan plan` with it changes nothing but owner marks; whatever
    else it would change is listed, here and in the file, and exits with 1.
    """
    printer = console(context)
    if out is not None:
        _require_free(out, force=force)
    wanted = asked(
        Named(contexts, kubeconfigs, plain, routers, certificates, hosts, ports, through, name),
        Path(out).parent if out is not None else Path(),
    )
    looked = look(wanted, out or _HERE, schema, timeout)
    found = looked.imported
    exit_code = Exit.FAILED if found.unsaid else Exit.DONE
    if out is not None:
        _write(out, found.text, force=force)
    if as_json:
        printer.print_json(import_document(found, looked.notes, out, exit_code))
    elif out is None:
        printer.print(found.text)
    printer.tell(import_text(found, looked.notes, out, printer.err))
    return exit_code


def _require_free(out: str, *, force: bool) -> None:
    """Before anything is looked at.

    Raises:
        UsageError: the file is there, or can be nowhere.
    """
    path = Path(out)
    if path.is_dir() or not path.parent.is_dir():
        cause = "it is a directory" if path.is_dir() else f"there is no directory {path.parent}"
        raise UsageError("imported file", place=out, cause=cause, cure="name a file with --out")
    if os.path.lexists(path) and not force:
        raise _there(out)


def _there(out: str) -> UsageError:
    return UsageError(
        "imported file",
        place=out,
        cause="it is there already",
        cure="name another one with --out, or add --force to replace it",
    )


def _write(out: str, text: str, *, force: bool) -> None:
    try:
        with Path(out).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _there(out) from error
    except OSError as error:
        raise IcplanError(
            "imported file",
            place=out,
            cause=f"it cannot be written: {(error.strerror or str(error)).lower()}",
            cure="name another place with --out",
        ) from error
