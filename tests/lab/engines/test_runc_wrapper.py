"""What engine hosts change in a container before runc gets it."""

from __future__ import annotations

import pytest

from icplan.lab.engines import runc_wrapper

ALL = "CapInh:\t0\nCapBnd:\t000001ffffffffff\n"
NO_RESOURCE = "CapBnd:\t000001fffeffffff\n"


def test_a_machine_with_all_capabilities_lacks_none() -> None:
    assert runc_wrapper.missing_capabilities(ALL) == set()
    assert runc_wrapper.missing_capabilities(NO_RESOURCE) == {"CAP_SYS_RESOURCE"}


def test_only_what_is_missing_is_not_demanded() -> None:
    asked = {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": []}
    container = {
        "process": {"args": ["bash"], "capabilities": asked},
        "linux": {"cgroupsPath": "/k8s.io/db"},
    }
    changed = runc_wrapper.adapted(container, {"CAP_SYS_RESOURCE"}, "icl-h1")
    assert changed == {
        "process": {"args": ["bash"], "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []}},
        "linux": {"cgroupsPath": "/icl-h1/k8s.io/db"},
    }
    # Docker has been told the control group, and nothing is missing: nothing changes.
    own = {"process": container["process"], "linux": {"cgroupsPath": "/icl-h1/0123"}}
    assert runc_wrapper.adapted(own, set(), "icl-h1") == own


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["create", "--bundle", "/b", "db"], "/b"),
        (["create", "-b", "/b", "db"], "/b"),
        (["create", "--bundle=/b", "db"], "/b"),
        (["kill", "db", "9"], None),
    ],
)
def test_the_bundle_is_found_in_what_runc_is_told(arguments: list[str], value: str | None) -> None:
    assert runc_wrapper.option(arguments, "--bundle", "-b") == value
