"""The Deployment that runs the IC databases in a cluster. Not how many switches it makes."""

from __future__ import annotations

from icplan.kinds.common.contract import Kind
from icplan.kinds.ic_server.checks import checks
from icplan.kinds.ic_server.effects import effects
from icplan.kinds.ic_server.state import NAME, desired, observed, queries
from icplan.kinds.ic_server.writes import steps

KIND = Kind(NAME, True, queries, desired, observed, effects, steps, checks, founding=True)
