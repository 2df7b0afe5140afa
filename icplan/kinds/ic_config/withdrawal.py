"""The evidence that a zone exchanges no routes any more. Says nothing of its ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icplan.core.address import Address
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.kinds.common.controller import config_address
from icplan.kinds.common.evidence import in_ic, in_zone, ovn_ic_cure, verdict
from icplan.kinds.common.residue import learned, learned_address
from icplan.ovn.cluster import ROUTER
from icplan.ovn.northbound import Northbound


def manual(zone: str) -> Iterator[Check]:
    """A zone whose routes are made by hand: ovn-ic takes away what it made for it.

    An older controller leaves the learned routes in place when it rebuilds; the ovn-ic that it
    starts then takes them away (measured, and recorded for both generations).
    """
    needs = frozenset({config_address(zone)})
    yield Check(
        config_address(zone),
        f"no route of {zone} is advertised any more",
        needs,
        in_ic(
            lambda ic: verdict(
                not any(route.zone == zone for route in ic.routes),
                f"routes of {zone} are still in the IC southbound database",
                ovn_ic_cure(zone),
            )
        ),
    )

    def test(seen: Northbound) -> Verdict:
        listed = ", ".join(dict.fromkeys(one.prefix for one in learned(seen, ROUTER)))
        why = f"{zone} still holds what it learned: {listed}"
        return verdict(not listed, why, ovn_ic_cure(zone))

    yield _holds_none(config_address(zone), zone, needs, test)


def residue(zone: str) -> Check:
    """What a zone that leaves has learned is gone, too.

    Older controllers leave it behind, and nobody removes it (docs/facts.md section 3): that is a
    change of its own.
    """

    def test(seen: Northbound) -> Verdict:
        left = learned(seen, ROUTER)
        if not left:
            return Held()
        listed = ", ".join(f"{one.prefix} via {one.nexthop}" for one in left)
        return Missing(
            f"{zone} is out, and router {ROUTER} still has what it learned: {listed}",
            "icplan plan lists it, icplan apply takes it away",
        )

    address = config_address(zone)
    return _holds_none(address, zone, frozenset({address, learned_address(zone)}), test)


def _holds_none(
    address: Address,
    zone: str,
    needs: frozenset[Address],
    test: Callable[[Northbound], Verdict],
) -> Check:
    return Check(
        address,
        f"{zone} holds no learned route any more",
        needs,
        in_zone(zone, test),
    )
