"""Who could have asked for which recorded edit. Both recordings have the same ones."""

from __future__ import annotations

from tests.recorded_states.recording import NEW, PAIRS, Pair, Step

BY_FILE = frozenset({1, 2, 3, 4, 5, 6, 8, 10, 11, 13, 15, 16, 17, 18, 19, 20, 31, 36, 38})
"""The steps before which ConfigMaps or transit switches became what a file can declare."""

NOT_DECLARABLE = {
    7: "a key that no controller knows",
    12: "a zone without gateways",
    14: "another text in enable-ic",
    34: "a key that no controller knows",
    37: "another IC database for one zone",
}
"""The steps before which they became what no file can declare, and what that is."""

ELSEWHERE = frozenset({9, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33, 35, 39})
"""The steps before which nothing of that was edited: annotations, Subnets, routes, a restart; or
`enable-ic` was switched off and on again, so that it is as it was."""

CURES = frozenset({(NEW, 23), (NEW, 27)})
"""Where switching off and on again is what icplan's own cure of a sticky denial does."""


def _asked(after: Step) -> bool:
    return after.number in BY_FILE or (after.controller, after.number) in CURES


ASKED = tuple(pair for pair in PAIRS if _asked(pair[1]))
"""Around the edits that icplan, told by a file, would have made itself."""
NOT_ASKED = tuple(pair for pair in PAIRS if not _asked(pair[1]))


def name(pair: Pair) -> str:
    """How tests call a pair: by the step after the edit."""
    return pair[1].name
