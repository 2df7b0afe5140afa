"""Plain OVN zones that run already become a file; adopting them by it disturbs nobody."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from ruamel.yaml import YAML

from icplan.lab import Family, Lab, LabOptions, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS
from icplan.lab.zone import Zone
from tests.real.conftest import Icplan, Result

pytestmark = pytest.mark.real

# What ruamel.yaml gives back.
Json: TypeAlias = Any

CONFIG = f"{CONFIG_MAPS}/ovn-ic-config"


def unmarked(lab: Lab) -> None:
    """Takes all of icplan's marks away, as if people had typed everything themselves."""
    marks = ("icplan", "icplan-networks", "icplan-mac", "icplan-switch")
    for name, zone in lab.zones.items():
        for table in ("Logical_Switch_Port", "Logical_Router_Port", "Gateway_Chassis"):
            for row in zone.nbctl("--bare", "--columns=_uuid", "list", table).split():
                zone.nbctl("remove", table, row, "external_ids", *marks)
        if name in lab.clusters:
            gone = {"metadata": {"annotations": {"icplan/owner": None}}}
            lab.clusters[name].cluster.api.patch(CONFIG, gone)
        else:
            marks_of_row = ("icplan", "icplan-routes", "icplan-withheld")
            zone.nbctl("remove", "NB_Global", ".", "external_ids", *marks_of_row)
    for row in lab.ic.nbctl("--bare", "--columns=_uuid", "list", "Transit_Switch").split():
        lab.ic.nbctl("remove", "Transit_Switch", row, "external_ids", "icplan")


class Importing:
    """icplan import as one types it, and icplan with the file that it wrote."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.file = directory / "imported.yaml"
        self.icplan = Icplan(directory, self.file)

    def __call__(self, *more: str, without: str = "") -> Result:
        ports = self.lab.ic.ports
        words = ["--ic-ports", str(ports.northbound), str(ports.southbound)]
        words += [word for host in self.lab.ic.hosts for word in ("--ic", host)]
        for name, zone in self.lab.zones.items():
            if name in self.lab.clusters:
                words += ["--kube-context", name, "--kubeconfig", str(self.lab.kubeconfig)]
            elif name != without:
                words += ["--ovn", name, zone.northbound.network, zone.southbound.network]
        return self.icplan("import", *words, *more, "--out", str(self.file), "--force")

    @property
    def says(self) -> Json:
        """The file's data."""
        return YAML(typ="safe").load(self.file.read_text(encoding="utf-8"))


def rows(lab: Lab) -> dict[str, str]:
    """All that a zone's packets depend on."""
    found = {}
    for name, zone in lab.zones.items():
        for table, columns in {
            "Logical_Router_Port": "name,mac,networks,gateway_chassis",
            "Logical_Switch_Port": "name,type,addresses,options",
            "Gateway_Chassis": "chassis_name,priority",
            "Logical_Router_Static_Route": "ip_prefix,nexthop",
            "NB_Global": "name",
        }.items():
            text = zone.nbctl("--bare", f"--columns={columns}", "list", table)
            found[f"{name} {table}"] = "\n".join(sorted(text.split("\n\n")))
        options = zone.nbctl("--if-exists", "get", "NB_Global", ".", "options:ic-route-blacklist")
        found[f"{name} denied"] = options
    return found


def adopted(lab: Lab, importing: Importing) -> None:
    """The file that was imported is applied; nothing but marks is other than before."""
    changes = importing.icplan.changes()
    assert {*changes.values()} == {"adopt"}, changes
    before = rows(lab)
    done = importing.icplan.apply()
    assert "all evidence seen" in done.out
    assert rows(lab) == before
    assert importing.icplan("verify").exit == 0
    # What it has marked, it finds again.
    assert importing().exit == 0
    assert importing.icplan.changes() == {}


def test_two_zones_with_two_families_and_two_switches(short_path: Path) -> None:
    with Lab(short_path / "lab", LabOptions(family=Family.DUAL, play_ovn_controller=True)) as lab:
        made = Icplan(short_path, lab.interconnect_file)
        made.edit("{count: 1, family: dual}", "{count: 2, family: dual}")
        made.apply()
        unmarked(lab)

        importing = Importing(lab, short_path)
        done = importing()

        assert done.exit == 0, done.err
        assert importing.says["transitSwitches"] == {"count": 2, "family": "dual"}
        assert importing.says["availabilityZones"][0] == {
            "name": "az1",
            "platform": "ovn",
            "northbound": [lab.zones["az1"].northbound.network],
            "southbound": [lab.zones["az1"].southbound.network],
            "router": "router",
            "gatewayNodes": ["az1-gw1", "az1-gw2"],
        }
        # Whoever put it on the denylist: it is not taken over, and stays.
        assert "On its denylist (ic-route-blacklist) by somebody else" in importing.file.read_text()
        adopted(lab, importing)


def test_zones_with_certificates_and_databases_with_three_members(short_path: Path) -> None:
    options = LabOptions(members=3, tls=True, play_ovn_controller=True)
    with Lab(short_path / "lab", options) as lab:
        Icplan(short_path, lab.interconnect_file).apply()
        unmarked(lab)
        certificates = lab.certificates
        assert certificates is not None
        files = (certificates.ca, certificates.client_certificate, certificates.client_key)
        names = [os.path.relpath(one, short_path) for one in files]

        importing = Importing(lab, short_path)
        done = importing("--tls", "az1", *names, "--tls", "az2", *names)

        assert done.exit == 0, done.err
        assert importing.says["icDatabase"]["hosts"] == [*lab.ic.hosts]
        assert importing.says["availabilityZones"][1]["tls"] == dict(
            zip(("ca", "certificate", "key"), names, strict=True)
        )
        assert {*importing.icplan.changes().values()} == {"adopt"}


