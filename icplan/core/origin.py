"""Where a value was written. Only positions live here, never the text itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A span in a file; lines and columns count from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """The span's start in the form that editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"
