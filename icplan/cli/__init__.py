"""The commands: wiring, printing, exit codes. Nothing is decided here."""

from icplan.cli.main import main

__all__ = ["main"]
