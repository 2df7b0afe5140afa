"""The ConfigMap by which a Kube-OVN zone's controller is told what to do: exactly seven keys."""

from icplan.kinds.common.contract import Kind
from icplan.kinds.ic_config.checks import checks
from icplan.kinds.ic_config.effects import effects
from icplan.kinds.ic_config.state import NAME, desired, observed, queries
from icplan.kinds.ic_config.writes import steps

KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
