"""The file: its text, its grammar and its model. Pure: bytes in, values out; reads nothing itself.

What several entities mean together (names used twice, subnets that overlap) is judged by the
planning rules, never here.
"""

from __future__ import annotations
