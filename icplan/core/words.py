"""Phrases that messages share. Knows no kind and no rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

MOST = 5
"""So many names, addresses or prefixes are told; the others are counted."""

FEW = 3
"""As many where the line has more to say than the names."""

REPAIRED = "icplan plan shows the difference, icplan apply repairs it"
"""The cure of whatever differs from the file and can be looked at."""


def listed(found: Sequence[str], most: int = MOST) -> str:
    """The first ones, and how many more there are."""
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def sentence(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def nearest(given: str, names: Iterable[str]) -> list[str]:
    """Names in the order in which one of them may be meant; of equally near ones by name."""

    def far(name: str) -> tuple[float, str]:
        return -SequenceMatcher(None, given.lower(), name.lower()).ratio(), name

    return sorted({*names}, key=far)


def there_are(given: str, names: Iterable[str]) -> str:
    """What there is in the place of a name that nothing has: "there are: pods, office"."""
    return f"there are: {listed(nearest(given, names)) or 'none'}"


def accepting(rule: str, at: str) -> str:
    """The element of `accept` that waives a rule, to be copied."""
    return f"add `{{rule: {rule}, at: {at}, reason: WHY}}` to `accept`"
