"""What the options of `icplan import` mean: which contexts, of which files, under which paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from icplan.cli.importing import Named, asked
from icplan.spec.model import KubeOvnAccess, PlainOvnAccess

NOTHING = Named((), (), (), (), (), (), None, None, None)
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: kubernetes-admin@one
contexts:
  - {name: kubernetes-admin@one, context: {cluster: one, user: one}}
  - {name: other, context: {cluster: one, user: one}}
"""


def accesses(named: Named, directory: Path = Path()) -> list[tuple[str | None, str | None]]:
    """The contexts and kubeconfigs of the clusters."""
    found = []
    for zone in asked(named, directory).zones:
        assert isinstance(zone.access, KubeOvnAccess)
        found.append((zone.access.kubernetes.context, zone.access.kubernetes.kubeconfig))
    return found


def test_contexts_of_the_usual_kubeconfig() -> None:
    named = replace(NOTHING, contexts=("az1", "kubernetes-admin@az2"))
    assert accesses(named) == [("az1", None), ("kubernetes-admin@az2", None)]
    assert [one.site for one in asked(named, Path()).zones] == ["az1", "kubernetes-admin-az2"]


def test_one_kubeconfig_is_that_of_all_contexts() -> None:
    named = replace(NOTHING, contexts=("az1", "az2"), kubeconfigs=("prod.yaml",))
    assert accesses(named) == [("az1", "prod.yaml"), ("az2", "prod.yaml")]


def test_as_many_kubeconfigs_as_contexts_go_together_in_their_order() -> None:
    same = ("kubernetes-admin@kubernetes",) * 2
    named = replace(NOTHING, contexts=same, kubeconfigs=("one.conf", "two.conf"))
    assert accesses(named) == [(same[0], "one.conf"), (same[0], "two.conf")]
    # Kubeadm calls every context so: the two zones are told apart all the same.
    sites = [one.site for one in asked(named, Path()).zones]
    assert len({*sites}) == 2


def test_a_kubeconfig_alone_means_its_current_context(tmp_path: Path) -> None:
    file = tmp_path / "one.conf"
    file.write_text(KUBECONFIG)
    named = replace(NOTHING, kubeconfigs=(str(file),))
    # It is written down: the current one may be another tomorrow.
    assert accesses(named) == [("kubernetes-admin@one", str(file))]


def test_paths_count_from_the_file_that_is_written() -> None:
    named = replace(NOTHING, contexts=("az1",), kubeconfigs=("keys/prod.yaml",))
    assert accesses(named, Path("envs/prod")) == [("az1", "../../keys/prod.yaml")]
    for absolute in ("/etc/prod.yaml", "~/.kube/prod"):
        named = replace(NOTHING, contexts=("az1",), kubeconfigs=(absolute,))
        assert accesses(named, Path("envs/prod")) == [("az1", absolute)]


def test_a_plain_zone_and_its_files() -> None:
    named = replace(
        NOTHING,
        plain=[("Stack 1", "ssl:10.0.0.5:6641,ssl:[fd00::6]:6641", "unix:run/sb.sock")],
        certificates=[("Stack 1", "ca.pem", "/etc/icplan.pem", "icplan.key")],
        routers=[("Stack 1", "neutron-5d3c")],
    )
    (zone,) = asked(named, Path("out")).zones
    assert (zone.site, zone.title, zone.router) == ("stack-1", "zone Stack 1", "neutron-5d3c")
    assert isinstance(zone.access, PlainOvnAccess)
    assert [*map(str, zone.access.northbound)] == ["ssl:10.0.0.5:6641", "ssl:[fd00::6]:6641"]
    assert [*map(str, zone.access.southbound)] == ["unix:../run/sb.sock"]
    assert zone.access.tls is not None
    assert zone.access.tls.model_dump() == {
        "ca": "../ca.pem",
        "certificate": "/etc/icplan.pem",
        "key": "../icplan.key",
    }


@pytest.mark.parametrize(
    "hosts", [("10.0.0.1", "fd00::2"), ("10.0.0.1,fd00:0::2",), ("10.0.0.1, fd00::2",)]
)
def test_hosts_in_every_spelling(hosts: tuple[str, ...]) -> None:
    named = replace(NOTHING, contexts=("az1",), hosts=hosts, ports=(1, 2))
    wanted = asked(named, Path())
    assert (wanted.hosts, wanted.ports) == (("10.0.0.1", "fd00::2"), (1, 2))


def test_names_of_sites_are_names_of_zones_and_no_two_are_equal() -> None:
    contexts = ("ic", "A" * 80, "a" * 80, "@@@", "az1", "AZ1", "az1-2")
    zones = asked(replace(NOTHING, contexts=contexts), Path()).zones
    sites = [one.site for one in zones]
    assert len({*sites}) == len(contexts)
    assert "ic" not in sites
    assert all(len(one) <= 63 and one.strip("-.") == one for one in sites)


def test_the_road_is_a_context() -> None:
    named = replace(NOTHING, contexts=("AZ1", "az2"), through="AZ1")
    assert asked(named, Path()).through == "az1"
