"""Who gives an address up that several Kube-OVN zones have drawn: those that may be interrupted."""

from __future__ import annotations

from itertools import product

import orjson
import pytest

from icplan.planning.verdicts import PROTECTED
from tests.planning.recorded_case import Altered, Json, codes

CASE = "transit_addresses/shared"
IC = "ic/OVN_IC_Southbound"
ZONES = ("az1", "az2", "az3")


def _as_third(one: Json) -> Json:
    return orjson.loads(orjson.dumps(one).replace(b"az2", b"az3"))


def _three() -> Altered:
    """A third zone, with the address that the two of the case have."""
    case = Altered(CASE)
    second = case.text[case.text.index("  - name: az2") :]
    case.text += second.replace("az2", "az3")
    databases = case.snapshot["databases"]
    for path in [one for one in databases if one.startswith("az2/")]:
        databases[path.replace("az2", "az3")] = _as_third(databases[path])
    objects = case.snapshot["objects"]
    objects += [_as_third(one) for one in objects if one["site"] == "az2"]
    (zone,) = (one for one in case.rows(IC, "Availability_Zone") if one["name"] == "az2")
    case.rows(IC, "Availability_Zone").append(zone | {"_uuid": "third", "name": "az3"})
    for table in ("Port_Binding", "Gateway", "Route"):
        rows = case.rows(IC, table)
        rows += [
            _as_third(one) | {"_uuid": f"third-{one['_uuid']}", "availability_zone": "third"}
            for one in rows
            if one["availability_zone"] == zone["_uuid"]
        ]
    return case


@pytest.mark.parametrize("protected", list(product((False, True), repeat=3)))
def test_one_of_three_keeps_it_a_protected_one_if_there_is_any(
    protected: tuple[bool, bool, bool],
) -> None:
    case = _three()
    kept = [zone for zone, is_kept in zip(ZONES, protected, strict=True) if is_kept]
    for zone in kept:
        name = f"  - name: {zone}\n"
        case.says(name, f"{name}    protected: true\n")
    made = case.plan()
    cycled = {one.address.site for one in made.changes if one.address.kind == "transit-addresses"}
    keeper = (kept or ZONES)[0]
    assert cycled == {*ZONES} - {keeper}
    # Where two of them are protected, one must be interrupted all the same, and that is refused.
    assert (PROTECTED in codes(made)) is (len(kept) > 1)
