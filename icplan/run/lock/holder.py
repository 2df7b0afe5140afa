"""Who holds a lock, as a value, and how a lock is written down. No I/O."""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass

import orjson

from icplan.backends.failures import WriteRefused
from icplan.backends.ovsdb import LOCK
from icplan.errors import Exit, IcplanError

KEY = "icplan-lock"
BEAT = "icplan-lock-beat"
RECEIPT = "icplan-lock-receipt"
TTL_SECONDS = 20.0
BEAT_SECONDS = 4.0
LOOK_SECONDS = 0.5
LONGEST_TTL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Holder:
    """What a lock says.

    Attributes:
        holder: user, host and process.
        purpose: what for: "apply prod".
        ttl: seconds without a beat after which it counts as dead.
        nonce: tells this lock from all others; `icplan unlock` takes it.
    """

    holder: str
    purpose: str
    ttl: float
    nonce: str

    @classmethod
    def mine(cls, purpose: str) -> Holder:
        """A lock of this process."""
        where = f"{_user()}@{socket.gethostname()} (process {os.getpid()})"
        return cls(where, purpose, TTL_SECONDS, secrets.token_hex(4))

    @classmethod
    def read(cls, value: str) -> Holder:
        """What a value says; one that nobody of us wrote is held by "unknown"."""
        with suppress(KeyError, TypeError, ValueError):
            raw = orjson.loads(value)
            ttl = float(raw["ttl"])
            if 0 < ttl <= LONGEST_TTL_SECONDS:
                return cls(str(raw["holder"]), str(raw["purpose"]), ttl, str(raw["nonce"]))
        nonce = hashlib.sha256(value.encode()).hexdigest()[:8]
        return cls("unknown", value[:40], TTL_SECONDS, nonce)

    @property
    def value(self) -> str:
        """The lock as it is stored."""
        return orjson.dumps(
            {
                "holder": self.holder,
                "purpose": self.purpose,
                "ttl": self.ttl,
                "nonce": self.nonce,
            }
        ).decode()

    def __str__(self) -> str:
        """For messages."""
        return f"{self.holder}, {self.purpose}, nonce {self.nonce}"


class Locked(IcplanError):
    """Somebody else holds a lock and is alive."""

    exit = Exit.LOCKED

    def __init__(self, title: str, holder: Holder) -> None:
        super().__init__(
            title,
            cause=f"held by {holder.holder} for: {holder.purpose}",
            cure="wait until that is done; if you know that it hangs: "
            f"icplan unlock {holder.nonce}",
        )
        self.holder = holder


class LockLost(WriteRefused):
    """Our own lock is gone: somebody unlocked it, or took us for dead."""

    def __init__(self, place: str) -> None:
        super().__init__(
            LOCK,
            place=place,
            cause="somebody removed it while we were working",
            cure="find out who else works here, then run `icplan apply` again: it converges",
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
