"""Whether what hangs on a transit switch is switched on, and lets packets pass. Knows no kind."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.commands import shown
from icplan.core.words import REPAIRED
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.kinds.common.evidence import in_zone
from icplan.ovn.attachment import of_router
from icplan.ovn.northbound import Northbound, SwitchPort
from icplan.spec.load import Spec


def passing(
    spec: Spec, zone: zones.DeclaredZone, address: Address, switch: str, needs: frozenset[Address]
) -> Check:
    """Nothing of a zone on a transit switch is switched off.

    Nothing that is planned for a Kube-OVN zone alters it, so no change waits for it.

    Args:
        spec: the file.
        zone: the zone.
        address: the object that it speaks for.
        switch: the transit switch.
        needs: what must be done before.
    """

    def test(seen: Northbound) -> Verdict:
        found = router_off(spec, zone, seen) or port_off(spec, zone, seen, switch)
        copies = (copy_off(spec, zone, one) for one in copies_on(seen, switch))
        return found or next((one for one in copies if one), Held())

    return Check(
        address,
        f"what {zone.name} has on {switch} is switched on",
        needs,
        in_zone(zone.name, test),
        awaited=False,
    )


def router_off(spec: Spec, zone: zones.DeclaredZone, seen: Northbound) -> Missing | None:
    """Why a zone's router does nothing at all; None when it works, or is not there."""
    found = seen.routers_named(zone.router)
    for one in found:
        if not one.enabled:
            row = one.name if len(found) == 1 else one.uuid
            command = ovn(spec, zone, "ovn-nbctl", "set", "logical_router", row, "enabled=true")
            return Missing(
                f"router {one.name} of {zone.name} is switched off (enabled=false)",
                f"switch it on: {shown(command)}",
            )
    return None


def port_off(spec: Spec, zone: zones.DeclaredZone, seen: Northbound, switch: str) -> Missing | None:
    """Why a zone's port on a transit switch carries nothing.

    None when it does, and when there is none: another link tells that. Packets pass a port without
    addresses, and one with port security as well: the zones' own ports are routers' (measured).
    """
    for one in of_router(seen, switch, zone.router):
        port, other = one.router_port.name, one.switch_port.name
        if not one.router_port.enabled:
            found = f"router port {port} of {zone.name} is switched off (enabled=false)"
            words: tuple[str, ...] = ("lrp-set-enabled", port, "enabled")
        elif not one.switch_port.enabled:
            found = f"port {other} of {zone.name} on {switch} is switched off (enabled=false)"
            words = ("lsp-set-enabled", other, "enabled")
        else:
            continue
        # Nothing is planned for a port that a controller has made.
        command = f"switch it on: {shown(ovn(spec, zone, 'ovn-nbctl', *words))}"
        return Missing(f"{found}: no packet passes it", command if zone.kube_ovn else REPAIRED)
    return None


def copies_on(seen: Northbound, switch: str) -> Iterator[SwitchPort]:
    """What ovn-ic has made of other zones' ports on a transit switch, by name."""
    there = seen.transit(switch)
    ports = (seen.switch_ports.get(uuid) for uuid in (there.ports if there else ()))
    yield from sorted(
        (one for one in ports if one is not None and one.type == "remote"),
        key=lambda one: one.name,
    )


def copy_off(spec: Spec, zone: zones.DeclaredZone, copy: SwitchPort) -> Missing | None:
    """Why a zone sends nothing to another zone's port; None when that is not switched off."""
    if copy.enabled:
        return None
    command = ovn(spec, zone, "ovn-nbctl", "lsp-set-enabled", copy.name, "enabled")
    return Missing(
        f"{zone.name} sends nothing to port {copy.name}: it is switched off there (enabled=false)",
        f"switch it on: {shown(command)}",
    )


def filters(spec: Spec, zone: zones.DeclaredZone, seen: Northbound, switch: str) -> Missing | None:
    """What may stop packets on a zone's side of a transit switch; icplan does not judge it."""
    there = seen.transit(switch)
    if there is None:
        return None
    if there.acls:
        count = "1 ACL" if len(there.acls) == 1 else f"{len(there.acls)} ACLs"
        listed = shown(ovn(spec, zone, "ovn-nbctl", "acl-list", there.name))
        return Missing(
            f"switch {there.name} of {zone.name} has {count}, which may stop packets",
            f"see what they drop: {listed}",
        )
    return None
