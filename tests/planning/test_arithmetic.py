"""Addresses on transit switches and prefixes, against Python's own ipaddress."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from icplan.kinds.common.transit_address import bare, capacity, choose, keep_or_choose, mac, subnets
from icplan.ovn.denylist import Denylist
from icplan.ovn.prefix import Network, Prefixes, family, inside, network, normal, ordered, overlap

zone_names = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@st.composite
def networks(draw: st.DrawFn, longest4: int = 30, longest6: int = 126) -> Network:
    """Networks of both families."""
    if draw(st.booleans()):
        address4 = draw(st.ip_addresses(v=4))
        return network(f"{address4}/{draw(st.integers(8, longest4))}")
    return network(f"{draw(st.ip_addresses(v=6))}/{draw(st.integers(16, longest6))}")


@st.composite
def switches(draw: st.DrawFn) -> tuple[Network, list[str]]:
    """A transit switch's subnet and some addresses on it that are taken."""
    subnet = draw(networks())
    size = subnet.num_addresses
    places = draw(st.lists(st.integers(0, min(size, 600) - 1), max_size=60))
    return subnet, [str(subnet[-1 - place]) for place in places]


@given(zone_names, switches())
def test_the_address_is_free_and_in_the_upper_half(
    zone: str, switch: tuple[Network, list[str]]
) -> None:
    subnet, taken = switch
    chosen = choose(zone, subnet, taken)
    half = subnet.num_addresses // 2
    middle = int(subnet.network_address) + half
    if chosen is None:
        held = {one for one in taken if int(ipaddress.ip_address(one)) >= middle}
        assert len(held) >= half - (1 if subnet.version == 4 else 0)
        return
    one = ipaddress.ip_interface(chosen)
    assert one.network == subnet
    assert int(one.ip) >= middle
    assert str(one.ip) not in taken
    assert one.ip != subnet.network_address
    if subnet.version == 4:
        assert one.ip != subnet.broadcast_address
    assert choose(zone, subnet, sorted(taken)) == chosen


@given(zone_names, switches())
def test_a_good_address_is_kept_and_a_bad_one_replaced(
    zone: str, switch: tuple[Network, list[str]]
) -> None:
    subnet, taken = switch
    chosen = choose(zone, subnet, taken)
    if chosen is None:
        return
    assert keep_or_choose(zone, subnet, [chosen], taken) == chosen
    assert keep_or_choose("another", subnet, [chosen], taken) == chosen
    again = keep_or_choose(zone, subnet, [chosen], [*taken, bare(chosen)])
    assert again != chosen
    strange = "not an address"
    wrong_length = f"{bare(chosen)}/{subnet.prefixlen - 1}"
    assert keep_or_choose(zone, subnet, [strange, wrong_length], taken) == chosen


@given(st.lists(zone_names, unique=True, min_size=1, max_size=40), networks(26, 120))
def test_as_many_zones_as_there_is_room_get_addresses_of_their_own(
    zones: Sequence[str], subnet: Network
) -> None:
    taken: list[str] = []
    for zone in zones:
        chosen = choose(zone, subnet, taken)
        if chosen is not None:
            taken.append(bare(chosen))
    assert len({*taken}) == len(taken) == min(len(zones), capacity(subnet))


@given(zone_names, zone_names)
def test_a_mac_is_local_unicast_and_follows_from_the_names(zone: str, switch: str) -> None:
    one = mac(zone, switch)
    first = int(one.split(":")[0], 16)
    assert first & 0b11 == 0b10
    assert len(one.split(":")) == 6
    assert mac(zone, switch) == one


def test_both_halves_of_a_dual_stack_switch() -> None:
    assert [str(one) for one in subnets("169.254.100.0/24,fe80:a9fe:64::/112")] == [
        "169.254.100.0/24",
        "fe80:a9fe:64::/112",
    ]


@given(networks(32, 128), networks(32, 128))
def test_prefixes_are_compared_as_python_does(one: Network, other: Network) -> None:
    same = one.version == other.version
    assert overlap(str(one), str(other)) == (same and one.overlaps(other))
    assert overlap(str(one), str(other)) == overlap(str(other), str(one))
    assert inside(str(one), str(other)) == (
        same
        and other.network_address <= one.network_address  # type: ignore[operator]
        and one.broadcast_address <= other.broadcast_address  # type: ignore[operator]
    )
    assert family(str(one)) == one.version


# Few of them, so that many of them are nested.
crowded = st.builds(
    lambda base, number, length: f"{base.format(number)}/{length}",
    st.sampled_from(["10.0.{}.0", "fd00::{}"]),
    st.integers(0, 9),
    st.integers(0, 32),
)
texts = st.one_of(crowded, networks(32, 128).map(str), st.sampled_from(["", "10.0.1.7", "office"]))


@given(st.lists(texts, max_size=12), texts)
def test_many_prefixes_are_compared_as_one_by_one(many: Sequence[str], one: str) -> None:
    assert Prefixes(many).contain(one) == any(inside(one, other) for other in many)
    assert Prefixes(many).touch(one) == any(overlap(one, other) for other in many)


@given(st.lists(texts, max_size=6), texts, st.booleans())
def test_a_denylist_denies_as_one_by_one(entries: Sequence[str], one: str, loose: bool) -> None:
    denylist = Denylist(tuple(entries), loose)
    effective = entries[: entries.index("")] if "" in entries else entries
    assert denylist.effective == tuple(effective)
    rightly = any(inside(one, entry) for entry in effective)
    loosely = loose and any(_loosely(one, entry) for entry in effective)
    assert denylist.denies(one) == (rightly or loosely)
    assert denylist.denies_by_mistake(one) == (loosely and not rightly)


def _loosely(prefix: str, entry: str) -> bool:
    """As versions before 24.03 compare IPv6 (measured with 23.03.1)."""
    try:
        inner, outer = network(prefix), network(entry)
    except ValueError:
        return False
    return inner.version == outer.version == 6 and inner.prefixlen >= outer.prefixlen


@given(networks(28, 120), st.integers(0, 10))
def test_host_bits_do_not_count(one: Network, host: int) -> None:
    written = f"{one.network_address + host}/{one.prefixlen}"
    assert normal(written) == str(one)
    assert normal(normal(written)) == normal(written)


@given(st.lists(st.one_of(networks().map(str), st.text(max_size=5)), max_size=12))
def test_prefixes_have_one_order(prefixes: list[str]) -> None:
    found = ordered(prefixes)
    assert {*found} == {*prefixes}
    assert len(found) == len({*prefixes})
    assert ordered(reversed(prefixes)) == found
