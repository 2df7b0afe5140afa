"""A zone's southbound database as facts: chassis, their tunnel addresses, who serves a port."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.io import SOUTHBOUND, Database, Query, Tables, equals
from icplan.ovn.rows import pairs, text, texts


@dataclass(frozen=True, slots=True)
class Chassis:
    """A host. `remote`: ovn-ic copied it here from another zone, so it is not this zone's."""

    uuid: str
    name: str
    hostname: str
    interconnection: bool
    remote: bool
    tunnel_ips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Southbound:
    """What is known of one southbound database; `serving` maps router port to chassis name."""

    chassis: tuple[Chassis, ...]
    serving: Mapping[str, str]

    @property
    def local(self) -> tuple[Chassis, ...]:
        """The zone's own chassis."""
        return tuple(chassis for chassis in self.chassis if not chassis.remote)

    def on_host(self, hostname: str) -> tuple[Chassis, ...]:
        """The zone's own chassis that bear a host name; there should be exactly one."""
        return tuple(chassis for chassis in self.local if chassis.hostname == hostname)

    def host_of(self, name: str) -> str | None:
        """The host name of a chassis; None when there is no such chassis."""
        return next((chassis.hostname for chassis in self.chassis if chassis.name == name), None)


def queries(zone: str) -> tuple[Query, ...]:
    """What must be read of a zone's southbound database."""
    database = Database(zone, SOUTHBOUND)
    return (
        Query(database, "Chassis", ("name", "hostname", "encaps", "other_config", "external_ids")),
        Query(database, "Encap", ("type", "ip", "chassis_name")),
        Query(
            database,
            "Port_Binding",
            ("logical_port", "chassis"),
            (equals("type", "chassisredirect"),),
        ),
    )


def decode(tables: Tables) -> Southbound:
    """Rows to facts."""
    encaps = {text(row, "_uuid"): row for row in tables.get("Encap", ())}
    chassis = tuple(
        sorted(
            (
                Chassis(
                    text(row, "_uuid"),
                    text(row, "name"),
                    text(row, "hostname"),
                    _flag(row_config := pairs(row, "other_config"), "is-interconn"),
                    _flag(row_config, "is-remote"),
                    tuple(
                        sorted({text(encaps[e], "ip") for e in texts(row, "encaps") if e in encaps})
                    ),
                )
                for row in tables.get("Chassis", ())
            ),
            key=lambda one: (one.hostname, one.name),
        )
    )
    names = {one.uuid: one.name for one in chassis}
    serving = {
        text(row, "logical_port").removeprefix("cr-"): names[text(row, "chassis")]
        for row in tables.get("Port_Binding", ())
        if text(row, "chassis") in names
    }
    return Southbound(chassis, dict(sorted(serving.items())))


def _flag(config: Mapping[str, str], key: str) -> bool:
    return config.get(key, "").lower() == "true"
