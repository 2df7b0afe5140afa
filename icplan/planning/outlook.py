"""What the changes that rest on no other zone bring about, for those that do. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from icplan.core.address import Address
from icplan.core.change import Change
from icplan.core.state import DesiredState
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Outlook, View
from icplan.planning.waves import numbered, waves


def outlook(changes: Sequence[Change], desired: DesiredState, view: View) -> Outlook:
    """Which zones' controllers draw other addresses, and what everything else will be.

    Args:
        changes: of all kinds but those that need this.
        desired: what these kinds want.
        view: the file and the facts.
    """
    # The last of several changes is the one after which a zone keeps what it has drawn.
    at_once = view.spec.interconnect.limits.zones_at_once
    order = {one: place for place, one in enumerate(numbered(waves(changes, (), at_once)))}
    drawing: dict[str, dict[Address, None]] = {}
    for change in sorted(changes, key=lambda one: order[one.address]):
        for effect in kind_of(change.address.kind).effects(change, view):
            if effect.draws:
                drawing.setdefault(effect.zone, {})[change.address] = None
    return Outlook(desired, {zone: tuple(drawing[zone]) for zone in sorted(drawing)})
