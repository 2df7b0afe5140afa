"""The interconnection databases as facts: transit switches, and what the zones registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icplan.core.address import IC
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, Database, Query, Tables
from icplan.ovn.prefix import normal, sort_key
from icplan.ovn.rows import pairs, text, texts


@dataclass(frozen=True, slots=True)
class TransitSwitch:
    """A Transit_Switch row."""

    uuid: str
    name: str
    external_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class IcNorthbound:
    """What is declared for all zones; `global_uuid` is empty in a fresh database."""

    global_uuid: str
    external_ids: Mapping[str, str]
    transit_switches: tuple[TransitSwitch, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A chassis that a zone offers as gateway."""

    zone: str
    name: str
    hostname: str
    tunnel_ips: tuple[str, ...]
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class PortBinding:
    """A zone's port on a transit switch; `gateway` is the chassis that serves it, else empty."""

    zone: str
    name: str
    transit_switch: str
    gateway: str
    mac: str
    networks: tuple[str, ...]
    uuid: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses without their prefix lengths: the next hops that others learn."""
        return tuple(one.partition("/")[0] for one in self.networks)


@dataclass(frozen=True, slots=True)
class AdvertisedRoute:
    """A Route row; `prefix` is normalised."""

    uuid: str
    zone: str
    transit_switch: str
    prefix: str
    nexthop: str


@dataclass(frozen=True, slots=True)
class IcSouthbound:
    """What the zones registered; `uuids` are those of the zones' own rows, by name."""

    zones: tuple[str, ...]
    gateways: tuple[Gateway, ...]
    ports: tuple[PortBinding, ...]
    routes: tuple[AdvertisedRoute, ...]
    uuids: Mapping[str, str] = field(default_factory=dict)


def queries() -> tuple[Query, ...]:
    """What must be read of the two interconnection databases."""
    north, south = Database(IC, IC_NORTHBOUND), Database(IC, IC_SOUTHBOUND)
    return (
        Query(north, "IC_NB_Global", ("external_ids",)),
        Query(north, "Transit_Switch", ("name", "external_ids")),
        Query(south, "Availability_Zone", ("name",)),
        Query(south, "Gateway", ("name", "availability_zone", "hostname", "encaps")),
        Query(south, "Encap", ("type", "ip", "gateway_name")),
        Query(
            south,
            "Port_Binding",
            ("logical_port", "transit_switch", "availability_zone", "gateway", "address"),
        ),
        Query(south, "Route", ("transit_switch", "availability_zone", "ip_prefix", "nexthop")),
    )


def decode_northbound(tables: Tables) -> IcNorthbound:
    """Rows of the IC northbound database to facts."""
    whole = tables.get("IC_NB_Global", ())
    row = whole[0] if whole else {}
    return IcNorthbound(
        text(row, "_uuid"),
        pairs(row, "external_ids"),
        tuple(
            sorted(
                (
                    TransitSwitch(text(row, "_uuid"), text(row, "name"), pairs(row, "external_ids"))
                    for row in tables.get("Transit_Switch", ())
                ),
                key=lambda switch: switch.name,
            )
        ),
    )


def decode_southbound(tables: Tables) -> IcSouthbound:
    """Rows of the IC southbound database to facts."""
    names = {text(row, "_uuid"): text(row, "name") for row in tables.get("Availability_Zone", ())}
    encaps = {text(row, "_uuid"): text(row, "ip") for row in tables.get("Encap", ())}

    def zone(uuid: str) -> str:
        return names.get(uuid, "")

    gateways = (
        Gateway(
            zone(text(row, "availability_zone")),
            text(row, "name"),
            text(row, "hostname"),
            tuple(sorted({encaps[one] for one in texts(row, "encaps") if one in encaps})),
            text(row, "_uuid"),
        )
        for row in tables.get("Gateway", ())
    )
    ports = []
    for row in tables.get("Port_Binding", ()):
        # "MAC network network": the form in which ovn-ic publishes a router port (measured).
        mac, *networks = text(row, "address").split() or [""]
        ports.append(
            PortBinding(
                zone(text(row, "availability_zone")),
                text(row, "logical_port"),
                text(row, "transit_switch"),
                text(row, "gateway"),
                mac,
                tuple(networks),
                text(row, "_uuid"),
            )
        )
    routes = (
        AdvertisedRoute(
            text(row, "_uuid"),
            zone(text(row, "availability_zone")),
            text(row, "transit_switch"),
            normal(text(row, "ip_prefix")),
            text(row, "nexthop"),
        )
        for row in tables.get("Route", ())
    )
    return IcSouthbound(
        tuple(sorted(names.values())),
        tuple(sorted(gateways, key=lambda one: (one.zone, one.hostname, one.name))),
        tuple(sorted(ports, key=lambda one: (one.zone, one.transit_switch, one.name))),
        tuple(
            sorted(
                routes,
                key=lambda one: (one.zone, one.transit_switch, sort_key(one.prefix), one.nexthop),
            )
        ),
        {name: uuid for uuid, name in sorted(names.items())},
    )
