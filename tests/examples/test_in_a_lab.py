"""Examples as they are, but for addresses: planned, applied and verified on real daemons."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.lab import Family, Lab, LabOptions, Mode
from tests.real.conftest import Icplan, demand_namespaces, short_path

pytestmark = pytest.mark.real

__all__ = ["short_path"]

EXAMPLES = Path(__file__).parents[2] / "examples"
ROUTER = "router1"


def example(name: str, lab: Lab, folder: Path) -> Icplan:
    """The example in a lab whose zones and hosts are called as it calls them."""
    lines = (EXAMPLES / name / "interconnect.yaml").read_text(encoding="utf-8").splitlines()
    text = "".join(f"{line}\n" for line in lines if "boundPort:" not in line)
    hosts, ports = "  hosts: [192.168.65.3]\n", lab.ic.ports
    assert hosts in text
    here = (
        f"  hosts: [{', '.join(lab.ic.hosts)}]\n"
        f"  northboundPort: {ports.northbound}\n  southboundPort: {ports.southbound}\n"
    )
    file = folder / "interconnect.yaml"
    file.write_text(text.replace(hosts, here))
    access = folder / "access.yaml"
    access.write_text("".join(_access(lab, zone) for zone in lab.zones))
    return _Reached(folder, file)


def _access(lab: Lab, name: str) -> str:
    if name in lab.clusters:
        return f"{name}: {{kubernetes: {{context: {name}, kubeconfig: {lab.kubeconfig}}}}}\n"
    zone = lab.zones[name]
    return (
        f"{name}: {{northbound: ['{zone.northbound.network}'], "
        f"southbound: ['{zone.southbound.network}']}}\n"
    )


class _Reached(Icplan):
    """icplan with the lab's addresses."""

    def argv(self, command: str, *rest: str) -> list[str]:
        known = () if command in {"validate", "show"} else ("--access", "access.yaml")
        return super().argv(command, *known, *rest)


def learned(lab: Lab, zone: str) -> list[str]:
    """The prefixes that a zone has learned, as often as there are ways."""
    one = lab.zones[zone]
    lines = one.nbctl("lr-route-list", one.router).splitlines()
    return sorted(line.split()[0] for line in lines if "(learned)" in line)


def converges(icplan: Icplan) -> None:
    assert icplan("plan", "--detailed-exitcode").exit == 2
    icplan.apply()
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_gateways(short_path: Path) -> None:
    options = LabOptions(router=ROUTER, play_ovn_controller=True)
    with Lab(short_path / "lab", options) as lab:
        icplan = example("gateways", lab, short_path)
        converges(icplan)
        assert learned(lab, "az2") == ["10.116.0.0/24"] * 2 + ["10.16.0.0/16"] * 2
        status = " ".join(icplan("status").out.split())
        for number, switch in ((1, "ts"), (2, "ts1")):
            assert f"az1-gw{number} 172.31.1.1{number} active on {switch} " in f"{status} "


def test_accepted(short_path: Path) -> None:
    options = LabOptions(router=ROUTER, play_ovn_controller=True)
    with Lab(short_path / "lab", options) as lab:
        icplan = example("accepted", lab, short_path)
        lab.zones["az1"].nbctl("lr-nat-add", ROUTER, "snat", "198.51.100.7", "10.116.0.0/24")
        lab.zones["az2"].add_subnet("copy", "10.16.5.1/24")
        lab.zones["az2"].nbctl("lr-route-add", ROUTER, "10.16.9.9/32", "10.17.0.9")
        said = " ".join(icplan("plan").out.split())
        assert "SNAT only of the office subnet" in said
        assert "az2 has one address of 10.16.0.0/16" in said
        converges(icplan)
        assert learned(lab, "az1") == ["10.117.0.0/24", "10.16.9.9", "10.17.0.0/16"]
        # Without its exceptions it is refused.
        icplan.file.write_text(icplan.file.read_text().partition("accept:\n")[0])
        refused = icplan("plan")
        assert refused.exit == 4
        assert "10.16.5.0/24" not in refused.out


def test_dual_stack(short_path: Path) -> None:
    demand_namespaces()
    options = LabOptions(mode=Mode.NAMESPACES, family=Family.DUAL, router=ROUTER)
    with Lab(short_path / "lab", options) as lab:
        icplan = example("dual-stack", lab, short_path)
        converges(icplan)
        assert learned(lab, "az2") == ["10.16.0.0/16", "fd00:10:116::/64", "fd00:10:16::/64"]
        for version in (4, 6):
            lab.wait_for_ping("az1/pods", "az2/pods", version=version)
            assert lab.ping("az2/office", "az1/pods", version=version, count=5).received


def test_two_clusters_and_what_is_imported(short_path: Path) -> None:
    options = LabOptions(
        kubernetes=True, play_kube_ovn=True, play_ovn_controller=True, collisions=False
    )
    with Lab(short_path / "lab", options) as lab:
        for name in ("two-clusters", "imported"):
            icplan = example(name, lab, short_path)
            for zone in ("az1", "az2"):
                icplan.edit(f"[{zone}-gw]", f"[{zone}-gw1]")
            converges(icplan)
            assert "10.16.0.0/16" in learned(lab, "az2")
            destroyed = icplan("destroy", "--auto-approve")
            assert destroyed.exit == 0, destroyed.out + destroyed.err
            assert learned(lab, "az2") == []
            assert lab.ic.nbctl("ts-list") == ""
