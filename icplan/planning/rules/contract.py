"""What a rule is. The rules themselves live in the files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from icplan.core.change import Change
from icplan.core.origin import Origin
from icplan.core.state import DesiredState, ObservedState
from icplan.kinds.common.contract import View
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec


class Severity(StrEnum):
    """How a finding is taken."""

    ERROR = "error"
    """Refuses the plan."""
    WAIVABLE = "waivable"
    """Refuses the plan unless the file accepts it."""
    CURED = "cured"
    """Is shown: the plan holds the cure, unless the file accepts what is found."""
    WARNING = "warning"
    """Is shown."""

    @property
    def waivable(self) -> bool:
        """Whether the file can accept a finding."""
        return self in {Severity.WAIVABLE, Severity.CURED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One case of a rule.

    Attributes:
        at: the zone concerned, or `ic`: what a waiver names.
        message: what is wrong, naming every object concerned.
        cure: what to do.
        origin: where the file speaks of it, if it does.
    """

    at: str
    message: str
    cure: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a live rule may look at."""

    view: View
    desired: DesiredState
    observed: ObservedState
    changes: Sequence[Change]

    @property
    def spec(self) -> Spec:
        """The file."""
        return self.view.spec

    @property
    def facts(self) -> Facts:
        """What was observed."""
        return self.view.facts


@dataclass(frozen=True, slots=True)
class OfflineRule:
    """A rule that the file alone decides."""

    code: str
    severity: Severity
    find: Callable[[Spec], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class LiveRule:
    """A rule that needs to see the databases."""

    code: str
    severity: Severity
    find: Callable[[Seen], Iterable[Finding]]


Rule = OfflineRule | LiveRule
