"""A Kube-OVN cluster as an entry of the file: its ConfigMap, gateways and Subnets."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.words import listed, nearest
from icplan.kinds.common.config_map import KEYS, unknown
from icplan.kinds.common.controller import ENABLE, config_address
from icplan.kinds.common.cycle import AUTO, OFF, left_behind, ports
from icplan.kinds.common.waivers import UNKNOWN_KEY
from icplan.kinds.ic_config.state import OTHER
from icplan.ovn.attachment import attachments
from icplan.ovn.cluster import CONFIG, NAMESPACE, OWNER, ROUTER, Cluster, ConfigMap
from icplan.ovn.facts import Facts
from icplan.planning.importing.asked import AskedZone, Entry, Unsaid, Waiver, covered
from icplan.planning.importing.entries import access_data, invalid
from icplan.spec.diagnostic import quoted
from icplan.spec.model import IcDatabase, KubeOvnZone
from icplan.spec.source import Plain
from icplan.spec.writing import flow

NAME_KEY, GATEWAYS_KEY = "az-name", "gw-nodes"


def entry(zone: AskedZone, facts: Facts, owner: str) -> Entry:
    """What the file says of a cluster, but for its route policy's place."""
    cluster = facts.clusters[zone.site]
    config = cluster.config
    if config is None:
        left = left_behind(facts, zone.site)
        rest = f", though it left {', '.join(left)} behind" if left else ""
        why = f"there is no ConfigMap {NAMESPACE}/{CONFIG}, so it is not interconnected{rest}"
        # Its controller has left the name that it once gave to OVN (docs/facts.md section 3).
        northbound = facts.northbound.get(zone.site)
        return Entry(zone, northbound.name if northbound else "", {}, left_out=why)
    name = config.data.get(NAME_KEY, "")
    if why := _unusable(config):
        return Entry(zone, name, {}, left_out=why)
    gateways = _gateways(config)
    withheld = tuple(one for one in cluster.subnets if one.withheld)
    ours = [one.name for one in withheld if one.annotations.get(OWNER) == owner]
    others = [one.name for one in withheld if one.annotations.get(OWNER) != owner]
    data: dict[str, Plain] = {"name": name, **access_data(zone), "gatewayNodes": [*gateways]}
    if ours:
        data["withhold"] = [*ours]
    if why := _off(config, facts, zone.site) or invalid(KubeOvnZone, data):
        return Entry(zone, name, data, left_out=why)
    notes = []
    if others:
        notes.append(
            "Withheld by somebody else (disableInterConnection), which icplan leaves as it is: "
            f"{', '.join(others)}. To let this file say it: `withhold: {flow([*ours, *others])}`."
        )
    if cluster.ic_server is not None:
        notes.append(
            "Its Deployment ovn-ic-server runs the IC databases: icplan finds that by itself."
        )
    return Entry(
        zone,
        name,
        data,
        config.data.get(AUTO) == "true",
        "",
        tuple(notes),
        (*_no_nodes(name, cluster, gateways), *_other_routers(name, facts, zone.site)),
    )


def _off(config: ConfigMap, facts: Facts, site: str) -> str:
    """Why a zone counts as switched off; empty when it is on."""
    found = config.data.get(ENABLE)
    if found == "true":
        return ""
    if found == OFF:
        return f'{ENABLE} of ConfigMap {NAMESPACE}/{CONFIG} is "{OFF}": it is switched off'
    northbound = facts.northbound.get(site)
    # Any other text keeps what is on, and never switches on what is off (docs/facts.md section 2).
    if northbound is None or ports(northbound):
        return ""
    spelt = quoted(found) if found is not None else "missing"
    return f"{ENABLE} of ConfigMap {NAMESPACE}/{CONFIG} is {spelt}, and it is not interconnected"


