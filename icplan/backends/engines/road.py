"""Commands on a host of the IC databases: on this machine, or over SSH. Knows no engine.

Arguments are passed as lists, and quoted for the one shell that sshd starts; nothing ever asks a
person.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed, last_line

_SSH = re.compile(r"ssh://(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::([0-9]+))?")
_SSH_FAILED = 255
_NOT_FOUND = 127
_CONNECT_SECONDS = 10


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
        self._command = (
            "ssh",
            "-T",
            *("-o", "BatchMode=yes"),
            *("-o", f"ConnectTimeout={_CONNECT_SECONDS}"),
            *(("-p", port) if port else ()),
            *(("-l", user) if user else ()),
            *("--", host),
        )

    def run(self, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command to its end.

        Raises:
            CommandFailed: it could not be run, or did not end in time.
        """
        done = _run((*self._command, shlex.join(arguments)), deadline)
        if done is None:
            raise _no_command("ssh", "this machine")
        if done.code == _SSH_FAILED:
            raise self._failed(done.err)
        if done.code == _NOT_FOUND:
            raise _no_command(arguments[0], self._title)
        return done

    def _failed(self, said: str) -> CommandFailed:
        """In words, what ssh says about itself; its messages are no part of any interface."""
        port = f" -p {self._port}" if self._port else ""
        by_hand = f"ssh{port} {self._title}"
        known = {
            "host key verification failed": (
                "ssh does not know its host key, or knows another one",
                f"compare the key and accept it: {by_hand}",
            ),
            "permission denied": (
                f"ssh is not let in as {self._title}",
                f"let a key in that needs no password here: ssh-copy-id{port} {self._title}",
            ),
            "connection refused": (
                "ssh finds nobody who listens there",
                f"check that sshd runs, and the port: {by_hand}",
            ),
            "timed out": (
                "ssh gets no answer from there",
                f"check the address, and that no firewall is between: {by_hand}",
            ),
            "could not resolve hostname": (
                "ssh cannot resolve its name",
                "correct the host in `engines`, or add it to the name service",
            ),
        }
        text = said.lower()
        for sign, (cause, cure) in known.items():
            if sign in text:
                return CommandFailed(cause, cure)
        return CommandFailed(
            f"ssh fails: {last_line(said)}", f"try by hand: {by_hand}", unanswered=True
        )


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
            f"{arguments[0]} cannot be run: {reason}", "see what is wrong with this program"
        ) from error
    return Done(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _no_command(name: str, where: str) -> CommandFailed:
    return CommandFailed(
        f"there is no command {name} on {where}",
        f"install it there, or correct `deployment` in the file: {name} is what it asks for",
    )
