"""Plain zones that exchange no routes: what the file routes is reached, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.lab import Family, Lab, LabOptions, Mode, wait_until
from tests.real import rows
from tests.real.conftest import Icplan, demand_namespaces, kill_at_write

pytestmark = pytest.mark.real

TABLE = "Logical_Router_Static_Route"
ROUTES = """
routes:
  - {from: az1, to: az2, subnets: [pods]}
  - {from: az2, to: az1, subnets: [pods]}
"""


def by_file(
    lab: Lab, directory: Path, *, limits: str = "disruptedZones: 2, deletions: 9"
) -> Icplan:
    """icplan with the lab's file, its zones manual, and routes between their pods."""
    icplan = Icplan(directory, lab.interconnect_file)
    head = f"limits: {{{limits}}}\nroutePolicy: manual\navailabilityZones:"
    text = icplan.file.read_text().replace("availabilityZones:", head)
    lines = [line for line in text.splitlines() if "withhold" not in line]
    icplan.file.write_text("\n".join(lines) + ROUTES)
    return icplan


def test_packets_follow_the_routes_of_the_file_alone(short_path: Path) -> None:
    demand_namespaces()
    options = LabOptions(mode=Mode.NAMESPACES, family=Family.DUAL)
    with Lab(short_path / "lab", options) as lab:
        icplan = by_file(lab, short_path)
        icplan.apply()
        for version in (4, 6):
            lab.wait_for_ping("az1/pods", "az2/pods", version=version)
            lab.wait_for_ping("az2/pods", "az1/pods", version=version)
        # Nobody routes to the office, nor back from it.
        assert not lab.ping("az1/pods", "az2/office", count=3, version=4).received
        listed = lab.zones["az1"].nbctl("lr-route-list", "router")
        assert "learned" not in listed
        assert icplan("verify").exit == 0
        assert icplan.changes() == {}

        icplan.edit("count: 1", "count: 2")
        with lab.pinging("az1/pods", "az2/pods", interval=0.1, version=4) as running:
            icplan.apply()
        assert running.stop().received
        assert "ecmp" in lab.zones["az1"].nbctl("lr-route-list", "router")
        lab.wait_for_ping("az1/pods", "az2/pods", version=6)
        assert icplan.changes() == {}

        icplan.edit("subnets: [pods]}\n  - {from: az2", "subnets: [office]}\n  - {from: az2")
        icplan.apply()
        assert not lab.ping("az1/pods", "az2/pods", count=3, version=4).received


def test_a_policy_or_a_narrower_route_that_takes_packets_away_is_told(short_path: Path) -> None:
    demand_namespaces()
    options = LabOptions(mode=Mode.NAMESPACES, family=Family.IPV4, gateways=1)
    ends = ("az1/pods", "az2/pods")
    with Lab(short_path / "lab", options) as lab:
        icplan = by_file(lab, short_path)
        icplan.apply()
        az1, far = lab.zones["az1"], lab.zones["az2"]
        lab.wait_for_ping(*ends)
        assert icplan("verify").exit == 0
        for zone, words in (
            (az1, ("1000", "ip4.dst == 10.17.0.0/16", "drop")),
            (az1, ("1000", "ip4.src == 10.16.0.0/16", "reroute", "10.116.0.9")),
            (far, ("1000", "ip4.dst == 10.16.0.0/16", "drop")),
        ):
            zone.nbctl("lr-policy-add", "router", *words)
            wait_until(lambda: not lab.ping(*ends, count=1).received, "no packet passes")
            assert "IC065" in icplan("plan").out
            verified = icplan("verify")
            assert verified.exit == 6, verified.out
            assert "policy 1000 of router router of az" in verified.out
            walked = icplan("verify", *ends)
            assert walked.exit == 6, walked.out
            assert "ENDS    no other policy of az" in walked.out
            zone.nbctl("lr-policy-del", "router", *words[:2])
            lab.wait_for_ping(*ends)
            assert icplan("verify").exit == 0

        # As the warning advises: what goes there passes before it.
        az1.nbctl("lr-policy-add", "router", "1000", "ip4.dst == 10.17.0.0/16", "drop")
        az1.nbctl("lr-policy-add", "router", "1001", "ip4.dst == 10.17.0.0/16", "allow")
        lab.wait_for_ping(*ends)
        assert icplan("verify").exit == 0
        assert "IC065" not in icplan("plan").out
        az1.nbctl("lr-policy-del", "router")

        az1.nbctl("lr-route-add", "router", "10.17.0.0/17", "10.16.0.77")
        wait_until(lambda: not lab.ping(*ends, count=1).received, "the narrower route takes all")
        refused = icplan("plan")
        assert refused.exit == 4, refused.out
        assert "IC066" in refused.out
        verified = icplan("verify")
        assert verified.exit == 6, verified.out
        assert "az1 has another route to 10.17.0.0/17, over 10.16.0.77" in verified.out


