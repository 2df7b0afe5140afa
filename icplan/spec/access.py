"""The access file: how zones are reached from one machine. Reads no file, and reaches nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, ConfigDict, Field, create_model

from icplan.spec.diagnostic import Diagnostic, escape
from icplan.spec.grammar import TOP, Grammar, keys_of, mappings
from icplan.spec.load import Spec, idle_tls, read_as
from icplan.spec.model import (
    GONE_TAG,
    KUBE_OVN_TAG,
    PLAIN_OVN_TAG,
    KubeOvnAccess,
    PlainOvnAccess,
    Zone,
    zone_tag,
)
from icplan.spec.source import Document, Path, Plain

_STRICT = ConfigDict(frozen=True, extra="forbid", validate_by_alias=True)


class _NoAccess(BaseModel):
    """A zone that is gone is reached by nothing."""

    model_config = _STRICT


_KINDS: Mapping[str, type[BaseModel]] = {
    KUBE_OVN_TAG: KubeOvnAccess,
    PLAIN_OVN_TAG: PlainOvnAccess,
    GONE_TAG: _NoAccess,
}


@dataclass(frozen=True)
class _AccessGrammar(Grammar[BaseModel]):
    """The zones of one interconnect file, each with the access keys of its kind.

    Attributes:
        tags: each zone's kind.
        file: the interconnect file.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    file: str = ""

    def kind_at(self, _data: Plain, path: Path) -> str | None:
        """The kind of the zone that a path names, as the interconnect file has it."""
        return self.tags.get(str(path[0])) if len(path) == 1 else None

    def instead(self, parent: Path, key: str, keys: list[str]) -> str:
        """What to do about a key that means nothing here."""
        if not parent:
            return f"Write one of {', '.join(self.tags)}, or add the zone to {self.file}."
        # What another zone may say is no home for it.
        zone = str(parent[0])
        for where, model in mappings(self.kinds[self.tags[zone]]):
            if key in keys_of(model):
                home = zone if where == TOP else f"{zone}.{where}"
                return f"Move it to {home}, where it belongs."
        are = "access keys here are" if len(keys) > 1 else "only access key here is"
        return f"Remove it; the {are} {', '.join(keys)}." if keys else "Remove it."


def with_access(spec: Spec, data: bytes, file: str) -> Spec:
    """The spec with the access of an access file in the place of its own.

    A zone's entry is complete: it takes the place of all access keys of that zone, so that all
    its relative paths count from one file. Zones without an entry are reached as before.

    Args:
        spec: of the interconnect file.
        data: the access file.
        file: how the user names it.

    Raises:
        FileError: with every problem of the access file.
    """
    zones = spec.interconnect.availability_zones
    grammar = _grammar(zones, escape(spec.document.file))
    entries, document = read_as(data, file, grammar)
    access = {
        key: entry
        for name, one in type(entries).model_fields.items()
        if (key := one.alias) is not None and (entry := getattr(entries, name)) is not None
    }
    reached = tuple(_reached(zone, access.get(zone.name)) for zone in zones)
    return replace(
        spec,
        interconnect=spec.interconnect.model_copy(update={"availability_zones": reached}),
        warnings=(*spec.warnings, *_warnings(access, document)),
        access=document,
    )


def _grammar(zones: Iterable[Zone], file: str) -> _AccessGrammar:
    tags: dict[str, str] = {}
    for zone in zones:
        # A name that is there twice is a rule's concern.
        tags.setdefault(zone.name, zone_tag(zone))
    # Zones' names are no names of Python.
    fields = {
        f"zone_{number}": (_KINDS[tag], Field(default=None, alias=name))
        for number, (name, tag) in enumerate(tags.items())
    }
    return _AccessGrammar(
        create_model("AccessFile", __config__=_STRICT, **fields),  # type: ignore[call-overload]
        _KINDS,
        "names of zones",
        "Start with the name of a zone, and write its access keys below it.",
        (f"there is no availability zone {{key}} in {file}", "{key} is no access key"),
        f" in {file}",
        tags,
        file,
    )


def _reached(zone: Zone, access: BaseModel | None) -> Zone:
    if access is None or not isinstance(zone, type(access)):
        return zone
    return zone.model_copy(
        update={name: getattr(access, name) for name in type(access).model_fields}
    )


def _warnings(access: Mapping[str, BaseModel], document: Document) -> Iterator[Diagnostic]:
    for name, one in access.items():
        if isinstance(one, PlainOvnAccess):
            yield from idle_tls(one, document, (name,))
