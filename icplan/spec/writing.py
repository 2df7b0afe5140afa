"""From plain data to the text of a file: one spelling, comments in their places. Judges nothing."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from icplan.spec.diagnostic import escape
from icplan.spec.grammar import ZONE_LIST
from icplan.spec.source import Path, Plain, resolve

WIDTH = 100
"""Columns of a line; what does not fit is written on several lines."""
_COMMENT = 94

# What every reader of YAML takes for a text, in brackets and braces too.
_PLAIN = re.compile(r"[A-Za-z0-9_/~][A-Za-z0-9_./@~+-]*(:[A-Za-z0-9_./@~+-]+)*")
# Booleans of YAML 1.1, which many readers still speak.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"})
_DATE = re.compile(r"[0-9]{4}-[0-9]")
_LONGEST_NUMBER = 20
_TOGETHER = frozenset({"apiVersion", "kind", "metadata"})


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be written.

    Attributes:
        data: the file's data, its keys in the order in which they are written.
        comments: lines by the path of the key or element that they stand above; the empty path is
            the head of the file, the place behind a list's last element its end.
    """

    data: Mapping[str, Plain]
    comments: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)


def paragraph(text: str, *, first: str = "", rest: str = "") -> tuple[str, ...]:
    """Lines of a comment: the text escaped and wrapped, with these indentations."""
    return tuple(
        textwrap.wrap(
            escape(text),
            _COMMENT,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def text(page: Page) -> str:
    """The file: the same page gives the same text."""
    return "\n".join(_page(page)) + "\n"


def element(value: Mapping[str, Plain]) -> tuple[str, ...]:
    """A mapping as an element of a list, key by key; what a comment holds to be taken over."""
    data = dict(value)
    return tuple(_list(Page({ZONE_LIST: [data]}), (ZONE_LIST,), [data], 0))


def _page(page: Page) -> Iterator[str]:
    yield from _comment(page, (), 0)
    for key, value in page.data.items():
        if key not in _TOGETHER:
            yield ""
        yield from _comment(page, (key,), 0)
        yield from _entry(page, (key,), value, 0)


def _comment(page: Page, path: Path, indent: int) -> Iterator[str]:
    for line in page.comments.get(path, ()):
        yield " " * indent + f"# {line}".rstrip()


def _entry(page: Page, path: Path, value: Plain, indent: int) -> Iterator[str]:
    """A key and its value."""
    margin = " " * indent + f"{_scalar(path[-1])}:"
    if not _block(page, path, value, len(margin) + 1):
        yield f"{margin} {flow(value)}"
        return
    yield margin
    if isinstance(value, dict):
        yield from _mapping(page, path, value, indent + 2)
    elif isinstance(value, list):
        yield from _list(page, path, value, indent + 2)


def _mapping(page: Page, path: Path, value: dict[str, Plain], indent: int) -> Iterator[str]:
    for key, inner in value.items():
        yield from _comment(page, (*path, key), indent)
        yield from _entry(page, (*path, key), inner, indent)


def _list(page: Page, path: Path, value: list[Plain], indent: int) -> Iterator[str]:
    for place, inner in enumerate(value):
        where = (*path, place)
        if place and path == (ZONE_LIST,):
            yield ""
        yield from _comment(page, where, indent)
        if not isinstance(inner, dict) or not _block(page, where, inner, indent + 2):
            yield " " * indent + f"- {flow(inner)}"
            continue
        lines = list(_mapping(page, where, inner, indent + 2))
        # The hyphen stands before the first key, behind what is said of that one.
        above = len(page.comments.get((*where, next(iter(inner))), ()))
        yield from (line[2:] for line in lines[:above])
        yield " " * indent + "- " + lines[above].lstrip()
        yield from lines[above + 1 :]
    end = list(_comment(page, (*path, len(value)), indent))
    if end and path == (ZONE_LIST,):
        yield ""
    yield from end


def _block(page: Page, path: Path, value: Plain, column: int) -> bool:
    """Whether a value is written on several lines."""
    if not isinstance(value, dict | list) or not value:
        return False
    if len(path) == 1 or (len(path) == 2 and path[0] == ZONE_LIST):
        return True
    commented = any(one[: len(path)] == path and len(one) > len(path) for one in page.comments)
    return commented or column + len(flow(value)) > WIDTH


def flow(value: Plain) -> str:
    """A value on one line."""
    match value:
        case dict():
            return (
                "{" + ", ".join(f"{_scalar(key)}: {flow(one)}" for key, one in value.items()) + "}"
            )
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
    return _scalar(value)


def _scalar(value: str | int | float | bool | None) -> str:
    if isinstance(value, str) and _is_plain(value):
        return value
    # JSON's spelling is YAML's, too; what a terminal would not show as itself stays an escape.
    return "".join(map(_visible, json.dumps(value, ensure_ascii=False)))


def _visible(character: str) -> str:
    if character == "\\" or escape(character) == character:
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _is_plain(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or value.lower() in _WORDS or resolve(value) != value:
        return False
    # Long and made of digits, or a date of YAML 1.1: some readers take it for no text.
    long_number = len(value) > _LONGEST_NUMBER and value[0].isdigit() and "/" not in value
    if long_number or _DATE.match(value):
        return False
    return not _is_number(value.replace("_", ""))


def _is_number(value: str) -> bool:
    """Whether some reader or other takes a text for a number."""
    for number in (float, lambda one: int(one, 0)):
        try:
            number(value)
        except ValueError:
            continue
        return True
    return False