def test_from_advertising_to_manual_and_back(lab: Lab, short_path: Path) -> None:
    automatic = Icplan(short_path, lab.interconnect_file)
    text = lab.interconnect_file.read_text()
    automatic.apply()
    icplan = by_file(lab, short_path)
    icplan.apply()
    for zone in lab.zones.values():
        options = zone.nbctl("get", "NB_Global", ".", "options")
        assert "ic-route" not in options
        assert "icplan-routes" not in zone.nbctl("get", "NB_Global", ".", "external_ids")
        assert "learned" not in zone.nbctl("lr-route-list", "router")
    assert not lab.ic.sbctl("list", "Route").strip()
    assert icplan.changes() == {}
    limits = "limits: {disruptedZones: 2, deletions: 9}\navailabilityZones:"
    icplan.file.write_text(text.replace("availabilityZones:", limits))
    icplan.apply()
    # Each zone has learned what is the other's, and nothing of its own.
    for name, own in (("az1", "10.16."), ("az2", "10.17.")):
        lines = lab.zones[name].nbctl("lr-route-list", "router").splitlines()
        learned = [line.split()[0] for line in lines if "learned" in line]
        assert learned
        assert not [one for one in learned if one.startswith(own)]
    assert icplan.changes() == {}


def test_killed_at_any_write_it_ends_in_the_same_state(short_path: Path) -> None:
    ends = []
    for kill_at in range(8):
        directory = short_path / str(kill_at)
        directory.mkdir()
        with Lab(directory / "lab", LabOptions(play_ovn_controller=True)) as lab:
            icplan = by_file(lab, directory)
            if kill_at:
                kill_at_write(icplan, kill_at)
            icplan.apply()
            assert icplan.changes() == {}
            ends.append(
                {name: rows.shape(zone.nbctl, rows.NORTHBOUND) for name, zone in lab.zones.items()}
            )
    for kill_at, end in enumerate(ends):
        assert end == ends[0], f"killed at write {kill_at}"


def test_a_change_slipped_in_is_refused(lab: Lab, short_path: Path) -> None:
    icplan = by_file(lab, short_path)
    icplan.apply()
    az1 = lab.zones["az1"]
    (uuid,) = rows.table(az1.nbctl, TABLE)
    az1.nbctl("set", TABLE, uuid, "nexthop=169.254.100.9")
    saved = short_path / "plan.json"
    assert icplan("plan", "--out", str(saved)).exit == 0
    az1.nbctl("set", TABLE, uuid, "nexthop=169.254.100.10")
    refused = icplan("apply", str(saved))
    assert refused.exit == 4
    assert "169.254.100.10" in refused.err
    assert "169.254.100.10" in az1.nbctl("lr-route-list", "router")


def test_foreign_routes_are_not_touched(lab: Lab, short_path: Path) -> None:
    icplan = by_file(lab, short_path)
    az1 = lab.zones["az1"]
    az1.nbctl("lr-route-add", "router", "10.202.0.0/24", "10.16.0.77")
    az1.nbctl("lr-add", "theirs", "--", "lr-route-add", "theirs", "10.17.0.0/16", "10.201.0.9")
    planted = rows.table(az1.nbctl, TABLE)
    icplan.apply()
    icplan.file.write_text(icplan.file.read_text().replace(ROUTES, ""))
    icplan.apply()
    assert rows.table(az1.nbctl, TABLE) == planted
