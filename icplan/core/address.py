"""Resource addresses, the names by which plans speak of things. No lookup happens here."""

from __future__ import annotations

from dataclasses import dataclass

IC = "ic"
"""The site of everything that belongs to no availability zone; no zone may bear this name."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A path such as `az1/port/ts` or `ic/transit-switch/ts`.

    Attributes:
        site: an availability zone's name, or `ic`.
        kind: the kind's name as addresses show it.
        name: which one, when a site holds several; else empty.
    """

    site: str
    kind: str
    name: str = ""

    def __str__(self) -> str:
        """The path as it is printed."""
        return "/".join(part for part in (self.site, self.kind, self.name) if part)
