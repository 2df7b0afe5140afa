"""Finding and running the programs of OVN and of the system. Starts nothing that stays."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import icplan
from icplan.errors import IcplanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_SECONDS = 60.0
"""How long anything in the lab may take before it counts as failed; a busy CI machine is slow."""

# Debian and Ubuntu name these packages alike.
_PACKAGES: Mapping[str, str] = {
    "containerd": "containerd",
    "ctr": "containerd",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "etcd": "etcd-server",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "ncat": "ncat",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ovn-controller": "ovn-host",
    "ovn-ic": "ovn-ic",
    "ovn-ic-nbctl": "ovn-common",
    "ovn-ic-sbctl": "ovn-common",
    "ovn-nbctl": "ovn-common",
    "ovn-northd": "ovn-central",
    "ovn-sbctl": "ovn-common",
    "ovs-appctl": "openvswitch-common",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ovsdb-server": "openvswitch-common",
    "ovsdb-tool": "openvswitch-common",
    "ping": "iputils-ping",
    "setsid": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "unshare": "util-linux",
}
_SCHEMA_PACKAGES: Mapping[str, str] = {
    "ovn-nb.ovsschema": "ovn-central",
    "ovn-sb.ovsschema": "ovn-central",
    "ovn-ic-nb.ovsschema": "ovn-ic-db",
    "ovn-ic-sb.ovsschema": "ovn-ic-db",
    "vswitch.ovsschema": "openvswitch-switch",
}
_SCHEMA_FOLDERS = (
    "/usr/share/ovn",
    "/usr/share/openvswitch",
    "/usr/local/share/ovn",
    "/usr/local/share/openvswitch",
)
_NUMBERS = itertools.count(1)
# A user's PATH often lacks sbin, where Debian puts ovsdb-server, ovs-vswitchd and ip.
_MORE_PATH = "/usr/sbin:/sbin:/usr/local/sbin"


def find_program(name: str) -> str:
    """The path of a program, looked up in PATH and the sbin folders.

    Raises:
        IcplanError: it is not installed; the cure names the package.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_MORE_PATH}")
    if path is None:
        raise IcplanError(
            f"program {name}",
            cause="not found in PATH",
            cure=f"install the Debian or Ubuntu package {_PACKAGES.get(name, name)}: make packages",
        )
    return path


def find_schema(file: str) -> str:
    """The path of an OVSDB schema file such as ``ovn-nb.ovsschema``.

    Raises:
        IcplanError: it is not installed; the cure names the package.
    """
    for folder in _SCHEMA_FOLDERS:
        if os.path.exists(path := f"{folder}/{file}"):  # noqa: PTH110 -- a string is what is wanted
            return path
    raise IcplanError(
        f"database schema {file}",
        place=", ".join(_SCHEMA_FOLDERS),
        cause="not found",
        cure=f"install the Debian or Ubuntu package {_SCHEMA_PACKAGES.get(file, file)}: "
        "make packages",
    )


def environment(run_directory: Path) -> dict[str, str]:
    """The environment for a program of the lab, with every run-time file below one folder.

    The caller's own OVN_* and OVS_* settings are dropped: ``OVN_NB_DAEMON`` or ``OVN_NB_DB`` would
    turn a command for the lab into a command for the caller's real network.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OVN_", "OVS_"))}
    # The lab's own Python processes must find this very icplan, wherever they are started.
    home = str(Path(icplan.__file__).parent.parent)
    python_path = os.pathsep.join(filter(None, (home, kept.get("PYTHONPATH"))))
    folders = ("OVN_RUNDIR", "OVN_LOGDIR", "OVN_DBDIR", "OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR")
    fixed = {"LC_ALL": "C", "PYTHONPATH": python_path}
    return kept | dict.fromkeys(folders, str(run_directory)) | fixed


def complete(
    command: Sequence[str], run_directory: Path, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with a pidfile while it runs.

    Without the pidfile, an ovs-vsctl that waits for its switch would outlive a killed starter by
    a minute and nobody would find it.

    Args:
        command: the path of the program and its arguments.
        run_directory: the folder for the pidfile and for all run-time files of the program.
        timeout: seconds after which the command is killed.

    Raises:
        subprocess.TimeoutExpired: it took too long.
    """
    pidfile = run_directory / f"command-{os.getpid()}-{next(_NUMBERS)}.pid"
    # The command's own process writes the file before it becomes the command: were it done here,
    # a starter killed in between would leave a command without one (seen in 1 of 60 kills).
    write_then_become = ("/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(pidfile))
    with subprocess.Popen(
        [*write_then_become, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(run_directory),
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
        finally:
            pidfile.unlink(missing_ok=True)
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def run(arguments: Sequence[str], *, run_directory: Path, thing: str) -> str:
    """Run a program to its end and return what it wrote to standard output.

    Args:
        arguments: the program's name and its arguments.
        run_directory: the folder that holds all run-time files of the program.
        thing: what is being done, for the error ("subnet pods of az1").

    Raises:
        IcplanError: the program is missing, failed, or took longer than `TIMEOUT_SECONDS`.
    """
    command = [find_program(arguments[0]), *arguments[1:]]
    try:
        # The tools' own --timeout comes first: their message says more.
        done = complete(command, run_directory, TIMEOUT_SECONDS + 5)
    except subprocess.TimeoutExpired as error:
        raise IcplanError(
            thing,
            place=" ".join(arguments),
            cause=f"no end after {TIMEOUT_SECONDS:.0f} s",
            cure="see the logs in the lab's directory; a machine under heavy load needs a retry",
        ) from error
    if done.returncode != 0:
        raise IcplanError(
            thing,
            place=" ".join(arguments),
            cause=(done.stderr or done.stdout).strip() or f"exit {done.returncode}",
            cure="see the logs in the lab's directory",
        )
    return done.stdout
