"""Whether reality serves the file: all evidence, looked at once. Writes and waits for nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.core.change import Change
from icplan.core.engines import STATE
from icplan.core.io import Unreadable
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.planning.plan import Plan
from icplan.planning.verdicts import Verdict as Judgement

NOTED = frozenset({"IC027"})
"""Warnings of the plan that verify repeats: nothing that the file asks for is missing, and still
somebody should know: a zone that nobody declares any more, with routes of the others to it."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at.

    Attributes:
        drift: objects that are not as the file declares them, but for those that are away and can
            be spared.
        results: every check with what was found, in the order of the chain.
    """

    plan: Plan
    drift: tuple[Change, ...]
    results: tuple[tuple[Check, Verdict], ...]

    @property
    def missing(self) -> tuple[tuple[Check, Missing], ...]:
        """The broken links; also those that could be spared, were it not for others."""
        return tuple(one for one in self._broken() if not self.spared(one[0]))

    @property
    def degraded(self) -> tuple[tuple[Check, Missing], ...]:
        """Those without which everything is served all the same."""
        return tuple(one for one in self._broken() if self.spared(one[0]))

    def spared(self, check: Check) -> bool:
        """Whether everything is served without a link: what it is a part of must be there."""
        return check.spare and not any(
            isinstance(found, Missing)
            and not other.spare
            and (other.address.site, other.address.kind) == (check.address.site, check.address.kind)
            for other, found in self.results
        )

    def _broken(self) -> tuple[tuple[Check, Missing], ...]:
        return tuple((check, one) for check, one in self.results if isinstance(one, Missing))

    @property
    def unseen(self) -> tuple[tuple[Check, Unreadable], ...]:
        """The links that could not be looked at."""
        return tuple((check, one) for check, one in self.results if isinstance(one, Unreadable))

    @property
    def held(self) -> int:
        """How many links hold."""
        return sum(isinstance(one, Held) for _, one in self.results)

    @property
    def unwatched(self) -> tuple[str, ...]:
        """The zones of whose only gateway no database tells whether it answers, by name.

        Gateways watch each other by BFD, and a single one is watched by nobody (measured).
        """
        declared = (one for one in zones.declared(self.plan.view.spec) if one.present)
        return tuple(one.name for one in declared if len(one.zone.gateway_nodes) == 1)

    @property
    def notes(self) -> tuple[Judgement, ...]:
        """What is no missing evidence, and should be known."""
        return tuple(one for one in self.plan.verdicts if one.code in NOTED)

    def first_broken(self) -> tuple[tuple[Check, Missing], ...]:
        """For each zone and pair the first broken link: what follows it cannot hold either."""
        first: dict[tuple[str, str], tuple[Check, Missing]] = {}
        for check, verdict in self.missing:
            sites = {check.address.site, check.peer}
            broken = {site for site, peer in first if not peer}
            if check.peer and sites & broken:
                continue
            first.setdefault((check.address.site, check.peer), (check, verdict))
        return tuple(first.values())


def verify(plan: Plan) -> VerifyReport:
    """Looks at all evidence in the facts that a plan was made from."""
    facts = plan.view.facts
    results = tuple((check, check.holds(facts)) for check in plan.checks if check.since is None)
    away = {one.address for one, found in results if one.spare and isinstance(found, Missing)}
    drift = tuple(one for one in plan.changes if one.address not in away or not _away(one))
    return VerifyReport(plan, drift, results)


def _away(change: Change) -> bool:
    """Whether an object is as declared, but does not run."""
    return change.differing == (STATE,)
