"""What two zones must not both have: prefixes, tunnels; of whatever is known of the zones."""

from __future__ import annotations

import ipaddress
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from bench.rules_scale import Size, seen
from icplan.kinds.common.waivers import overlap_place
from icplan.ovn.overlaps import Overlaps
from icplan.ovn.prefix import normal, overlap
from icplan.planning.rules import overlaps
from icplan.spec.load import read
from tests.planning.altered import Case, said

JOINED = "ic_config/nothing-to-do"


def _network(drawn: tuple[int, int, bool]) -> str:
    """Few and close, so that many of them are nested."""
    bits, length, ipv6 = drawn
    if ipv6:
        return str(ipaddress.ip_network(((0xFD << 120) | bits << 100, 20 + length), strict=False))
    return str(ipaddress.ip_network((10 << 24 | bits << 12, 12 + length), strict=False))


networks = st.tuples(st.integers(0, 255), st.integers(0, 12), st.booleans()).map(_network)
owned = st.lists(st.tuples(networks, st.sampled_from("abc")), max_size=30)


@given(owned)
def test_nested_groups_are_all_that_overlap(prefixes: list[tuple[str, str]]) -> None:
    index = Overlaps(prefixes, lambda owner: (owner,))
    found = {(inner.prefix, outer.prefix) for inner, outer in index.nested()}
    all_of_them = {normal(one) for one, _ in prefixes}
    expected = {
        (one, other)
        for one, other in product(all_of_them, repeat=2)
        if overlap(one, other)
        and ipaddress.ip_network(one).prefixlen >= ipaddress.ip_network(other).prefixlen
    }
    assert found == expected
    for group, _ in index.nested():
        owners = sorted(owner for one, owner in prefixes if normal(one) == group.prefix)
        assert sorted(group.owners) == owners


@given(owned, networks)
def test_what_touches_a_prefix_is_all_that_overlaps_it(
    prefixes: list[tuple[str, str]], prefix: str
) -> None:
    index = Overlaps(prefixes, lambda owner: (owner,))
    found = [one.prefix for one in index.touching(prefix)]
    assert sorted(found) == sorted({normal(one) for one, _ in prefixes if overlap(one, prefix)})


def test_what_is_no_prefix_counts_for_nothing() -> None:
    index = Overlaps([("router", "a"), ("10.0.0.0/8", "b")], lambda owner: (owner,))
    assert [inner.prefix for inner, _ in index.nested()] == ["10.0.0.0/8"]
    assert list(index.touching("nonsense")) == []


def test_zones_built_from_one_template_are_named_briefly() -> None:
    found = list(overlaps.advertised_overlap(seen(Size(12, 2), alike=True)))
    # Two subnets, and every zone but the first by name comes after another one.
    assert len(found) == 2 * 11
    last = [one for one in found if one.at == "az9"]
    assert [one.message for one in last] == [
        f"{prefix} of az9 (Subnet s{place}) overlaps {prefix} of az0 (Subnet s{place}), of az1 "
        f"(Subnet s{place}), of az10 (Subnet s{place}) and 8 more"
        for place, prefix in enumerate(("10.0.0.0/24", "10.0.1.0/24"))
    ]
    (join,) = overlaps.join_overlap(seen(Size(12, 2), alike=True))
    assert join.message.endswith("100.64.0.0/16 of az3 and 6 more")


def test_an_overlap_is_waived_at_a_zone_of_the_file() -> None:
    spec = read(Case(JOINED).text.encode(), "interconnect.yaml")
    assert overlap_place(spec, "az1", "az2") == "az2"
    assert overlap_place(spec, "az2", "zoo") == "az2"


def _alone(case: Case) -> Case:
    """az2 is registered, and the file does not name it."""
    case.text = case.text[: case.text.index("  - name: az2")]
    databases, objects = case.snapshot["databases"], case.snapshot.get("objects", [])
    case.snapshot["databases"] = {
        name: one for name, one in databases.items() if not name.startswith("az2/")
    }
    case.snapshot["objects"] = [one for one in objects if one["site"] != "az2"]
    return case


def _registers(case: Case, prefix: str) -> Case:
    routes = case.rows("ic/OVN_IC_Southbound", "Route")
    mine = next(one for one in routes if one["ip_prefix"].startswith("10.17."))
    routes.append(mine | {"_uuid": "more", "ip_prefix": prefix})
    return case


def test_routes_of_a_zone_that_the_file_does_not_name() -> None:
    made = _registers(_alone(Case(JOINED)), "10.16.5.1/24").plan()
    ((message, cure),) = said(made, "IC018")
    assert message == (
        "10.16.0.0/16 of az1 (Subnet ovn-default) overlaps 10.16.5.0/24 of az2 (registered route)"
    )
    assert cure.startswith("Withhold 10.16.0.0/16 in az1 (`withhold`), let one")
    # What it offers to services is waived where the services are.
    ((message, _),) = said(_registers(_alone(Case(JOINED)), "10.96.7.0/24").plan(), "IC042")
    assert message == (
        "10.96.7.0/24 of az2 (registered route) overlaps 10.96.0.0/12, the service addresses of az1"
    )
    ((message, _),) = said(_registers(_alone(Case(JOINED)), "169.254.100.0/25").plan(), "IC032")
    assert "169.254.100.0/25 of az2 (registered route)" in message


def test_an_older_controller_compares_with_no_subnet() -> None:
    for version, expected in (("v1.17.0", 1), ("v1.15.23", 0), ("latest", 1)):
        case = Case(JOINED)
        subnet = case.object("az1", "Subnet", "office")
        subnet["spec"] |= {"vpc": "blue", "cidrBlock": "10.17.9.0/24"}
        case.version("az1", "ovn-ic-controller", version)
        found = said(case.plan(), "IC085")
        assert len(found) == expected, version
        assert all(("may deny" in message) == (version == "latest") for message, _ in found)


def test_what_the_file_withholds_it_does_not_want_from_elsewhere() -> None:
    for block, expected in (("10.17.9.0/24", 1), ("10.17.0.0/16", 0), ("10.0.0.0/9", 0)):
        case = Case(JOINED)
        case.object("az1", "Subnet", "office")["spec"]["cidrBlock"] = block
        case.edit(
            "    gatewayNodes: [az1-gw1", "    withhold: [office]\n    gatewayNodes: [az1-gw1"
        )
        assert len(said(case.plan(), "IC085")) == expected, block


def test_a_tunnel_of_a_zone_that_the_file_does_not_name() -> None:
    case = _alone(Case("start/nothing-to-do"))
    encaps = case.rows("ic/OVN_IC_Southbound", "Encap")
    (theirs,) = (one for one in encaps if one["gateway_name"] == "chassis-az2-gw1")
    theirs["ip"] = "172.31.1.11"
    ((message, _),) = said(case.plan(), "IC006")
    assert message == "the tunnel address 172.31.1.11 is used in az2 and in az1"
