"""The access file: what it replaces, and what is said about one that is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icplan.backends.access import clusters, endpoints
from icplan.backends.streams import Endpoint, Tls
from icplan.core.io import NORTHBOUND, SOUTHBOUND, Database
from icplan.core.origin import Origin
from icplan.spec.access import with_access
from icplan.spec.diagnostic import FileError, report
from icplan.spec.load import Spec, read
from icplan.spec.model import KubeOvnZone, PlainOvnZone
from icplan.spec.source import Plain
from tests.spec.test_properties import slow, values

FOLDER = Path(__file__).parent / "access"
CASES = sorted(path.parent for path in FOLDER.glob("*/access.yaml"))


def interconnect(file: str = "interconnect.yaml") -> Spec:
    return read((FOLDER / "interconnect.yaml").read_bytes(), file)


def reached(text: str, file: str = "here/access.yaml") -> Spec:
    return with_access(interconnect(), text.encode(), file)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_diagnostics_are_as_reviewed(case: Path) -> None:
    """ICPLAN_UPDATE_CASES=1 rewrites them; what has changed is then to be reviewed."""
    with pytest.raises(FileError) as caught:
        with_access(interconnect(), (case / "access.yaml").read_bytes(), "access.yaml")
    said = report(caught.value)
    if os.environ.get("ICPLAN_UPDATE_CASES"):
        (case / "diagnostics.txt").write_text(said, encoding="utf-8")
    assert said == (case / "diagnostics.txt").read_text(encoding="utf-8")
    assert caught.value.file == "access.yaml"
    assert {one.origin.file for one in caught.value.diagnostics} == {"access.yaml"}


BOTH = """
az1.lab:
  kubernetes: {kubeconfig: lab.kubeconfig}
stack:
  northbound: [ssl:127.0.0.1:1, unix:nb.sock]
  southbound: ssl:127.0.0.1:2
  tls: {ca: ca.pem, certificate: /etc/icplan.pem, key: ~/icplan.key}
"""


def test_it_takes_the_place_of_the_access_and_of_nothing_else() -> None:
    before, after = interconnect(), reached(BOTH)
    az1, lab, stack, old = after.interconnect.availability_zones
    assert (az1, old) == (
        before.interconnect.availability_zones[0],
        before.interconnect.availability_zones[3],
    )
    assert isinstance(lab, KubeOvnZone)
    # Complete: the context of the other file is not mixed with this kubeconfig.
    assert (lab.kubernetes.context, lab.kubernetes.kubeconfig) == (None, "lab.kubeconfig")
    assert lab.gateway_nodes == ("lab-gw1",)
    assert isinstance(stack, PlainOvnZone)
    assert [str(one) for one in stack.northbound] == ["ssl:127.0.0.1:1", "unix:nb.sock"]
    assert (stack.router, stack.gateway_nodes) == ("neutron-5d3c", ("net1",))
    assert after.document == before.document
    assert after.interconnect.model_copy(update={"availability_zones": ()}) == (
        before.interconnect.model_copy(update={"availability_zones": ()})
    )


def test_its_relative_paths_count_from_it_and_those_of_the_file_from_the_file() -> None:
    spec = with_access(interconnect("prod/interconnect.yaml"), BOTH.encode(), "here/access.yaml")
    found = clusters(spec, 1.0)
    assert found["az1.lab"].access.kubeconfig == Path("here/lab.kubeconfig")
    assert (found["az1"].access.context, found["az1"].access.kubeconfig) == ("az1", None)
    assert spec.directory("az1") == Path("prod")
    servers = endpoints(spec, found)
    encrypted, socket = servers[Database("stack", NORTHBOUND)]
    assert str(socket) == "unix:here/nb.sock"
    (south,) = servers[Database("stack", SOUTHBOUND)]
    key = Path("~/icplan.key").expanduser()
    for one in (encrypted, south):
        assert isinstance(one, Endpoint)
        assert one.tls == Tls(Path("here/ca.pem"), Path("/etc/icplan.pem"), key)


def test_places_are_in_the_file_that_says_so() -> None:
    spec = reached(BOTH)
    assert spec.access_origin(2, "northbound", 1) == Origin("here/access.yaml", 5, 33, 5, 45)
    assert str(spec.access_origin(0, "kubernetes")) == "interconnect.yaml:6:29"
    assert spec.lines(spec.access_origin(2))[0] == ""
    assert spec.lines(spec.access_origin(0))[0] == "apiVersion: icplan/v1"


def test_certificates_that_nobody_looks_at_are_a_warning_in_both_files() -> None:
    text = (FOLDER / "interconnect.yaml").read_text()
    idle = "    tls: {ca: a, certificate: b, key: c}\n    router"
    spec = read(text.replace("    router", idle).encode(), "interconnect.yaml")
    access = BOTH.replace("ssl:", "tcp:").encode()
    warnings = with_access(spec, access, "here/access.yaml").warnings
    assert [str(one.origin) for one in warnings] == [
        "interconnect.yaml:12:5",
        "here/access.yaml:7:3",
    ]


def test_an_entry_for_a_zone_that_is_gone_says_nothing_or_is_wrong() -> None:
    assert reached("old: {}").interconnect == interconnect().interconnect


def test_a_name_that_is_there_twice_is_left_to_the_rules() -> None:
    text = (FOLDER / "interconnect.yaml").read_text().replace("az1.lab", "az1")
    spec = read(text.encode(), "f.yaml")
    zones = with_access(spec, b"az1: {kubernetes: {context: x}}", "a.yaml").interconnect
    contexts = [
        one.kubernetes.context for one in zones.availability_zones if isinstance(one, KubeOvnZone)
    ]
    assert contexts == ["x", "x"]


KEYS = ("kubernetes", "northbound", "southbound", "tls", "context", "ca", "router", "name")
entries = st.dictionaries(st.sampled_from(KEYS), values, max_size=4)


@slow
@given(st.dictionaries(st.sampled_from(["az1", "stack", "old", "az2"]), entries | values))
def test_whatever_it_says_it_is_good_or_a_file_error(data: Plain) -> None:
    found: Spec | FileError
    try:
        found = reached(json.dumps(data))
    except FileError as error:
        found = error
    if isinstance(found, FileError):
        assert report(found).replace("\n", "").isprintable()
        assert {one.origin.file for one in found.diagnostics} == {"here/access.yaml"}
        return
    for index, zone in enumerate(found.interconnect.availability_zones):
        in_it = isinstance(data, dict) and zone.name in data
        assert (found.access_origin(index).file == "here/access.yaml") is in_it
