"""The installer of system packages, with an apt-get that installs nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "packages"
TOOLS = ("sh", "grep", "rm", "mv", "chmod", "sort", "tr", "cat", "ln")
# What the script looks for outside the sbin folders, which it always searches.
PROGRAMS = (
    *("ovn-northd", "ovn-nbctl", "ovn-ic-nbctl", "ovn-controller", "ovn-ic", "openssl"),
    *("etcd", "ncat", "containerd", "ctr", "docker", "ssh"),
)

pytestmark = pytest.mark.real


class Machine:
    """A machine as the script sees it: a PATH, a policy-rc.d and an apt-get."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "bin"
        self.bin.mkdir()
        self.policy = root / "policy-rc.d"
        self.seen = root / "seen"
        for tool in TOOLS:
            self.program(tool, shutil.which(tool))
        for each in ("ping", "ip", "ethtool", "sysctl", "ovsdb-server", "ovs-vswitchd"):
            self.program(each, "/bin/true")
        self.program("python3", sys.executable)
        self.script("id", "echo 0")

    def program(self, name: str, target: str | None) -> None:
        assert target is not None
        (self.bin / name).symlink_to(target)

    def script(self, name: str, text: str) -> None:
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def apt(self, then: str) -> None:
        """An apt-get that shows the policy in force during an installation, then does more."""
        self.script(
            "apt-get", f'[ "$1" = install ] || exit 0\ncat {self.policy} >{self.seen}\n{then}'
        )

    def run(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "POLICY_RC_D": str(self.policy)}
        return subprocess.run(
            ["/bin/sh", str(SCRIPT)], env=environment, capture_output=True, text=True
        )

    @property
    def installs(self) -> str:
        """What an apt-get does that really installs: the programs appear."""
        return "; ".join(f"ln -s /bin/true {self.bin}/{each}" for each in PROGRAMS)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("before", [None, "#!/bin/sh\nexit 104\n"])
def test_no_service_may_start_and_the_policy_is_put_back(
    machine: Machine, before: str | None
) -> None:
    if before:
        machine.policy.write_text(before)
    machine.apt(machine.installs)
    done = machine.run()
    assert done.returncode == 0, done.stderr
    assert "exit 101" in machine.seen.read_text()
    assert (machine.policy.read_text() if before else machine.policy.exists()) == (before or False)
    assert machine.run().stdout == "packages: nothing is missing\n"


def test_a_failed_installation_puts_the_policy_back(machine: Machine) -> None:
    machine.apt("exit 100")
    assert machine.run().returncode == 100
    assert machine.seen.exists()
    assert not machine.policy.exists()


def test_a_killed_installation_is_cleaned_up_by_the_next(machine: Machine) -> None:
    machine.policy.write_text("#!/bin/sh\nexit 104\n")
    machine.apt('kill -9 "$PPID"')
    assert machine.run().returncode == -9
    assert "exit 101" in machine.policy.read_text()
    machine.apt(machine.installs)
    assert machine.run().returncode == 0
    assert machine.policy.read_text() == "#!/bin/sh\nexit 104\n"


@pytest.mark.parametrize(("offered", "package"), [(True, "docker-cli"), (False, "docker.io")])
def test_the_docker_command_is_taken_from_where_it_is(
    machine: Machine, offered: bool, package: str
) -> None:
    named = machine.bin.parent / "named"
    machine.script("apt-cache", f'[ "$1 $2" = "show docker-cli" ] && exit {0 if offered else 100}')
    machine.apt(f'echo " $* " >{named}; {machine.installs}')
    done = machine.run()
    assert done.returncode == 0, done.stderr
    words = named.read_text().split()
    assert package in words
    assert len(words) == len({*words})
    assert ("docker-cli" in words) is offered
    assert "|" not in done.stdout


def test_packages_that_do_not_bring_the_programs_are_an_error(machine: Machine) -> None:
    machine.apt("exit 0")
    done = machine.run()
    assert done.returncode == 1
    assert "still missing" in done.stderr
    assert "ovn-ic" in done.stderr


def test_without_root_the_command_to_run_is_shown(machine: Machine) -> None:
    machine.apt("exit 0")
    machine.script("id", "echo 1000")
    done = machine.run()
    assert done.returncode == 1
    assert f"sudo sh {SCRIPT}" in done.stderr
    assert not machine.seen.exists()
