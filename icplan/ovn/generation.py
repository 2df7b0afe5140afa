"""The two generations of Kube-OVN's interconnection controller. What they do is told elsewhere."""

from __future__ import annotations

import re
from enum import StrEnum

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+.].*)?")


class Generation(StrEnum):
    """Which behaviour a controller has (docs/facts.md section 3)."""

    NEW = "new"
    """1.15.24 and later 1.15, the 1.16 branch after 1.16.2, and 1.17 on."""
    OLD = "old"
    """Everything before."""
    UNKNOWN = "unknown"
    """The version could not be told: the harm of both must be expected."""


_FIRST_NEW = {(1, 15): 24, (1, 16): 3}
_ALL_NEW = (1, 17)


def generation_of(version: str) -> Generation:
    """The generation of a version as image tags have it: `v1.15.23`, `v1.17.0-debug`."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return Generation.UNKNOWN
    major, minor, patch = (int(number) for number in found.groups())
    if (major, minor) >= _ALL_NEW:
        return Generation.NEW
    first = _FIRST_NEW.get((major, minor))
    return Generation.NEW if first is not None and patch >= first else Generation.OLD


def before_1_11(version: str) -> bool:
    """Whether a version is known to be older than 1.11, the first with ovn-ic-controller."""
    found = _VERSION.fullmatch(version)
    return found is not None and (int(found[1]), int(found[2])) < (1, 11)


def version_of(image: str) -> str:
    """The tag of an image: `v1.17.0` of `registry:5000/kube-ovn:v1.17.0@sha256:…`, else empty."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
