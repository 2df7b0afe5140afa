from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from icplan.spec.load import read
from icplan.spec.schema import Json, json_schema, schema_text
from icplan.spec.source import parse

ROOT = Path(__file__).parents[2]
FILE = ROOT / "schemas" / "interconnect.schema.json"
EXAMPLES = sorted((ROOT / "examples").glob("**/interconnect.yaml"))
GOOD = [*EXAMPLES, Path(__file__).parent / "design.yaml"]
CASES = sorted((Path(__file__).parent / "cases").glob("*/interconnect.yaml"))
# What the loader alone can say: relations between values, and what no pattern can express.
LOADER_ONLY = {
    "IC115", "IC127", "IC128", "IC129", "IC130", "IC131", "IC132", "IC133", "IC134", "IC135",
    "IC137", "IC140", "IC142",
}  # fmt: skip


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(schema_text()))


def test_the_file_is_what_the_model_generates() -> None:
    """To renew it: `icplan schema > schemas/interconnect.schema.json`."""
    assert FILE.read_text(encoding="utf-8") == schema_text()


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_there_are_examples() -> None:
    assert {path.parent.name for path in EXAMPLES} >= {"plain-ovn", "reference"}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.parent.name)
def test_good_files_fit_the_schema_and_load(path: Path) -> None:
    data = path.read_bytes()
    validator().validate(parse(data, "f").data)
    read(data, "f")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_name_the_schema_for_the_editor(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match
    assert (path.parent / match[1]).resolve() == FILE


def for_the_schema(path: Path) -> bool:
    """Whether the file is data, and something is wrong that a schema can say."""
    said = (path.parent / "diagnostics.txt").read_text(encoding="utf-8")
    codes = set(re.findall(r"^interconnect\.yaml:\S+ (IC\d{3})", said, flags=re.MULTILINE))
    return min(codes) >= "IC120" and not codes <= LOADER_ONLY


FOR_THE_SCHEMA = [path for path in CASES if for_the_schema(path)]


@pytest.mark.parametrize("path", FOR_THE_SCHEMA, ids=lambda path: path.parent.name)
def test_the_editor_sees_what_a_schema_can_say(path: Path) -> None:
    assert list(validator().iter_errors(parse(path.read_bytes(), "f").data))


SHORT = """
apiVersion: icplan/v1
kind: Interconnect
metadata: {name: a}
icDatabase: {hosts: 10.0.0.1, reach: direct}
transitSwitches: 2
availabilityZones:
  - {name: a, kubernetes: {context: a}, gatewayNodes: n, withhold: s}
  - {name: b, platform: ovn, northbound: unix:a, southbound: unix:b, router: r, gatewayNodes: n}
  - {name: c, state: absent, kubernetes: {context: a}}
  - {name: d, state: gone}
routes: [{from: a, to: b, subnets: s}]
"""


def test_short_forms_are_allowed() -> None:
    validator().validate(parse(SHORT.encode(), "f").data)
    read(SHORT.encode(), "f")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("state: absent, ", ""),
        ("state: gone", "state: gone, router: r"),
        ("router: r", "ruter: r"),
        ("transitSwitches: 2", "transitSwitches: 17"),
        ("reach: direct", "reach: indirect"),
        ("reach: direct", "reach: ~"),
        ("{context: a}, gatewayNodes", "{}, gatewayNodes"),
        ("name: d", "name: D"),
        (
            "reach: direct",
            "deployment: {runtime: kubernetes, image: a}",
        ),
        (
            "reach: direct",
            "deployment: {runtime: docker, image: a, zone: a}",
        ),
    ],
)
def test_the_schema_refuses(good: str, bad: str) -> None:
    assert good in SHORT
    text = SHORT.replace(good, bad, 1)
    assert list(validator().iter_errors(parse(text.encode(), "f").data))


def keys(schema: Json, where: str = "") -> list[tuple[str, dict[str, Json]]]:
    if isinstance(schema, list):
        return [found for one in schema for found in keys(one, where)]
    if not isinstance(schema, dict):
        return []
    found: list[tuple[str, dict[str, Json]]] = []
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict) and "additionalProperties" in schema:
            for name, one in value.items():
                assert isinstance(one, dict)
                found.append((f"{where}.{name}", one))
        found += keys(value, f"{where}.{key}")
    return found


def test_every_key_is_described() -> None:
    schema = json_schema()
    described = keys(schema)
    assert len(described) > 50
    defs = schema["$defs"]
    assert isinstance(defs, dict)
    for where, one in described:
        reference = defs.get(str(one.get("$ref", "")).removeprefix("#/$defs/"))
        inherited = reference.get("description") if isinstance(reference, dict) else None
        description = one.get("description") or inherited
        assert isinstance(description, str), where
        assert description.endswith("."), where


def test_no_key_may_be_null_and_no_key_is_unknown() -> None:
    text = schema_text()
    assert '"null"' not in text
    assert ": null" not in text
    for where, one in keys(json_schema()):
        assert "title" not in one, where
