"""From a file to a plan, as several commands need it."""

from __future__ import annotations

from icplan.backends.access import clusters, endpoints
from icplan.backends.databases import Databases
from icplan.planning.plan import Plan, make_plan
from icplan.planning.unsupported import require_supported
from icplan.run.observe import observe
from icplan.spec.load import Spec


def open_databases(spec: Spec, seconds: float) -> Databases:
    """The databases of a file that this version can serve.

    Raises:
        FileError: the file asks for what is not supported yet.
    """
    require_supported(spec)
    reached = clusters(spec, seconds)
    return Databases(endpoints(spec, reached), seconds, reached)


def plan_now(spec: Spec, databases: Databases) -> Plan:
    """The plan against what the databases hold now."""
    return make_plan(spec, observe(databases, spec))
