"""From bytes to the model. What a problem is called and where it is shown is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from icplan.core.origin import Origin
from icplan.spec.codes import Code
from icplan.spec.diagnostic import Diagnostic, FileError
from icplan.spec.grammar import ZONE_LIST
from icplan.spec.judge import Judge
from icplan.spec.model import Interconnect, PlainOvnZone
from icplan.spec.paths import spelled
from icplan.spec.source import Document, read_text
from icplan.spec.source import Path as KeyPath
from icplan.spec.texts import found


@dataclass(frozen=True, slots=True)
class Spec:
    """The model of a file, with the places of everything in it.

    Attributes:
        interconnect: the model.
        document: the text it was read from.
        warnings: what is no error, and most likely not meant.
        without: zones that nothing is planned for.
        access_files: the file from which a zone's relative paths count, where it is another one.
    """

    interconnect: Interconnect
    document: Document
    warnings: tuple[Diagnostic, ...] = ()
    without: frozenset[str] = frozenset()
    access_files: Mapping[str, str] = field(default_factory=dict)

    def origin(self, *path: str | int) -> Origin:
        """Where a value is written, by its path in the file: `availabilityZones, 1, name`.

        Of its nearest parent, when the file leaves it to the default.
        """
        return self.document.origin(path)

    def directory(self, zone: str) -> Path:
        """From where the relative paths of a zone's access count."""
        return Path(self.access_files.get(zone, self.document.file)).parent


def load(document: Document) -> Spec:
    """The model of a document.

    Raises:
        FileError: with every problem of the grammar, none of them twice.
    """
    interconnect, diagnostics = _validate(document)
    if interconnect is None or diagnostics:
        raise FileError(document.file, diagnostics, document.lines)
    return Spec(interconnect, document, tuple(_warnings(interconnect, document)))


def read(data: bytes, file: str) -> Spec:
    """The model of a file's bytes.

    Args:
        data: the file.
        file: how the user names it.

    Raises:
        FileError: with every problem that can be seen, those of the text and of the grammar.
    """
    reading = read_text(data, file)
    if reading.document is not None and not reading.diagnostics:
        return load(reading.document)
    diagnostics = list(reading.diagnostics)
    if reading.document is not None:
        diagnostics += _validate(reading.document, reading.doubtful)[1]
    raise FileError(file, diagnostics, reading.lines)


def _validate(
    document: Document, doubtful: frozenset[KeyPath] = frozenset()
) -> tuple[Interconnect | None, list[Diagnostic]]:
    if () in doubtful:
        return None, []
    if not isinstance(document.data, dict):
        return None, [_not_a_mapping(document)]
    errors: list[ErrorDetails] = []
    interconnect = None
    try:
        interconnect = Interconnect.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    return interconnect, list(Judge(document, doubtful).diagnostics(errors))


def _not_a_mapping(document: Document) -> Diagnostic:
    return Diagnostic(
        Code.NOT_A_MAPPING,
        document.origin(),
        f"the file holds {found(document.data)}, expected keys such as apiVersion",
        "Start with `apiVersion: icplan/v1`; `icplan schema` prints the grammar.",
    )


def _warnings(interconnect: Interconnect, document: Document) -> Iterator[Diagnostic]:
    for index, zone in enumerate(interconnect.availability_zones):
        if isinstance(zone, PlainOvnZone) and zone.tls is not None and not zone.encrypted:
            path: KeyPath = (ZONE_LIST, index, "tls")
            yield Diagnostic(
                Code.TLS,
                document.key_origin(path),
                f"{spelled(path)}: no address starts with ssl:, so nothing is encrypted",
                "Write ssl: addresses, or remove `tls`.",
            )
