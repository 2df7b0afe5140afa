"""The interconnect.yaml that says what ConfigMaps and transit switches of a recorded state say."""

from __future__ import annotations

from collections.abc import Sequence

from icplan.kinds.common.config_map import KEYS
from icplan.spec.load import Spec, read
from tests.recorded_states.recording import NEW, OLD, STEPS, ZONES, Step

OWNER = "prod"


class NotDeclarable(Exception):
    """No file can ask for this."""


def spec(text: str) -> Spec:
    """The model of a file."""
    return read(text.encode(), "interconnect.yaml")


def declaring(step: Step, before: Step | None = None, more: Sequence[str] = ()) -> str:
    """The file that declares what stands in the ConfigMaps of a step.

    A ConfigMap that is not there, or says that it is off, becomes `state: absent`. Keys that no
    controller knows are accepted.

    Args:
        step: whose ConfigMaps.
        before: the step in whose state the file asks for that; without, it is there already.
        more: further lines of az1's entry.

    Raises:
        NotDeclarable: no file can.
    """
    before = before or step
    lines = [
        "apiVersion: icplan/v1",
        "kind: Interconnect",
        f"metadata: {{name: {OWNER}}}",
        _database(step),
        f"transitSwitches: {len(step.state['icNorthbound']['Transit_Switch']) or 1}",
        "limits: {disruptedZones: 2, deletions: 2}",
        "availabilityZones:",
    ]
    waivers = []
    for zone in ZONES:
        lines += [f"  {line}" for line in _zone(zone, step)]
        lines += [f"    {line}" for line in more if zone == "az1"]
        unknown = {*(step.config(zone) or {})} - {*KEYS}
        if unknown - {*(before.config(zone) or {})}:
            raise NotDeclarable("a key that no controller knows")
        if unknown:
            waivers.append(f"  - {{rule: IC036, at: {zone}, reason: as recorded}}")
    return "\n".join([*lines, *(["accept:", *waivers] if waivers else []), ""])


def _first(step: Step, zone: str) -> dict[str, str]:
    """What a zone's first ConfigMap said: a file says it of a zone that is to be absent, too."""
    return STEPS[step.controller][1].config(zone) or {}


def _database(step: Step) -> str:
    places = {
        tuple(config[key] for key in ("ic-db-host", "ic-nb-port", "ic-sb-port"))
        for zone in ZONES
        for config in [step.config(zone) or _first(step, zone)]
    }
    if len(places) > 1:
        raise NotDeclarable("another IC database for one zone")
    ((host, north, south),) = places
    return f"icDatabase: {{hosts: [{host}], northboundPort: {north}, southboundPort: {south}}}"


def _zone(zone: str, step: Step) -> list[str]:
    config = step.config(zone) or _first(step, zone) | {"enable-ic": "false"}
    if config["enable-ic"] not in {"true", "false"}:
        raise NotDeclarable("another text in enable-ic")
    if not config["gw-nodes"]:
        raise NotDeclarable("a zone without gateways")
    return [
        f"- name: {config['az-name']}",
        f"  kubernetes: {{context: {zone}}}",
        f"  gatewayNodes: [{', '.join(config['gw-nodes'].split(','))}]",
        *(["  routePolicy: manual"] if config["auto-route"] != "true" else []),
        *(["  state: absent"] if config["enable-ic"] == "false" else []),
    ]


FIRST = declaring(STEPS[NEW][1])
"""The two zones as the recordings' first ConfigMaps declare them."""

if declaring(STEPS[OLD][1]) != FIRST:
    raise AssertionError("the two recordings begin with different ConfigMaps")
