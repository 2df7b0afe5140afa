"""What status and verify say about recorded states, where a wrong word would mislead."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.kinds.common.contract import Check, Held, Missing
from icplan.render.paint import Paint
from icplan.render.progress import TextProgress
from icplan.render.reports import verify_text
from icplan.render.status import StatusDocument, status_document, status_text
from icplan.run.verify import verify
from tests.planning.altered import Case
from tests.test_cases import FOLDER, plan_of


def status(case: str) -> tuple[StatusDocument, str]:
    document = status_document(plan_of(FOLDER / case))
    return document, status_text(document, Paint())


def verified(case: str) -> str:
    return verify_text(verify(plan_of(FOLDER / case)), Paint())


def test_status_never_takes_unseen_for_absent() -> None:
    document, text = status("unreadable/interconnection")
    assert document["transit_switches"] is None
    assert {zone["registered"] for zone in document["zones"]} == {None}
    assert "transit switches: unseen" in text
    assert "az1   registration unseen\n  gateways, ports: unseen\n" in text
    assert "10.17.0.0/16, 10.117.0.0/24 from 169.254.100.247" in text
    assert "as far as could be seen" in text


def test_status_shows_each_zone_on_the_page() -> None:
    _, text = status("start/nothing-to-do")
    assert text == (
        "prod   transit switches: ts\n"
        "\n"
        "az1   registered\n"
        "  gateway     az1-gw1  172.31.1.11  active on ts\n"
        "  gateway     az1-gw2  172.31.1.12  stands by\n"
        "  ts          ts-az1  169.254.100.150/24  az1-gw1\n"
        "  advertises  10.16.0.0/16, 10.116.0.0/24\n"
        "  learned     10.17.0.0/16, 10.117.0.0/24 from az2\n"
        "\n"
        "az2   registered\n"
        "  gateway     az2-gw1  172.31.2.11  active on ts\n"
        "  gateway     az2-gw2  172.31.2.12  stands by\n"
        "  ts          ts-az2  169.254.100.247/24  az2-gw1\n"
        "  advertises  10.17.0.0/16, 10.117.0.0/24\n"
        "  learned     10.16.0.0/16, 10.116.0.0/24 from az1\n"
        "\n"
        "No changes against the file.\n"
    )


def test_status_of_two_zones_with_one_address_learns_from_the_other_one() -> None:
    document, _ = status("transit_port/two-equal-addresses")
    learned = {zone["name"]: zone["learned"][0]["zone"] for zone in document["zones"]}
    assert learned == {"az1": "az2", "az2": "az1"}


def test_status_names_zones_that_are_not_in_the_file() -> None:
    _, text = status("rules/IC027-undeclared-zone")
    assert "az2   registered, not in the file\n" in text


def routes(case: str) -> list[str]:
    _, text = status(case)
    return [line.strip() for line in text.splitlines() if line.startswith("  route ")]


def test_status_shows_routes_by_hand_and_whether_they_serve() -> None:
    document, _ = status("manual_route/clusters-one-to-two")
    assert document["zones"][0]["routes"] == [
        {
            "to": "az2",
            "prefix": "10.17.0.0/16",
            "switch": "ts",
            "next_hop": "169.254.100.22",
            "live": True,
            "trouble": "",
        },
        {
            "to": "az2",
            "prefix": "10.17.0.0/16",
            "switch": "ts1",
            "next_hop": "",
            "live": False,
            "trouble": "not there",
        },
    ]
    assert routes("manual_route/typed-by-hand") == [
        "route       10.17.0.0/16, 10.117.0.0/24 to az2 over ts, next hop 169.254.100.247  live",
        "route       10.16.0.0/16 to az1 over ts, next hop 169.254.100.150  live",
    ]


def test_status_says_why_a_route_does_not_serve() -> None:
    lost, _ = routes("manual_route/drift-next-hop")
    assert lost.endswith("to az2 over ts, next hop 169.254.100.9  nobody has that address")
    held_up, missing = routes("manual_route/clusters-typed-by-hand")
    assert held_up.endswith("over ts, next hop 169.254.100.22  no policy lets it pass")
    assert missing.endswith("10.16.0.0/16 to az1 over ts  not there")
    altered, _ = routes("manual_route/drift-policy")
    assert altered.endswith("matches where packets come from")
    others = Case("manual_route/nothing-to-do")
    (row,) = (
        row
        for row in others.rows("az1/OVN_Northbound", "Logical_Router_Static_Route")
        if row["nexthop"] == "169.254.100.247"
    )
    row["nexthop"] = "169.254.100.150"
    (one, _) = status_document(others.plan())["zones"]
    assert one["routes"][0]["trouble"] == "it is the address of az1"


def test_status_never_takes_an_unseen_route_for_one_that_is_not_there() -> None:
    document, text = status("manual_route/peer-unreadable")
    assert [one["live"] for zone in document["zones"] for one in zone["routes"]] == [True, None]
    assert "  route       10.16.0.0/16 to az1 over ts  unseen\n" in text
    assert routes("start/nothing-to-do") == []


def test_verify_when_everything_is_there() -> None:
    assert verified("start/nothing-to-do") == "All 26 pieces of evidence are there.\n"
    assert verified("leaving/done") == "All 18 pieces of evidence are there.\n"


def test_verify_begins_with_the_step_that_a_person_must_do() -> None:
    text = verified("leaving/waiting-for-the-operator")
    missing = [line for line in text.splitlines() if line.startswith("missing: ")]
    assert len(missing) == 1
    assert "your step: unset ovn-is-interconn on az2-gw1, az2-gw2" in missing[0]


def test_verify_says_what_differs_and_once_what_to_do() -> None:
    text = verified("transit_port/drift-address")
    assert "differs from the file: az1/port/ts (networks)  interconnect.yaml:12:19\n" in text
    text = verified("start/first-plan")
    assert text.count("icplan apply repairs it") == 1
    assert text.count("(declared, but not there)") == 7
    assert "missing: " not in text
    assert " more that follow from these" in text


def test_verify_does_not_advise_an_apply_that_is_refused() -> None:
    text = verified("rules/IC004-no-chassis")
    assert "apply is refused now, see `icplan plan`: IC004\n" in text
    assert "repairs it" not in text


def test_progress_renews_one_line_and_closes_it() -> None:
    written: list[str] = []
    progress = TextProgress(written.append, Paint(), terminal=True, columns=lambda: 20)
    check = Check(Address("az1", "name"), "claim", frozenset(), lambda _: Held())
    progress.waiting([(check, Missing("日本" + "x" * 99, "wait"))], 2.0)
    assert written == ["\r\x1b[K  still waiting: 日"]
    progress.close()
    progress.close()
    assert written[1:] == ["\n"]
    progress.seen(2, beforehand=True)
    assert written[2:] == ["  2 pieces of evidence seen beforehand\n"]


def test_verify_tells_unseen_from_missing() -> None:
    text = verified("unreadable/one-zone")
    assert "could not see the northbound database of az3 (" in text
    assert text.count("could not see") == 2
    assert "tcp:192.0.2.13:6641" in text
