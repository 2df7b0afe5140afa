"""Locks, run logs and what else a run needs."""
