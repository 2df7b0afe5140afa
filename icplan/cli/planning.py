"""From a file to a plan, as several commands need it."""

from __future__ import annotations

from collections.abc import Iterable

from icplan.backends.access import clusters, endpoints, engines, members
from icplan.backends.databases import Databases
from icplan.core.io import Query
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
    return Databases(
        endpoints(spec, reached), seconds, reached, members(spec, reached), engines(spec, seconds)
    )


def plan_now(spec: Spec, databases: Databases, more: Iterable[Query] = ()) -> Plan:
    """The plan against what the databases hold now; `more` is read besides."""
    return make_plan(spec, observe(databases, spec, more))
