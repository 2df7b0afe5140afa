"""Zones that are left out: nothing of them is asked, planned or awaited, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest

from icplan.backends.access import clusters, endpoints
from icplan.core import snapshot as snapshots
from icplan.core.address import Address
from icplan.core.change import Change
from icplan.core.engines import AskMember, InspectHost
from icplan.core.io import Query, Snapshot, site_of, source_of
from icplan.core.value import Known, Later
from icplan.errors import UsageError
from icplan.kinds import KINDS
from icplan.kinds.common.contract import Held, Missing
from icplan.planning.digest import digest
from icplan.planning.plan import Plan, make_plan
from icplan.planning.unsupported import require_supported
from icplan.planning.verdicts import WITHOUT
from icplan.render.document import plan_document
from icplan.render.paint import Paint
from icplan.render.reports import verify_document, verify_text
from icplan.render.status import status_document, status_text
from icplan.render.text import plan_text
from icplan.run.verify import verify
from icplan.spec.left_out import leave_out
from icplan.spec.load import Spec, read
from icplan.spec.model import KubeOvnZone
from tests.test_cases import CASES, FOLDER, name, plan_of

# What orjson gives back.
Json: TypeAlias = Any

THREE = FOLDER / "without" / "nothing-to-do"


def spec_of(case: Path) -> Spec:
    return read((case / "interconnect.yaml").read_bytes(), "interconnect.yaml")


def snapshot_of(case: Path) -> Snapshot:
    return snapshots.decode((case / "snapshot.json").read_bytes())


def choices(case: Path) -> Iterator[tuple[str, Spec]]:
    """Each zone of a case, and the file without it; not those that are the road."""
    spec = spec_of(case)
    reach = spec.interconnect.ic_database.reach
    for zone in sorted({one.name for one in spec.interconnect.availability_zones}):
        if reach is None or reach.through != zone:
            yield zone, leave_out(spec, [zone])


def kube_ovn_zones(spec: Spec) -> set[str]:
    declared = spec.interconnect.availability_zones
    return {one.name for one in declared if isinstance(one, KubeOvnZone)}


def said(made: Plan) -> list[str]:
    return [
        plan_text(plan_document(made), Paint()),
        status_text(status_document(made), Paint()),
        verify_text(verify(made), Paint()),
        digest(made),
    ]


each_case = pytest.mark.parametrize("case", CASES, ids=name)


@each_case
def test_nothing_of_it_is_asked(case: Path) -> None:
    for zone, spec in choices(case):
        facts = plan_of(case).view.facts
        sites = {
            query.database.site if isinstance(query, Query) else site_of(source_of(query))
            for kind in KINDS
            for known in (None, facts)
            for query in kind.queries(spec, known)
            if not isinstance(query, InspectHost | AskMember)
        }
        assert zone not in sites
        reached = clusters(spec, 1.0)
        assert {*reached, *(one.site for one in endpoints(spec, reached))} >= sites
        assert zone not in {*reached, *(one.site for one in endpoints(spec, reached))}


@each_case
def test_what_a_snapshot_holds_of_it_means_nothing(case: Path) -> None:
    for zone, spec in choices(case):
        snapshot = snapshot_of(case)
        assert said(make_plan(spec, snapshot)) == said(make_plan(spec, snapshot.without({zone})))


@each_case
def test_nothing_of_it_is_planned_or_awaited(case: Path) -> None:
    for zone, spec in choices(case):
        made = make_plan(spec, snapshot_of(case))
        assert zone not in {change.address.site for change in made.changes}
        assert zone not in {check.address.site for check in made.checks}
        assert zone not in {check.peer for check in made.checks}
        assert zone not in {one.site for check in made.checks for one in check.needs}
        assert f"{zone} is registered, but not in the file" not in said(made)[0]


@each_case
def test_it_is_told(case: Path) -> None:
    for zone, spec in choices(case):
        made = make_plan(spec, snapshot_of(case))
        plan, status, verified, _ = said(made)
        assert f"\n  {zone} is left out: " in f"\n{plan}"
        assert f"{zone} is left out: " in verified
        assert plan_document(made)["without"] == verify_document(verify(made))["without"] == [zone]
        (shown,) = (one for one in status_document(made)["zones"] if one["name"] == zone)
        assert shown["left_out"]
        assert shown["declared"] in {"present", "absent", "gone"}
        assert f"\n{zone}   {'not ' if shown['registered'] is False else ''}regist" in status
        assert "What is there is what the file says" not in plan


# Who shares an address with it, or wants the last free one, gets another one or gets it now.
CONTENDED = {
    FOLDER / "rules" / "IC008-no-room-any-more",
    FOLDER / "rules" / "IC008-too-many-zones",
    FOLDER / "transit_port" / "two-equal-addresses",
    FOLDER / "transit_addresses" / "cured-by-another-change",
    FOLDER / "transit_addresses" / "shared",
    FOLDER / "transit_addresses" / "shared-and-leaving",
    FOLDER / "transit_addresses" / "shared-with-a-protected-zone",
    FOLDER / "rules" / "IC070-alive",
    FOLDER / "rules" / "IC071-renamed",
    # What a zone denies without a reason rests on what the other one is about to withhold.
    FOLDER / "denylist" / "withheld-in-az1-for-az2",
    FOLDER / "denylist" / "withheld-in-az2-for-az1",
}


def leads_to(change: Change, zone: str) -> bool:
    """Whether it is a route of another zone to a zone."""
    attributes = {**(change.before or {}), **(change.after or {})}
    return change.address.kind == "route" and attributes.get("to") == Known(zone)


@pytest.mark.parametrize("case", [one for one in CASES if one not in CONTENDED], ids=name)
def test_the_others_are_planned_as_ever(case: Path) -> None:
    snapshot = snapshot_of(case)
    for zone, spec in choices(case):
        whole, made = make_plan(spec_of(case), snapshot), make_plan(spec, snapshot)
        # A cluster that is not looked at may make the transit switches itself.
        others = {zone, "ic"} if zone in kube_ovn_zones(spec) else {zone}
        # Nor is what it has registered taken away.
        registered = Address("ic", "zone", zone)
        assert registered not in {one.address for one in made.changes}
        kept, found = (changes_of(one, others) for one in (whole, made))
        kept.pop(registered, None)
        # A route to it leads where it is today, as far as that is known, or stays as it is.
        to_it = {one for one in {**kept, **found} if leads_to(found.get(one) or kept[one], zone)}
        hops = [(found[one].after or {}).get("next-hop") for one in to_it & {*found}]
        assert not any(isinstance(hop, Later) for hop in hops)
        if any(one.code in NOT_TOLD_WITHOUT_IT and one.refuses for one in whole.verdicts):
            to_it |= {one for one in {**kept, **found} if one.kind == "route"}
        else:
            assert to_it & {*found} <= {*kept}
        kept, found = (
            {address: one for address, one in changes.items() if address not in to_it}
            for changes in (kept, found)
        )
        assert found == kept
        assert digest(made) != digest(whole)


# What a route means is told by the zone that it leads to.
NOT_TOLD_WITHOUT_IT = {"IC062", "IC067"}


def changes_of(made: Plan, others: set[str]) -> dict[Address, Change]:
    return {one.address: one for one in made.changes if one.address.site not in others}


def test_an_address_that_it_has_is_taken() -> None:
    case = FOLDER / "transit_port" / "two-equal-addresses"
    spec = leave_out(spec_of(case), ["az2"])
    (change,) = (
        one for one in make_plan(spec, snapshot_of(case)).changes if one.address.kind == "port"
    )
    assert change.before is not None
    assert change.after is not None
    assert change.before["networks"] == Known(("169.254.100.200/24",))
    assert change.after["networks"] != change.before["networks"]


# What cannot be left out


def test_only_zones_of_the_file_can_be_left_out() -> None:
    with pytest.raises(UsageError) as caught:
        leave_out(spec_of(THREE), ["az2", "az9", "az8"])
    error = caught.value
    assert (error.thing, error.place) == ("--without az9 --without az8", "interconnect.yaml")
    assert error.cause == "there is no availability zone az9, az8"
    assert error.cure == "name one of az1, az2, az3"


def test_the_road_to_the_ic_databases_cannot_be_left_out() -> None:
    text = (FOLDER / "ic_config" / "nothing-to-do" / "interconnect.yaml").read_text()
    spec = read(text.replace("{hosts", "{reach: {through: az1}, hosts").encode(), "f.yaml")
    assert leave_out(spec, ["az2"]).without == {"az2"}
    with pytest.raises(UsageError) as caught:
        leave_out(spec, ["az1"])
    assert caught.value.place == "f.yaml:4:31"
    assert caught.value.cause == "the IC databases are reached through az1"


# Its rows in the IC databases


def raw(case: Path) -> Json:
    return orjson.loads((case / "snapshot.json").read_bytes())


def rows(snapshot: Json, table: str, zone: str) -> list[Json]:
    """The rows that a zone has in a table of the IC southbound database."""
    tables = snapshot["databases"]["ic/OVN_IC_Southbound"]["tables"]
    uuids = {row["_uuid"]: row["name"] for row in tables["Availability_Zone"]}
    return [row for row in tables[table] if uuids[row["availability_zone"]] == zone]


def remove(snapshot: Json, table: str, zone: str) -> None:
    gone = rows(snapshot, table, zone)
    tables = snapshot["databases"]["ic/OVN_IC_Southbound"]["tables"]
    tables[table] = [row for row in tables[table] if row not in gone]


def planned(text: str, snapshot: Json, *zones: str) -> Plan:
    spec = leave_out(read(text.encode(), "interconnect.yaml"), zones)
    return make_plan(spec, snapshots.decode(orjson.dumps(snapshot)))


def codes(made: Plan) -> set[str]:
    return {one.code for one in made.verdicts}


def test_routes_learned_from_it_are_nobodys_concern() -> None:
    case = FOLDER / "limits" / "one-of-three-leaves"
    text = (case / "interconnect.yaml").read_text().replace("    state: absent\n", "")
    snapshot = raw(case)
    claim = "az1 holds only routes that are advertised"

    def looked(*zones: str) -> dict[str, object]:
        made = planned(text, snapshot, *zones)
        return {check.claim: check.holds(made.view.facts) for check in made.checks}

    assert looked("az3")[claim] == looked()[claim] == Held()
    assert "az1 has learned the subnets of az3" in looked()
    assert "az1 has learned the subnets of az3" not in looked("az3")
    remove(snapshot, "Route", "az3")
    assert looked("az3")[claim] == Held()
    assert isinstance(looked()[claim], Missing)
    assert isinstance(looked("az2")[claim], Missing), "az3 is looked at"


def test_its_gateways_are_known_by_what_it_registered() -> None:
    text, snapshot = (THREE / "interconnect.yaml").read_text(), raw(THREE)
    assert codes(planned(text, snapshot, "az3")) == set()
    gateway = rows(snapshot, "Gateway", "az3")[0]
    gateway["hostname"] = "az1-gw2"
    assert codes(planned(text, snapshot, "az3")) == {"IC047"}
    gateway |= {"hostname": "az3-gw1", "name": "chassis-az1-gw2"}
    (verdict,) = planned(text, snapshot, "az3").verdicts
    assert (verdict.code, verdict.at, verdict.refuses) == ("IC006", "az3", True)
    assert verdict.message == "the chassis name chassis-az1-gw2 is used in az1 and in az3"
    # Between themselves they may do what they want.
    assert codes(planned(text, snapshot, "az1", "az3")) == set()


def test_its_subnets_are_known_by_what_it_advertises() -> None:
    text, snapshot = (THREE / "interconnect.yaml").read_text(), raw(THREE)
    subnets = "{count: 2, subnets: [169.254.100.0/24, 10.18.200.0/24]}"
    other = text.replace("transitSwitches: 1", f"transitSwitches: {subnets}")
    (verdict,) = planned(other, snapshot, "az3").verdicts
    assert (verdict.code, verdict.at) == ("IC032", "az3")
    assert "10.18.200.0/24 of ts1 overlaps 10.18.0.0/16 of az3 (registered" in verdict.message
    remove(snapshot, "Route", "az3")
    assert codes(planned(other, snapshot, "az3")) == set()


def test_what_rebuilds_it_is_refused_although_it_reaches_nobody_today() -> None:
    case = FOLDER / "without" / "would-be-rebuilt"
    text, snapshot = (case / "interconnect.yaml").read_text(), raw(case)
    raised = text.replace("availabilityZones", "limits: {disruptedZones: 9}\navailabilityZones")
    # So that it is known that az2 does not make the switches itself.
    raised = raised.replace(
        "icDatabase: {", "icDatabase: {deployment: {runtime: docker, image: ic:v1.14.0}, "
    )
    assert codes(planned(raised, snapshot, "az2")) == {WITHOUT}
    for zone in ("az1", "az2"):
        remove(snapshot, "Route", zone)
    made = planned(raised, snapshot, "az2")
    assert made.consequences.disrupted == ()
    assert codes(made) == {WITHOUT}
    tables = snapshot["databases"]["ic/OVN_IC_Southbound"]["tables"]
    (row,) = (one for one in tables["Availability_Zone"] if one["name"] == "az2")
    row["name"] = "west"
    assert codes(planned(raised, snapshot, "az2")) == {WITHOUT, "IC027"}, "it may be west"
    tables["Availability_Zone"].remove(row)
    assert codes(planned(raised, snapshot, "az2")) == set(), "it is not interconnected"


def test_a_switch_that_it_has_no_port_on_may_go() -> None:
    case = FOLDER / "without" / "would-lose-a-switch"
    text, snapshot = (case / "interconnect.yaml").read_text(), raw(case)
    assert codes(planned(text, snapshot, "az3")) == {WITHOUT}
    tables = snapshot["databases"]["ic/OVN_IC_Southbound"]["tables"]
    left = [one for one in tables["Port_Binding"] if one["logical_port"] != "ts1-az3"]
    assert len(left) == len(tables["Port_Binding"]) - 1
    tables["Port_Binding"] = left
    assert codes(planned(text, snapshot, "az3")) == set()


def test_what_it_advertises_need_not_make_sense() -> None:
    case = FOLDER / "without" / "overlap"
    text, snapshot = (case / "interconnect.yaml").read_text(), raw(case)
    assert "IC018" in codes(planned(text, snapshot, "az3"))
    for row in snapshot["databases"]["ic/OVN_IC_Southbound"]["tables"]["Route"]:
        row["ip_prefix"] = ""
    assert "IC018" not in codes(planned(text, snapshot, "az3"))


# Waivers


def test_nobody_knows_whether_a_waiver_of_it_is_idle() -> None:
    case = FOLDER / "waivers" / "of-another-zone"
    text, snapshot = (case / "interconnect.yaml").read_text(), raw(case)
    assert "IC026" in codes(planned(text, snapshot))
    assert "IC026" not in codes(planned(text, snapshot, "az2"))
    assert "IC026" in codes(planned(text, snapshot, "az1"))


# What this version cannot do yet


def test_what_it_cannot_carry_out_there_does_not_stop_the_others() -> None:
    text = (THREE / "interconnect.yaml").read_text()
    spec = read(f"{text}  - {{name: old, state: gone}}\n".encode(), "interconnect.yaml")
    require_supported(leave_out(spec, ["old"]))
    made = planned(f"{text}  - {{name: old, state: gone}}\n", raw(THREE), "old", "az3")
    shown = {one["name"]: one["declared"] for one in status_document(made)["zones"]}
    assert shown == {"az1": "present", "az2": "present", "az3": "present", "old": "gone"}
