"""What a kind is: one record of pure functions that answers for the spine. No kind lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from icplan.core.address import Address
from icplan.core.change import Action, Change, Effect
from icplan.core.io import AnyQuery, Operation, Unreadable
from icplan.core.state import Desired, DesiredState, Observed
from icplan.core.value import Attributes, Later
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

MARK = "icplan"
"""The key in `external_ids` that says whose an object is; its value is the file's name."""

UNDECIDED: Attributes = {}
"""What an object of ours should be when the file cannot be followed, as with a name that means
nothing: as it is. A rule says why and refuses; without this it would look no longer declared."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the kinds that rest on no other zone bring about, for those that do.

    Attributes:
        desired: what those want.
        drawing: the zones whose controllers draw other addresses on the transit switches, each
            with the changes that make them, in order.
    """

    desired: DesiredState = field(default_factory=dict)
    drawing: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """All that a kind may look at: what the file says, and what was seen.

    Attributes:
        spec: the file.
        facts: what was seen.
        outlook: what the other kinds bring about; empty for all but the kinds that follow them.
    """

    spec: Spec
    facts: Facts
    outlook: Outlook = Outlook()

    @property
    def owner(self) -> str:
        """The owner mark of everything that this file declares."""
        return self.spec.interconnect.metadata.name


@dataclass(frozen=True, slots=True)
class Held:
    """The evidence is there.

    Attributes:
        lasts: for how many seconds apply watches whether it stays so; verify looks once.
    """

    lasts: float = 0.0


@dataclass(frozen=True, slots=True)
class Missing:
    """The evidence is not there: why, and what to do about it.

    Attributes:
        final: it will not come by itself any more: waiting is of no use.
    """

    why: str
    cure: str
    final: bool = False


Verdict = Held | Missing | Unreadable


@dataclass(frozen=True, slots=True)
class Check:
    """A piece of evidence that reality serves the file.

    Attributes:
        address: the object that it speaks for.
        claim: what must be so, in words.
        needs: the objects that must be as declared before it can hold.
        holds: the test.
        peer: the other zone, when it concerns a pair.
        operator: a person must bring it about; nothing that icplan writes can.
        since: of a transition; gives the test that takes the place of `holds`, from the facts
            right before the first write of its wave. There is nothing to verify about it later.
        first: everything else of its zone rests on it: asked before all that.
        awaited: apply waits for it; else only verify asks for it.
        lasts: for how many seconds apply watches whether it stays so; verify looks once.
        spare: without it everything is served, with less to spare: told, and no failure. Apply
            waits for it where it changes what it needs.
        before: the objects that cannot be written without it; apply waits for it before it does,
            unless an earlier wave brings it about.
    """

    address: Address
    claim: str
    needs: frozenset[Address]
    holds: Callable[[Facts], Verdict]
    peer: str = ""
    operator: bool = False
    since: Callable[[Facts], Callable[[Facts], Verdict]] | None = None
    first: bool = False
    awaited: bool = True
    lasts: float = 0.0
    spare: bool = False
    before: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Guard:
    """What must be so at the very moment of a write.

    Attributes:
        queries: what is read anew just before.
        check: the test of it.
    """

    queries: tuple[AnyQuery, ...]
    check: Check


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a value that is only known later is found, right before the write that needs it.

    Attributes:
        later: what is looked for, as the plan shows it.
        queries: what is read anew.
        find: the value; or why it is not there yet, or is not what the plan said it would be.
    """

    later: Later
    queries: tuple[AnyQuery, ...]
    find: Callable[[Facts], str | Missing | Unreadable]


@dataclass(frozen=True, slots=True)
class Afresh:
    """How a write is made of what is there right before it; it does no more than the plan shows.

    Attributes:
        queries: what is read anew.
        operation: the write, or why it cannot be made.
    """

    queries: tuple[AnyQuery, ...]
    operation: Callable[[Facts], Operation | Unreadable]


@dataclass(frozen=True, slots=True)
class Step:
    """One guarded write of a change, and what must be seen before the next one.

    Attributes:
        operation: the write.
        settles: what may be on its way and had better be over before; given a while, not demanded.
        unless: evidence that makes this step needless, and as many after it as `skips` says.
        guards: looked at just before the write.
        awaits: evidence that the next step needs.
        leaves: how things stand while no further step is done, or of this one a part only; empty
            where that is no matter.
        resolutions: how what the write holds of things only known later is found.
        afresh: how the write is made in its place at the moment itself, where what other zones do
            until then may have brought about a part of it.
    """

    operation: Operation
    guards: tuple[Guard, ...] = ()
    awaits: tuple[Check, ...] = ()
    settles: tuple[Check, ...] = ()
    unless: tuple[Check, ...] = ()
    skips: int = 0
    leaves: str = ""
    resolutions: tuple[Resolution, ...] = ()
    afresh: Afresh | None = None


def one_step(
    operation: Callable[[Change, View], Operation],
) -> Callable[[Change, View], tuple[Step, ...]]:
    """The steps of a kind whose changes are one write each."""

    def steps(change: Change, view: View) -> tuple[Step, ...]:
        return (Step(operation(change, view)),)

    return steps


def deletes(change: Change) -> bool:
    """Whether a change takes its object away."""
    return change.action is Action.DELETE


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: how addresses call it.
        prerequisite: its creation harms nobody and others wait for it: done first, in all zones.
        queries: what must be read to know such objects; asked a second time with the facts that
            the first reading gave.
        desired: what the file wants; objects whose facts are missing or contradictory are left
            out, and the rules say why.
        observed: what is there, of all objects that are declared or bear a mark.
        effects: what a change does to traffic, seen from its own zone.
        steps: the guarded writes that carry a change out, in order.
        checks: the evidence that such objects work.
        takes_away: whether a change leaves the zones with less than before: done last.
        afterwards: a change rests on what other zones are told: done after them.
        founding: its objects are what the IC databases run on: there before everything else, gone
            after it.
        follows: of a kind that rests on other zones' objects: those that must be as declared, and
            seen to be, before a change. It is done right after the last of them; and what it takes
            away goes before anything else does. What it wants may depend on the outlook.
        residue: what is taken away is nobody's any more, and can be in the way of what comes:
            done before all else.
    """

    name: str
    prerequisite: bool
    queries: Callable[[Spec, Facts | None], Iterable[AnyQuery]]
    desired: Callable[[View], Mapping[Address, Desired]]
    observed: Callable[[View], Mapping[Address, Observed]]
    effects: Callable[[Change, View], Iterable[Effect]]
    steps: Callable[[Change, View], tuple[Step, ...]]
    checks: Callable[[View], Iterable[Check]]
    takes_away: Callable[[Change], bool] = deletes
    afterwards: bool = False
    founding: bool = False
    follows: Callable[[Change, View], frozenset[Address]] | None = None
    residue: bool = False
