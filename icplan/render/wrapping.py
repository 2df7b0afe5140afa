"""Sentences as lines of a limited width, in which commands stay whole. Knows no content."""

from __future__ import annotations

import re
import textwrap

from icplan.render.paint import escape

WIDTH = 100
_COMMAND = re.compile(r"`[^`]*`")
_GAP = "\0"
"""Stands for the spaces of a command meanwhile; what is escaped has none of its own."""


def wrapped(text: str, first: str, others: str) -> list[str]:
    """A text from outside or about it, escaped, as lines.

    What stands between grave accents is for a shell, or for the file: cut into lines it would be
    pasted as several commands. It goes over the width instead.

    Args:
        text: the sentence.
        first: what the first line begins with.
        others: what all others begin with.
    """
    kept = _COMMAND.sub(lambda found: found[0].replace(" ", _GAP), escape(text))
    lines = textwrap.wrap(
        kept,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GAP, " ") for line in lines]
