"""Under which names and addresses zones are known to each other today. Plans nothing."""

from __future__ import annotations

from collections.abc import Mapping

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.transit_address import bare
from icplan.ovn.attachment import of_router
from icplan.ovn.facts import Facts


def sites(facts: Facts) -> Mapping[str, str]:
    """The file's names of zones by those that they registered under.

    They differ while a zone is being renamed, or was renamed by hand.
    """
    named = {seen.name: site for site, seen in facts.northbound.items() if seen.name}
    return named | {name: name for name, seen in facts.northbound.items() if seen.name == name}


def owners(facts: Facts) -> dict[str, set[str]]:
    """The zones that have registered an address on a transit switch, by address.

    Two can have drawn the same one (docs/facts.md section 4).
    """
    names, found = sites(facts), dict[str, set[str]]()
    for port in facts.ic_southbound.ports if facts.ic_southbound else ():
        for network in port.networks:
            found.setdefault(bare(network), set()).add(names.get(port.zone, port.zone))
    return found


def addresses(view: View, zone: str) -> tuple[str, ...]:
    """A zone's addresses on the transit switches today, without lengths.

    Those that it has registered, and those that it has by its own database: it may be registered
    elsewhere, or not yet.
    """
    found = {address for address, names in owners(view.facts).items() if zone in names}
    seen = view.facts.northbound.get(zone)
    declared = zones.named(view.spec, zone)
    if seen is not None and declared is not None:
        found |= {
            bare(network)
            for switch in seen.switches
            if switch.transit_switch
            for one in of_router(seen, switch.transit_switch, declared.router)
            for network in one.router_port.networks
        }
    return tuple(sorted(found))
