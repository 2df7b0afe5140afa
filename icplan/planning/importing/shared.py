"""What all zones share: where the IC databases are, and the transit switches. No zone is here."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from icplan.core.address import IC
from icplan.core.commands import shown
from icplan.errors import IcplanError
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.cycle import OFF
from icplan.kinds.common.places import HOST, NORTHBOUND_PORT, SOUTHBOUND_PORT
from icplan.kinds.common.transit_switches import numbered, switch_address
from icplan.kinds.transit_switch import VENDOR
from icplan.ovn.cluster import CONFIG, NAMESPACE
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import TransitSwitch
from icplan.ovn.prefix import network, normal, ordered
from icplan.planning.importing.asked import Asked, Unsaid, covered
from icplan.spec.diagnostic import quoted
from icplan.spec.model import MOST_SWITCHES, Family, IcDatabase, TransitSwitches
from icplan.spec.source import Plain

NEAR_SWITCHES = "transitSwitches"
SUBNET = "subnet"
USED = "the subnet of its ports"
"""In the place of a subnet that is not set."""
_DEFAULT_PORTS = (6645, 6646)


def ic_database(asked: Asked, configs: Mapping[str, Mapping[str, str]]) -> IcDatabase:
    """Where the IC databases are: as asked for, else as most of the ConfigMaps say.

    Args:
        asked: what the user named.
        configs: the data of the clusters' ConfigMaps, by site.

    Raises:
        IcplanError: nobody says it, or not by addresses.
    """
    said = [(site, one) for site, one in sorted(configs.items()) if one.get(HOST, "").strip()]
    said = [one for one in said if one[1].get(ENABLE) != OFF] or said
    places = Counter(_texts(one) for _, one in said)
    hosts, ports = asked.hosts, asked.ports
    site = ""
    if said:
        # Of equally many that of the first zone.
        site, common = max(said, key=lambda one: places[_texts(one[1])])
        texts = _texts(common)
        hosts = hosts or tuple(one.strip() for one in texts[0].split(",") if one.strip())
        ports = ports or (_port(texts[1], 0), _port(texts[2], 1))
    if not hosts:
        raise IcplanError(
            "IC databases",
            cause="nobody says where they are: no ConfigMap was found that names them",
            cure="name their host: --ic HOST",
        )
    ports = ports or _DEFAULT_PORTS
    try:
        return IcDatabase(hosts=hosts, northbound_port=ports[0], southbound_port=ports[1])
    except ValidationError as error:
        said_by = f"ConfigMap {NAMESPACE}/{CONFIG} of {site}"
        raise IcplanError(
            "IC databases" if asked.hosts else said_by,
            cause="; ".join(str(one["msg"]) for one in error.errors()),
            cure="say where they are: --ic ADDRESS, --ic-ports NORTHBOUND SOUTHBOUND",
        ) from error


def _texts(data: Mapping[str, str]) -> tuple[str, str, str]:
    return data.get(HOST, ""), data.get(NORTHBOUND_PORT, ""), data.get(SOUTHBOUND_PORT, "")


def _port(text: str, which: int) -> int:
    good = text.isascii() and text.isdigit() and 1 <= int(text) <= 65535
    return int(text) if good else _DEFAULT_PORTS[which]


def database_data(database: IcDatabase) -> dict[str, Plain]:
    """The entry `icDatabase`, without what is so by default."""
    data: dict[str, Plain] = {"hosts": [*database.hosts]}
    names = ("northboundPort", "southboundPort")
    ports = (database.northbound_port, database.southbound_port)
    for name, port, default in zip(names, ports, _DEFAULT_PORTS, strict=True):
        if port != default:
            data[name] = port
    return data


@dataclass(frozen=True, slots=True)
class Switches:
    """The transit switches.

    Attributes:
        declared: what the file says of them.
        unsaid: what it does not.
    """

    declared: TransitSwitches
    unsaid: tuple[Unsaid, ...]

    @property
    def data(self) -> dict[str, Plain]:
        """The entry `transitSwitches`, without what is so by default."""
        data: dict[str, Plain] = {}
        if self.declared.count != 1:
            data["count"] = self.declared.count
        if self.declared.family is not Family.IPV4:
            data["family"] = self.declared.family.value
        if self.declared.subnets:
            data["subnets"] = [*self.declared.subnets]
        return data


def switches(facts: Facts) -> Switches:
    """As many as there are in a row: ts, ts1 and so on."""
    if facts.ic_northbound is None:
        return Switches(TransitSwitches(), ())
    rows = {one.name: _with_subnet(one, facts) for one in facts.ic_northbound.transit_switches}
    names = [name for name in numbered(min(len(rows), MOST_SWITCHES)) if name in rows]
    count = 0
    while count < len(names) and names[count] == numbered(count + 1)[count]:
        count += 1
    found = [rows[name] for name in names[:count]]
    declared = _declared(found, max(count, 1))
    # Kube-OVN's Deployment makes its switches itself: icplan writes their number, and no row.
    made = any(one.ic_server is not None for one in facts.clusters.values())
    unsaid = (
        *_not_there(rows),
        *_others(rows, declared.names),
        *(
            one
            for index, row in enumerate(() if made else found)
            for one in _unlike(row, declared, index, bool(facts.clusters))
        ),
    )
    return Switches(declared, unsaid)


def _with_subnet(row: TransitSwitch, facts: Facts) -> TransitSwitch:
    """A switch that somebody made by ts-add has no subnet: then that of the ports on it counts."""
    if row.external_ids.get(SUBNET):
        return row
    ports = facts.ic_southbound.ports if facts.ic_southbound else ()
    found = ordered(
        normal(net) for one in ports if one.transit_switch == row.name for net in one.networks
    )
    return replace(row, external_ids={**row.external_ids, USED: ",".join(found)})


def _declared(rows: Sequence[TransitSwitch], count: int) -> TransitSwitches:
    family = next((one for one in map(_family, rows) if one is not None), Family.IPV4)
    plain = TransitSwitches(count=count, family=family)
    subnets = tuple(
        _subnet(row) if _family(row) is family else plain.subnet_of(index)
        for index, row in enumerate(rows)
    )
    if all(one == plain.subnet_of(index) for index, one in enumerate(subnets)):
        return plain
    try:
        return TransitSwitches(count=count, family=family, subnets=subnets)
    except ValidationError:
        # With host bits, or in an order or a spelling that the file does not have.
        return TransitSwitches(count=count, family=family, subnets=tuple(map(_canonical, subnets)))


def _canonical(subnet: str) -> str:
    halves = (network(one) for one in subnet.split(","))
    return ",".join(str(one) for one in sorted(halves, key=lambda one: one.version))


def _subnet(row: TransitSwitch) -> str:
    return row.external_ids.get(SUBNET) or row.external_ids.get(USED, "")


def _family(row: TransitSwitch) -> Family | None:
    """The family of a switch's subnet; None when it has none that the file could say."""
    try:
        halves = [network(one) for one in _subnet(row).split(",")]
    except ValueError:
        return None
    families = {(4,): Family.IPV4, (6,): Family.IPV6, (4, 6): Family.DUAL}
    return families.get(tuple(sorted(one.version for one in halves)))


