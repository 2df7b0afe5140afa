"""The order of a plan's changes: prerequisites, zone by zone, then leaving backwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from icplan.core.address import IC, Address
from icplan.core.change import Action, Change, Reason
from icplan.kinds import KINDS, kind_of
from icplan.kinds.common.contract import Check

UNFELT = "nobody's traffic changes"


@dataclass(frozen=True, slots=True)
class Wave:
    """Changes that are made together, and the evidence that is awaited before the next wave.

    Attributes:
        number: from 1.
        title: what it is about, in words.
        requires: what must be seen before the first write.
        changes: in the order in which they are written.
        awaits: what must be seen before it goes on.
    """

    number: int
    title: str
    requires: tuple[Check, ...]
    changes: tuple[Change, ...]
    awaits: tuple[Check, ...]


def waves(
    changes: Sequence[Change],
    checks: Sequence[Check],
    zones_at_once: int,
    disruptive: Collection[Address] = (),
) -> tuple[Wave, ...]:
    """Orders changes so that no step cuts a pair of zones that the end keeps.

    What is added or altered comes before what is taken away; what others need comes before them,
    and goes after them.

    Args:
        changes: the plan's changes.
        checks: all evidence; each wave awaits what it completes, the last one everything that is
            awaited at all.
        zones_at_once: how many zones may be written in one wave.
        disruptive: the changes that users feel.
    """
    parts = [part for part in _parts(changes, zones_at_once, disruptive) if part[1]]
    wave_of = {
        change.address: number
        for number, (_, members) in enumerate(parts, start=1)
        for change in members
    }
    checks = [check for check in checks if check.awaited]
    completed: dict[int, list[Check]] = {}
    for check in checks:
        last = max((wave_of.get(address, 0) for address in check.needs), default=0)
        completed.setdefault(last, []).append(check)
    result = [
        Wave(
            number,
            title,
            _before_leaving(members, completed, number),
            tuple(members),
            tuple(completed.get(number, ())),
        )
        for number, (title, members) in enumerate(parts, start=1)
    ]
    # Nothing can be seen of databases that are gone: what is left is awaited before.
    seen = [index for index, wave in enumerate(result) if not _ends_databases(wave.changes)]
    if seen:
        final = result[seen[-1]]
        own = {id(check) for wave in result[seen[-1] :] for check in wave.awaits}
        rest = tuple(check for check in checks if id(check) not in own)
        result[seen[-1]] = replace(final, awaits=final.awaits + rest)
    return tuple(result)


def _ends_databases(changes: Sequence[Change]) -> bool:
    return all(
        kind_of(change.address.kind).founding and change.action is Action.DELETE
        for change in changes
    )


def _before_leaving(
    members: Sequence[Change], completed: Mapping[int, Sequence[Check]], number: int
) -> tuple[Check, ...]:
    """The evidence without which a zone's next step out must not be made.

    A name that is cleared while gateways or ports are still registered leaves them behind for
    ever, and with them a blackhole at the peers (domain facts section 6, measured). Usually an
    earlier wave has awaited this; after an interrupted run there is none.
    """
    leaving = {one.address.site for one in members if one.reason is Reason.LEAVING}
    if not leaving:
        return ()
    rank = {kind.name: index for index, kind in enumerate(KINDS)}
    # Kinds leave backwards: only what goes before this one must be gone.
    first = min(rank[one.address.kind] for one in members)
    return tuple(
        one
        for wave in sorted(completed)
        if wave < number
        for one in completed[wave]
        if one.address.site in leaving and rank.get(one.address.kind, -1) > first
    )


def _parts(
    changes: Sequence[Change], zones_at_once: int, disruptive: Collection[Address]
) -> Iterable[tuple[str, list[Change]]]:
    growing = [one for one in changes if not kind_of(one.address.kind).takes_away(one)]
    shrinking = [one for one in changes if kind_of(one.address.kind).takes_away(one)]
    founding = [change for change in growing if kind_of(change.address.kind).founding]
    yield "what the IC databases run on", _ordered(founding)
    growing = [change for change in growing if change not in founding]
    first = [change for change in growing if kind_of(change.address.kind).prerequisite]
    felt = any(change.address in disruptive for change in first)
    yield f"prerequisites: {'all zones at once' if felt else UNFELT}", _ordered(first)
    rest = [change for change in growing if change not in first]
    later = _afterwards(rest)
    for part in ([change for change in rest if change not in later], later):
        for group in _groups(part, zones_at_once):
            yield ", ".join(group), _ordered(one for one in part if one.address.site in group)
    leaving = [change for change in shrinking if change.address.site != IC]
    leavers = {change.address.site for change in leaving if change.reason is Reason.LEAVING}
    # A leaving zone waits for what a person must do on its hosts: nobody else should wait for it.
    staying = [change for change in leaving if change.address.site not in leavers]
    going = [change for change in leaving if change.address.site in leavers]
    groups = (*_groups(staying, zones_at_once), *_groups(going, zones_at_once))
    for group in groups:
        for kind in reversed(KINDS):
            members = [
                one
                for one in leaving
                if one.address.site in group and one.address.kind == kind.name
            ]
            gone = all(one.action is Action.DELETE for one in members)
            what = f"{kind.name} {'taken away' if gone else 'given back'}"
            yield f"{', '.join(group)}: {what}", _ordered(members)
    last = [one for one in shrinking if kind_of(one.address.kind).founding]
    last_of_all = _ordered(one for one in shrinking if one.address.site == IC and one not in last)
    felt = any(change.address in disruptive for change in last_of_all)
    yield f"what no zone needs any more{': all zones at once' if felt else ''}", last_of_all
    yield "the IC databases", _ordered(last)


def _afterwards(changes: Sequence[Change]) -> list[Change]:
    """Those that rest on what other zones are told, as far as any other is told something."""
    before = {one.address.site for one in changes if not kind_of(one.address.kind).afterwards}
    return [
        one
        for one in changes
        if kind_of(one.address.kind).afterwards and before - {one.address.site}
    ]


def _groups(changes: Iterable[Change], zones_at_once: int) -> Iterable[tuple[str, ...]]:
    names = sorted({change.address.site for change in changes})
    for start in range(0, len(names), zones_at_once):
        yield tuple(names[start : start + zones_at_once])


def _ordered(changes: Iterable[Change]) -> list[Change]:
    rank = {kind.name: index for index, kind in enumerate(KINDS)}
    return sorted(changes, key=lambda one: (rank[one.address.kind], one.address))
