"""What the databases show of what a real controller did between two steps. Knows no icplan."""

from __future__ import annotations

from dataclasses import dataclass

from tests.recorded_states.recording import ZONES, Json, Step, many


@dataclass(frozen=True)
class Ports:
    """The ports of a zone's router on transit switches, before and after an edit.

    By the rows' uuids: a rebuild can draw the same address again (1.17-dev, step 31).
    """

    before: frozenset[str]
    after: frozenset[str]

    @property
    def kept(self) -> bool:
        """They are the same rows, with the same addresses and MACs."""
        return self.before == self.after

    @property
    def new(self) -> bool:
        """There are some, and none of them was there before."""
        return bool(self.after) and _uuids(self.before).isdisjoint(_uuids(self.after))

    @property
    def gone(self) -> bool:
        """There were some, and none is left."""
        return bool(self.before) and not self.after


def _uuids(ports: frozenset[str]) -> set[str]:
    return {one.partition(" ")[0] for one in ports}


def ports(before: Step, after: Step, zone: str) -> Ports:
    """What became of a zone's ports."""
    return Ports(_ports(before, zone), _ports(after, zone))


def _ports(step: Step, zone: str) -> frozenset[str]:
    return frozenset(
        f"{row['_uuid']} {row['name']} {row['mac']} {' '.join(many(row['networks']))}"
        for row in _transit_ports(step, zone)
    )


def _transit_ports(step: Step, zone: str) -> list[Json]:
    return [row for row in step.rows(zone, "Logical_Router_Port") if "-ts" in row["name"]]


def addresses(step: Step, zone: str) -> set[str]:
    """A zone's addresses on the transit switches."""
    networks = (net for row in _transit_ports(step, zone) for net in many(row["networks"]))
    return {network.partition("/")[0] for network in networks}


def active_gateways(step: Step, zone: str) -> dict[str, str]:
    """By transit switch the host whose gateway chassis has the highest priority, if there is one.

    Of a host that is no gateway chassis of the port any more nothing is left.
    """
    first: dict[str, Json] = {}
    for row in sorted(step.rows(zone, "Gateway_Chassis"), key=lambda row: int(row["priority"])):
        first[row["external_ids"]["lrp"]] = row
    return {
        port.partition("-")[2]: row["chassis_name"].removeprefix("chassis-")
        for port, row in first.items()
    }


def learned(step: Step, zone: str) -> set[str]:
    """The prefixes of the routes that ovn-ic made in a zone."""
    return {
        row["ip_prefix"]
        for row in step.rows(zone, "Logical_Router_Static_Route")
        if "ic-learned-route" in row["external_ids"]
    }


def ways(step: Step, zone: str) -> set[str]:
    """A zone's routes that lead to the other zone's ports, each with its next hop."""
    (other,) = {*ZONES} - {zone}
    there = addresses(step, other)
    return {
        f"{row['_uuid']} {row['nexthop']}"
        for row in step.rows(zone, "Logical_Router_Static_Route")
        if row["nexthop"] in there
    }


def connected(step: Step) -> bool:
    """Whether the two zones reached each other: there and back, or by a route made by hand."""
    by_hand = {
        f"{row['_uuid']} {row['nexthop']}"
        for zone in ZONES
        for row in step.rows(zone, "Logical_Router_Static_Route")
        if "ic-learned-route" not in row["external_ids"]
    }
    there_and_back = [ways(step, zone) for zone in ZONES]
    return all(there_and_back) or any(by_hand & one for one in there_and_back)


def cut(before: Step, after: Step) -> bool:
    """Whether the two zones reached each other, and lost a way to do so, be it for a moment."""
    return connected(before) and any(ways(before, zone) - ways(after, zone) for zone in ZONES)


def exchanging(step: Step, zone: str) -> bool:
    """Whether a zone advertises and learns routes."""
    (row,) = step.rows(zone, "NB_Global")
    return {"ic-route-adv", "ic-route-learn"} <= {*row["options"]}


def registered(step: Step) -> set[str]:
    """The names of the zones in the IC southbound database."""
    return {row["name"] for row in step.state["icSouthbound"]["Availability_Zone"]}
