"""What people have interconnected by hand becomes a file, and the file changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from ruamel.yaml import YAML

from icplan.backends import access
from icplan.backends.streams import Endpoint
from icplan.cli.main import run
from icplan.lab import Lab, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS
from icplan.spec.model import Remote
from tests.real.conftest import Icplan, Result
from tests.real.kube_ovn.looks import CONFIG, OFFICE, addresses, api, data, learned, ports
from tests.roles import grant, revoke, token_file

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

# What ruamel.yaml gives back.
Json: TypeAlias = Any


class Importing:
    """icplan import as one types it, and icplan with the file that it wrote."""

    def __init__(self, lab: Lab, icplan: Icplan) -> None:
        self.file = icplan.directory / "imported.yaml"
        self.icplan = Icplan(icplan.directory, self.file)
        self.kubeconfig = ("--kubeconfig", str(lab.kubeconfig))

    def __call__(self, *arguments: str, zones: tuple[str, ...] = ("az1", "az2")) -> Result:
        named = [word for zone in zones for word in ("--kube-context", zone)]
        where = ("--out", str(self.file), "--force")
        return self.icplan("import", *named, *self.kubeconfig, *where, *arguments)

    @property
    def says(self) -> Json:
        """The file's data."""
        return YAML(typ="safe").load(self.file.read_text(encoding="utf-8"))

    def zone(self, name: str) -> Json:
        """A zone's entry."""
        return next(one for one in self.says["availabilityZones"] if one["name"] == name)


def unmarked(lab: Lab) -> None:
    """Takes all marks away, as if people had typed everything themselves."""
    for zone in lab.clusters:
        gone = {"metadata": {"annotations": {"icplan/owner": None}}}
        api(lab, zone).patch(CONFIG, gone)
    lab.ic.nbctl("remove", "Transit_Switch", "ts", "external_ids", "icplan")


def port(lab: Lab, zone: str) -> str:
    """The row of a zone's port, another one after a rebuild; empty while there is none."""
    table = ("Logical_Router_Port", f"{zone}-ts", "_uuid")
    return lab.zones[zone].nbctl("--if-exists", "get", *table).strip()


@pytest.fixture
def importing(lab: Lab, icplan: Icplan) -> Iterator[Importing]:
    """Two clusters that people have interconnected by hand; afterwards the lab's file owns them."""
    unmarked(lab)
    yield Importing(lab, icplan)
    unmarked(lab)


def test_what_was_typed_by_hand_is_adopted_by_its_file(lab: Lab, importing: Importing) -> None:
    before = {zone: data(lab, zone) for zone in lab.clusters}
    for zone in lab.clusters:
        api(lab, zone).delete(CONFIG)
    wait_until(lambda: not learned(lab, "az1") | learned(lab, "az2"), "nobody has routes")
    for zone, typed in before.items():
        body = {"metadata": {"name": "ovn-ic-config"}, "data": typed}
        api(lab, zone).create(CONFIG_MAPS, body)
    wait_until(lambda: bool(learned(lab, "az1") and learned(lab, "az2")), "they are interconnected")
    there = ports(lab), addresses(lab)

    done = importing("--name", "prod")

    assert (done.exit, done.out) == (0, ""), done.err
    assert "Imported 2 zones (az1, az2)" in done.err
    assert "its plan changes nothing but owner marks" in " ".join(done.err.split())
    assert importing.says["metadata"] == {"name": "prod"}
    assert importing.says["icDatabase"]["hosts"] == ["127.0.0.1"]
    assert "transitSwitches" not in importing.says
    assert importing.zone("az1") == {
        "name": "az1",
        "kubernetes": {"context": "az1", "kubeconfig": str(lab.kubeconfig)},
        "gatewayNodes": ["az1-gw1", "az1-gw2"],
    }
    assert importing.icplan("validate").exit == 0
    assert importing.icplan.changes() == {
        "ic/transit-switch/ts": "adopt",
        "az1/ic-config": "adopt",
        "az2/ic-config": "adopt",
    }
    assert "No zone disrupted." in importing.icplan("plan").out
    importing.icplan.apply()

    assert {zone: data(lab, zone) for zone in lab.clusters} == before
    assert (ports(lab), addresses(lab)) == there
    assert importing.icplan("verify").exit == 0
    # Asked again, it finds its own mark, and there is nothing left to be changed.
    text = importing.file.read_text()
    assert importing().exit == 0
    assert importing.says["metadata"] == {"name": "prod"}
    assert importing.says == YAML(typ="safe").load(text)
    assert importing.icplan.changes() == {}
    unmarked(lab)


