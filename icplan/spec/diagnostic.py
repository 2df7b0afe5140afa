"""A problem of the file and how its place is pictured. What is a problem is decided elsewhere."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from icplan.core.origin import Origin
from icplan.errors import IcplanError

WIDTH = 120
"""Columns that an excerpt may take before it is cut around the spot."""
TAB = 4
"""Columns that a tab is shown as; the terminal's own idea of it would move the underline."""
_LONGEST = 60
"""Characters of a value that a message repeats."""
# Cc control, Cf invisible (among them the marks that reverse text), Cs half characters,
# Zl and Zp line ends. Zs is white space that looks like a space and is none, but for the space.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem: its code, where it is, what is wrong, and what to do about it."""

    code: str
    origin: Origin
    message: str
    cure: str

    def __str__(self) -> str:
        """One line in the form `file:line:column: CODE message; cure`."""
        return f"{self.origin}: {self.code} {self.message}; {self.cure}"


class FileError(IcplanError):
    """The file cannot be used. Carries every problem found, in the order of the text.

    Args:
        file: the file as the user names it.
        diagnostics: the problems; at least one.
        lines: the text, line by line, for `excerpt`; empty when there is no text to show.
    """

    def __init__(
        self, file: str, diagnostics: Iterable[Diagnostic], lines: Sequence[str] = ()
    ) -> None:
        found = tuple(sorted(set(diagnostics), key=lambda one: (one.origin, one.code, one.message)))
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        first = found[0]
        super().__init__(
            escape(file),
            place=escape(str(first.origin)),
            cause=f"{count}, the first: {first.code} {first.message}",
            cure=first.cure,
        )
        self.file = file
        self.diagnostics = found
        self.lines = tuple(lines)


def report(error: FileError) -> str:
    """All problems as text: place, code and message; the line; the cure."""
    return "\n".join(_paragraph(one, error.lines) for one in error.diagnostics)


def _paragraph(diagnostic: Diagnostic, lines: Sequence[str]) -> str:
    picture = excerpt(lines, diagnostic.origin)
    shown = "".join(f"    {line}\n" for line in picture.split("\n")) if picture else ""
    head = f"{escape(str(diagnostic.origin))}: {diagnostic.code} {diagnostic.message}"
    return f"{head}\n{shown}  {diagnostic.cure}\n"


def escape(text: str) -> str:
    """The text with everything that a terminal would not show as itself written as an escape."""
    return "".join(map(_visible, text))


def quoted(text: str) -> str:
    """A text from the file as a message may repeat it: escaped, in quotes, cut when long."""
    return '"' + shortened(text).replace('"', '\\"') + '"'


def shortened(text: str) -> str:
    """A text from the file, escaped, cut when long."""
    return escape(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def excerpt(lines: Sequence[str], origin: Origin) -> str:
    """The line of the origin's start, and below it `^` under what is meant.

    A span over several lines is underlined on the first. Returns an empty text when the place is
    not in `lines` (a file too large to be read has none), or the line is empty.

    Args:
        lines: the text of the file, line by line, without line ends.
        origin: the place.
    """
    if not 1 <= origin.line <= len(lines):
        return ""
    line = lines[origin.line - 1]
    if not line:
        return ""
    start = min(origin.column - 1, len(line))
    if origin.end_line > origin.line:
        end = max(len(line.rstrip()), start + 1)
    else:
        end = max(origin.end_column - 1, start + 1)
    # Only the neighbourhood is worth escaping: a line can be as long as the file.
    first = max(0, start - WIDTH)
    last = end + WIDTH
    before = [_cell(character) for character in line[first:start]]
    under = [_cell(character) for character in line[start : min(end, start + WIDTH)]] or [" "]
    after = [_cell(character) for character in line[end:last]]
    cut_left, cut_right = first > 0, last < len(line) or end > start + WIDTH
    if _width(before) + _width(under) + _width(after) > WIDTH:
        # Up to half of the width for what stands before the spot, the rest for what follows.
        kept = list(reversed(_head(list(reversed(before)), WIDTH // 2)))
        cut_left, before = cut_left or len(kept) < len(before), kept
        room = max(WIDTH - _width(before), 1)
        shown = _head(under, room)
        cut_right = cut_right or len(shown) < len(under)
        kept = _head(after, room - _width(shown)) if len(shown) == len(under) else []
        cut_right = cut_right or len(kept) < len(after)
        under, after = shown, kept
    left, right = "…" if cut_left else "", "…" if cut_right else ""
    text = left + "".join(before) + "".join(under) + "".join(after) + right
    marks = " " * (len(left) + _width(before)) + "^" * max(_width(under), 1)
    return f"{text.rstrip()}\n{marks}"


def _visible(character: str) -> str:
    if character == "\\":
        return character
    if character == " " or unicodedata.category(character) not in _UNPRINTABLE:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _cell(character: str) -> str:
    return " " * TAB if character == "\t" else _visible(character)


def _columns(cell: str) -> int:
    """The columns of a terminal that one character takes: wide ones two, combining ones none."""
    if len(cell) != 1:
        return len(cell)
    if unicodedata.combining(cell):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _width(cells: Sequence[str]) -> int:
    return sum(map(_columns, cells))


def _head(cells: Sequence[str], room: int) -> list[str]:
    """As many cells as fit."""
    taken: list[str] = []
    for cell in cells:
        room -= _columns(cell)
        if room < 0:
            break
        taken.append(cell)
    return taken
