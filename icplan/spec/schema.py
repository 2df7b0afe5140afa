"""The JSON Schema of the file, generated from the model, for editors. It checks nothing itself."""

from __future__ import annotations

import json
from typing import TypeAlias

from icplan.spec.model import Interconnect

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = "urn:icplan:schema:interconnect:v1"


def json_schema() -> dict[str, Json]:
    """The schema of the file as it is written, short forms included.

    It is never stricter than `load`, and leaves to it what a schema says badly: host bits, the
    number of transit subnets, the files that ssl: addresses need.
    """
    generated: dict[str, Json] = Interconnect.model_json_schema(by_alias=True)
    tidied = _tidy(generated)
    if not isinstance(tidied, dict):
        raise TypeError(tidied)
    zones = _inside(tidied, "properties", "availabilityZones")
    zones["items"] = _zone()
    return {
        "$schema": _DIALECT,
        "$id": _ID,
        **tidied,
        "title": "icplan interconnect.yaml",
    }


def schema_text() -> str:
    """The schema as the bytes of schemas/interconnect.schema.json: the same ones every time."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _zone() -> dict[str, Json]:
    """The kind of a zone chosen as the loader does.

    An editor that sees `oneOf` reports the errors of every branch; with if, those of the one meant.
    """

    def is_(key: str, word: str) -> Json:
        return {"properties": {key: {"const": word}}, "required": [key]}

    return {
        "if": is_("state", "gone"),
        "then": {"$ref": "#/$defs/GoneZone"},
        "else": {
            "if": is_("platform", "ovn"),
            "then": {"$ref": "#/$defs/PlainOvnZone"},
            "else": {"$ref": "#/$defs/KubeOvnZone"},
        },
    }


def _inside(schema: dict[str, Json], *keys: str) -> dict[str, Json]:
    """The object at a path of keys."""
    for key in keys:
        inner = schema[key]
        if not isinstance(inner, dict):
            raise TypeError(inner)
        schema = inner
    return schema


def _tidy(schema: Json) -> Json:
    """Without the generator's titles, and without null: a key with no value is refused.

    Defaults of collections go too: they are empty, or repeat what their keys say.
    """
    if isinstance(schema, list):
        return [_tidy(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        key: {name: _tidy(one) for name, one in value.items()}
        if key in ("properties", "$defs") and isinstance(value, dict)
        else _tidy(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and (value is None or isinstance(value, list | dict)))
    }
    options = result.get("anyOf")
    if isinstance(options, list):
        kept = [one for one in options if one != {"type": "null"}]
        result["anyOf"] = kept
        if len(kept) == 1 and isinstance(kept[0], dict):
            del result["anyOf"]
            result = {**kept[0], **result}
    return result
