"""Whether reality serves the file: all evidence, looked at once. Writes and waits for nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.core.change import Change
from icplan.core.io import Unreadable
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was looked at.

    Attributes:
        drift: objects that are not as the file declares them.
        results: every check with what was found, in the order of the chain.
    """

    plan: Plan
    drift: tuple[Change, ...]
    results: tuple[tuple[Check, Verdict], ...]

    @property
    def missing(self) -> tuple[tuple[Check, Missing], ...]:
        """The broken links."""
        return tuple((check, one) for check, one in self.results if isinstance(one, Missing))

    @property
    def unseen(self) -> tuple[tuple[Check, Unreadable], ...]:
        """The links that could not be looked at."""
        return tuple((check, one) for check, one in self.results if isinstance(one, Unreadable))

    @property
    def held(self) -> int:
        """How many links hold."""
        return sum(isinstance(one, Held) for _, one in self.results)

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
    return VerifyReport(plan, plan.changes, results)
