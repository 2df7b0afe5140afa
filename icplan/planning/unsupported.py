"""What the grammar knows and this version cannot do yet. It refuses; it never ignores."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.spec.diagnostic import Diagnostic, FileError
from icplan.spec.load import Spec

CODE = "IC199"
"""Of everything that is not supported yet; it ends with the last of them."""


def require_supported(spec: Spec) -> None:
    """Lets a file pass that this version can carry out.

    Raises:
        FileError: with every place that asks for more.
    """
    diagnostics = [
        Diagnostic(
            CODE,
            spec.origin(*path),
            f"{what} is not supported yet",
            "Remove it, or use a later version; `icplan validate` checks it already.",
        )
        for path, what in _places(spec)
    ]
    if diagnostics:
        raise FileError(spec.document.file, diagnostics, spec.document.lines)


def _places(spec: Spec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    interconnect = spec.interconnect
    if interconnect.limits.canary is not None:
        yield ("limits", "canary"), "limits.canary"
    for index, _ in enumerate(interconnect.expect):
        yield ("expect", index), "expect"
