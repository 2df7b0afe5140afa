"""The error of a round that cannot go on. The controller logs it and goes on a second later."""

from __future__ import annotations

from icplan.errors import IcplanError


class RoundFailed(IcplanError):
    """Something was missing, or did not answer; what was done before it stays done."""

    def __init__(self, thing: str, cause: str, *, place: str = "") -> None:
        cure = "the stand-in tries again in its next round"
        super().__init__(thing, place=place, cause=cause, cure=cure)