def _unusable(config: ConfigMap) -> str:
    if not config.data.get(NAME_KEY):
        return f"{NAME_KEY} of ConfigMap {NAMESPACE}/{CONFIG} is not set: it has no name"
    if not _gateways(config):
        return f"{GATEWAYS_KEY} of ConfigMap {NAMESPACE}/{CONFIG} names no gateway"
    return ""


def _gateways(config: ConfigMap) -> tuple[str, ...]:
    names = (one.strip() for one in config.data.get(GATEWAYS_KEY, "").split(","))
    return tuple(one for one in names if one)


def _no_nodes(zone: str, cluster: Cluster, gateways: tuple[str, ...]) -> Iterator[Unsaid]:
    for host in gateways:
        if cluster.node(host) is None:
            yield Unsaid(
                zone,
                f"ConfigMap {NAMESPACE}/{CONFIG}, key {GATEWAYS_KEY}",
                f"{host} is no Node of this cluster, and the file may name Nodes only: "
                "`icplan plan` refuses it",
                "take it out of gatewayNodes, or correct it: it has "
                f"{listed(nearest(host, (one.name for one in cluster.nodes))) or 'none'}",
            )


def _other_routers(zone: str, facts: Facts, site: str) -> Iterator[Unsaid]:
    northbound = facts.northbound.get(site)
    for switch in northbound.switches if northbound else ():
        if northbound is None or not switch.transit_switch:
            continue
        for one in attachments(northbound, switch.transit_switch):
            if one.router.name != ROUTER:
                yield Unsaid(
                    zone,
                    f"router {one.router.name}, port {one.switch_port.name}",
                    f"it is attached to {switch.transit_switch}, and of a cluster the file "
                    f"interconnects {ROUTER} only, the router of the default VPC",
                    "leave it, as icplan does",
                )


def config_unsaid(
    zone: Entry, config: ConfigMap, database: IcDatabase
) -> tuple[tuple[Unsaid, ...], tuple[Waiver, ...]]:
    """What stands in the ConfigMap otherwise than the file would write it; and what keeps it.

    Args:
        zone: the cluster's entry.
        config: its ConfigMap.
        database: where the IC databases are, as the file has it.
    """
    automatic = "true" if zone.automatic else "false"
    values = (
        "true",
        zone.name,
        ",".join(database.hosts),
        str(database.northbound_port),
        str(database.southbound_port),
        ",".join(_gateways(config)),
        automatic,
    )
    unsaid = [
        Unsaid(
            zone.name,
            f"ConfigMap {NAMESPACE}/{CONFIG}, key {key}",
            f"{_there(config, key)}, and the file makes it {quoted(wanted)}",
            _cure(key),
            covers=covered(config_address(zone.name), key),
        )
        for key, wanted in zip(KEYS, values, strict=True)
        if config.data.get(key) != wanted
    ]
    strange = unknown(config)
    unsaid += [
        Unsaid(
            zone.name,
            f"ConfigMap {NAMESPACE}/{CONFIG}, key {key}",
            f"it is {quoted(config.data[key])}, and neither the controller nor the file knows such "
            f"a key; accepted ({UNKNOWN_KEY}), so that it stays as it is",
            "take the waiver out of the file to have the key removed: the zone is rebuilt then",
            covers=covered(config_address(zone.name), OTHER),
        )
        for key in strange
    ]
    waivers = [Waiver(UNKNOWN_KEY, zone.name, f"imported with {', '.join(strange)}")]
    return tuple(unsaid), tuple(waivers if strange else ())


def _there(config: ConfigMap, key: str) -> str:
    found = config.data.get(key)
    return "it is not there" if found is None else f"it is {quoted(found)}"


def _cure(key: str) -> str:
    if key in {"ic-db-host", "ic-nb-port", "ic-sb-port"}:
        return (
            "the same must stand in all zones, letter by letter: see in `icplan plan` what moving "
            "this zone costs, or choose the others' with --ic"
        )
    if key == GATEWAYS_KEY:
        return "the file writes names with commas and no spaces: a change of gateways only"
    return "see in `icplan plan` what writing it costs: most often a rebuild of this zone"
