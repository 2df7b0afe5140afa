"""Tests of the lab itself, most of them with real daemons."""
