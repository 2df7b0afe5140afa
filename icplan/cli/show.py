"""`icplan show`."""

from __future__ import annotations

from typing import cast

import click

from icplan import planfile
from icplan.cli.options import JSON, console, read_bytes
from icplan.errors import Exit, IcplanError
from icplan.render.document import PlanDocument
from icplan.render.text import plan_text


@click.command("show")
@click.argument("planfile_", metavar="PLANFILE")
@JSON
@click.pass_context
def command(context: click.Context, planfile_: str, as_json: bool) -> int:
    """Show a saved plan again."""
    out = console(context)
    saved = planfile.decode(read_bytes(planfile_, "plan file"), planfile_)
    if as_json:
        out.print_json(saved.document)
        return Exit.DONE
    try:
        text = plan_text(cast("PlanDocument", saved.document), out.out)
    except (KeyError, TypeError, AttributeError) as error:
        raise IcplanError(
            "plan file",
            place=planfile_,
            cause="parts of the plan in it are missing",
            cure="make a new one: icplan plan --out FILE",
        ) from error
    out.print(text)
    return Exit.DONE
