"""Places to ping from as the command line names them. Reaches none of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from pydantic_core import PydanticCustomError

from icplan.backends.probing.prober import CommandProber
from icplan.errors import UsageError
from icplan.spec.diagnostic import escape, quoted
from icplan.spec.load import Spec
from icplan.spec.texts import address

_FORM = "--probe 'ZONE=ADDRESS=COMMAND', such as --probe 'stack=10.20.0.5=ip netns exec qdhcp-1'"


def commands(spec: Spec, texts: Iterable[str]) -> dict[str, CommandProber]:
    """The places by zone.

    Raises:
        UsageError: one cannot be understood, or its zone is not in the file or named twice.
    """
    names = [zone.name for zone in spec.interconnect.availability_zones]
    found: dict[str, CommandProber] = {}
    for text in texts:
        one = _place(text)
        if one.zone not in names or one.zone in spec.without:
            raise UsageError(
                f"--probe {escape(text)}",
                place=escape(spec.document.file),
                cause=f"there is no availability zone {quoted(one.zone)}, or it is left out",
                cure=f"name one of {', '.join(sorted({*names} - spec.without))}",
            )
        if one.zone in found:
            raise UsageError(
                f"--probe {escape(text)}",
                cause=f"{one.zone} has a place to ping from already",
                cure="name one place in each zone; the addresses of both families may stand "
                "together: ADDRESS,ADDRESS",
            )
        found[one.zone] = one
    return found


def _place(text: str) -> CommandProber:
    zone, _, rest = text.partition("=")
    addresses, _, prefix = rest.partition("=")
    try:
        listed = tuple(address(one.strip()) for one in addresses.split(","))
        words = tuple(shlex.split(prefix))
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(
            f"--probe {escape(text)}", cause=str(context["message"]), cure=f"write {_FORM}"
        ) from None
    except ValueError as error:
        raise UsageError(
            f"--probe {escape(text)}",
            cause=f"its command cannot be taken apart into words: {error}",
            cure="close every quotation mark",
        ) from None
    return CommandProber(zone, listed, words)
