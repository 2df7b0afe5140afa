"""The evidence that a zone exchanges no routes any more. Says nothing of its ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icplan.core.address import Address
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.controller import ENABLE, config_address
from icplan.kinds.common.evidence import in_ic, in_zone, ovn_ic_cure, verdict
from icplan.ovn.cluster import ROUTER
from icplan.ovn.generation import Generation
from icplan.ovn.northbound import Northbound, StaticRoute

_MOST_COMMANDS = 5


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
        listed = ", ".join(dict.fromkeys(one.prefix for one in _learned(seen)))
        why = f"{zone} still holds what it learned: {listed}"
        return verdict(not listed, why, ovn_ic_cure(zone))

    yield _holds_none(config_address(zone), zone, needs, test)


def residue(view: View, declared: zones.DeclaredZone) -> Check:
    """What a zone that leaves has learned is gone, too.

    Older controllers leave it behind, and nobody removes it (domain facts section 3): the plan
    announces that, so that apply waits for it only where the controller is known to remove it.
    """
    zone = declared.name
    cluster = view.facts.clusters.get(zone)
    config = cluster.config if cluster else None
    switched_off = (
        cluster is not None
        and cluster.generation is Generation.NEW
        and config is not None
        and config.data.get(ENABLE) != "false"
    )

    def test(seen: Northbound) -> Verdict:
        left = _learned(seen)
        if not left:
            return Held()
        listed = ", ".join(f"{one.prefix} via {one.nexthop}" for one in left)
        return Missing(
            f"{zone} is out, and router {ROUTER} still has what it learned: {listed}",
            _removal(left),
        )

    address = config_address(zone)
    return _holds_none(address, zone, frozenset({address}), test, awaited=switched_off)


def _learned(seen: Northbound) -> list[StaticRoute]:
    routers = seen.routers_named(ROUTER)
    return [route for router in routers for route in seen.routes_of(router) if route.learned]


def _removal(routes: list[StaticRoute]) -> str:
    shown = routes[:_MOST_COMMANDS]
    each = "; ".join(f"ovn-nbctl lr-route-del {ROUTER} {one.prefix} {one.nexthop}" for one in shown)
    more = len(routes) - len(shown)
    rest = f"; and so the {more} more that ovn-nbctl lr-route-list {ROUTER} calls learned"
    return f"nobody removes that by itself: {each}{rest if more else ''}"


def _holds_none(
    address: Address,
    zone: str,
    needs: frozenset[Address],
    test: Callable[[Northbound], Verdict],
    *,
    awaited: bool = True,
) -> Check:
    return Check(
        address,
        f"{zone} holds no learned route any more",
        needs,
        in_zone(zone, test),
        awaited=awaited,
    )
