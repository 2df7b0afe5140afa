"""The environment of a container: which variables it has. Values that may be secrets are left."""

from __future__ import annotations

from collections.abc import Sequence

_USUAL = {"HOME", "HOSTNAME", "PATH", "TERM"}
"""Variables that an engine sets by itself."""


def environment(entries: Sequence[str], variables: Sequence[str]) -> dict[str, str]:
    """Those variables that are asked for, with their values."""
    pairs = (entry.partition("=") for entry in entries)
    return {key: value for key, _, value in sorted(pairs) if key in variables}


def other_variables(entries: Sequence[str], variables: Sequence[str]) -> tuple[str, ...]:
    """The names of the others, when any are asked for at all."""
    names = {entry.partition("=")[0] for entry in entries} if variables else set()
    return tuple(sorted(names - {*variables} - _USUAL))
