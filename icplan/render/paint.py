"""Colours for terminals, and escaping of what comes from outside. Knows no content."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from icplan.spec.diagnostic import escape

__all__ = ["Paint", "cut", "escape"]


def cut(text: str, columns: int) -> str:
    """As much of a text without colours as fits into so many columns of a terminal."""
    for index, character in enumerate(text):
        if not unicodedata.combining(character):
            columns -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns < 0:
            return text[:index]
    return text


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text, or leaves it as it is."""

    enabled: bool = False

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.enabled and text else text

    def good(self, text: str) -> str:
        """Something created, or as it should be."""
        return self._style("32", text)

    def altered(self, text: str) -> str:
        """Something changed, or to be noticed."""
        return self._style("33", text)

    def bad(self, text: str) -> str:
        """Something deleted, refused or broken."""
        return self._style("31", text)

    def strong(self, text: str) -> str:
        """A headline."""
        return self._style("1", text)

    def faint(self, text: str) -> str:
        """A side note."""
        return self._style("2", text)
