"""Measurements of icplan on this machine; `README.md` says what they are for."""
