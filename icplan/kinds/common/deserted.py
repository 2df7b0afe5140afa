"""That no zone is registered any more: what they all share may go then. Takes nothing away."""

from __future__ import annotations

from icplan.core.address import IC, Address
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Guard, Verdict, View
from icplan.kinds.common.controller import config_address
from icplan.kinds.common.evidence import in_ic, verdict
from icplan.kinds.common.transit_switches import SWITCH_KIND
from icplan.ovn import interconnect
from icplan.ovn.interconnect import IcSouthbound

CLAIM = "no zone is registered any more"


def check(view: View) -> Check:
    """The evidence, once all zones of the file are out."""
    out = {
        config_address(one.name) if one.kube_ovn else Address(one.name, "name")
        for one in zones.declared(view.spec)
    }
    gone = {Address(IC, "zone", name) for name in zones.gone(view.spec)}
    return Check(Address(IC, SWITCH_KIND), CLAIM, frozenset(out | gone), in_ic(_nobody))


def guard() -> Guard:
    """The same, right before a write."""
    own = Check(Address(IC, SWITCH_KIND), CLAIM, frozenset(), in_ic(_nobody))
    return Guard(interconnect.queries(), own)


def _nobody(ic: IcSouthbound) -> Verdict:
    there = ", ".join(name or "a zone without a name" for name in ic.zones)
    return verdict(
        not there,
        f"{there} is still registered in the IC southbound database",
        "declare what is not in the file, with `state: gone` if it is no more; see that ovn-ic "
        "runs where a zone is being taken out; then run icplan destroy again",
    )