def test_a_key_that_nobody_knows_is_told_and_stays(lab: Lab, importing: Importing) -> None:
    def port() -> str:
        return lab.zones["az1"].nbctl(
            "--if-exists", "get", "Logical_Router_Port", "az1-ts", "_uuid"
        )

    first = port()
    api(lab).patch(CONFIG, {"data": {"gw-node": "az1-gw2"}})
    wait_until(lambda: port().strip() not in {first.strip(), ""}, "the controller has rebuilt az1")
    wait_until(lambda: bool(learned(lab, "az2")), "az2 has learned the routes again")
    try:
        done = importing()
        assert done.exit == 1
        assert "az1 ConfigMap kube-system/ovn-ic-config, key gw-node" in done.err
        assert "NOT SAID: ConfigMap kube-system/ovn-ic-config, key gw-node of az1" in (
            importing.file.read_text()
        )
        (waiver,) = importing.says["accept"]
        assert (waiver["rule"], waiver["at"]) == ("IC036", "az1")
        assert {*importing.icplan.changes().values()} == {"adopt"}
        there = ports(lab)
        importing.icplan.apply()
        assert data(lab)["gw-node"] == "az1-gw2"
        assert ports(lab) == there
        unmarked(lab)
    finally:
        api(lab).patch(CONFIG, {"data": {"gw-node": None}})


def test_zones_with_other_databases_are_told(lab: Lab, importing: Importing) -> None:
    # The controller of az2 is held so that it does not fall into its deadlock.
    lab.clusters["az2"].freeze_controller()
    api(lab, "az2").patch(CONFIG, {"data": {"ic-db-host": "127.0.0.2"}})
    try:
        done = importing()
        assert done.exit == 1
        assert "az2 ConfigMap kube-system/ovn-ic-config, key ic-db-host" in done.err
        assert 'it is "127.0.0.2", and the file makes it "127.0.0.1"' in done.err
        assert importing.says["icDatabase"]["hosts"] == ["127.0.0.1"]
        # What it told is what a plan shows, and nothing else.
        plan = importing.icplan("plan", "--json").json()["resource_changes"]
        assert isinstance(plan, list)
        differing = {one["address"]: one["change"]["differing"] for one in plan}
        assert {key: value for key, value in differing.items() if value} == {
            "az2/ic-config": ["ic-db-host"]
        }
    finally:
        api(lab, "az2").patch(CONFIG, {"data": {"ic-db-host": "127.0.0.1"}})
        lab.clusters["az2"].thaw_controller()


def test_a_zone_that_is_switched_off_is_not_in_it(lab: Lab, importing: Importing) -> None:
    api(lab, "az2").patch(CONFIG, {"data": {"enable-ic": "false"}})
    wait_until(lambda: not learned(lab, "az1"), "az2 is out")
    try:
        done = importing()
        assert done.exit == 1
        assert "it is not in the file: enable-ic of ConfigMap" in " ".join(done.err.split())
        assert [one["name"] for one in importing.says["availabilityZones"]] == ["az1"]
        # Ready to be put in.
        entry = "  # - name: az2\n  #   kubernetes: {context: az2, "
        assert entry in importing.file.read_text()
        assert {*importing.icplan.changes().values()} == {"adopt"}
    finally:
        api(lab, "az2").patch(CONFIG, {"data": {"enable-ic": "true"}})


def test_a_zone_that_nobody_named_is_told(importing: Importing) -> None:
    done = importing(zones=("az1",))
    assert done.exit == 1
    assert "ic zone az2" in done.err
    assert [one["name"] for one in importing.says["availabilityZones"]] == ["az1"]


