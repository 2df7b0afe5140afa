"""`verify FROM TO` on the command line: exits, usage, and its document."""

from __future__ import annotations

import pytest

from icplan.lab import wait_until
from tests.cli.conftest import Run, World

pytestmark = pytest.mark.real

ENDS = ("az1/pods", "az2/office")


def unreachable(text: str) -> tuple[str, str]:
    """Takes the second zone's southbound database out of reach."""
    address = text.rpartition("southbound: [")[2].partition("]")[0]
    return f"southbound: [{address}]", "southbound: [tcp:127.0.0.1:9]"


def test_a_way_that_holds(icplan: Run, served: World) -> None:
    served.file()
    done = icplan("verify", *ENDS)
    assert done.exit == 0, done.out + done.err
    assert done.out.startswith("az1/pods -> az2/office\n")
    document = icplan("verify", *ENDS, "--json").json
    assert [one["ends_at"] for one in document["directions"]] == [None, None]
    assert document["directions"][0]["prefixes"] == ["10.117.0.0/24"]
    assert document["directions"][1]["prefixes"] == ["10.16.0.0/16"]


def test_a_way_that_ends(icplan: Run, served: World) -> None:
    served.file()
    served.nbctl("az2", "set", "nb_global", ".", "options:ic-route-blacklist=10.117.0.0/24")
    try:
        done = icplan("verify", *ENDS)
        assert done.exit == 6, done.out + done.err
        assert "  ENDS    az2 withholds nothing of 10.117.0.0/24\n" in done.out
        assert "cause: ic-route-blacklist of az2 denies 10.117.0.0/24\n" in done.out
        # Another subnet of the zone is not concerned.
        wait_until(lambda: icplan("verify", "az1/pods", "az2/pods").exit == 0, "its other subnet")
    finally:
        served.nbctl("az2", "remove", "nb_global", ".", "options", "ic-route-blacklist")
        wait_until(lambda: icplan("verify").exit == 0, "all is as before")


def test_what_cannot_be_seen(icplan: Run, served: World) -> None:
    served.file(unreachable(served.text))
    done = icplan("verify", "az1/10.16.0.0/16", "az2/10.17.0.0/16", "--timeout", "2")
    assert done.exit == 1
    assert "  unseen  az2 bears its name\n" in done.out


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (("az1/pods",), "a way has two ends"),
        (("az1/pods", "az1/office"), "both are in az1"),
        (("az1/pods", "az9/pods"), "there is no availability zone az9"),
        (("az1/pods", "az2/nothing"), "pods (10.17.0.0/16)"),
        (("az1/pods", "az2/*"), "name one subnet: az2/NAME or az2/CIDR"),
        (("az1/pods", "az2/pods", "--probe", "az1=x=sh"), "nobody is pinged without --ping"),
        (("az1/pods", "az2/pods", "--ping", "--probe", "az1=x=sh"), "IPv4 or IPv6 address"),
        (("az1/pods", "az2/pods", "--without", "az2"), "az2 is left out"),
    ],
)
def test_usage(icplan: Run, served: World, ends: tuple[str, ...], words: str) -> None:
    served.file()
    done = icplan("verify", *ends)
    assert (done.exit, done.out) == (64, "")
    assert words in " ".join(done.err.split())