def has_switch(zone: Zone) -> bool:
    return "(ts)" in zone.nbctl("ls-list")


def test_what_people_made_by_the_documentation(lab: Lab, short_path: Path) -> None:
    lab.ic.nbctl("ts-add", "ts")
    for number, (name, zone) in enumerate(lab.zones.items(), start=1):
        zone.nbctl("set", "NB_Global", ".", f"name={name}")
        wait_until(partial(has_switch, zone), "ovn-ic has made the switch")
        port, mac = f"lrp-{name}", f"aa:aa:aa:aa:aa:0{number}"
        zone.nbctl(
            *("lrp-add", zone.router, port, mac, f"169.254.100.{number}/24"),
            *("--", "lsp-add", "ts", f"ts-{name}", "--", "lsp-set-addresses", f"ts-{name}"),
            *("router", "--", "lsp-set-type", f"ts-{name}", "router"),
            *("--", "lsp-set-options", f"ts-{name}", f"router-port={port}"),
        )
        for priority, host in enumerate(reversed(zone.gateway_hosts), start=1):
            zone.nbctl("lrp-set-gateway-chassis", port, zone.hosts[host].chassis, str(priority))
        for option in ("adv", "learn"):
            zone.nbctl("set", "NB_Global", ".", f"options:ic-route-{option}=true")
    wait_until(
        lambda: all(
            "(learned)" in one.nbctl("lr-route-list", one.router) for one in lab.zones.values()
        ),
        "both have learned routes",
    )

    importing = Importing(lab, short_path)
    done = importing("--name", "stacks")

    # The documentation gives the switch nothing but its name, and icplan more than its mark.
    assert done.exit == 1
    assert "1 thing it does not say" in " ".join(done.err.split())
    assert "ic transit switch ts, external_ids:subnet and vendor" in done.err
    assert "transitSwitches" not in importing.says
    assert importing.says["availabilityZones"][0]["gatewayNodes"] == ["az1-gw1", "az1-gw2"]
    before = rows(lab)
    importing.icplan.apply()
    assert rows(lab) == before
    assert importing.icplan("verify").exit == 0
    assert importing().exit == 0
    assert importing.says["metadata"] == {"name": "stacks"}


def test_what_is_out_of_the_ordinary_is_told(lab: Lab, short_path: Path) -> None:
    made = Icplan(short_path, lab.interconnect_file)
    made.edit("{count: 1, family: ipv4}", "{count: 2, family: ipv4}")
    made.apply()
    az1, az2 = lab.zones["az1"], lab.zones["az2"]
    importing = Importing(lab, short_path)

    # A switch of another name, gateways in an order of their own, another router on a switch.
    lab.ic.nbctl("ts-add", "extra")
    first, second = (az1.hosts[host].chassis for host in az1.gateway_hosts)
    az1.nbctl("lrp-set-gateway-chassis", "az1-ts1", first, "90")
    az1.nbctl("lrp-set-gateway-chassis", "az1-ts1", second, "80")
    az2.nbctl(
        *("lr-add", "other", "--", "lrp-add", "other", "other-ts", "aa:aa:aa:aa:aa:07"),
        *("169.254.100.77/24", "--", "lsp-add", "ts", "ts-other", "--", "lsp-set-addresses"),
        *("ts-other", "router", "--", "lsp-set-type", "ts-other", "router"),
        *("--", "lsp-set-options", "ts-other", "router-port=other-ts"),
    )
    done = importing()
    assert done.exit == 1
    told = " ".join(done.err.split())
    assert "ic transit switch extra the file counts transit switches by their names" in told
    assert "az1 port ts1-az1 on ts1, its gateways they are az1-gw1, az1-gw2" in told
    assert "az2 router other, attached to ts the file interconnects one router" in told
    assert "3 things it does not say" in told
    text = importing.file.read_text()
    assert text.count("NOT SAID: ") == 3
    # What is told is all that the plan would do.
    assert importing.icplan.changes() == {"az1/port/ts1": "update"}

    # A zone that nobody named.
    done = importing(without="az2")
    assert done.exit == 1
    assert "ic zone az2 it is registered in the IC southbound database" in " ".join(
        done.err.split()
    )
    # A port that is missing.
    az2.nbctl("lsp-del", "ts1-az2", "--", "lrp-del", "az2-ts1")
    done = importing()
    assert "az2 transit switch ts1 router router has no port on it" in " ".join(done.err.split())
    assert importing.icplan.changes()["az2/port/ts1"] == "create"


@pytest.mark.xdist_group("kubernetes")
def test_a_cluster_and_a_plain_zone(short_path: Path) -> None:
    options = LabOptions(
        kubernetes=True,
        plain=("az2",),
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
    )
    with Lab(short_path / "lab", options) as lab:
        Icplan(short_path, lab.interconnect_file).apply()
        unmarked(lab)
        importing = Importing(lab, short_path)
        done = importing()
        assert done.exit == 0, done.err
        platforms = [one.get("platform") for one in importing.says["availabilityZones"]]
        assert platforms == [None, "ovn"]
        adopted(lab, importing)
