"""What icplan makes of a recorded state, by a file; and what it announces for each zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from icplan.core.change import Action, Change, Impact
from icplan.kinds.common.contract import Missing
from icplan.ovn.facts import Facts, decode
from icplan.planning.plan import Plan, make_plan
from icplan.run.verify import VerifyReport, verify
from tests.recorded_states import supplied
from tests.recorded_states.files import OWNER, declaring, spec
from tests.recorded_states.recording import Step
from tests.recorded_states.snapshots import Marks, Source, recorded_zones, snapshot

OURS = Marks(OWNER)
"""icplan has adopted everything, so that a plan holds nothing but what is to be altered."""


def plan(step: Step, file: str, marks: Marks = OURS, tag: str = "") -> Plan:
    """The plan for a recorded state."""
    model = spec(file)
    return make_plan(model, snapshot(Source(step, model, marks, tag)))


def facts(step: Step, file: str, marks: Marks = OURS) -> Facts:
    """What icplan sees of a recorded state."""
    return decode(snapshot(Source(step, spec(file), marks)))


def plan_for(before: Step, after: Step, tag: str = "") -> Plan:
    """The plan that leads from one step to what the next one's ConfigMaps say.

    Raises:
        NotDeclarable: no file can ask for that.
    """
    return plan(before, declaring(after, before), tag=tag)


def differing(made: Plan) -> dict[str, set[str]]:
    """What a plan alters, by address; the addresses of what it makes or removes with the action."""
    return {str(one.address): _differing(one) for one in made.changes if _differing(one)}


def _differing(change: Change) -> set[str]:
    if change.action in {Action.CREATE, Action.DELETE}:
        return {change.action.value}
    return {*change.differing}


def missing(report: VerifyReport) -> dict[str, Missing]:
    """What verify finds missing, by claim, of what the recordings can show."""
    return {
        check.claim: verdict
        for check, verdict in report.missing
        if not check.claim.startswith(supplied.NOT_JUDGED)
    }


def missing_now(made: Plan) -> dict[str, Missing]:
    """What verify finds missing in the state that a plan was made from."""
    return missing(verify(made))


def missing_in(made: Plan, seen: Facts) -> dict[str, Missing]:
    """What of a plan's evidence is missing in another state: what apply would be waiting for."""
    before = made.view.facts
    results = tuple(
        (check, (check.since(before) if check.since else check.holds)(seen))
        for check in made.checks
        if check.awaited
    )
    return missing(VerifyReport(made, (), results))


def codes(made: Plan, *, refusing: bool = False) -> set[str]:
    """The rules that have something to say; or only those that refuse the plan."""
    return {one.code for one in made.verdicts if one.refuses or not refusing}


@dataclass(frozen=True)
class Announcement:
    """What a plan says of one recorded zone: the worst impact, and all sentences."""

    impact: Impact
    sentences: tuple[str, ...]

    def says(self, *words: str) -> bool:
        """Whether a sentence has one of these words in it."""
        return any(word in sentence for sentence in self.sentences for word in words)

    @property
    def joins(self) -> bool:
        """The zone gets its first ports."""
        return self.says(" joins: ")

    @property
    def leaves(self) -> bool:
        """Its ports are taken away."""
        return self.says(" out: its routes leave the other zones")

    @property
    def kept(self) -> bool:
        """Its ports are kept."""
        return self.says("addresses are kept")

    @property
    def rebuilt(self) -> bool:
        """Its ports are made anew, with other addresses."""
        return self.says("addresses change", "switches change", "with new addresses")

    @property
    def classes(self) -> Sequence[str]:
        """Those of the four that it is; one of them, or nobody could tell what is meant."""
        names = ("joins", "leaves", "kept", "rebuilt")
        return [name for name in names if getattr(self, name)]


def announced(made: Plan) -> dict[str, Announcement]:
    """By recorded zone what a plan says of it; a zone of which it says nothing is not there."""
    zones = recorded_zones(made.view.spec)
    found: dict[str, Announcement] = {}
    for effects in made.consequences.effects.values():
        for effect in effects:
            zone = zones[effect.zone]
            former = found.get(zone, Announcement(Impact.NONE, ()))
            found[zone] = Announcement(
                max(former.impact, effect.impact), (*former.sentences, effect.sentence)
            )
    return found
