"""The text of the interconnect.yaml that fits a lab. Written by hand here, not by icplan's spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icplan.lab.numbering import default_subnets, network_of

if TYPE_CHECKING:
    from icplan.lab.lab import Lab
    from icplan.lab.zone import Zone

FILE = "interconnect.yaml"


def text(lab: Lab) -> str:
    """The whole file: every zone with its gateways; the first withholds its IPv4 office subnet."""
    lines = [
        "# Written by icplan lab. Try: icplan plan, then icplan apply.",
        "apiVersion: icplan/v1",
        "kind: Interconnect",
        "metadata: {name: lab}",
        "icDatabase:",
        f"  hosts: [{', '.join(lab.ic.hosts)}]",
        f"  northboundPort: {lab.ic.ports.northbound}",
        f"  southboundPort: {lab.ic.ports.southbound}",
        f"transitSwitches: {{count: 1, family: {lab.options.family}}}",
        "availabilityZones:",
    ]
    for number, zone in enumerate(lab.zones.values()):
        lines += _zone(lab, zone, first=number == 0)
    return "\n".join(lines) + "\n"


def _zone(lab: Lab, zone: Zone, *, first: bool) -> list[str]:
    gateways = f"    gatewayNodes: [{', '.join(zone.gateway_hosts)}]"
    if zone.name in lab.clusters:
        access = f"{{context: {zone.name}, kubeconfig: {lab.kubeconfig.name}}}"
        return [f"  - name: {zone.name}", f"    kubernetes: {access}", gateways]
    lines = [
        f"  - name: {zone.name}",
        "    platform: ovn",
        f"    northbound: [{zone.northbound.network}]",
        f"    southbound: [{zone.southbound.network}]",
    ]
    if certificates := lab.certificates:
        # Relative paths count from the file, which lies in the lab's folder.
        files = {
            "ca": certificates.ca,
            "certificate": certificates.client_certificate,
            "key": certificates.client_key,
        }
        inside = (f"{key}: {path.relative_to(lab.directory)}" for key, path in files.items())
        lines.append(f"    tls: {{{', '.join(inside)}}}")
    lines += [f"    router: {zone.router}", gateways]
    if first:
        office = default_subnets(zone.state.index, lab.options.family)["office"]
        # Before OVN 24.03 an IPv6 entry of the denylist denies all IPv6 prefixes (measured).
        quoted = ", ".join(f'"{network_of(each)}"' for each in office if ":" not in each)
        lines += [f"    withhold: [{quoted}]"] if quoted else []
    return lines
