"""A plain OVN zone's port on a transit switch: both ends, its address, its gateways in order."""

from icplan.kinds.common.contract import Kind
from icplan.kinds.transit_port.checks import checks
from icplan.kinds.transit_port.effects import effects
from icplan.kinds.transit_port.state import NAME, desired, observed, queries
from icplan.kinds.transit_port.writes import steps

KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
