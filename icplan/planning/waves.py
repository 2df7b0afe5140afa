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


Part = tuple[str, list[Change]]
"""The title and the changes of a wave."""


def numbered(order: Iterable[Wave]) -> dict[Address, int]:
    """The number of the wave of each change, in the order in which they are made."""
    return {change.address: wave.number for wave in order for change in wave.changes}


def waves(
    changes: Sequence[Change],
    checks: Sequence[Check],
    zones_at_once: int,
    disruptive: Collection[Address] = (),
    follows: Mapping[Address, frozenset[Address]] | None = None,
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
        follows: of some changes those of any zone that they come right after.
    """
    after = follows or {}
    free = [change for change in changes if change.address not in after]
    parts = [part for part in _parts(free, zones_at_once, disruptive) if part[1]]
    parts = _with_followers(parts, changes, after, zones_at_once)
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
            (
                *_before_leaving(members, completed, number),
                *_before_writing(members, completed.get(0, ())),
            ),
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
        # A transition is over with its own wave: measured again, it would have to happen again.
        rest = tuple(
            one for one in checks if id(one) not in own and one.since is None and not one.spare
        )
        result[seen[-1]] = replace(final, awaits=final.awaits + rest)
    return tuple(result)


def _ends_databases(changes: Sequence[Change]) -> bool:
    return all(
        kind_of(change.address.kind).founding and change.action is Action.DELETE
        for change in changes
    )


def _before_writing(members: Sequence[Change], today: Sequence[Check]) -> tuple[Check, ...]:
    """The evidence that changes rest on and that no other change brings about."""
    written = {one.address for one in members}
    return tuple(one for one in today if one.before & written)


def _before_leaving(
    members: Sequence[Change], completed: Mapping[int, Sequence[Check]], number: int
) -> tuple[Check, ...]:
    """The evidence without which a zone's next step out must not be made.

    A name that is cleared while gateways or ports are still registered leaves them behind for
    ever, and with them a blackhole at the peers (docs/facts.md section 6, measured). Usually an
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
    residue = [one for one in changes if kind_of(one.address.kind).residue]
    changes = [one for one in changes if not kind_of(one.address.kind).residue]
    growing = [one for one in changes if not kind_of(one.address.kind).takes_away(one)]
    shrinking = [one for one in changes if kind_of(one.address.kind).takes_away(one)]
    founding = [change for change in growing if kind_of(change.address.kind).founding]
    yield "what the IC databases run on", _ordered(founding)
    growing = [one for one in growing if not kind_of(one.address.kind).founding]
    yield "what is left of what is no more", _ordered(residue)
    first = [change for change in growing if kind_of(change.address.kind).prerequisite]
    begun = {change.address for change in first}
    felt = any(change.address in disruptive for change in first)
    yield f"prerequisites: {'all zones at once' if felt else UNFELT}", _ordered(first)
    rest = [change for change in growing if change.address not in begun]
    later = _afterwards(rest)
    waiting = {change.address for change in later}
    for part in ([change for change in rest if change.address not in waiting], later):
        for group in _groups(part, zones_at_once):
            yield ", ".join(group), _ordered(one for one in part if one.address.site in group)
    yield from _ways_taken_away(shrinking, zones_at_once)
    leaving = [
        change
        for change in shrinking
        if change.address.site != IC and kind_of(change.address.kind).follows is None
    ]
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
    for kind in reversed(KINDS):
        members = [
            one for one in shrinking if one.address.site == IC and one.address.kind == kind.name
        ]
        felt = any(change.address in disruptive for change in members)
        title = f"what no zone needs any more{': all zones at once' if felt else ''}"
        title = "the IC databases" if kind.founding else title
        yield title, sorted(members, key=_place, reverse=True)


def _with_followers(
    parts: Sequence[Part],
    changes: Sequence[Change],
    follows: Mapping[Address, frozenset[Address]],
    zones_at_once: int,
) -> list[Part]:
    """The waves, and after each those changes that waited for it: as early as can be.

    While they wait, a pair of zones may be cut.
    """
    place = {one.address: index for index, (_, members) in enumerate(parts) for one in members}
    # What waits for nothing comes first; yet what everybody needs is done before that.
    earliest = -1
    while earliest + 1 < len(parts) and all(map(_needed_first, parts[earliest + 1][1])):
        earliest += 1
    waiting: dict[int, list[Change]] = {}
    for change in changes:
        if change.address in follows:
            found = (place[one] for one in follows[change.address] if one in place)
            waiting.setdefault(max(found, default=earliest), []).append(change)
    result: list[Part] = []
    for index in range(-1, len(parts)):
        if index >= 0:
            result.append(parts[index])
        part = waiting.get(index, [])
        for group in _groups(part, zones_at_once):
            members = _ordered(one for one in part if one.address.site in group)
            kinds = {one.address.kind: None for one in members}
            result.append((f"{', '.join(group)}: {', '.join(f'{one}s' for one in kinds)}", members))
    return result


def _needed_first(change: Change) -> bool:
    kind = kind_of(change.address.kind)
    if kind.residue:
        return True
    return (kind.founding or kind.prerequisite) and not kind.takes_away(change)


def _ways_taken_away(shrinking: Sequence[Change], zones_at_once: int) -> Iterable[Part]:
    """What leads to other zones goes before what it leads over, in all zones."""
    ways = [one for one in shrinking if kind_of(one.address.kind).follows is not None]
    for group in _groups(ways, zones_at_once):
        members = _ordered(one for one in ways if one.address.site in group)
        yield f"{', '.join(group)}: {members[0].address.kind}s taken away", members


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


def _place(change: Change) -> tuple[int, str]:
    """Among those of its kind, as people count: ts9 before ts10."""
    return len(change.address.name), change.address.name


def _ordered(changes: Iterable[Change]) -> list[Change]:
    rank = {kind.name: index for index, kind in enumerate(KINDS)}
    # What a zone would advertise goes before that zone begins to.
    return sorted(
        changes,
        key=lambda one: (
            one.reason is not Reason.ADVERTISED,
            rank[one.address.kind],
            one.address,
        ),
    )
