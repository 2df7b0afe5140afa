"""Lists on one screen, what is nearest in front."""

from __future__ import annotations

from icplan.core.words import listed, nearest, there_are


def test_what_is_too_much_is_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_what_is_meant_comes_first() -> None:
    names = [f"pods-{one}" for one in range(30)] + ["office", "Officer"]
    assert nearest("offcie", names)[0] == "office"
    told = there_are("offcie", names)
    assert told.startswith("there are: office, Officer, ")
    assert told.endswith(" and 27 more")
    assert there_are("offcie", []) == "there are: none"
    assert nearest("x", ["b", "a", "b"]) == ["a", "b"]
