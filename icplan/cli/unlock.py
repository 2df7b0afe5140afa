"""`icplan unlock`."""

from __future__ import annotations

import click

from icplan.cli.options import ACCESS, FILE, TIMEOUT, console, read_spec
from icplan.cli.planning import open_databases
from icplan.core.address import IC
from icplan.errors import Exit, IcplanError
from icplan.render.paint import escape
from icplan.render.problems import error_text
from icplan.run.lock import release
from icplan.spec.model import GoneZone


@click.command("unlock")
@click.argument("nonce")
@FILE
@ACCESS
@TIMEOUT
@click.pass_context
def command(
    context: click.Context, nonce: str, file: str, access: str | None, timeout: float
) -> int:
    """Remove the lock of a run that hangs. `icplan plan` shows who holds it, with its NONCE."""
    out = console(context)
    spec = read_spec(file, access=access)
    zones = [
        one.name for one in spec.interconnect.availability_zones if not isinstance(one, GoneZone)
    ]
    with open_databases(spec, timeout) as databases:
        removed, failed = release(databases, [IC, *sorted(zones)], nonce)
    for site, holder in removed.items():
        out.print(f"removed the lock of {site}: {escape(str(holder))}\n")
    for error in failed:
        out.tell(error_text(error, out.err))
    if not removed and not failed:
        raise IcplanError(
            f"lock {nonce}",
            cause="nobody holds a lock with this nonce",
            cure="icplan plan shows the locks that are held",
        )
    return Exit.FAILED if failed else Exit.DONE
