"""What the loader says about good files, and where it says things are."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from icplan.core.origin import Origin
from icplan.spec.codes import Code
from icplan.spec.diagnostic import FileError
from icplan.spec.load import Spec, read
from icplan.spec.model import (
    Family,
    GoneZone,
    Interconnect,
    KubeOvnZone,
    PlainOvnZone,
    Platform,
    Remote,
    RoutePolicy,
    Runtime,
    TransitSwitches,
    ZoneState,
)
from icplan.spec.paths import path_of, spelled
from icplan.spec.source import Path as DocumentPath
from icplan.spec.source import Plain, parse

ROOT = Path(__file__).parents[2]
DESIGN = Path(__file__).parent / "design.yaml"
REFERENCE = ROOT / "examples" / "reference" / "interconnect.yaml"


def spec_of(text: str) -> Spec:
    return read(text.encode(), "f.yaml")


def minimal(**extra: str) -> str:
    keys = {
        "apiVersion": "icplan/v1",
        "kind": "Interconnect",
        "metadata": "{name: prod}",
        "icDatabase": "{hosts: [192.168.65.3]}",
        "availabilityZones": "[{name: az1, kubernetes: {context: az1}, gatewayNodes: [gw1]}]",
    } | extra
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


def test_the_file_of_the_design_means_what_the_design_says() -> None:
    spec = read(DESIGN.read_bytes(), "interconnect.yaml")
    model = spec.interconnect
    assert model.metadata.name == "prod"
    assert model.ic_database.hosts == ("192.168.65.3",)
    assert model.ic_database.reach is not None
    assert model.ic_database.reach.through == "az1"
    assert model.ic_database.deployment is not None
    assert model.ic_database.deployment.runtime is Runtime.DOCKER
    assert model.ic_database.deployment.engine_of("192.168.65.3") == "ssh://root@192.168.65.3"
    assert model.transit_switches == TransitSwitches(count=1, family=Family.IPV4)
    assert model.route_policy is RoutePolicy.MANUAL
    az1, stack = model.availability_zones
    assert isinstance(az1, KubeOvnZone)
    assert az1.gateway_nodes == ("az1-gw1", "az1-gw2")
    assert az1.protected
    assert isinstance(stack, PlainOvnZone)
    assert stack.northbound == (Remote("tcp", "10.0.0.5", 6641),)
    assert [(route.from_, route.to, route.subnets) for route in model.routes] == [
        ("az1", "stack", ("10.20.0.0/24",)),
        ("stack", "az1", ("ovn-default",)),
    ]
    assert model.accept[0].until == date(2027, 1, 31)
    # It shows every key once, tls among them, beside tcp: addresses.
    assert [(one.code, one.origin.line) for one in spec.warnings] == [(Code.TLS, 29)]


def test_defaults() -> None:
    model = spec_of(minimal()).interconnect
    assert (model.ic_database.northbound_port, model.ic_database.southbound_port) == (6645, 6646)
    assert model.ic_database.reach is None
    assert model.ic_database.deployment is None
    assert model.transit_switches == TransitSwitches()
    assert model.route_policy is RoutePolicy.AUTO
    assert (model.limits.zones_at_once, model.limits.disrupted_zones) == (1, 1)
    assert (model.limits.deletions, model.limits.canary) == (0, None)
    assert (model.routes, model.expect, model.accept) == ((), (), ())
    (zone,) = model.availability_zones
    assert isinstance(zone, KubeOvnZone)
    assert (zone.platform, zone.state) == (Platform.KUBE_OVN, ZoneState.PRESENT)
    assert (zone.withhold, zone.protected, zone.route_policy) == ((), False, None)


@pytest.mark.parametrize(
    ("key", "short", "long"),
    [
        ("transitSwitches", "2", "{count: 2}"),
        ("icDatabase", "{hosts: 10.0.0.1}", "{hosts: [10.0.0.1]}"),
        ("icDatabase", "{hosts: [10.0.0.1], reach: direct}", "{hosts: [10.0.0.1]}"),
        (
            "transitSwitches",
            "{subnets: 10.0.0.0/24}",
            "{subnets: [10.0.0.0/24]}",
        ),
        (
            "availabilityZones",
            "[{name: a, kubernetes: {context: a}, gatewayNodes: n1, withhold: s1}]",
            "[{name: a, kubernetes: {context: a}, gatewayNodes: [n1], withhold: [s1]}]",
        ),
        (
            "availabilityZones",
            "[{name: a, platform: ovn, northbound: unix:nb, southbound: unix:sb, router: r,"
            " gatewayNodes: n1}]",
            "[{name: a, platform: ovn, northbound: [unix:nb], southbound: [unix:sb], router: r,"
            " gatewayNodes: [n1]}]",
        ),
        (
            "routes",
            "[{from: a, to: b, subnets: s1}]",
            "[{from: a, to: b, subnets: [s1]}]",
        ),
        # One meaning, one value: what differs in spelling only is equal.
        (
            "icDatabase",
            "{hosts: ['FD00:0:0::3']}",
            "{hosts: ['fd00::3']}",
        ),
        (
            "routes",
            "[{from: a, to: b, subnets: ['FD00::/64']}]",
            "[{from: a, to: b, subnets: ['fd00:0::/64']}]",
        ),
    ],
)
def test_short_and_long_forms_are_equal(key: str, short: str, long: str) -> None:
    assert spec_of(minimal(**{key: short})).interconnect == (
        spec_of(minimal(**{key: long})).interconnect
    )


@pytest.mark.parametrize("state", ["{name: a, state: absent, kubernetes: {context: a}}"])
def test_a_zone_to_be_taken_out_needs_no_gateways(state: str) -> None:
    (zone,) = spec_of(minimal(availabilityZones=f"[{state}]")).interconnect.availability_zones
    assert isinstance(zone, KubeOvnZone)
    assert zone.gateway_nodes == ()


def test_a_zone_that_is_gone_has_a_name_only() -> None:
    text = minimal(availabilityZones="[{name: old, state: gone}]")
    (zone,) = spec_of(text).interconnect.availability_zones
    assert zone == GoneZone(name="old", state=ZoneState.GONE)


def test_the_model_written_out_is_the_same_file() -> None:
    model = read(REFERENCE.read_bytes(), "f").interconnect
    written = model.model_dump_json(by_alias=True, exclude_none=True)
    assert read(written.encode(), "f").interconnect == model


def test_models_are_values() -> None:
    model = read(REFERENCE.read_bytes(), "f").interconnect
    again = read(REFERENCE.read_bytes(), "f").interconnect
    assert hash(model) == hash(again)
    with pytest.raises(ValueError, match="frozen"):
        model.metadata.name = "other"


def test_origins_of_values_keys_defaults_and_elements() -> None:
    text = minimal(
        availabilityZones="\n  - name: az1\n    kubernetes: {context: az1}\n"
        "    gatewayNodes:\n      - gw1\n      - gw2\n"
    )
    spec = spec_of(text)
    zones = ("availabilityZones", 0)
    assert str(spec.origin(*zones)) == "f.yaml:6:5"
    assert spec.origin(*zones) == Origin("f.yaml", 6, 5, 10, 12)
    assert spec.origin(*zones, "gatewayNodes", 1) == Origin("f.yaml", 10, 9, 10, 12)
    # Left to its default: the nearest thing that is written.
    assert spec.origin(*zones, "withhold", 0) == spec.origin(*zones)
    assert spec.origin("limits", "canary") == spec.origin()
    key = spec.document.key_origin((*zones, "gatewayNodes"))
    assert key == Origin("f.yaml", 8, 5, 8, 17)
    assert spec.document.written((*zones, "kubernetes")) == "{context: az1}"


# The mapping from pydantic's loc to the path in the file, for every field of the model.


def parts(annotation: object) -> Iterator[object]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from parts(get_args(annotation)[0])
    elif origin in (tuple, Union, types.UnionType):
        for part in get_args(annotation):
            yield from parts(part)
    else:
        yield annotation


def models_in(annotation: object) -> list[type[BaseModel]]:
    return [
        part for part in parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)
    ]


def kind_of(zone: Plain) -> type[BaseModel]:
    assert isinstance(zone, dict)
    if zone.get("state") == "gone":
        return GoneZone
    return PlainOvnZone if zone.get("platform") == "ovn" else KubeOvnZone


def written(
    model: type[BaseModel], data: Plain, path: DocumentPath = ()
) -> Iterator[tuple[DocumentPath, tuple[str, str]]]:
    """The path of every field that the data has, with its class and key."""
    assert isinstance(data, dict)
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in data:
            continue
        yield (*path, key), (model.__name__, key)
        inner = models_in(field.annotation)
        value = data[key]
        if not inner:
            continue
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            below = (*path, key, index) if isinstance(value, list) else (*path, key)
            yield from written(inner[0] if len(inner) == 1 else kind_of(one), one, below)


def all_fields() -> set[tuple[str, str]]:
    """Every field of every model that can be reached, by class and key."""
    seen: set[tuple[str, str]] = set()
    todo: list[type[BaseModel]] = [Interconnect]
    while todo:
        model = todo.pop()
        for name, field in model.model_fields.items():
            seen.add((model.__name__, field.alias or name))
            todo += models_in(field.annotation)
    return seen


def reference() -> Plain:
    return parse(REFERENCE.read_bytes(), "f").data


PLACES = [path for path, _ in written(Interconnect, reference())]


def test_the_reference_example_shows_every_field_but_one() -> None:
    shown = {field for _, field in written(Interconnect, reference())}
    # A deployment has engines or a zone.
    assert all_fields() - shown == {("Deployment", "zone")}


def replaced(data: Plain, path: DocumentPath, value: Plain) -> Plain:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(data, dict) and isinstance(head, str):
        return {
            key: replaced(one, rest, value) if key == head else one for key, one in data.items()
        }
    assert isinstance(data, list)
    return [replaced(one, rest, value) if index == head else one for index, one in enumerate(data)]


def as_text(data: Plain) -> str:
    """JSON, which is YAML, with each key on a line of its own: lines tell paths apart."""
    return json.dumps(data, indent=1)


WRONG: Plain = [["no field is a list of lists"]]


@pytest.mark.parametrize("path", PLACES, ids=spelled)
def test_a_wrong_value_is_reported_at_its_own_path(path: DocumentPath) -> None:
    text = as_text(replaced(reference(), path, WRONG))
    document = parse(text.encode(), "f")
    with pytest.raises(FileError) as caught:
        read(text.encode(), "f")
    inside = [
        one
        for one in caught.value.diagnostics
        if document.origin(path).line <= one.origin.line <= document.origin(path).end_line
        and one.message.startswith(spelled(path))
    ]
    assert inside, caught.value.diagnostics


@pytest.mark.parametrize("path", PLACES, ids=spelled)
def test_an_unknown_key_beside_a_field_is_reported_at_that_key(path: DocumentPath) -> None:
    holder: Any = reference()
    for item in path[:-1]:
        holder = holder[item]
    changed = replaced(reference(), path[:-1], {**holder, "zzzzzz": 1})
    text = as_text(changed)
    document = parse(text.encode(), "f")
    with pytest.raises(FileError) as caught:
        read(text.encode(), "f")
    (one,) = caught.value.diagnostics
    assert one.code == Code.UNKNOWN_KEY
    assert one.origin == document.key_origin((*path[:-1], "zzzzzz"))


@pytest.mark.parametrize("path", PLACES, ids=spelled)
def test_a_key_without_value_is_reported_at_that_key(path: DocumentPath) -> None:
    text = as_text(replaced(reference(), path, None))
    document = parse(text.encode(), "f")
    with pytest.raises(FileError) as caught:
        read(text.encode(), "f")
    here = [one for one in caught.value.diagnostics if one.code == Code.NO_VALUE]
    assert [one.origin for one in here] == [document.origin(path)]


def test_what_a_loc_has_more_than_the_file() -> None:
    text = minimal(availabilityZones="[{name: a, platform: ovn, northbound: tcp:x:1}]")
    document = parse(text.encode(), "f")
    zone: DocumentPath = ("availabilityZones", 0)
    assert path_of((*zone, "ovn", "northbound", 0), document) == ((*zone, "northbound"), False)
    assert path_of((*zone, "ovn", "gateway_nodes"), document) == ((*zone, "gatewayNodes"), False)
    assert path_of((*zone, "ovn", "router"), document) == ((*zone, "router"), False)
    assert path_of(("metadata", "name", "[key]"), document) == (("metadata", "name"), True)
    assert path_of((*zone, "ovn"), document) == (zone, False)
    assert path_of((), document) == ((), False)


def test_words_named_by_the_messages_are_those_of_the_model() -> None:
    text = minimal(routePolicy="static", transitSwitches="{family: ipx}")
    with pytest.raises(FileError) as caught:
        spec_of(text)
    messages = " ".join(one.message for one in caught.value.diagnostics)
    words: list[type[Enum]] = [RoutePolicy, Family]
    for member in (member for enum in words for member in enum):
        assert str(member.value) in messages


def test_literals_are_the_only_words_beside_enumerations() -> None:
    field = Interconnect.model_fields["api_version"]
    assert get_origin(field.annotation) is Literal
    assert get_args(field.annotation) == ("icplan/v1",)
