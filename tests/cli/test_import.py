"""`icplan import` on the command line: what it refuses, where things go, and how it ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from icplan.lab import Lab, StandaloneDatabases
from tests.cli.conftest import Run, World

pytestmark = pytest.mark.real

FILE = "imported.yaml"


def options(world: World) -> list[str]:
    """What names the two zones of a world, and its IC databases."""
    databases: StandaloneDatabases | Lab = world.databases
    ports = databases.ic.ports
    words = ["--ic", "127.0.0.1", "--ic-ports", str(ports.northbound), str(ports.southbound)]
    for name, zone in databases.zones.items():
        words += ["--ovn", name, zone.northbound.network, zone.southbound.network]
    return words


# How it ends


def test_what_is_served_is_imported_whole(icplan: Run, served: World) -> None:
    done = icplan("import", *options(served))
    assert done.exit == 0, done.err
    assert done.out.startswith("# yaml-language-server: $schema=interconnect.schema.json\n")
    assert "metadata:\n  # The owner mark: what icplan has written" in done.out
    assert "Imported 2 zones (az1, az2): its plan changes nothing.\n" in done.err
    Path(FILE).write_text(done.out)
    assert icplan("validate", "-f", FILE).exit == 0
    planned = icplan("plan", "-f", FILE, "--detailed-exitcode")
    assert planned.exit == 0
    assert planned.out == "No changes. What is there is what the file says.\n"


def test_what_the_file_cannot_say_is_told_with_exit_1(icplan: Run, served: World) -> None:
    served.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-learn=false")
    try:
        done = icplan("import", *options(served), "--out", FILE)
        assert done.exit == 1
        assert done.out == ""
        assert "Not said in the file:\n  az1 NB_Global, options:ic-route-learn\n" in done.err
        assert "Imported 2 zones (az1, az2) to imported.yaml: 1 thing it does not say." in done.err
        assert "# NOT SAID: NB_Global, options:ic-route-learn of az1" in Path(FILE).read_text()
    finally:
        served.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-learn=true")


def test_a_file_that_plan_refuses_is_imported_and_says_so(icplan: Run, served: World) -> None:
    served.nbctl("az1", "lr-nat-add", "router", "snat", "192.0.2.1", "10.16.0.0/16")
    try:
        done = icplan("import", *options(served))
        assert done.exit == 0, done.err
        assert "`icplan plan` refuses the file as long as these stand:\n  IC017 az1" in done.err
    finally:
        served.nbctl("az1", "lr-nat-del", "router")


def test_nothing_is_written_of_what_cannot_be_seen(icplan: Run, served: World) -> None:
    words = [*options(served), "--timeout", "2"]
    words[words.index("az2") + 2] = "tcp:127.0.0.1:9"
    done = icplan("import", *words, "--out", FILE)
    assert done.exit == 1
    assert "error: southbound database of az2" in done.err
    assert not Path(FILE).exists()
    words = [*options(served), "--timeout", "2"]
    words[words.index("--ic-ports") + 1] = "9"
    done = icplan("import", *words, "--out", FILE)
    assert done.exit == 1
    assert "error: IC databases" in done.err
    assert "directly: tcp:127.0.0.1:9 cannot be connected" in done.err
    assert not Path(FILE).exists()


def test_what_is_not_interconnected_is_no_file(icplan: Run, fresh: World) -> None:
    done = icplan("import", *options(fresh), "--out", FILE)
    assert done.exit == 1
    assert "none of what you named is interconnected" in done.err
    assert "zone az1: NB_Global.name is not set" in " ".join(done.err.split())
    assert not Path(FILE).exists()
    document = icplan("import", *options(fresh), "--json").json
    assert document["exit"] == 1
    assert document["error"]["thing"] == "import"


# What it refuses


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no zone is named"),
        (("--ic", "127.0.0.1"), "no zone is named"),
        (("--kube-context", ""), "it is empty"),
        (("--kubeconfig", ""), "it is empty"),
        (
            ("--kube-context", "a", "--kubeconfig", "x", "--kubeconfig", "y"),
            "there are 1 contexts and 2 kubeconfigs",
        ),
        (("--ovn", "a", "10.0.0.5", "tcp:10.0.0.5:2"), "expected tcp:HOST:PORT"),
        (("--ovn", "a", "tcp:10.0.0.5:1", "tcp:10.0.0.5"), "expected tcp:HOST:PORT"),
        (("--ovn", "a", "ssl:10.0.0.5:1", "ssl:10.0.0.5:2"), "needs a CA, a certificate"),
        (("--ovn", "a", "tcp:10.0.0.5:1"), "requires 3 arguments"),
        (
            ("--ovn", "a", "tcp:h:1", "tcp:h:2", "--ovn", "a", "tcp:h:3", "tcp:h:4"),
            "two zones are called so",
        ),
        (("--ovn", "a", "tcp:h:1", "tcp:h:2", "--router", "b", "r"), "no --ovn names a zone b"),
        (("--kube-context", "a", "--tls", "a", "x", "y", "z"), "no --ovn names a zone a"),
        (("--kube-context", "a", "--ic", "host.example.com"), "expected an IPv4 or IPv6 address"),
        (("--kube-context", "a", "--ic-ports", "0", "1"), "not in the range"),
        (("--kube-context", "a", "--name", "My Name"), "lower-case letters"),
        (("--kube-context", "a", "--name", ""), "the text is empty"),
        (("--kube-context", "a", "--reach-through", "b"), "no such cluster is imported"),
        (("--ovn", "a", "tcp:h:1", "tcp:h:2", "--reach-through", "a"), "only clusters can be"),
        (("--kube-context", "a", "--timeout", "nan"), "is no number of seconds"),
        (("--kube-context", "a", "--out", "nowhere/a.yaml"), "there is no directory nowhere"),
        (("--kube-context", "a", "--out", "."), "it is a directory"),
        (("-f", "a.yaml"), "No such option"),
    ],
)
def test_wrong_usage(icplan: Run, words: tuple[str, ...], said: str) -> None:
    done = icplan("import", *words)
    assert done.exit == 64, done.err
    assert said in " ".join(done.err.split())
    assert done.out == ""


def test_a_kubeconfig_that_is_not_there_is_no_wrong_usage(icplan: Run) -> None:
    done = icplan("import", "--kube-context", "az1", "--kubeconfig", "nowhere")
    assert done.exit == 1
    assert "there is no such kubeconfig file" in done.err


# Where things go


def test_a_file_that_is_there_is_kept(icplan: Run, served: World) -> None:
    Path(FILE).write_text("mine\n")
    done = icplan("import", *options(served), "--out", FILE)
    assert done.exit == 64
    assert "add --force to replace it" in done.err
    assert Path(FILE).read_text() == "mine\n"
    Path("link.yaml").symlink_to("nowhere")
    assert icplan("import", *options(served), "--out", "link.yaml").exit == 64
    assert icplan("import", *options(served), "--out", FILE, "--force").exit == 0
    assert "apiVersion" in Path(FILE).read_text()


def test_a_file_has_the_usual_mode(icplan: Run, served: World) -> None:
    before = os.umask(0o022)
    try:
        assert icplan("import", *options(served), "--out", FILE).exit == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path(FILE).stat().st_mode) == 0o644


def test_a_place_that_cannot_be_written_is_an_error(icplan: Run, served: World) -> None:
    done = icplan("import", *options(served), "--out", "/dev/full", "--force")
    assert done.exit == 1
    assert "no space left on device" in done.err


def test_json_holds_the_file(icplan: Run, served: World) -> None:
    document = icplan("import", *options(served), "--json").json
    text = icplan("import", *options(served)).out
    assert document["content"] == text
    assert document["zones"] == ["az1", "az2"]
    assert document["out"] is None
    assert (document["unsaid"], document["refused"], document["exit"]) == ([], [], 0)
    served.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-adv=false")
    try:
        done = icplan("import", *options(served), "--json", "--out", FILE)
        assert done.exit == done.json["exit"] == 1
        (unsaid,) = done.json["unsaid"]
        assert {*unsaid} == {"at", "thing", "what", "cure"}
        assert unsaid["at"] == "az1"
        assert done.json["content"] == Path(FILE).read_text()
    finally:
        served.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-adv=true")


def test_paths_count_from_the_file(icplan: Run, served: World) -> None:
    # Beside the databases' sockets: a path in a file elsewhere leads to them, too.
    zone = served.databases.zones["az1"]
    words = options(served)
    place = words.index("az1") + 1
    socket = zone.northbound.unix.removeprefix("unix:")
    words[place] = f"unix:{os.path.relpath(socket)}"
    Path("deep/er").mkdir(parents=True)
    done = icplan("import", *words, "--out", f"deep/er/{FILE}")
    assert done.exit == 0, done.err
    text = Path("deep/er", FILE).read_text()
    assert f"unix:{os.path.relpath(socket, 'deep/er')}" in text
    assert icplan("plan", "-f", f"deep/er/{FILE}").exit == 0


def test_the_schema_line_is_of_ones_choice(icplan: Run, served: World) -> None:
    done = icplan("import", *options(served), "--schema", "../schema.json\nx: y")
    assert done.out.splitlines()[0] == "# yaml-language-server: $schema=../schema.json\\x0ax: y"


def test_a_name_that_is_asked_for_stands_in_it(icplan: Run, served: World) -> None:
    done = icplan("import", *options(served), "--name", "stage")
    assert done.exit == 1
    assert "  name: stage\n" in done.out
    # What is there belongs to another file, and that is no small thing.
    assert "belongs to the file named prod, not to stage" in " ".join(done.err.split())


def test_what_zones_are_called_by_is_not_obeyed_by_a_terminal(icplan: Run, served: World) -> None:
    served.nbctl("az1", "lr-add", "\x1b[31mevil\u202egnol")
    served.nbctl(
        "az1",
        *("lrp-add", "\x1b[31mevil\u202egnol", "evil", "02:00:00:00:00:99", "169.254.100.99/24"),
        *("--", "lsp-add", "ts", "ts-evil", "--", "lsp-set-type", "ts-evil", "router"),
        *("--", "lsp-set-options", "ts-evil", "router-port=evil"),
    )
    try:
        done = icplan("import", *options(served))
        assert done.exit == 1
        assert "\\x1b[31mevil" in done.err
        assert "\x1b" not in done.err + done.out
        assert "\u202e" not in done.err + done.out
        assert "    router: router\n" in done.out
        done = icplan("import", *options(served), "--router", "az1", "\x1b[31mevil\u202egnol")
        assert done.exit == 64
        assert "expected text on one line" in " ".join(done.err.split())
        assert "\x1b" not in done.err + done.out
        assert "\u202e" not in done.err + done.out
    finally:
        served.nbctl("az1", "lsp-del", "ts-evil", "--", "lr-del", "\x1b[31mevil\u202egnol")
