"""Commands in cures: for the cluster, the database or the host that the file means."""

from __future__ import annotations

import shlex

import pytest

from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND
from icplan.kinds.common import commands, zones
from icplan.kinds.common.deployment import by_engine
from icplan.spec.access import with_access
from icplan.spec.load import Spec, read

FILE = """\
apiVersion: icplan/v1
kind: Interconnect
metadata: {name: prod}
icDatabase:
  hosts: [192.0.2.1, 192.0.2.2, "2001:db8::3"]
  deployment: {runtime: RUNTIME, image: "kubeovn/kube-ovn:v1.14.0", engines: {ENGINES}}
availabilityZones:
  - {name: az1, kubernetes: {context: "az 1", kubeconfig: keys/az1.yaml}, gatewayNodes: [gw1]}
  - {name: az2, kubernetes: {kubeconfig: ~/az2.yaml}, gatewayNodes: [gw2]}
  - name: stack
    platform: ovn
    northbound: ["ssl:192.0.2.8:6641", "ssl:[2001:db8::8]:6641"]
    southbound: ["tcp:192.0.2.8:6642"]
    tls: {ca: ca.pem, certificate: ~/our.pem, key: /etc/our key.pem}
    router: neutron-1
    gatewayNodes: [gw3]
"""
HERE = (
    "192.0.2.1: ssh://root@192.0.2.1:2222, 192.0.2.2: unix:///run/e.sock, "
    '"2001:db8::3": "ssh://[2001:db8::3]"'
)


def spec(runtime: str = "docker", engines: str = HERE, more: str = "") -> Spec:
    text = FILE.replace("RUNTIME", runtime).replace("{ENGINES}", f"{{{engines}}}")
    text = text.replace("icDatabase:\n", f"icDatabase:\n{more}")
    return read(text.encode(), "there/interconnect.yaml")


def zone(found: Spec, name: str) -> zones.DeclaredZone:
    return next(one for one in zones.declared(found) if one.name == name)


def test_a_cluster_is_reached_as_the_file_says() -> None:
    found = spec()
    assert commands.kubectl(found, "az1") == (
        "kubectl --kubeconfig there/keys/az1.yaml --context 'az 1'"
    )
    assert commands.kubectl(found, "az2") == "kubectl --kubeconfig ~/az2.yaml"
    with pytest.raises(KeyError):
        commands.kubectl(found, "stack")


def test_or_as_the_access_file_says() -> None:
    access = b"az1: {kubernetes: {context: here, kubeconfig: az1.yaml}}\n"
    found = with_access(spec(), access, "mine/access.yaml")
    assert commands.kubectl(found, "az1") == "kubectl --kubeconfig mine/az1.yaml --context here"
    assert commands.kubectl(found, "az2") == "kubectl --kubeconfig ~/az2.yaml"


def test_the_databases_of_a_zone() -> None:
    found = spec()
    words = ("lr-policy-add", "neutron-1", "1001", "ip4.dst == 192.0.2.0/24", "allow")
    assert commands.ovn(found, zone(found, "stack"), "ovn-nbctl", *words) == (
        "ovn-nbctl --db='ssl:192.0.2.8:6641,ssl:[2001:db8::8]:6641' -p '/etc/our key.pem' "
        "-c ~/our.pem -C there/ca.pem "
        "lr-policy-add neutron-1 1001 'ip4.dst == 192.0.2.0/24' allow"
    )
    # Nothing there is encrypted.
    assert commands.ovn(found, zone(found, "stack"), "ovn-sbctl", "chassis-del", "NAME") == (
        "ovn-sbctl --db=tcp:192.0.2.8:6642 chassis-del NAME"
    )
    assert commands.ovn(found, zone(found, "az2"), "ovn-nbctl", "ls-del", "a b") == (
        "kubectl --kubeconfig ~/az2.yaml -n kube-system exec deployment/ovn-central -c ovn-central "
        "-- ovn-nbctl --no-leader-only ls-del 'a b'"
    )


def test_the_ic_northbound_database() -> None:
    there = "'tcp:192.0.2.1:6645,tcp:192.0.2.2:6645,tcp:[2001:db8::3]:6645'"
    command = f"ovn-ic-nbctl '--db={there[1:]} ts-del ts9"
    assert commands.ic_northbound(spec(), "ts-del", "ts9") == command
    through = spec(more="  reach: {through: az2}\n")
    assert commands.ic_northbound(through, "ts-del", "ts9") == (
        "kubectl --kubeconfig ~/az2.yaml -n kube-system exec deployment/ovn-central -c ovn-central "
        f"-- {command}"
    )


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
@pytest.mark.parametrize("host", ["192.0.2.1", "192.0.2.2", "2001:db8::3"])
def test_the_containers_of_the_ic_databases(runtime: str, host: str) -> None:
    found = spec(runtime)
    deployment = by_engine(found)
    assert deployment is not None
    kick = commands.kick(IC_SOUTHBOUND, "2001:db8::3")
    assert kick[-2:] == (IC_SOUTHBOUND, "tcp:[2001:db8::3]:6648")
    words = shlex.split(commands.in_container(deployment, host, *kick))
    if runtime == "docker":
        where = {
            "192.0.2.1": "ssh://root@192.0.2.1:2222",
            "192.0.2.2": "unix:///run/e.sock",
            "2001:db8::3": "ssh://[2001:db8::3]",
        }[host]
        assert words == ["docker", "-H", where, "exec", "ovn-ic-db", *kick]
        return
    inside = ["ctr", "--namespace", "default", "task", "exec", "--exec-id", "by-hand"]
    if host == "192.0.2.2":
        assert words == ["ctr", "--address", "/run/e.sock", *inside[1:], "ovn-ic-db", *kick]
        return
    prefix = ["ssh", "-p", "2222", "root@192.0.2.1"] if "." in host else ["ssh", host]
    assert words[:-1] == prefix
    assert shlex.split(words[-1]) == [*inside, "ovn-ic-db", *kick]


def test_this_machine_needs_no_address() -> None:
    found = spec("docker", HERE.partition(", ")[2].replace("unix:///run/e.sock", "ssh://b"))
    deployment = by_engine(found)
    assert deployment is not None
    assert commands.remove_container(deployment, "192.0.2.1") == "docker rm --force ovn-ic-db"
    assert commands.on_host(found, "192.0.2.1", "mv", "a b", "c") == "mv 'a b' c"
    assert commands.kick(IC_NORTHBOUND, "192.0.2.1")[-1] == "tcp:[192.0.2.1]:6647"
