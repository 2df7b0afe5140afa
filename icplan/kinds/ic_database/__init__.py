"""What runs the IC databases on their hosts, and whether they work. Nothing of their content."""

from icplan.kinds.common.contract import Kind
from icplan.kinds.common.deployment import DATABASE_KIND
from icplan.kinds.ic_database.checks import checks
from icplan.kinds.ic_database.state import desired, observed, queries
from icplan.kinds.ic_database.writes import effects, steps

KIND = Kind(DATABASE_KIND, True, queries, desired, observed, effects, steps, checks, founding=True)
