"""The grammar as data, read off the model: which keys are where, and what they take. No checks."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from icplan.spec.diagnostic import quoted
from icplan.spec.model import (
    GONE_TAG,
    KUBE_OVN_TAG,
    PLAIN_OVN_TAG,
    GoneZone,
    Interconnect,
    KubeOvnZone,
    PlainOvnZone,
    Platform,
    ZoneState,
    zone_tag,
)
from icplan.spec.source import START, Path, Plain

ZONE_LIST = "availabilityZones"
ZONES: dict[str, type[BaseModel]] = {
    KUBE_OVN_TAG: KubeOvnZone,
    PLAIN_OVN_TAG: PlainOvnZone,
    GONE_TAG: GoneZone,
}
"""The kinds of zones by the tags that pydantic puts into a `loc`."""
TOP = "the top of the file"
"""The path of the outermost mapping, as messages write it."""


def at(data: Plain, path: Path) -> Plain:
    """The value at a path; None where there is none."""
    for item in path:
        match data:
            case dict() if isinstance(item, str):
                data = data.get(item)
            case list() if isinstance(item, int) and item < len(data):
                data = data[item]
            case _:
                return None
    return data


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Grammar(Generic[Model]):
    """What a file may say, and how that is spoken of; that of the interconnect file.

    Attributes:
        root: the model of the whole file.
        kinds: the models of the kinds of zones, by tag.
        top: what stands at the top of the file.
        start: what to do when nothing stands there.
        no_key: what is wrong with a key that nobody knows, written `{key}`; at the top, and below.
        elsewhere: the end of a cure that is to be done in another file.
    """

    root: type[Model]
    kinds: Mapping[str, type[BaseModel]]
    top: str
    start: str
    no_key: tuple[str, str] = ("there is no key {key}", "there is no key {key}")
    elsewhere: str = ""

    def kind_at(self, data: Plain, path: Path) -> str | None:
        """The tag of the zone whose mapping is at a path; None where none is."""
        if len(path) == 2 and path[0] == ZONE_LIST and isinstance(path[1], int):
            return zone_tag(at(data, path))
        return None

    def no_such_key(self, parent: Path, key: str) -> str:
        """What is wrong with a key that the mapping at a path does not have."""
        return self.no_key[bool(parent)].replace("{key}", quoted(key))

    def instead(self, parent: Path, key: str, keys: list[str]) -> str:
        """What to do about such a key when none of those that the mapping has was meant."""
        found = mappings(self.root)
        places = [one for one, model in found if key in keys_of(model) and one != pattern(parent)]
        if places:
            return f"Move it to {places[0]}, where it belongs."
        are = "keys here are" if len(keys) > 1 else "only key here is"
        return f"Remove it; the {are} {', '.join(keys)}."

    def model_at(self, data: Plain, path: Path) -> type[BaseModel] | None:
        """The model of the mapping at a path of the data; None where the grammar has none."""
        model: type[BaseModel] | None = self.root
        for length, item in enumerate(path, start=1):
            kind = self.kind_at(data, path[:length])
            if kind is not None:
                model = self.kinds[kind]
            elif isinstance(item, str):
                field = fields(model).get(item)
                model = None if field is None else model_in(field.annotation)
        return model

    def field_at(self, data: Plain, path: Path) -> FieldInfo | None:
        """The field whose value, or whose element, is at a path of the data."""
        while path and isinstance(path[-1], int):
            path = path[:-1]
        return fields(self.model_at(data, path[:-1])).get(str(path[-1])) if path else None

    def words_at(self, data: Plain, path: Path) -> list[str]:
        """The words that the field at a path takes; empty if it takes any text."""
        # A zone's kind is chosen before its keys are looked at: name the words of all kinds.
        if len(path) == 3 and path[0] == ZONE_LIST and path[2] in ("platform", "state"):
            return [*(Platform if path[2] == "platform" else ZoneState)]
        field = self.field_at(data, path)
        words: list[str] = []
        for part in parts(field.annotation) if field else ():
            if isinstance(part, type) and issubclass(part, Enum):
                words += [member.value for member in part]
            elif get_origin(part) is Literal:
                words += get_args(part)
        return words


INTERCONNECT = Grammar(
    Interconnect,
    ZONES,
    "keys such as apiVersion",
    START,
)
"""The grammar of the interconnect file."""


def fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """The fields by the keys they have in the file."""
    if model is None:
        return {}
    return {field.alias or name: field for name, field in model.model_fields.items()}


def keys_of(model: type[BaseModel] | None) -> list[str]:
    """The keys of a mapping, in the order of the model."""
    return list(fields(model))


def pattern(path: Path) -> str:
    """A path without its positions, as `mappings` writes it."""
    if not path:
        return TOP
    return "".join("[]" if isinstance(item, int) else f".{item}" for item in path)[1:]


def mappings(root: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every mapping of a grammar, with its path as `pattern` writes it."""
    stack: list[tuple[str, type[BaseModel]]] = [(TOP, root)]
    while stack:
        where, model = stack.pop(0)
        yield where, model
        for key, field in fields(model).items():
            listed = get_origin(field.annotation) is tuple
            inside = key if model is root else f"{where}.{key}"
            for part in parts(field.annotation):
                if isinstance(part, type) and issubclass(part, BaseModel):
                    stack.append((f"{inside}[]" if listed else inside, part))


def parts(annotation: object) -> Iterator[object]:
    """The types that an annotation is made of, without tuples, unions and marks."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from parts(get_args(annotation)[0])
    elif origin in (tuple, Union, types.UnionType):
        for part in get_args(annotation):
            yield from parts(part)
    else:
        yield annotation


def model_in(annotation: object) -> type[BaseModel] | None:
    """The first model in an annotation."""
    models = [
        part for part in parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)
    ]
    return models[0] if models else None


def _aliases() -> dict[str | int, str]:
    return {
        name: field.alias
        for _, model in mappings(Interconnect)
        for name, field in model.model_fields.items()
        if field.alias and field.alias != name
    }


ALIASES = _aliases()
"""The file's spelling of the names in Python."""
