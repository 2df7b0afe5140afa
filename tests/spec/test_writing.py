"""A file that icplan writes is read back as what it was written from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from icplan.spec.source import Plain, parse
from icplan.spec.writing import WIDTH, Page, element, flow, paragraph, text

WORDS = st.one_of(
    st.sampled_from(
        [
            *("yes", "No", "on", "true", "null", "~", "1", "010", "0x1f", "0o17", "1e3", ".5"),
            *("1_0", "2027-01-31", "12:30", "inf", "nan", "0123456789abcdef01234567"),
            *("a: b", "a #b", "- a", "[a]", "{a}", "a,b", "&a", "*a", "!a", "%a", "@", "'"),
            *("fd00::/64", "::1", "tcp:10.0.0.5:6641", "ssl:[fd00::6]:6641", "unix:../a b.sock"),
            *("10.16.0.0/16", "192.168.65.3", "kubernetes-admin@az1", "arn:aws:eks:eu:1:cluster/a"),
            *("~/.kube/config", 'a"b', "a\\b", "a\\nb", "é"),
            *("a\u202eb", "a\U000e0001b", "\u00a0"),
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30),
)
SCALARS = st.one_of(WORDS, st.integers(0, 70000), st.booleans())
VALUES: st.SearchStrategy[Plain] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)
FILES = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)
ZONES = st.lists(st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(FILES, ZONES, st.text(max_size=200))
def test_what_is_written_is_read_back(
    data: dict[str, Plain], zones: list[dict[str, Plain]], comment: str
) -> None:
    data["availabilityZones"] = [*zones]
    lines = paragraph(comment, rest="  ")
    comments = {
        (): lines,
        ("availabilityZones", 0): lines,
        ("availabilityZones", len(zones)): lines,
    }
    first = next(iter(zones[0]))
    comments["availabilityZones", 0, first] = lines
    written = text(Page(data, comments))
    assert parse(written.encode(), "interconnect.yaml").data == data
    assert YAML(typ="safe", pure=True).load(written) == data


@given(VALUES)
def test_flow_is_one_line(value: Plain) -> None:
    assert "\n" not in flow(value)


def test_what_does_not_fit_is_written_on_several_lines() -> None:
    hosts: Plain = [f"gateway-{number}" for number in range(20)]
    written = text(Page({"icDatabase": {"hosts": hosts, "northboundPort": 1}}))
    assert "\n  hosts:\n    - gateway-0\n    - gateway-1\n" in written
    assert max(map(len, written.splitlines())) <= WIDTH


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("az1", "az1"),
        ("192.168.65.3", "192.168.65.3"),
        ("10.16.0.0/16", "10.16.0.0/16"),
        ("tcp:10.0.0.5:6641", "tcp:10.0.0.5:6641"),
        ("fd00:10:20::/64", '"fd00:10:20::/64"'),
        ("ssl:[fd00::6]:6641", '"ssl:[fd00::6]:6641"'),
        ("kubernetes-admin@az1", "kubernetes-admin@az1"),
        ("no", '"no"'),
        ("1.10", '"1.10"'),
        ("123e4", '"123e4"'),
        (6645, "6645"),
        (True, "true"),
        ("a\u202eb", '"a\\u202eb"'),
        ("a\U000e0001b", '"a\\U000e0001b"'),
    ],
)
def test_quotes_stand_where_they_are_needed(value: Plain, shown: str) -> None:
    assert flow(value) == shown


def test_an_element_is_written_key_by_key() -> None:
    assert element({"name": "az1", "kubernetes": {"context": "az1"}}) == (
        "- name: az1",
        "  kubernetes: {context: az1}",
    )
