"""What pydantic says about a file, in the words of the file. No rule of the grammar is here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from icplan.core.origin import Origin
from icplan.spec.codes import BY_CODE, Code
from icplan.spec.diagnostic import Diagnostic, escape
from icplan.spec.grammar import ZONE_LIST, Grammar, Model, at, keys_of
from icplan.spec.model import zone_tag
from icplan.spec.paths import below, nulls, path_of, spelled
from icplan.spec.source import Document, Path, Plain
from icplan.spec.texts import found

_YES = frozenset({"yes", "on", "y", "true"})
_NO = frozenset({"no", "off", "n", "false"})


class Judge:
    """Turns what pydantic says about the data into what the reader of the file needs."""

    def __init__(
        self, document: Document, doubtful: frozenset[Path], grammar: Grammar[Model]
    ) -> None:
        self._document = document
        self._grammar = grammar
        # A value that could not be taken, and a key without a value: each reported once already.
        nothing = frozenset(nulls(document.data))
        self._nothing = nothing
        self._silent = doubtful | nothing
        self._doubtful = doubtful
        self._near: dict[Path, str] = {}

    def diagnostics(self, errors: Iterable[ErrorDetails]) -> Iterator[Diagnostic]:
        """One diagnostic per mistake of the author."""
        placed = [(*self._path_of(error), error) for error in errors]
        unknown = {path for path, _, error in placed if error["type"] == "extra_forbidden"}
        # A misspelt key is one mistake, not an unknown key and a missing one.
        meant = {(*path[:-1], self._nearest(path)) for path in unknown}
        for path, about_key, error in placed:
            if below(path, self._silent) and path not in unknown:
                continue
            if path in meant and not self._document.has(path):
                continue
            # pydantic counts the elements that are right.
            if error["type"] == "too_short" and at(self._document.data, path):
                continue
            if not below(path, self._doubtful):
                yield self._diagnostic(path, about_key, error)
        for path in sorted(self._nothing, key=self._document.origin):
            if not below(path, self._doubtful) and not below(path, unknown):
                yield self._without_value(path)

    def _path_of(self, error: ErrorDetails) -> tuple[Path, bool]:
        unknown = error["type"] == "extra_forbidden"
        return path_of(error["loc"], self._document, unknown_key=unknown)

    def _diagnostic(self, path: Path, about_key: bool, error: ErrorDetails) -> Diagnostic:
        there = self._document.has(path)
        match error["type"]:
            case "extra_forbidden":
                return self._unknown_key(path)
            case "missing":
                return self._missing_key(path)
            case Code.NOTHING_IN_IT if not there:
                return self._missing_key(path)
            case "enum" | "literal_error":
                code, message, cure = self._not_one_of(path)
            case "too_short":
                code, message, cure = (
                    Code.NOTHING_IN_IT,
                    "the list is empty, expected at least one",
                    self._example_cure("Write", path),
                )
            case "greater_than_equal" | "less_than_equal":
                code, message, cure = self._out_of_range(path, error)
            case kind if kind in BY_CODE:
                context = error["ctx"]
                code, message, cure = BY_CODE[kind], context["message"], context["cure"]
            case kind:
                code, message, cure = self._wrong_type(path, kind)
        if there:
            place = self._document.key_origin if about_key else self._document.origin
            return Diagnostic(code, place(path), f"{spelled(path)}: {message}", cure)
        return Diagnostic(code, self._holder(path[:-1]), f"{spelled(path[:-1])}: {message}", cure)

    def _holder(self, path: Path) -> Origin:
        """The place to show when something is missing from the mapping at the path.

        Its key; of an element of a list, and of the file, the first key inside: the whole mapping
        would underline nothing in particular.
        """
        document = self._document
        if path and isinstance(path[-1], str):
            return document.key_origin(path)
        inside = at(document.data, path)
        if isinstance(inside, dict) and inside:
            return document.key_origin((*path, next(iter(inside))))
        return document.origin(path)

    def _without_value(self, path: Path) -> Diagnostic:
        return Diagnostic(
            Code.NO_VALUE,
            self._document.origin(path),
            f"{spelled(path)}: there is no value",
            "Write a value, or remove the key."
            if isinstance(path[-1], str)
            else "Write a value after `- `, or remove the element.",
        )

    def _missing_key(self, path: Path) -> Diagnostic:
        parent, key = path[:-1], str(path[-1])
        cure = self._example_cure("Add", path)
        if key == "platform":
            cure = "Add `platform: ovn`, or remove the keys that only plain OVN zones have."
        return Diagnostic(
            Code.MISSING_KEY,
            self._holder(parent),
            f"{spelled(parent)}: the key {key} is missing",
            cure,
        )

    def _example_cure(self, verb: str, path: Path) -> str:
        key = next((item for item in reversed(path) if isinstance(item, str)), "")
        field = self._grammar.field_at(self._document.data, path)
        if field is None:
            return f"{verb} `{key}`."
        if field.examples:
            return f"{verb} `{key}: {_flow(field.examples[0])}`, for example."
        return f"{verb} `{key}`."

    def _not_one_of(self, path: Path) -> tuple[Code, str, str]:
        words = self._grammar.words_at(self._document.data, path)
        value = at(self._document.data, path)
        near = _close(value, words) if isinstance(value, str) else None
        if not near and path[0] == ZONE_LIST and path[-1] == "platform":
            near = zone_tag(at(self._document.data, path[:-1]))
        either = " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
        return (
            Code.NOT_ONE_OF,
            f"expected {either}, found {found(value)}",
            f"Write {near or either}.",
        )

    def _out_of_range(self, path: Path, error: ErrorDetails) -> tuple[Code, str, str]:
        context = error["ctx"]
        low, high = context.get("ge"), context.get("le")
        bound = f"at least {low}" if low is not None else f"at most {high}"
        return (
            Code.OUT_OF_RANGE,
            f"expected {bound}, found {at(self._document.data, path)}",
            f"Write a whole number of {bound}.",
        )

    def _wrong_type(self, path: Path, kind: str) -> tuple[Code, str, str]:
        value = at(self._document.data, path)
        match kind:
            case "string_type":
                wanted, cure = "text", "Write one text."
                if isinstance(value, bool | int | float):
                    cure = f'Write it in quotes: "{escape(self._document.written(path))}".'
            case "int_type":
                wanted, cure = "a whole number", "Write a whole number."
                if isinstance(value, str) and value.isascii() and value.isdigit():
                    cure = f"Write {value} without quotes."
            case "bool_type":
                wanted, cure = "true or false", _boolean_cure(value)
            case "tuple_type":
                wanted, cure = "a list", self._list_cure(path, value)
            case _:
                wanted, cure = _mapping_wanted(path)
        return Code.WRONG_TYPE, f"expected {wanted}, found {found(value)}", cure

    def _list_cure(self, path: Path, value: Plain) -> str:
        if isinstance(value, dict):
            return "Put `- ` before the first key: the value is a list."
        if isinstance(value, str):
            return self._example_cure("Write", path)
        return "Write a list: [A, B], or one element per line after `- `."

    def _unknown_key(self, path: Path) -> Diagnostic:
        parent, key = path[:-1], str(path[-1])
        origin = self._document.key_origin(path)
        message = f"{spelled(parent)}: {self._grammar.no_such_key(parent, key)}"
        elsewhere = self._other_kind(parent, key)
        if elsewhere is not None:
            return Diagnostic(Code.WRONG_PLACE, origin, *elsewhere)
        near = self._nearest(path)
        if near:
            given = self._document.has((*parent, near))
            cure = f"Remove it: {near} is given already." if given else f"Write {near}."
            return Diagnostic(Code.UNKNOWN_KEY, origin, message, cure)
        cure = self._grammar.instead(parent, key, self._keys_of(parent))
        return Diagnostic(Code.UNKNOWN_KEY, origin, message, cure)

    def _other_kind(self, parent: Path, key: str) -> tuple[str, str] | None:
        """Message and cure when the key is one of another kind of zone."""
        kind = self._grammar.kind_at(self._document.data, parent)
        if kind is None or not any(key in keys_of(one) for one in self._grammar.kinds.values()):
            return None
        place, there = spelled((*parent, key)), self._grammar.elsewhere
        match kind:
            case "gone":
                return (
                    f"{place}: a zone that is gone has a name, and nothing to reach",
                    f"Remove it, or write `state: absent`{there} if the cluster is alive.",
                )
            case "ovn":
                return (
                    f"{place}: a key of Kube-OVN zones, and this one is plain OVN",
                    f"Remove it, or write `platform: kube-ovn`{there}.",
                )
            case _:
                return (
                    f"{place}: a key of plain OVN zones, and this one is Kube-OVN",
                    f"Remove it, or write `platform: ovn`{there}.",
                )

    def _nearest(self, path: Path) -> str:
        """The key that was probably meant; empty if none is near."""
        if path not in self._near:
            self._near[path] = self._look_for_near(path)
        return self._near[path]

    def _look_for_near(self, path: Path) -> str:
        parent, key = path[:-1], str(path[-1])
        if self._other_kind(parent, key) is not None:
            return ""
        keys = self._keys_of(parent)
        free = [one for one in keys if not self._document.has((*parent, one))]
        return _close(key, free) or _close(key, keys) or ""

    def _keys_of(self, path: Path) -> list[str]:
        """The keys that the mapping at a path may have."""
        return keys_of(self._grammar.model_at(self._document.data, path))


def _mapping_wanted(path: Path) -> tuple[str, str]:
    """What is wanted where a mapping is, and the cure; short forms are named where there are."""
    if path == ("icDatabase", "reach"):
        return (
            "direct or {through: ZONE}",
            "Write {through: az1}, for example, or remove the key.",
        )
    short = ", or the number of switches" if path == ("transitSwitches",) else ""
    return (
        f"a mapping{short}",
        "Write KEY: VALUE, one per line and indented, or {KEY: VALUE}.",
    )


def _boolean_cure(value: Plain) -> str:
    word = value.lower() if isinstance(value, str) else ""
    meant = "true" if word in _YES else "false" if word in _NO else ""
    if not meant:
        return "Write true or false."
    if word == meant:
        return f"Write {meant} without quotes."
    return f"Write {meant}: in YAML 1.2 {escape(word)} is a word like any other."


def _close(text: str, words: Iterable[str]) -> str | None:
    """The one of the words that the text was probably meant to be."""
    plain = {_plain(word): word for word in words}
    given = _plain(text[:100])
    close = difflib.get_close_matches(given, plain, n=1, cutoff=0.7)
    if not close and len(given) > 2:
        close = [word for word in plain if word.startswith(given)]
    return plain[close[0]] if len(close) == 1 else None


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _flow(value: Any) -> str:  # noqa: ANN401 - examples are typed so by pydantic
    """An example as it may stand in the file, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)
