"""`python -m icplan.lab.kubernetes` finds or builds the programs of a cluster, and names them."""

from __future__ import annotations

import sys

from icplan.errors import IcplanError
from icplan.lab.kubernetes import tools


def main() -> None:
    """Find or build all of them."""
    try:
        for name, path in tools.find_all().items():
            tools.to_standard_error(f"{name}: {path}")
    except IcplanError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
