"""From bytes to the model. What a problem is called and where it is shown is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from icplan.core.origin import Origin
from icplan.spec.codes import Code
from icplan.spec.diagnostic import Diagnostic, FileError
from icplan.spec.grammar import INTERCONNECT, ZONE_LIST, Grammar, Model
from icplan.spec.judge import Judge
from icplan.spec.model import Interconnect, KubeOvnZone, PlainOvnAccess, PlainOvnZone
from icplan.spec.paths import spelled
from icplan.spec.source import Document, read_text
from icplan.spec.source import Path as KeyPath
from icplan.spec.texts import found


@dataclass(frozen=True)
class Spec:
    """The model of a file, with the places of everything in it.

    Attributes:
        interconnect: the model; how zones are reached is what the access file says, if it does.
        document: the text it was read from.
        warnings: what is no error, and most likely not meant.
        without: zones that are left out; made by `leave_out`, which looks whether that can be.
        access: the access file, if there is one; made by `with_access`.
        destroyed: all of it is to be taken apart; made by `destroyed`.
    """

    interconnect: Interconnect
    document: Document
    warnings: tuple[Diagnostic, ...] = ()
    without: frozenset[str] = frozenset()
    access: Document | None = None
    destroyed: bool = False

    @cached_property
    def living(self) -> tuple[tuple[int, PlainOvnZone | KubeOvnZone], ...]:
        """The zones that can be reached, each with its place in the file, ordered by name."""
        zones = (
            (index, zone)
            for index, zone in enumerate(self.interconnect.availability_zones)
            if isinstance(zone, PlainOvnZone | KubeOvnZone)
        )
        return tuple(sorted(zones, key=lambda one: one[1].name))

    @cached_property
    def living_by_name(self) -> Mapping[str, tuple[int, PlainOvnZone | KubeOvnZone]]:
        """The same by name; of two with one name, which a rule refuses, the first."""
        return {one[1].name: one for one in reversed(self.living)}

    def origin(self, *path: str | int) -> Origin:
        """Where a value is written, by its path in the file: `availabilityZones, 1, name`.

        Of its nearest parent, when the file leaves it to the default.
        """
        return self.document.origin(path)

    def access_origin(self, index: int, *path: str | int) -> Origin:
        """Where a zone's access is written, by the zone's place in `availabilityZones`."""
        zone = self.interconnect.availability_zones[index].name
        if self.access is not None and self.access.has((zone,)):
            return self.access.origin((zone, *path))
        return self.origin(ZONE_LIST, index, *path)

    def directory(self, zone: str) -> Path:
        """From where the relative paths of a zone's access count."""
        here = self.access if self.access and self.access.has((zone,)) else self.document
        return Path(here.file).parent

    def lines(self, origin: Origin) -> tuple[str, ...]:
        """The lines of the file that a place is in."""
        there = self.access if self.access and self.access.file == origin.file else self.document
        return there.lines


def load(document: Document) -> Spec:
    """The model of a document.

    Raises:
        FileError: with every problem of the grammar, none of them twice.
    """
    return _spec(document, _checked(document, INTERCONNECT))


def read(data: bytes, file: str) -> Spec:
    """The model of a file's bytes.

    Args:
        data: the file.
        file: how the user names it.

    Raises:
        FileError: with every problem that can be seen, those of the text and of the grammar.
    """
    interconnect, document = read_as(data, file, INTERCONNECT)
    return _spec(document, interconnect)


def read_as(data: bytes, file: str, grammar: Grammar[Model]) -> tuple[Model, Document]:
    """What a file of some grammar says, and where.

    Raises:
        FileError: with every problem that can be seen, those of the text and of the grammar.
    """
    reading = read_text(data, file, grammar.start)
    if reading.document is not None and not reading.diagnostics:
        return _checked(reading.document, grammar), reading.document
    diagnostics = list(reading.diagnostics)
    if reading.document is not None:
        diagnostics += _validate(reading.document, grammar, reading.doubtful)[1]
    raise FileError(file, diagnostics, reading.lines)


def idle_tls(access: PlainOvnAccess, document: Document, path: KeyPath) -> Iterator[Diagnostic]:
    """A warning where the access at a path has certificates and no use for them."""
    if access.tls is not None and not access.encrypted:
        yield Diagnostic(
            Code.TLS,
            document.key_origin((*path, "tls")),
            f"{spelled((*path, 'tls'))}: no address starts with ssl:, so nothing is encrypted",
            "Write ssl: addresses, or remove `tls`.",
        )


def _spec(document: Document, interconnect: Interconnect) -> Spec:
    warnings = (
        one
        for index, zone in enumerate(interconnect.availability_zones)
        if isinstance(zone, PlainOvnZone)
        for one in idle_tls(zone, document, (ZONE_LIST, index))
    )
    return Spec(interconnect, document, tuple(warnings))


def _checked(document: Document, grammar: Grammar[Model]) -> Model:
    model, diagnostics = _validate(document, grammar)
    if model is None or diagnostics:
        raise FileError(document.file, diagnostics, document.lines)
    return model


def _validate(
    document: Document, grammar: Grammar[Model], doubtful: frozenset[KeyPath] = frozenset()
) -> tuple[Model | None, list[Diagnostic]]:
    if () in doubtful:
        return None, []
    if not isinstance(document.data, dict):
        return None, [_not_a_mapping(document, grammar)]
    errors: list[ErrorDetails] = []
    model = None
    try:
        model = grammar.root.model_validate(document.data, by_alias=True, by_name=False)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    return model, list(Judge(document, doubtful, grammar).diagnostics(errors))


def _not_a_mapping(document: Document, grammar: Grammar[Model]) -> Diagnostic:
    return Diagnostic(
        Code.NOT_A_MAPPING,
        document.origin(),
        f"the file holds {found(document.data)}, expected {grammar.top}",
        grammar.start,
    )
