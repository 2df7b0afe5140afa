"""What a person may have to do before a zone's ovn-ic reacts. Tests nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.evidence import ovn_ic_cure
from icplan.kinds.common.foundation import begins_cluster


@dataclass(frozen=True, slots=True)
class RestartStep:
    """What a person may have to do before a zone's ovn-ic reacts.

    Attributes:
        needed: whether there is such a step.
        claim: the words for it, behind the claim of a check; empty when there is none.
        cure: what to do when ovn-ic does not react.
    """

    needed: bool
    claim: str
    cure: str


def restart_step(view: View, zone: zones.DeclaredZone) -> RestartStep:
    """The restart of a plain zone's ovn-ic where the IC databases begin as another cluster.

    A Kube-OVN zone's controller starts its own anew.
    """
    if zone.kube_ovn or not begins_cluster(view.spec, view.facts):
        return RestartStep(needed=False, claim="", cure=ovn_ic_cure(zone.name))
    name = zone.name
    return RestartStep(
        needed=True,
        claim=" (your step: restart an ovn-ic that knew an earlier cluster there)",
        cure=f"restart ovn-ic of {name} if it was connected to an earlier cluster at these "
        "addresses: its log says `stale data`; else see whether it runs",
    )