def test_routes_by_hand_become_entries(lab: Lab, importing: Importing) -> None:
    first = {zone: port(lab, zone) for zone in lab.clusters}
    for zone in lab.clusters:
        api(lab, zone).patch(CONFIG, {"data": {"auto-route": "false"}})
    hops: dict[str, str] = {}

    def rebuilt() -> bool:
        if any(port(lab, zone) in {row, ""} for zone, row in first.items()):
            return False
        for name, text in addresses(lab).items():
            hops[name.removesuffix("-ts")] = text.strip('[]"\n').partition("/")[0]
        registered = lab.ic.sbctl("--bare", "--columns=address", "list", "Port_Binding")
        return all(hops.values()) and all(f"{hop}/" in registered for hop in hops.values())

    wait_until(rebuilt, "both have addresses again")
    try:
        nbctl = {name: zone.nbctl for name, zone in lab.zones.items()}
        nbctl["az1"]("lr-route-add", "ovn-cluster", "10.17.0.0/16", hops["az2"])
        nbctl["az2"]("lr-route-add", "ovn-cluster", "10.16.0.0/16", hops["az1"])
        nbctl["az2"]("lr-route-add", "ovn-cluster", "10.99.0.0/16", "169.254.100.254")
        importing()
        assert importing.says["routePolicy"] == "manual"
        assert importing.says["routes"] == [
            {"from": "az1", "to": "az2", "subnets": ["10.17.0.0/16"]},
            {"from": "az2", "to": "az1", "subnets": ["10.16.0.0/16"]},
        ]
        text = " ".join(importing.file.read_text().replace("#", "").split())
        assert "static route 10.99.0.0/16 via 169.254.100.254 of az2: no zone has" in text
    finally:
        for one in lab.zones.values():
            one.nbctl("lr-route-del", "ovn-cluster")
        for name in lab.clusters:
            api(lab, name).patch(CONFIG, {"data": {"auto-route": "true"}})


def test_what_somebody_else_withholds_is_left_to_him(lab: Lab, importing: Importing) -> None:
    api(lab).patch(OFFICE, {"spec": {"disableInterConnection": True}})
    wait_until(lambda: "10.116.0.0/24" not in learned(lab, "az2"), "office is withheld")
    try:
        assert importing().exit == 0
        assert "withhold" not in importing.zone("az1")
        text = importing.file.read_text()
        assert "Withheld by somebody else (disableInterConnection), which icplan leaves" in text
        # What icplan has withheld is its own to say.
        importing.file.write_text(
            text.replace("az1-gw1, az1-gw2]", "az1-gw1, az1-gw2]\n    withhold: [office]")
        )
        importing.icplan.apply()
        assert importing().exit == 0
        assert importing.zone("az1")["withhold"] == ["office"]
        assert importing.icplan.changes() == {}
    finally:
        unmark = {"metadata": {"annotations": {"icplan/owner": None}}}
        api(lab).patch(OFFICE, {"spec": {"disableInterConnection": None}, **unmark})
        # The denial is sticky (docs/facts.md section 4).
        api(lab).patch(CONFIG, {"data": {"enable-ic": "false"}})
        wait_until(lambda: not learned(lab, "az2"), "az1 is out")
        api(lab).patch(CONFIG, {"data": {"enable-ic": "true"}})


def test_the_databases_are_reached_through_a_cluster(
    importing: Importing,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert importing("--reach-through", "az2").exit == 0
    assert importing.says["icDatabase"]["reach"] == {"through": "az2"}
    assert importing.icplan("plan").exit == 0

    def closed(remote: Remote, *_: object) -> Endpoint:
        return Endpoint(Remote(remote.scheme, remote.host, 9))

    # From a machine that the hosts do not let in, the first cluster that is let in serves.
    monkeypatch.setattr(access, "Endpoint", closed)
    named = ["--kube-context", "az2", "--kube-context", "az1"]
    code = run(["import", *named, *importing.kubeconfig])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert YAML(typ="safe").load(said.out)["icDatabase"]["reach"] == {"through": "az1"}
    assert "through az1 they are, and the file says so" in " ".join(said.err.split())


def test_who_may_not_execute_imports_what_he_may_see(
    lab: Lab, importing: Importing, tmp_path: Path
) -> None:
    paths = []
    for name, zone in lab.clusters.items():
        grant(zone.cluster)
        paths.append(token_file(zone.cluster, tmp_path / f"{name}.kubeconfig", "icplan-plan"))
    try:
        # Each file's current context is a zone; paths count from the file that is written.
        relative = [os.path.relpath(one, importing.icplan.directory) for one in paths]
        named = ["--kubeconfig", relative[0], "--kubeconfig", relative[1]]
        (importing.icplan.directory / "file").mkdir()
        out = "file/imported.yaml"
        done = importing.icplan("import", *named, "--out", out)
        assert done.exit == 1, done.err
        assert "we may not look at it" in " ".join(done.err.split())
        assert done.err.count("az1 northbound database of az1") == 1
        importing.file = importing.icplan.file = importing.icplan.directory / out
        assert [one["name"] for one in importing.says["availabilityZones"]] == ["az1", "az2"]
        assert importing.zone("az1")["kubernetes"] == {
            "context": "az1",
            "kubeconfig": os.path.relpath(paths[0], importing.file.parent),
        }
        assert importing.icplan("plan").exit == 0
    finally:
        for zone in lab.clusters.values():
            revoke(zone.cluster)
