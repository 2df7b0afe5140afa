"""One apply at a time: locks where the writes go, who holds them, and how the dead are found."""

from icplan.run.lock.holder import (
    BEAT,
    KEY,
    RECEIPT,
    TTL_SECONDS,
    Holder,
    Locked,
    LockLost,
)
from icplan.run.lock.locks import Locks, holders, place_of, release

__all__ = [
    "BEAT",
    "KEY",
    "RECEIPT",
    "TTL_SECONDS",
    "Holder",
    "LockLost",
    "Locked",
    "Locks",
    "holders",
    "place_of",
    "release",
]
