"""`python -m icplan`."""

from icplan.cli import main

main()
