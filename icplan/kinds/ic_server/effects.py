"""What a change of the Deployment does to the IC databases, and to the zones that use them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.commands import shown
from icplan.core.value import plain
from icplan.kinds.common.commands import kicks
from icplan.kinds.common.contract import View
from icplan.kinds.common.ic_server import deployed, members_today, members_wanted, titled
from icplan.kinds.common.refounding import refounded
from icplan.kinds.common.transit_switches import rebuilds
from icplan.kinds.ic_server.manifest import DATA, FILES
from icplan.kinds.ic_server.state import IMAGE, REPLICAS
from icplan.ovn.cluster import IC_SERVER, MEMBERS, SWITCH_NUMBER


def effects(change: Change, view: View) -> Iterator[Effect]:
    """By itself a restart disturbs no traffic; databases that begin anew rebuild every zone."""
    zone = deployed(view)
    if zone is None:
        return
    if change.action is Action.CREATE:
        yield Effect(zone.name, Impact.NONE, _created(change, view, zone.name))
        for effect in (*rebuilds(view), *refounded(view)):
            yield replace(effect, sentence=f"unless {DATA} has kept them: {effect.sentence}")
    elif change.action is Action.DELETE:
        hosts = ", ".join(sorted(members_today(zone.cluster))) or "the masters"
        yield Effect(
            zone.name,
            Impact.NONE,
            f"the IC databases end with {titled(zone.name)}; their files stay on {hosts}: remove "
            f"{' and '.join(f'{DATA}/{one}' for one in FILES)} there, or the next Deployment "
            "begins with what they hold",
        )
    elif {IMAGE, REPLICAS, MEMBERS} & {*change.differing}:
        yield Effect(zone.name, Impact.NONE, _rolled_out(change, zone.name))
        if MEMBERS in change.differing:
            before = members_today(zone.cluster)
            after = members_wanted(view.spec, zone.cluster)
            yield from _membership(zone.name, before, after)


def _created(change: Change, view: View, zone: str) -> str:
    names = ", ".join(view.spec.interconnect.transit_switches.names)
    members = str(plain(change.after or {}, MEMBERS)).split(",")
    where = members[0] if len(members) == 1 else f"{', '.join(members)} as a raft"
    number = str(plain(change.after or {}, SWITCH_NUMBER))
    return (
        f"{titled(zone)} runs the IC databases on {where}; they begin empty, unless {DATA} there "
        f"still holds those of before; {SWITCH_NUMBER} {number} makes the transit switches {names}"
    )


def _rolled_out(change: Change, zone: str) -> str:
    if {*change.differing} == {REPLICAS}:
        return f"{titled(zone)} starts or ends pods; those that stay do not restart"
    pods = int(str(plain(change.after or {}, REPLICAS)))
    away = (
        "its pod restarts, and the IC databases are away for seconds"
        if pods == 1
        else "its pods are replaced one by one, and the IC databases change their leaders"
    )
    return (
        f"{titled(zone)} is rolled out: {away}; by itself that disturbs no traffic, but no zone "
        "learns anything meanwhile"
    )


def _membership(zone: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[Effect]:
    joining = [one for one in after if one not in before]
    leaving = [one for one in before if one not in after]
    if joining:
        yield Effect(
            zone,
            Impact.NONE,
            f"the IC databases get the members {', '.join(joining)}, which copy what they hold"
            if len(joining) > 1
            else f"{joining[0]} joins the IC databases and copies what they hold",
        )
    if leaving:
        kicked = " and ".join(shown(one) for host in leaving for one in kicks(host))
        yield Effect(
            zone,
            Impact.NONE,
            f"no database runs on {', '.join(leaving)} any more; both count it as a member that is "
            f"down until you remove it, in a pod of {IC_SERVER}: {kicked}",
        )
