"""Transit switches that Kube-OVN's own Deployment makes: icplan tells it how many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, DEPLOYMENTS
from tests.real.conftest import Icplan

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]
CONFIG = f"{CONFIG_MAPS}/ovn-ic-config"
SERVER = f"{DEPLOYMENTS}/ovn-ic-server"


@pytest.fixture
def lab(short_path: Path) -> Iterator[Lab]:
    """Two clusters with the stand-in for Kube-OVN's controller; the first runs the databases."""
    options = LabOptions(
        kubernetes=True, play_ovn_controller=True, play_kube_ovn=True, collisions=False
    )
    with Lab(short_path / "lab", options) as lab:
        lab.clusters["az1"].start_ic_server(1)
        yield lab


def switches(lab: Lab) -> set[str]:
    return set(lab.ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split())


def ports(lab: Lab, zone: str) -> set[str]:
    """The names of a zone's router ports on transit switches."""
    found = lab.zones[zone].nbctl("--bare", "--columns=name", "list", "Logical_Router_Port").split()
    return {one for one in found if one.startswith(f"{zone}-ts")}


def server(lab: Lab) -> tuple[dict[str, str], dict[str, str]]:
    """The environment and the annotations of the Deployment."""
    found = lab.clusters["az1"].cluster.api.get(SERVER)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}, found["metadata"]["annotations"]


def apply(lab: Lab, icplan: Icplan) -> None:
    """Applies; when two controllers have drawn one address, does what the message says.

    They draw from 128 addresses without knowing of each other (docs/facts.md section 4).
    """
    done = icplan("apply", "--auto-approve", "--wait", "30")
    while done.exit == 3 and "have the same address on" in done.out:
        lab.clusters["az2"].cluster.api.patch(CONFIG, {"data": {"enable-ic": "false"}})
        wait_until(lambda: not ports(lab, "az2"), "az2 has given its addresses up")
        done = icplan("apply", "--auto-approve", "--wait", "30")
    assert done.exit == 0, done.out + done.err


def test_the_number_of_switches_goes_up_and_down_again(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("availabilityZones:", "limits: {disruptedZones: 2}\navailabilityZones:")
    wait_until(lambda: switches(lab) == {"ts"}, "the Deployment has made the first switch")
    changes = icplan.changes()
    assert changes["ic/switch-count"] == "adopt"
    assert not [one for one in changes if one.startswith("ic/transit-switch")]
    before = server(lab)[0]
    apply(lab, icplan)
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0
    environment, annotations = server(lab)
    assert environment == before
    assert annotations["icplan/owner"] == "lab"
    # Only its mark: no pod was replaced for it.
    assert "the databases end" not in log(lab)

    icplan.edit("count: 1", "count: 2")
    plan = icplan("plan")
    assert 'TS_NUM  "1" -> "2"' in plan.out
    assert "az2 is cut off from all other zones for 1 to 5 s" in plan.out
    apply(lab, icplan)
    assert server(lab)[0] == before | {"TS_NUM": "2"}
    assert "the databases end and start again" in log(lab)
    assert switches(lab) == {"ts", "ts1"}
    for zone in lab.zones:
        assert ports(lab, zone) == {f"{zone}-ts", f"{zone}-ts1"}
    assert "icplan=" not in lab.ic.nbctl("list", "Transit_Switch")
    assert icplan("verify").exit == 0
    # Not its whole text: a controller may have drawn an address that a warning speaks of.
    assert icplan("plan", "--detailed-exitcode").exit == 0

    icplan.edit("count: 2", "count: 1")
    apply(lab, icplan)
    assert server(lab)[0] == before
    assert switches(lab) == {"ts"}
    for zone in lab.zones:
        assert ports(lab, zone) == {f"{zone}-ts"}
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}


def test_no_switch_is_touched_while_it_is_not_known_who_makes_them(
    lab: Lab, icplan: Icplan, short_path: Path
) -> None:
    """Any Kube-OVN zone may run the Deployment: each must have been looked at."""
    wait_until(lambda: switches(lab) == {"ts"}, "the Deployment has made the first switch")
    icplan.edit("count: 1", "count: 2")
    question = "whether there is a Deployment kube-system/ovn-ic-server of {}, which makes the"
    before = server(lab)

    def refused(*options: str, zone: str) -> None:
        for command in (("plan",), ("apply", "--auto-approve")):
            done = icplan(*command, "--timeout", "10", *options)
            assert done.exit == 1, done.out + done.err
            told = " ".join(done.out.split())
            assert question.format(zone) in told
            assert "TS_NUM" not in told
        assert switches(lab) == {"ts"}
        assert server(lab) == before

    refused("--without", "az2", zone="az2")
    refused("--without", "az1", zone="az1")
    api = lab.clusters["az2"].cluster.server
    api.server.stop()
    try:
        refused(zone="az2")
    finally:
        api.server.start()
        api.wait_until_ready()
    # Somebody without any role in az2: it is not checked, and nothing is written either.
    one, other = f"context: az2, kubeconfig: {lab.kubeconfig.name}", short_path / "stranger.json"
    other.write_text(lab.clusters["az2"].cluster.kubeconfig("stranger").read_text())
    icplan.edit(one, f"context: az2, kubeconfig: {other}")
    shown = icplan("plan", "--json").json()
    assert shown["preview"] is True
    assert "ic/switch-count" in {one["subject"] for one in rows_of(shown["not_checked"])}
    assert icplan("apply", "--auto-approve").exit == 1
    assert server(lab) == before
    assert switches(lab) == {"ts"}


def rows_of(value: object) -> list[dict[str, str]]:
    assert isinstance(value, list)
    return value


def log(lab: Lab) -> str:
    return (lab.directory / "az1" / "ic-server.log").read_text()