def _not_there(rows: Mapping[str, TransitSwitch]) -> Iterator[Unsaid]:
    (first,) = numbered(1)
    if first not in rows:
        there = f" (there are: {', '.join(sorted(rows))})" if rows else ""
        yield Unsaid(
            IC,
            f"transit switch {first}",
            f"there is none of that name{there}, and the file declares at least this one",
            "see in `icplan plan` what making it costs",
            NEAR_SWITCHES,
            covered(switch_address(first)),
        )


def _others(rows: Mapping[str, TransitSwitch], declared: Sequence[str]) -> Iterator[Unsaid]:
    for name in sorted(rows):
        if name not in declared:
            yield Unsaid(
                IC,
                f"transit switch {name}",
                "the file counts transit switches by their names ts, ts1, ts2 without a gap, "
                f"{MOST_SWITCHES} at most, and this is none of them",
                "leave it, as icplan does; or, if nobody uses it: "
                f"{shown(f'ovn-ic-nbctl ts-del {shlex.quote(name)}')}",
                NEAR_SWITCHES,
                covered(switch_address(name)),
            )


def _unlike(
    row: TransitSwitch, declared: TransitSwitches, index: int, kube_ovn: bool
) -> Iterator[Unsaid]:
    """What a switch's row says otherwise than the file; without a cluster it disturbs nobody."""
    subnet, vendor = row.external_ids.get(SUBNET, ""), row.external_ids.get("vendor", "")
    wanted = declared.subnet_of(index)
    harm = (
        "newer Kube-OVN controllers then see the switch, and rebuild their zones"
        if kube_ovn
        else "in plain OVN nobody reads it"
    )
    cure = (
        "see in `icplan plan` whom that disturbs, and choose the hour"
        if kube_ovn
        else "nothing needs to be done: let icplan write it"
    )
    if not subnet and not vendor:
        yield _unlike_one(
            row.name,
            f"{SUBNET} and vendor",
            f"they are not set, and icplan writes {wanted} and {VENDOR} beside its mark: {harm}",
            cure,
            (SUBNET, "vendor"),
        )
        return
    if subnet != wanted:
        yield _unlike_one(
            row.name,
            SUBNET,
            f"it is {quoted(subnet) if subnet else 'not set'}, and the file says {quoted(wanted)}: "
            "all switches have one family, and subnets one spelling",
            "see in `icplan plan` what writing it does, and let somebody who knows the switch "
            "say which of the two is right",
            (SUBNET,),
        )
    if vendor != VENDOR:
        there = quoted(vendor) if vendor else "not set"
        what = f"it is {there}, and icplan writes {VENDOR}: {harm}"
        yield _unlike_one(row.name, "vendor", what, cure, ("vendor",))


def _unlike_one(
    switch: str, keys: str, what: str, cure: str, attributes: tuple[str, ...]
) -> Unsaid:
    return Unsaid(
        IC,
        f"transit switch {switch}, external_ids:{keys}",
        what,
        cure,
        NEAR_SWITCHES,
        covered(switch_address(switch), *attributes),
    )
