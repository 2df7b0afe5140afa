"""Desired and observed state. Present, absent and unreadable are three different things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.address import Address
from icplan.core.change import Reason
from icplan.core.io import Unreadable
from icplan.core.origin import Origin
from icplan.core.value import Attributes


@dataclass(frozen=True, slots=True)
class Declared:
    """What the file wants an object to be; an attribute that is not here is never compared.

    Attributes:
        leaving: the object stays, and is given back as its zone is taken out.
    """

    attributes: Attributes
    origin: Origin
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredAbsent:
    """The file wants the object gone, whoever made it.

    Attributes:
        reason: why; most often its zone is declared `absent`.
    """

    origin: Origin
    reason: Reason = Reason.LEAVING


@dataclass(frozen=True, slots=True)
class Present:
    """What an object is; `owner` is the mark's value, None for an object that nobody marked."""

    attributes: Attributes
    owner: str | None


@dataclass(frozen=True, slots=True)
class Absent:
    """Looked for and not there."""


Desired = Declared | DeclaredAbsent
Observed = Present | Absent | Unreadable
DesiredState = Mapping[Address, Desired]
ObservedState = Mapping[Address, Observed]
