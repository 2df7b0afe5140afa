"""Attribute values: known now, or later. Resolving a later value is not done here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.address import Address

Plain = str | bool | tuple[str, ...]
"""What an attribute may hold; a tuple is ordered, and its order means something."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known while planning."""

    value: Plain


@dataclass(frozen=True, slots=True)
class Later:
    """A value that another change brings about, so that only its source can be named.

    Attributes:
        reference: what it will be, in words: "address of ts-az2 on ts".
        source: the change after which it is known.
        constraint: what the value must satisfy when it is resolved, in words.
    """

    reference: str
    source: Address
    constraint: str


Value = Known | Later
Attributes = Mapping[str, Value]


def known(**attributes: Plain) -> Attributes:
    """Attributes that are all known; an underscore in a name is shown as a hyphen."""
    return {name.replace("_", "-"): Known(value) for name, value in attributes.items()}


def plain(attributes: Attributes, name: str) -> Plain:
    """The known value of one attribute.

    Raises:
        KeyError: there is no such attribute, or it is only known later.
    """
    match attributes[name]:
        case Known(value):
            return value
        case Later(reference=reference):
            raise KeyError(f"{name} is not known yet: {reference}")
