from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from icplan.spec.codes import BY_CODE
from icplan.spec.model import Family, TransitSwitches
from icplan.spec.texts import Endpoint, Remote, cidr, name, split_endpoint, subnet


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("tcp:10.0.0.5:6641", Remote("tcp", "10.0.0.5", 6641)),
        ("ssl:ovn.example.com:6641", Remote("ssl", "ovn.example.com", 6641)),
        ("tcp:[fd00::5]:6641", Remote("tcp", "fd00::5", 6641)),
        ("unix:/run/ovn/ovnnb_db.sock", Remote("unix", path="/run/ovn/ovnnb_db.sock")),
        ("unix:run/nb,1.sock", Remote("unix", path="run/nb,1.sock")),
    ],
)
def test_remotes(text: str, remote: Remote) -> None:
    assert Remote.parse(text) == remote
    assert str(remote) == text
    assert remote.encrypted == text.startswith("ssl:")


@given(st.ip_addresses(), st.integers(1, 65535), st.sampled_from(["tcp", "ssl"]))
def test_a_remote_is_what_it_spells(address: object, port: int, scheme: str) -> None:
    remote = Remote(scheme, str(address), port)
    assert Remote.parse(str(remote)) == remote


@given(st.text())
def test_checks_of_texts_raise_nothing_else(text: str) -> None:
    for check in (name, cidr, subnet, Remote.parse, split_endpoint):
        try:
            check(text)
        except PydanticCustomError as problem:
            code = problem.type
        else:
            continue
        assert code in BY_CODE


@given(st.ip_addresses(v=6).map(lambda address: f"{address}/128"))
def test_a_cidr_has_one_spelling(text: str) -> None:
    assert cidr(text.upper()) == cidr(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("*", Endpoint(None, None)),
        ("az1/*", Endpoint("az1", None)),
        ("az1/ovn-default", Endpoint("az1", "ovn-default")),
        ("az1/10.16.0.0/16", Endpoint("az1", "10.16.0.0/16")),
        ("az1/fd00::/64", Endpoint("az1", "fd00::/64")),
    ],
)
def test_ends_of_expectations(text: str, end: Endpoint) -> None:
    assert split_endpoint(text) == end
    assert str(end) == text


@pytest.mark.parametrize("text", ["a" * 63, "a", "0", "a-b.c"])
def test_names(text: str) -> None:
    assert name(text) == text


@pytest.mark.parametrize("text", ["a" * 64, "A", "a_b", "-a", "a-", ".", "a b", "a\n", "ä", "a/b"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        name(text)


@pytest.mark.parametrize(
    ("family", "first", "last"),
    [
        (Family.IPV4, "169.254.100.0/24", "169.254.115.0/24"),
        (Family.IPV6, "fe80:a9fe:64::/112", "fe80:a9fe:73::/112"),
        (
            Family.DUAL,
            "169.254.100.0/24,fe80:a9fe:64::/112",
            "169.254.115.0/24,fe80:a9fe:73::/112",
        ),
    ],
)
def test_default_transit_subnets_are_those_of_kube_ovn(
    family: Family, first: str, last: str
) -> None:
    switches = TransitSwitches(count=16, family=family)
    assert switches.names[:2] == ("ts", "ts1")
    assert switches.names[-1] == "ts15"
    assert switches.subnet_of(0) == first
    assert switches.subnet_of(15) == last
    with pytest.raises(IndexError):
        switches.subnet_of(16)
    with pytest.raises(IndexError):
        switches.subnet_of(-1)


def test_declared_transit_subnets() -> None:
    switches = TransitSwitches(count=1, family=Family.DUAL, subnets=("10.9.0.0/24, FD00:9::/112",))
    assert switches.subnet_of(0) == "10.9.0.0/24,fd00:9::/112"
