"""`icplan schema`."""

from __future__ import annotations

import click

from icplan.cli.options import console
from icplan.errors import Exit
from icplan.spec.schema import schema_text


@click.command("schema")
@click.pass_context
def command(context: click.Context) -> int:
    """Print the JSON Schema of the interconnect file, for editors."""
    console(context).print(schema_text())
    return Exit.DONE
