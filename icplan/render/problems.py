"""Errors as people see them: the thing, the place, the cause, the cure. Never a traceback."""

from __future__ import annotations

import textwrap

from icplan.errors import IcplanError
from icplan.render.document import FORMAT_VERSION, Json
from icplan.render.paint import Paint, escape
from icplan.render.wrapping import wrapped
from icplan.spec.diagnostic import Diagnostic, FileError, excerpt

MOST_DIAGNOSTICS = 25


def error_text(error: IcplanError, paint: Paint) -> str:
    """An error, ending with a line end."""
    if isinstance(error, FileError):
        return _file_error_text(error, paint)
    lines = [paint.bad("error: ") + escape(error.thing)]
    for label, text in (("place", error.place), ("cause", error.cause), ("cure", error.cure)):
        if text:
            lines += wrapped(text, f"  {label:<6} ", " " * 9)
    return "\n".join(lines) + "\n"


def error_document(error: IcplanError, exit_code: int) -> dict[str, object]:
    """An error as the only document of a command that it ended."""
    document: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "error": error_parts(error),
        "exit": int(exit_code),
    }
    if isinstance(error, FileError):
        document["problems"] = diagnostics_document(error.diagnostics)
    return document


def error_parts(error: IcplanError) -> dict[str, Json]:
    """The four parts of an error."""
    return {
        "thing": error.thing,
        "place": error.place,
        "cause": error.cause,
        "cure": error.cure,
    }


def internal_error_text(error: Exception) -> str:
    """An error that nobody expected, ending with a line end."""
    return (
        f"internal error: {type(error).__name__}: {escape(str(error)[:300])}\n"
        "  cure   run again with ICPLAN_DEBUG=1 and report what it prints\n"
    )


def _file_error_text(error: FileError, paint: Paint) -> str:
    shown = error.diagnostics[:MOST_DIAGNOSTICS]
    parts = [diagnostic_text(one, error.lines, paint) for one in shown]
    count = len(error.diagnostics)
    if count > len(shown):
        parts.append(f"... and {count - len(shown)} more\n")
    problems = "1 problem" if count == 1 else f"{count} problems"
    parts.append(paint.bad(f"{escape(error.file)}: {problems}") + "\n")
    return "\n".join(parts)


def diagnostic_text(
    diagnostic: Diagnostic, lines: tuple[str, ...], paint: Paint, *, warning: bool = False
) -> str:
    """One problem of the file: its place and code, the text underlined, the cure."""
    colour = paint.altered if warning else paint.bad
    head = f"{escape(str(diagnostic.origin))}: {diagnostic.code} {escape(diagnostic.message)}"
    picture = textwrap.indent(excerpt(lines, diagnostic.origin), "    ")
    parts = [colour(head), picture, f"  cure: {escape(diagnostic.cure)}"]
    return "\n".join(part for part in parts if part) + "\n"


def diagnostics_document(diagnostics: tuple[Diagnostic, ...]) -> list[dict[str, str | int]]:
    """Problems of the file as a document."""
    return [
        {
            "code": one.code,
            "file": one.origin.file,
            "line": one.origin.line,
            "column": one.origin.column,
            "message": one.message,
            "cure": one.cure,
        }
        for one in diagnostics
    ]
