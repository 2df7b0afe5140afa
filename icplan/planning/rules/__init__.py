"""The table of rules. A code is never used again; a rule's docstring is its explanation."""

from __future__ import annotations

from icplan.planning.rules import (
    addresses,
    databases,
    gateways,
    hosts,
    ic_deployment,
    ic_server,
    kube_ovn,
    leaving,
    manual_routes,
    names,
    overlaps,
    ownership,
    routes,
    vpcs,
)
from icplan.planning.rules.contract import Finding, LiveRule, OfflineRule, Rule, Seen, Severity

__all__ = ["LIVE", "OFFLINE", "RULES", "Finding", "Rule", "Seen", "Severity"]

ERROR, WAIVABLE, WARNING = Severity.ERROR, Severity.WAIVABLE, Severity.WARNING
CURED = Severity.CURED

OFFLINE: tuple[OfflineRule, ...] = (
    OfflineRule("IC001", ERROR, names.duplicate_zone),
    OfflineRule("IC002", ERROR, names.zone_named_as_declared_router),
    OfflineRule("IC003", ERROR, names.repeated_gateway),
    OfflineRule("IC007", ERROR, addresses.transit_subnets_overlap),
    OfflineRule("IC008", ERROR, addresses.too_many_zones),
    OfflineRule("IC009", ERROR, addresses.even_raft),
    OfflineRule("IC021", WARNING, gateways.single),
    OfflineRule("IC022", WARNING, gateways.unlike_switches),
    OfflineRule("IC028", WARNING, addresses.unencrypted),
    OfflineRule("IC030", ERROR, names.unknown_zone),
    OfflineRule("IC031", ERROR, addresses.repeated_host),
    OfflineRule("IC034", ERROR, addresses.repeated_server),
    OfflineRule("IC035", ERROR, kube_ovn.no_way_through),
    OfflineRule("IC049", WARNING, kube_ovn.withheld_in_vain),
    OfflineRule("IC061", ERROR, manual_routes.ends_not_present),
    OfflineRule("IC063", WARNING, manual_routes.no_way_back),
    OfflineRule("IC068", WARNING, manual_routes.manual_beside_automatic),
    OfflineRule("IC095", ERROR, ic_deployment.no_cluster),
    OfflineRule("IC097", ERROR, ic_deployment.other_ports),
)
"""Decided by the file alone."""

LIVE: tuple[LiveRule, ...] = (
    LiveRule("IC004", ERROR, gateways.chassis_missing),
    LiveRule("IC005", ERROR, gateways.not_interconnecting),
    LiveRule("IC006", ERROR, gateways.tunnel_used_twice),
    LiveRule("IC010", ERROR, routes.unknown_withheld),
    LiveRule("IC011", ERROR, routes.foreign_denylist),
    LiveRule("IC012", ERROR, ownership.foreign_mark),
    LiveRule("IC014", ERROR, ownership.several_ports),
    LiveRule("IC015", ERROR, ownership.router_missing),
    LiveRule("IC016", ERROR, names.name_taken),
    LiveRule("IC017", WAIVABLE, routes.address_translation),
    LiveRule("IC018", WAIVABLE, overlaps.advertised_overlap),
    LiveRule("IC019", ERROR, names.renamed),
    LiveRule("IC020", WAIVABLE, gateways.all_replaced),
    LiveRule("IC023", WARNING, routes.withheld_by_others),
    LiveRule("IC024", ERROR, names.zone_named_as_router),
    LiveRule("IC025", ERROR, names.port_name_taken),
    LiveRule("IC027", WARNING, ownership.undeclared_zone),
    LiveRule("IC029", WARNING, gateways.crashing_version),
    LiveRule("IC032", ERROR, addresses.transit_subnet_used),
    LiveRule("IC033", WAIVABLE, routes.denied_by_mistake),
    LiveRule("IC036", CURED, kube_ovn.unknown_keys),
    LiveRule("IC037", CURED, kube_ovn.stale_denial),
    LiveRule("IC038", ERROR, kube_ovn.controller_not_running),
    LiveRule("IC039", ERROR, kube_ovn.node_missing),
    LiveRule("IC041", WARNING, kube_ovn.gateways_rebuild),
    LiveRule("IC042", WAIVABLE, overlaps.service_overlap),
    LiveRule("IC043", WARNING, overlaps.join_overlap),
    LiveRule("IC044", WARNING, kube_ovn.network_address),
    LiveRule("IC045", ERROR, kube_ovn.no_whole_subnet),
    LiveRule("IC046", WARNING, kube_ovn.withheld_by_others),
    LiveRule("IC047", ERROR, hosts.host_of_another_zone),
    LiveRule("IC050", ERROR, ic_server.other_subnets),
    LiveRule("IC052", ERROR, ic_server.several),
    LiveRule("IC053", ERROR, ic_server.foreign_switch),
    LiveRule("IC054", ERROR, ic_server.not_running),
    LiveRule("IC055", ERROR, ic_server.number_from_elsewhere),
    LiveRule("IC056", ERROR, databases.left_behind),
    LiveRule("IC057", ERROR, addresses.ports_left_outside),
    LiveRule("IC059", ERROR, routes.advertised_by_hand),
    LiveRule("IC060", ERROR, manual_routes.from_an_advertising_zone),
    LiveRule("IC062", ERROR, manual_routes.no_such_subnet),
    LiveRule("IC064", ERROR, manual_routes.overlaps_own),
    LiveRule("IC065", WARNING, manual_routes.rerouted),
    LiveRule("IC066", WAIVABLE, manual_routes.another_way),
    LiveRule("IC067", ERROR, manual_routes.two_targets),
    LiveRule("IC069", ERROR, manual_routes.family_not_carried),
    LiveRule("IC070", ERROR, leaving.alive),
    LiveRule("IC071", WARNING, leaving.living_host),
    LiveRule("IC072", WARNING, leaving.routes_to_the_gone),
    LiveRule("IC073", ERROR, leaving.still_used),
    LiveRule("IC074", WARNING, leaving.kept_switch),
    LiveRule("IC085", WAIVABLE, overlaps.hidden_overlap),
    LiveRule("IC086", WARNING, overlaps.node_overlap),
    LiveRule("IC087", ERROR, vpcs.named),
    LiveRule("IC088", WARNING, vpcs.stay_out),
    LiveRule("IC096", ERROR, ic_deployment.hosts_unlike_masters),
    LiveRule("IC098", ERROR, ic_deployment.majority_lost),
    LiveRule("IC099", ERROR, ic_deployment.run_by_others),
)
"""Decided by what was observed."""

RULES: tuple[Rule, ...] = tuple(sorted((*OFFLINE, *LIVE), key=lambda rule: rule.code))
"""All of them, by code. IC013 and IC026 are about waivers and live with the verdicts."""
