"""The state of two zones in a form in which a recording and a lab can be equal.

What is random in both becomes what it stands for: uuids become names, the address of a port on a
transit switch becomes "address of az1-ts", and its Ethernet address becomes "new" or "kept" since
the step before. So a rebuild and a change in place never look the same.
"""

from __future__ import annotations

from typing import Any

State = dict[str, Any]
Facts = set[str]
ZONES = ("az1", "az2")
NORTHBOUND_COLUMNS = {
    "NB_Global": ("name", "options", "external_ids"),
    "Logical_Router": ("name", "ports", "static_routes", "policies"),
    "Logical_Router_Port": (
        *("name", "mac", "networks", "gateway_chassis", "options", "external_ids"),
    ),
    "Logical_Router_Static_Route": (
        *("ip_prefix", "nexthop", "policy", "output_port", "route_table"),
        *("options", "external_ids"),
    ),
    "Logical_Router_Policy": ("priority", "match", "action", "external_ids"),
    "Logical_Switch": ("name", "ports", "other_config", "external_ids"),
    "Logical_Switch_Port": ("name", "type", "addresses", "options", "external_ids"),
    "Gateway_Chassis": ("name", "chassis_name", "priority", "external_ids"),
}
IC_NORTHBOUND_COLUMNS = {"Transit_Switch": ("name", "other_config", "external_ids")}
IC_SOUTHBOUND_COLUMNS = {
    "Availability_Zone": ("name",),
    "Encap": ("gateway_name", "ip", "type"),
    "Gateway": ("availability_zone", "encaps", "hostname", "name"),
    "Port_Binding": (
        *("address", "availability_zone", "gateway", "logical_port", "transit_switch"),
    ),
    "Route": (
        *("availability_zone", "ip_prefix", "nexthop", "origin", "route_table", "transit_switch"),
    ),
}


class Normalizer:
    """Turns a run of states, one after the other, into sets of lines; remembers the last one."""

    def __init__(self) -> None:
        self._macs: dict[str, str] = {}
        self._former: dict[str, str] = {}

    def step(self, state: State, *, ends: bool) -> Facts:
        """The facts of a state.

        Args:
            state: as recorded, or as read in the same shape.
            ends: whether a step ends in this state; only then it is remembered.
        """
        ports = {
            row["name"]: row
            for zone in ZONES
            for row in state[zone]["northbound"]["Logical_Router_Port"]
            if "-ts" in row["name"]
        }
        macs = {row["mac"]: name for name, row in ports.items()}
        owners: dict[str, list[str]] = {}
        for name in sorted(ports):
            for network in _list(ports[name]["networks"]):
                owners.setdefault(network.partition("/")[0], []).append(name)
        words = {
            **{each: f"former address of {name}" for each, name in self._former.items()},
            **{each: f"address of {' and '.join(names)}" for each, names in owners.items()},
        }
        for mac, name in macs.items():
            age = "kept" if self._macs.get(name) == mac else "new"
            words[mac] = f"{age} mac of {name}"
        if ends:
            self._macs = {name: row["mac"] for name, row in ports.items()}
            self._former |= {each: names[0] for each, names in owners.items()}
        return set(_facts(state, words))


def _facts(state: State, words: dict[str, str]) -> list[str]:
    lines = []
    southbound = state["icSouthbound"]
    zones = {row["_uuid"]: row["name"] for row in southbound["Availability_Zone"]}
    encaps = {row["_uuid"]: f"{row['type']} {row['ip']}" for row in southbound["Encap"]}
    routes = {
        row["_uuid"]: f"{zones[row['availability_zone']]}'s {row['ip_prefix']} "
        f"on {row['transit_switch']} by {words.get(row['nexthop'], row['nexthop'])}"
        for row in southbound["Route"]
    }
    for zone in ZONES:
        part = state[zone]
        lines.append(f"{zone} ConfigMap {_text(part['configMap'], {})}")
        lines += [f"{zone} Node {name} {label}" for name, label in part["nodes"].items()]
        lines += [
            f"{zone} Subnet {name} {_text(spec, {})}" for name, spec in part["subnets"].items()
        ]
        rows = part["northbound"]
        names = words | {
            row["_uuid"]: _row_name(table, row, words) for table in rows for row in rows[table]
        }
        learned = {uuid: f"IC SB {text}" for uuid, text in routes.items()}
        for table, columns in NORTHBOUND_COLUMNS.items():
            for row in rows.get(table, ()):
                cells = {column: row[column] for column in columns}
                _forget(cells, learned)
                lines.append(f"{zone} {table} {_text(cells, names | learned)}")
    for database, tables in (
        ("icNorthbound", IC_NORTHBOUND_COLUMNS),
        ("icSouthbound", IC_SOUTHBOUND_COLUMNS),
    ):
        for table, columns in tables.items():
            for row in state[database][table]:
                cells = {column: row[column] for column in columns}
                lines.append(f"{database} {table} {_text(cells, words | zones | encaps)}")
    # Two equal rows are two facts.
    return [f"{line} #{lines[:index].count(line) + 1}" for index, line in enumerate(lines)]


def _forget(cells: dict[str, Any], learned: dict[str, str]) -> None:
    """Drop what ovn-ic numbers by who comes first, and what the blacklist's order says."""
    for column in ("options", "other_config"):
        if isinstance(cells.get(column), dict):
            cells[column] = {
                key: sorted(value.split(",")) if key == "ic-route-blacklist" else value
                for key, value in cells[column].items()
                if key != "requested-tnl-key"
            }
    marks = cells.get("external_ids")
    if isinstance(marks, dict) and marks.get("ic-learned-route", "none") not in {*learned, "none"}:
        cells["external_ids"] = marks | {"ic-learned-route": "IC SB row that is gone"}


def _row_name(table: str, row: State, words: dict[str, str]) -> str:
    match table:
        case "Logical_Router_Static_Route":
            return f"route {row['ip_prefix']} by {words.get(row['nexthop'], row['nexthop'])}"
        case "Logical_Router_Policy":
            return f"policy {row['match']}"
    return str(row.get("name", table))


def _list(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    return value if isinstance(value, list) else [value]


def _text(value: Any, names: dict[str, str]) -> str:  # noqa: ANN401 -- JSON
    match value:
        case dict():
            inner = (f"{key}={_text(value[key], names)}" for key in sorted(value))
            return f"{{{', '.join(inner)}}}"
        case list():
            # A column with one member is recorded as that member.
            texts = sorted(_text(each, names) for each in value)
            return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        case str():
            return _words(value, names)
    return str(value)


def _words(text: str, names: dict[str, str]) -> str:
    """An Ethernet address, an address, an address with prefix length, or several of them."""
    if text in names:
        return names[text]
    return " ".join(
        "/".join(names.get(part, part) for part in word.split("/")) for word in text.split(" ")
    )
