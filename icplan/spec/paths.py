"""From pydantic's places to the file's, and how messages spell them. Nothing is judged here."""

from __future__ import annotations

from collections.abc import Iterator, Set

from icplan.spec.diagnostic import quoted
from icplan.spec.grammar import ALIASES, ZONE_LIST, ZONES, at
from icplan.spec.source import Document, Path, Plain

_KEY = "[key]"
"""What pydantic puts behind the key of a mapping when the key itself is meant."""


def path_of(
    loc: tuple[str | int, ...], document: Document, *, unknown_key: bool = False
) -> tuple[Path, bool]:
    """The path in the document that a pydantic `loc` means, and whether its key is meant.

    What a `loc` has more than the file: the tag of the zone's kind, the mark of a mapping's key,
    and what stands below a short form (a text for a list of one, a number for a count). A key that
    is missing stays as the last item, in the file's spelling.

    Args:
        loc: as pydantic gives it.
        document: what was validated.
        unknown_key: the last item is a key that no model knows.
    """
    items = list(loc)
    if len(items) > 2 and items[0] == ZONE_LIST and items[2] in ZONES:
        del items[2]
    about_key = len(items) > 1 and items[-1] == _KEY
    if about_key:
        items.pop()
    path: Path = ()
    for item in items:
        inside = at(document.data, path)
        if not isinstance(inside, dict | list):
            break
        taken_as_it_is = unknown_key and len(path) == len(items) - 1
        # The check of a default value is placed at the field's name in Python.
        path = (*path, item if taken_as_it_is else ALIASES.get(item, item))
        if not document.has(path):
            break
    return path, about_key


def spelled(path: Path) -> str:
    """A path as messages write it: `availabilityZones[1].gatewayNodes`."""
    text = ""
    for item in path:
        if isinstance(item, int):
            text += f"[{item}]"
        elif item.isidentifier() and item.isascii():
            text += f".{item}" if text else item
        else:
            text += f"[{quoted(item)}]"
    return text or "the file"


def below(path: Path, paths: Set[Path]) -> bool:
    """Whether a path is one of the paths, or inside one."""
    return any(path[:length] in paths for length in range(len(path) + 1))


def nulls(data: Plain, path: Path = ()) -> Iterator[Path]:
    """The paths of everything that has no value."""
    if data is None:
        yield path
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from nulls(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from nulls(value, (*path, index))
