"""A plan as a value: changes in waves, what users feel, what stands against it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icplan.core.address import IC, Address
from icplan.core.change import Action, Change
from icplan.core.diff import diff
from icplan.core.io import Database, Snapshot, Source, Unreadable
from icplan.core.state import DesiredState, ObservedState
from icplan.kinds import KINDS, kind_of
from icplan.kinds.common.contract import Check, View
from icplan.kinds.common.foundation import founded
from icplan.ovn.cluster import dispensable
from icplan.ovn.facts import Facts, decode
from icplan.planning.effects import Consequences, consequences
from icplan.planning.evidence import checks
from icplan.planning.outlook import outlook
from icplan.planning.reachability import today
from icplan.planning.rules.contract import Seen
from icplan.planning.verdicts import Verdict, judge
from icplan.planning.waves import Wave, numbered, waves
from icplan.spec.load import Spec


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, and what would come of it.

    Attributes:
        view: the file and the facts that it follows from.
        waves: the changes in their order.
        consequences: what users will feel.
        verdicts: what rules, limits and protected zones say.
        unseen: sources that could not be read; nothing is planned for what they hold. Not among
            them are IC databases that are to be started by the plan.
        not_permitted: sources that we may not look at; likewise, and it is no error.
        unclear: objects of which nothing can be said although their databases were read.
        unchecked: likewise, because of something that we may not look at.
        checks: all evidence that the file is served.
    """

    view: View
    waves: tuple[Wave, ...]
    consequences: Consequences
    verdicts: tuple[Verdict, ...]
    unseen: Mapping[Source, Unreadable]
    not_permitted: Mapping[Source, Unreadable]
    unclear: Mapping[Address, Unreadable]
    unchecked: Mapping[Address, Unreadable]
    checks: tuple[Check, ...]

    @property
    def owner(self) -> str:
        """Whose plan it is."""
        return self.view.owner

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes in the order in which they are made."""
        return tuple(change for wave in self.waves for change in wave.changes)

    @property
    def preview(self) -> bool:
        """Whether something that it would rest on may not be looked at."""
        return any(not dispensable(source) for source in self.not_permitted)

    @property
    def refused(self) -> bool:
        """Whether something forbids it."""
        return any(verdict.refuses for verdict in self.verdicts)

    @property
    def only_starts(self) -> bool:
        """Whether it only starts the IC databases, and what rests on them is planned then."""
        starts = any(change.action is not Action.DELETE for change in self.changes)
        return self.view.facts.ic_stopped and starts

    def count(self, action: Action) -> int:
        """How many changes have an action."""
        return sum(change.action is action for change in self.changes)


def make_plan(spec: Spec, snapshot: Snapshot) -> Plan:
    """The plan for a file and a snapshot: the same two give the same plan.

    What the snapshot holds of a zone that is left out changes nothing.
    """
    facts = founded(spec, decode(snapshot.without(spec.without) if spec.without else snapshot))
    at_once = spec.interconnect.limits.zones_at_once
    view = View(spec, facts)
    desired, observed = _states(view, follow=False)
    first = diff(desired, observed, view.owner)
    view = replace(view, outlook=outlook(first, desired, view))
    more_desired, more_observed = _states(view, follow=True)
    desired, observed = {**desired, **more_desired}, {**observed, **more_observed}
    changes = diff(desired, observed, view.owner)
    if facts.ic_stopped:
        changes = tuple(one for one in changes if kind_of(one.address.kind).founding)
    follows = _follows(changes, view)
    numbers = numbered(waves(changes, (), at_once, follows=follows))
    felt = consequences(changes, view, today(view), numbers)
    evidence = checks(view, changes)
    awaited = _awaited(evidence, changes) if facts.ic_stopped else evidence
    unclear = _unclear(observed, facts)
    return Plan(
        view=view,
        waves=waves(changes, awaited, at_once, felt.disruptive, follows),
        consequences=felt,
        verdicts=judge(Seen(view, desired, observed, changes), felt),
        unseen={
            one: why
            for one, why in facts.unseen.items()
            if not why.forbidden and not (facts.ic_stopped and _of_ic(one))
        },
        not_permitted={one: why for one, why in facts.unseen.items() if why.forbidden},
        unclear={one: why for one, why in unclear.items() if not why.forbidden},
        unchecked={one: why for one, why in unclear.items() if why.forbidden},
        checks=evidence,
    )


def _states(view: View, *, follow: bool) -> tuple[DesiredState, ObservedState]:
    """What the kinds want and see: those that rest on other zones' objects, or the others."""
    kinds = [kind for kind in KINDS if (kind.follows is not None) is follow]
    return (
        {address: state for kind in kinds for address, state in kind.desired(view).items()},
        {address: state for kind in kinds for address, state in kind.observed(view).items()},
    )


def _follows(changes: Sequence[Change], view: View) -> dict[Address, frozenset[Address]]:
    """What must be done before a change, in whatever zone; nothing for most of them."""
    return {
        change.address: before
        for change in changes
        if (follows := kind_of(change.address.kind).follows) is not None
        and (before := follows(change, view))
    }


def _awaited(evidence: Sequence[Check], changes: Sequence[Change]) -> tuple[Check, ...]:
    """The evidence that these changes alone bring about."""
    made = {change.address for change in changes}
    return tuple(check for check in evidence if check.needs and check.needs <= made)


def _of_ic(source: Source) -> bool:
    return isinstance(source, Database) and source.site == IC


def _unclear(observed: ObservedState, facts: Facts) -> dict[Address, Unreadable]:
    of_databases = set(facts.unseen.values())
    return {
        address: state
        for address, state in sorted(observed.items())
        if isinstance(state, Unreadable) and state not in of_databases
    }
