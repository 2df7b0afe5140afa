"""A file of which nothing shall be left. In which order that goes is decided in planning."""

from __future__ import annotations

from dataclasses import replace

from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, ZoneState


def destroyed(spec: Spec) -> Spec:
    """The spec that wants everything taken apart: each living zone out, and then what they shared.

    What the file wants between zones means nothing any more. Zones that are gone stay declared so.
    """
    zones = tuple(
        zone if isinstance(zone, GoneZone) else zone.model_copy(update={"state": ZoneState.ABSENT})
        for zone in spec.interconnect.availability_zones
    )
    update = {"availability_zones": zones, "routes": (), "expect": ()}
    return replace(spec, interconnect=spec.interconnect.model_copy(update=update), destroyed=True)
