"""What the ConfigMap of a Kube-OVN zone should hold and what it holds. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icplan.core.address import Address
from icplan.core.io import Query
from icplan.core.kubernetes import ObjectQuery
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Known, Value
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import KEYS, data, kept, unknown
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import CONFIG_KIND, config_address
from icplan.kinds.common.cycle import left_behind
from icplan.ovn import cluster, northbound, southbound
from icplan.ovn.cluster import OWNER, ConfigMap
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = CONFIG_KIND
LEFT = "left-behind"
"""The attribute that shows what is there although the ConfigMap is not."""
OTHER = "other-keys"
"""The attribute that shows what else stands in the ConfigMap."""


def address(zone: str) -> Address:
    """The address of a zone's ConfigMap."""
    return config_address(zone)


def queries(spec: Spec, facts: Facts | None) -> Iterator[Query | ObjectQuery]:
    """The clusters, and their zones' databases to see what the controllers made of it."""
    switches = {*spec.interconnect.transit_switches.names}
    if facts is not None and facts.ic_northbound is not None:
        switches |= {one.name for one in facts.ic_northbound.transit_switches}
    for zone in zones.kube_ovn(spec):
        yield from cluster.queries(zone.name)
        yield from northbound.queries(zone.name, sorted(switches))
        yield from northbound.policy_queries(zone.name, kube_ovn=True)
        yield from southbound.queries(zone.name)


def desired(view: View) -> dict[Address, Desired]:
    """A present zone's ConfigMap holds the seven keys and nothing else."""
    wanted: dict[Address, Desired] = {}
    for zone in zones.kube_ovn(view.spec):
        if not zone.present:
            wanted[address(zone.name)] = DeclaredAbsent(zone.origin(view.spec, "state"))
            continue
        attributes: dict[str, Value] = {
            key: Known(value) for key, value in data(view.spec, zone).items()
        }
        seen = view.facts.clusters.get(zone.name)
        config = seen.config if seen else None
        if config is not None and unknown(config):
            attributes[OTHER] = Known(_shown(config, kept(view, zone.name, config)))
        wanted[address(zone.name)] = Declared(attributes, zone.origin(view.spec))
    return wanted


def observed(view: View) -> dict[Address, Observed]:
    """What the ConfigMaps hold."""
    states: dict[Address, Observed] = {}
    for zone in zones.kube_ovn(view.spec):
        unseen = view.facts.unplannable(zone.name)
        if unseen is not None:
            states[address(zone.name)] = unseen
            continue
        config = view.facts.clusters[zone.name].config
        if config is None:
            # A zone that left while its controller was down has left nothing but this.
            left = () if zone.present else left_behind(view.facts, zone.name)
            found = Present({LEFT: Known(left)}, None) if left else Absent()
            states[address(zone.name)] = found
            continue
        attributes: dict[str, Value] = {
            key: Known(config.data[key]) for key in KEYS if key in config.data
        }
        if others := unknown(config):
            attributes[OTHER] = Known(_shown(config, others))
        states[address(zone.name)] = Present(attributes, config.annotations.get(OWNER))
    return states


def _shown(config: ConfigMap, keys: Mapping[str, str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f'{key}="{config.data[key]}"' for key in sorted(keys))
