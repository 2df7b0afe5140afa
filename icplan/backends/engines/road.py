"""Commands on a host of the IC databases: on this machine, or over SSH. Knows no engine.

Arguments are passed as lists, and quoted for the one shell that sshd starts; nothing ever asks a
person.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed, last_line

_SSH = re.compile(r"ssh://(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::([0-9]+))?")
_SSH_FAILED = 255
_NOT_FOUND = 127
_CONNECT_SECONDS = 10
_ALIVE_SECONDS, _ALIVE_COUNT = 10, 3
"""A host that is silent for half a minute while a command runs is given up."""

_REASON = r"ssh: connect to host \S+ port [0-9]+: "
_HOST_KEY = re.compile(r"Host key verification failed\.")
_DENIED = re.compile(r".*: Permission denied \(.*\)\.")
_REFUSED = re.compile(_REASON + "Connection refused")
_SILENT = re.compile(
    rf"{_REASON}(Connection timed out|No route to host|Network is unreachable)"
    "|Connection timed out during banner exchange"
)
_NO_NAME = re.compile(r"ssh: Could not resolve hostname .*")
_BEFORE = re.compile(rf"{_REASON}.*|kex_exchange_identification: .*|Unable to negotiate with .*")
_LOST = re.compile(r"^Connection to \S+ closed by remote host\.\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


class Road(Protocol):
    """The way to a host."""

    def run(self, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command to its end.

        Raises:
            CommandFailed: it could not be run, or did not end in time.
        """

    def by_hand(self, arguments: Sequence[str]) -> str:
        """The command line with which a person does the same from here."""


class Here:
    """This machine."""

    def run(self, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command to its end.

        Raises:
            CommandFailed: it could not be run, or did not end in time.
        """
        done = _run(arguments, deadline)
        if done is None:
            raise _no_command(arguments[0], "this machine")
        return done

    def by_hand(self, arguments: Sequence[str]) -> str:
        """The command line with which a person does the same from here."""
        return shlex.join(arguments)


class OverSsh:
    """A host that is reached by the `ssh` command, with its configuration, keys and agent.

    Args:
        where: `ssh://[USER@]HOST[:PORT]`.
    """

    def __init__(self, where: str) -> None:
        found = _SSH.fullmatch(where)
        if found is None:
            raise ValueError(where)
        user, host, port = found[1], found[2].strip("[]"), found[3]
        self._title = f"{user}@{host}" if user else host
        self._port = port
        self._login = f"ssh -p {port} {self._title}" if port else f"ssh {self._title}"
        self._options = (
            *("-o", "BatchMode=yes"),
            # A user's own setting may be silent; what breaks a connection is said at this level.
            *("-o", "LogLevel=INFO"),
            *("-o", f"ConnectTimeout={_CONNECT_SECONDS}"),
            *("-o", f"ServerAliveInterval={_ALIVE_SECONDS}"),
            *("-o", f"ServerAliveCountMax={_ALIVE_COUNT}"),
            *(("-p", port) if port else ()),
            *(("-l", user) if user else ()),
            *("--", host),
        )

    def run(self, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command to its end.

        Raises:
            CommandFailed: it could not be run, or did not end in time.
        """
        # What ssh says itself goes to a file of its own: a remote command can say the same words.
        with _log() as log:
            words = ("ssh", "-T", "-E", log.name, *self._options, shlex.join(arguments))
            done = _run(words, deadline)
            own = _text(log.read())
        if done is None:
            raise _no_command("ssh", "this machine")
        if done.code == _SSH_FAILED:
            raise self._failed(arguments[0], own, done.err)
        if done.code == _NOT_FOUND and not _speaks(arguments[0], done.err):
            raise _no_command(arguments[0], self._title)
        return done

    def by_hand(self, arguments: Sequence[str]) -> str:
        """The command line with which a person does the same from here."""
        return f"{self._login} {shlex.quote(shlex.join(arguments))}"

    def _failed(self, program: str, own: str, said: str) -> CommandFailed:
        """In words, why there is no result.

        The messages of ssh are no part of any interface. Those that it has only before the command
        begins are known here (OpenSSH 9.2, each of them seen); whatever else it says, the command
        may have been done.
        """
        port = f" -p {self._port}" if self._port else ""
        by_hand = f"try by hand: {self._login}"
        known = {
            _HOST_KEY: (
                "ssh does not know its host key, or knows another one",
                f"compare the key and accept it: {self._login}",
            ),
            _DENIED: (
                f"ssh is not let in as {self._title}",
                f"let a key in that needs no password here: ssh-copy-id{port} {self._title}",
            ),
            _REFUSED: (
                "ssh finds nobody who listens there",
                f"check that sshd runs, and the port: {self._login}",
            ),
            _SILENT: (
                "ssh gets no answer from there",
                f"check the address, and that no firewall is between: {self._login}",
            ),
            _NO_NAME: (
                "ssh cannot resolve its name",
                "correct the host in `engines`, or add it to the name service",
            ),
        }
        lines = [line.strip() for line in own.splitlines()]
        for sign, (cause, cure) in known.items():
            if any(sign.fullmatch(line) for line in lines):
                return CommandFailed(cause, cure, unsent=True)
        before = [line for line in lines if _BEFORE.fullmatch(line)]
        if before:
            # A host on the way says why on the other road.
            why = last_line(said) if said.strip() else before[-1]
            return CommandFailed(f"ssh fails: {why}", by_hand, unsent=True)
        if own.strip() or _LOST.search(said):
            why = last_line(f"{said}\n{own}")
            return CommandFailed(f"ssh fails: {why}", by_hand, unanswered=True)
        # So it also ends when a signal ended the command.
        return CommandFailed(
            f"ssh, or {program} on {self._title}, fails: {last_line(said)}",
            by_hand,
            unanswered=True,
        )


def _log() -> tempfile._TemporaryFileWrapper[bytes]:
    """A file for what ssh says itself."""
    try:
        return tempfile.NamedTemporaryFile(prefix="icplan-ssh-")
    except OSError as error:
        raise CommandFailed(
            f"no file can be made for what ssh says: {(error.strerror or str(error)).lower()}",
            "make room, or set TMPDIR to a folder that can be written",
            unsent=True,
        ) from error


def _speaks(program: str, said: str) -> bool:
    """Whether a status "not found" is a program's own, of something that it has not found."""
    own = (f"{program}: error", "oci runtime")
    return any(line.lower().startswith(own) for line in said.splitlines())


def _run(arguments: Sequence[str], deadline: Deadline) -> Done | None:
    """None: there is no such program."""
    try:
        done = subprocess.run(
            [*arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(deadline.left, 0.001),
            # Without a terminal no program in between can ask anything.
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"},
            check=False,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(
            f"{arguments[0]} gave no answer within {deadline.seconds:.3g} s",
            "see whether the host is overloaded or its daemon hangs, or allow more with --timeout",
            unanswered=True,
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CommandFailed(
            f"{arguments[0]} cannot be run: {reason}",
            "see what is wrong with this program",
            unsent=True,
        ) from error
    return Done(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _no_command(name: str, where: str) -> CommandFailed:
    return CommandFailed(
        f"there is no command {name} on {where}",
        f"install it there, or correct `deployment` in the file: {name} is what it asks for",
        unsent=True,
    )
