"""Overlapping subnets are refused before anything is written, whichever family they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.lab import Family, Lab, LabOptions, wait_until
from tests.real.conftest import Icplan

pytestmark = pytest.mark.real

COPIES = {
    Family.IPV4: ("10.16.5.1/24",),
    Family.IPV6: ("fd00:10:16:0:8000::1/65",),
    Family.DUAL: ("10.16.5.1/24", "fd00:10:16:0:8000::1/65"),
}


def everything(lab: Lab) -> dict[Path, bytes]:
    """All databases, byte by byte: even a write that changes nothing would be seen."""
    return {path: path.read_bytes() for path in lab.directory.glob("**/*.db")}


def at_rest(lab: Lab) -> dict[Path, bytes]:
    """All databases, once the daemons have nothing to do any more."""
    looks = [everything(lab)]

    def same() -> bool:
        looks.append(everything(lab))
        return len(looks) > 20 and all(one == looks[-1] for one in looks[-20:])

    wait_until(same, "the databases come to rest")
    return looks[-1]


def refused(lab: Lab, icplan: Icplan) -> str:
    """What plan and apply say; not a byte of any database is another one afterwards."""
    before = at_rest(lab)
    assert len(before) == 2 + 2 * len(lab.zones)
    plan = icplan("plan")
    assert plan.exit == 4
    apply = icplan("apply", "--auto-approve")
    assert apply.exit == 4
    assert everything(lab) == before
    return " ".join(plan.out.split())


@pytest.mark.parametrize("family", COPIES, ids=str)
def test_before_the_first_zone_joins(short_path: Path, family: Family) -> None:
    with Lab(short_path / "lab", LabOptions(family=family, play_ovn_controller=True)) as lab:
        icplan = Icplan(short_path, lab.interconnect_file)
        lab.zones["az2"].add_subnet("copy", *COPIES[family])
        said = refused(lab, icplan)
        for ours, theirs in (
            ("10.16.5.0/24", "10.16.0.0/16"),
            ("fd00:10:16:0:8000::/65", "fd00:10:16::/64"),
        ):
            there = any((":" in one) == (":" in ours) for one in COPIES[family])
            message = (
                f"{ours} of az2 (router port router-copy) overlaps {theirs} of az1 (router port "
                "router-pods) cure: Withhold"
            )
            assert (message in said) == there


def test_a_zone_that_joins_two_others(lab: Lab, icplan: Icplan) -> None:
    """One of them is left out, the other is not in the file any more."""
    icplan.apply()
    az1 = lab.zones["az1"]
    wait_until(lambda: "10.17.0.0/16" in az1.nbctl("lr-route-list", "router"), "az1 has learned")
    az1.nbctl("lr-route-add", "router", "10.17.5.0/24", "10.16.0.9")
    message = "10.17.5.0/24 of az1 (static route via 10.16.0.9) overlaps 10.17.0.0/16 of az2 "
    reverse = "10.17.0.0/16 of az2 (registered route) overlaps 10.17.5.0/24 of az1 (static route"

    plan = icplan("plan", "--without", "az2")
    assert plan.exit == 4
    assert reverse in " ".join(plan.out.split())

    text = icplan.file.read_text()
    icplan.file.write_text(text[: text.index("  - name: az2")])
    assert f"{message}(registered route)" in refused(lab, icplan)
    icplan.file.write_text(text)

    # Withheld it harms nobody; to take that back is refused like the first time.
    shown = "    withhold: [10.17.5.0/24,"
    icplan.edit("    withhold: [", f"{shown} ")
    icplan.apply()
    icplan.edit(f"{shown} ", "    withhold: [")
    assert "10.17.0.0/16 of az2 (router port router-pods) overlaps 10.17.5.0/24" in refused(
        lab, icplan
    )
    az1.nbctl("lr-route-del", "router", "10.17.5.0/24")
    icplan.apply()
    assert icplan("verify").exit == 0
