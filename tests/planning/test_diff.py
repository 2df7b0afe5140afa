"""The laws of the difference, on states that nobody wrote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icplan.core.address import Address
from icplan.core.change import Action
from icplan.core.diff import diff
from icplan.core.io import Unreadable
from icplan.core.origin import Origin
from icplan.core.state import Absent, Declared, DeclaredAbsent, Observed, Present
from icplan.core.value import Attributes, Known

HERE = Origin("interconnect.yaml", 1, 1, 1, 2)
words = st.sampled_from(["a", "b", "c"])
values = st.one_of(words, st.booleans(), st.tuples(words), st.tuples(words, words))
attributes: st.SearchStrategy[Attributes] = st.dictionaries(words, values.map(Known), max_size=3)
addresses = st.builds(Address, words, words, st.sampled_from(["", "ts"]))
marks = st.sampled_from([None, "ours", "theirs"])
observed = st.one_of(
    st.builds(Absent), st.builds(Present, attributes, marks), st.just(Unreadable("why", "how"))
)
desired = st.one_of(attributes.map(lambda one: Declared(one, HERE)), st.just(DeclaredAbsent(HERE)))
wholes = st.dictionaries(addresses, attributes)
wanted = st.dictionaries(addresses, desired)
seen = st.dictionaries(addresses, observed)


@given(wholes)
def test_what_is_as_declared_gives_no_change(state: dict[Address, Attributes]) -> None:
    declared = {address: Declared(one, HERE) for address, one in state.items()}
    present: dict[Address, Observed] = {
        address: Present(one, "ours") for address, one in state.items()
    }
    assert diff(declared, present, "ours") == ()


@given(wanted, seen)
def test_nothing_is_done_to_what_is_unreadable_or_of_others(
    want: dict[Address, Declared | DeclaredAbsent], there: dict[Address, Observed]
) -> None:
    for change in diff(want, there, "ours"):
        match there.get(change.address, Absent()):
            case Unreadable():
                raise AssertionError(change)
            case Present(_, owner):
                assert owner != "theirs"
                assert change.action is not Action.CREATE
            case Absent():
                assert change.action is Action.CREATE


@given(wanted, seen)
def test_after_the_changes_nothing_is_left_to_do(
    want: dict[Address, Declared | DeclaredAbsent], there: dict[Address, Observed]
) -> None:
    after = dict(there)
    for change in diff(want, there, "ours"):
        after[change.address] = Absent() if change.after is None else Present(change.after, "ours")
    assert diff(want, after, "ours") == ()


@given(wanted, seen)
def test_changes_are_ordered_by_address_and_differ_in_what_they_say(
    want: dict[Address, Declared | DeclaredAbsent], there: dict[Address, Observed]
) -> None:
    changes = diff(want, there, "ours")
    order = [change.address for change in changes]
    assert order == sorted(set(order))
    for change in changes:
        if change.action is Action.UPDATE:
            assert change.differing
