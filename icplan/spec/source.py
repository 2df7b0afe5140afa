"""From bytes to plain data with a place for every key and value. Knows YAML, never the grammar."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from icplan.core.origin import Origin
from icplan.spec.codes import Code
from icplan.spec.diagnostic import Diagnostic, FileError, escape, quoted, shortened

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | float | bool | None"
"""What the file says, without places."""
Path: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of the file."""

START = "Start with `apiVersion: icplan/v1`; `icplan schema` prints the grammar."
"""What to do about an interconnect file with nothing in it."""

LARGEST = 4 * 1024 * 1024
DEEPEST = 64
MOST_NODES = 100_000
_LONGEST_NUMBER = 20
_MOST_CONTROL_CHARACTERS = 20

# What YAML 1.2 calls printable, but for the byte order mark, which is invisible in a text.
_CONTROL = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]+"
)
_LINE_END = re.compile("\r\n|\r|\n")
_OTHER_ENCODINGS = (
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
)

# The core schema of YAML 1.2.2, section 10.3.2.
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
# 007 and 010 most of all; a fraction like 0.5 is none. Beyond 4300 digits Python itself gives up.
_AMBIGUOUS = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?", re.ASCII)
_NUMBER_LIKE = re.compile(r"[-+.0-9][-+.0-9a-fA-FoxE]*", re.ASCII)
_DIRECTIVE = re.compile(r"^%[^\r\n]*", re.MULTILINE)
_TAG_TEXT = re.compile(r"[^\s,\[\]{}]*")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


# What ruamel.yaml says, in words for the writer of a file: a sign of it, the message, the cure.
_SYNTAX = (
    (
        "quoted scalar",
        "the quotes are not closed",
        "Close the quotes.",
    ),
    (
        "cannot start any token",
        "no value starts with {character}",
        "Write the text in quotes.",
    ),
    (
        "mapping values are not allowed",
        "a second `: ` in one value",
        "Check the indentation of this line, or write the text in quotes if it holds `: `.",
    ),
    (
        "expected <block end>",
        "the indentation of this line does not fit the lines above",
        "Indent the keys of one mapping alike, and the elements of one list alike.",
    ),
    (
        "could not find expected ':'",
        "a line without `: ` where a key is expected",
        "Write KEY: VALUE, or check the indentation.",
    ),
    (
        "while parsing a flow",
        "{problem}",
        "Close the bracket, or put a comma between the values.",
    ),
)


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets into the text; the end is exclusive."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it.

    Attributes:
        file: the file as the user names it.
        text: the whole text.
        data: the plain data; treat it as read-only.
        lines: the text line by line, without line ends.
    """

    file: str
    text: str
    data: Plain
    lines: tuple[str, ...]
    _starts: tuple[int, ...] = field(repr=False)
    _values: dict[Path, Span] = field(repr=False)
    _keys: dict[Path, Span] = field(repr=False)

    def has(self, path: Path) -> bool:
        """Whether something is written at the path."""
        return path in self._values

    def written(self, path: Path) -> str:
        """The value at the path as it is spelled in the text; empty when there is none."""
        span = self._values.get(path)
        return "" if span is None else self.text[span.start : span.end]

    def origin(self, path: Path = ()) -> Origin:
        """Where the value at the path is written; of its nearest parent when it is not there.

        A value of no width (`key:` and nothing else) is at its key.
        """
        while path and path not in self._values:
            path = path[:-1]
        span = self._values[path]
        if span.start == span.end and path in self._keys:
            span = self._keys[path]
        return self._at(span)

    def key_origin(self, path: Path) -> Origin:
        """Where the key of the path is written; the value's place where there is no key."""
        span = self._keys.get(path)
        return self.origin(path) if span is None else self._at(span)

    def _at(self, span: Span) -> Origin:
        return _origin(self.file, self._starts, span)


@dataclass(frozen=True, slots=True)
class Reading:
    """A document with the problems found on the way to it.

    Attributes:
        document: what was read, as far as it can be judged; None when it cannot.
        diagnostics: what is wrong with the text.
        doubtful: paths whose value stands in for something that could not be taken (an alias, a
            tag); nothing that is said about them would be true.
        lines: the text, as far as there is one.
    """

    document: Document | None
    diagnostics: tuple[Diagnostic, ...]
    doubtful: frozenset[Path]
    lines: tuple[str, ...]


def parse(data: bytes, file: str) -> Document:
    """Reads the text of a file.

    Args:
        data: the file's bytes.
        file: how the user names it; stands in every origin.

    Raises:
        FileError: with everything that is wrong with the text as YAML.
    """
    reading = read_text(data, file)
    if reading.diagnostics or reading.document is None:
        raise FileError(file, reading.diagnostics, reading.lines)
    return reading.document


def read_text(data: bytes, file: str, start: str = START) -> Reading:
    """As `parse`, but goes as far as it can and hands back what it found.

    Args:
        data: the file's bytes.
        file: how the user names it.
        start: what to do when there is nothing in it.
    """
    top = Origin(file, 1, 1, 1, 2)
    if len(data) > LARGEST:
        return _refused(
            Diagnostic(
                Code.TOO_LARGE,
                top,
                f"the file has {len(data):,} bytes, the limit is {LARGEST:,}",
                "Check that this is the file you meant, or split it: one file per IC database.",
            )
        )
    for mark, encoding in _OTHER_ENCODINGS:
        if data.startswith(mark):
            return _refused(
                Diagnostic(
                    Code.NOT_UTF8,
                    top,
                    f"the file is {encoding}, expected UTF-8",
                    "Save the file as UTF-8.",
                )
            )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(data, file, error)
    found: list[Diagnostic] = []
    if text.startswith("\ufeff"):
        text = text[1:]
        found.append(
            Diagnostic(
                Code.BYTE_ORDER_MARK,
                top,
                "the file starts with a byte order mark (U+FEFF)",
                'Save the file as UTF-8 without it (editors call that "UTF-8 without BOM").',
            )
        )
    lines = tuple(_LINE_END.split(text))
    starts = (0, *(end.end() for end in _LINE_END.finditer(text)))
    reader = _Reader(file, text, starts, found, start)
    controls = reader.control_characters()
    if not controls:
        reader.run()
    document = None
    if reader.complete:
        document = Document(file, text, reader.data, lines, starts, reader.values, reader.keys)
    return Reading(document, tuple(found), frozenset(reader.doubtful), lines)


def _refused(diagnostic: Diagnostic) -> Reading:
    return Reading(None, (diagnostic,), frozenset(), ())


def _not_utf8(data: bytes, file: str, error: UnicodeDecodeError) -> Reading:
    before = data[: error.start].decode("utf-8")
    text = before + "\ufffd" * (error.end - error.start)
    rest = data[error.end :].split(b"\n", 1)[0].decode("utf-8", "replace")
    lines = tuple(_LINE_END.split(text + rest))
    starts = (0, *(end.end() for end in _LINE_END.finditer(text)))
    span = Span(len(before), len(text))
    what = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.end])
    diagnostic = Diagnostic(
        Code.NOT_UTF8,
        _origin(file, starts, span),
        f"not UTF-8 from here on: {what} starts no character",
        "Save the file as UTF-8.",
    )
    return Reading(None, (diagnostic,), frozenset(), lines)


def _origin(file: str, starts: tuple[int, ...], span: Span) -> Origin:
    first = bisect_right(starts, span.start) - 1
    last = bisect_right(starts, max(span.end, span.start)) - 1
    return Origin(
        file, first + 1, span.start - starts[first] + 1, last + 1, span.end - starts[last] + 1
    )


@dataclass(slots=True)
class _Frame:
    """A collection that is being read."""

    container: dict[str, Plain] | list[Plain]
    path: Path
    kept: bool
    """False below a key that is dropped: read for its problems only."""
    block: bool
    end: int
    """Where the last child ended: YAML's own end of a block is the next token, lines below."""
    seen: dict[str, int] = field(default_factory=dict)
    """Where each key was first given."""
    key: str = ""
    awaits_value: bool = False
    value_kept: bool = True


class _Reader:
    """Builds data and places from YAML's events.

    From events and not from nodes, because a tree of nodes is built by recursion (500 levels end
    in RecursionError), follows aliases, and does not know duplicate keys.
    """

    def __init__(
        self, file: str, text: str, starts: tuple[int, ...], found: list[Diagnostic], start: str
    ) -> None:
        self.data: Plain = None
        self.values: dict[Path, Span] = {}
        self.keys: dict[Path, Span] = {}
        self.doubtful: set[Path] = set()
        self.complete = False
        self._file = file
        self._text = text
        self._starts = starts
        self._found = found
        self._start = start
        self._frames: list[_Frame] = []
        self._nodes = 0
        self._end_of_document = 0

    def control_characters(self) -> bool:
        """Notes what may not stand in a YAML text at all; whether there was any."""
        runs = 0
        for run in _CONTROL.finditer(self._text):
            runs += 1
            if runs > _MOST_CONTROL_CHARACTERS:
                self._problem(
                    Code.CONTROL_CHARACTER,
                    run.span(),
                    "more such characters follow, not listed one by one",
                    "Check that this is the file you meant.",
                )
                break
            self._problem(
                Code.CONTROL_CHARACTER,
                run.span(),
                f"the character U+{ord(run[0][0]):04X} may not stand in the file",
                "Remove it; an editor may not show it.",
            )
        return runs > 0

    def run(self) -> None:
        """Reads the events to the end, or to the first thing that makes going on pointless."""
        events: Iterator[Event] = YAML(typ="safe", pure=True).parse(self._text)
        try:
            self.complete = all(map(self._take, events))
        except MarkedYAMLError as error:
            self._syntax(error)
        except (OverflowError, ValueError):
            # ruamel.yaml hands the number of an escape to chr() unchecked: "\UFFFFFFFF".
            last = self._frames[-1].end if self._frames else 0
            where = max(self._text.find("\\U", last), 0)
            self._problem(
                Code.SYNTAX,
                (where, where + 10),
                "not YAML: an escape that is no character",
                "Write the character itself.",
            )
        if self.complete and self._nodes == 0:
            self.complete = False
            self._problem(
                Code.EMPTY,
                (0, 0),
                "there is nothing in the file",
                self._start,
            )

    def _problem(self, code: Code, place: tuple[int, int], message: str, cure: str) -> None:
        origin = _origin(self._file, self._starts, Span(*place))
        self._found.append(Diagnostic(code, origin, message, cure))

    def _syntax(self, error: MarkedYAMLError) -> None:
        problem, context = error.problem or "", error.context or ""
        mark = error.problem_mark or error.context_mark
        if "end of stream" in problem and error.context_mark is not None:
            # What is left open is the place to look at, and not the end of the file.
            mark = error.context_mark
        where = min(mark.index, len(self._text)) if mark is not None else 0
        character = self._text[where : where + 1]
        known = [row for row in _SYNTAX if row[0] in problem or row[0] in context]
        message, cure = known[0][1:] if known else (problem or context, "Correct the text here.")
        if character == "\t":
            cure = "Indent with spaces: YAML takes no tabs there."
        message = message.replace("{problem}", problem).replace("{character}", quoted(character))
        self._problem(Code.SYNTAX, (where, where + 1), f"not YAML: {escape(message)}", cure)

    def _take(self, event: Event) -> bool:
        """Works one event in; False when there is no use in reading on."""
        match event:
            case DocumentStartEvent():
                return self._document(event)
            case AliasEvent() | ScalarEvent() | CollectionStartEvent():
                return self._node(event)
            case CollectionEndEvent():
                self._close(event)
            case DocumentEndEvent():
                self._end_of_document = event.start_mark.index
        return True

    def _document(self, event: DocumentStartEvent) -> bool:
        start, end = event.start_mark.index, event.end_mark.index
        for line in _DIRECTIVE.finditer(self._text, self._end_of_document, start):
            self._problem(
                Code.DIRECTIVE,
                line.span(),
                "the grammar has no YAML directives",
                "Remove the line.",
            )
        if self._nodes:
            self._problem(
                Code.SECOND_DOCUMENT,
                (start, max(end, start + 3)),
                "a second document starts here",
                "Put it into a file of its own, or remove the `---`.",
            )
            return False
        return True

    def _node(self, event: AliasEvent | ScalarEvent | CollectionStartEvent) -> bool:
        place = event.start_mark.index, event.end_mark.index
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._problem(
                Code.TOO_MANY_NODES,
                place,
                f"more than {MOST_NODES:,} keys and values",
                "Check that this is the file you meant, or split it: one file per IC database.",
            )
            return False
        if isinstance(event, CollectionStartEvent) and len(self._frames) >= DEEPEST:
            self._problem(
                Code.TOO_DEEP,
                place,
                f"nested deeper than {DEEPEST} levels",
                "Write the value where the grammar has it: at most six levels down.",
            )
            return False
        frame = self._frames[-1] if self._frames else None
        if frame and isinstance(frame.container, dict) and not frame.awaits_value:
            self._key(frame, frame.container, event)
        else:
            self._value(frame, event)
        return True

    def _key(
        self,
        frame: _Frame,
        mapping: dict[str, Plain],
        event: AliasEvent | ScalarEvent | CollectionStartEvent,
    ) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        frame.awaits_value, frame.value_kept = True, False
        self._foreign(event)
        if isinstance(event, CollectionStartEvent):
            self._problem(
                Code.KEY_NOT_TEXT,
                (start, max(end, start + 1)),
                "a list or a mapping stands where a key is expected",
                "Write a word as the key.",
            )
            self._open(event, frame.path, kept=False)
            return
        if isinstance(event, AliasEvent):
            self.doubtful.add(frame.path)
            return
        # The text of a key is taken as it stands: `on:` and `1:` are keys "on" and "1".
        key = event.value
        odd = self._escaped_control(event)
        if key == "<<" and not event.style:
            self._problem(
                Code.MERGE_KEY,
                (start, end),
                "`<<` copies keys from elsewhere",
                "Write the keys out.",
            )
            self.doubtful.add(frame.path)
            return
        if key in frame.seen:
            line = bisect_right(self._starts, frame.seen[key])
            self._problem(
                Code.DUPLICATE_KEY,
                (start, end),
                f"the key {quoted(key)} was given on line {line} already",
                "Remove one of the two.",
            )
            return
        frame.seen[key] = start
        frame.key, frame.value_kept = key, frame.kept and not odd
        if frame.value_kept:
            self.keys[(*frame.path, key)] = Span(start, end)
            mapping[key] = None

    def _value(
        self, frame: _Frame | None, event: AliasEvent | ScalarEvent | CollectionStartEvent
    ) -> None:
        path, kept = self._place(frame)
        if self._foreign(event) and kept:
            self.doubtful.add(path)
            if frame is not None and isinstance(frame.container, dict) and frame.path:
                # Its neighbours are read by what it says: `platform`, `state`, `runtime`.
                self.doubtful.add(frame.path)
        value: Plain = None
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, CollectionStartEvent):
            value = self._open(event, path, kept=kept)
        elif isinstance(event, ScalarEvent):
            end = start + len(self._text[start:end].rstrip())
            value, odd = self._scalar(event, (start, end))
            if odd and kept:
                self.doubtful.add(path)
        if kept:
            self.values[path] = Span(start, end)
        if frame is None:
            self.data = value
            return
        frame.end = max(frame.end, end)
        if isinstance(frame.container, list):
            frame.container.append(value)
        elif kept:
            frame.container[frame.key] = value

    def _place(self, frame: _Frame | None) -> tuple[Path, bool]:
        """Where the next value belongs, and whether it is kept."""
        if frame is None:
            return (), True
        if isinstance(frame.container, list):
            return (*frame.path, len(frame.container)), frame.kept
        frame.awaits_value = False
        return (*frame.path, frame.key), frame.value_kept

    def _open(
        self, event: CollectionStartEvent, path: Path, *, kept: bool
    ) -> dict[str, Plain] | list[Plain]:
        container: dict[str, Plain] | list[Plain]
        container = {} if isinstance(event, MappingStartEvent) else []
        block = not event.flow_style
        self._frames.append(_Frame(container, path, kept, block, event.start_mark.index))
        return container

    def _close(self, event: CollectionEndEvent) -> None:
        frame = self._frames.pop()
        end = frame.end if frame.block else event.end_mark.index
        if frame.kept:
            self.values[frame.path] = Span(self.values[frame.path].start, end)
        if self._frames:
            self._frames[-1].end = max(self._frames[-1].end, end)

    def _foreign(self, event: AliasEvent | ScalarEvent | CollectionStartEvent) -> bool:
        """Notes anchors, aliases and tags; whether the value is not what stands there."""
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            self._problem(
                Code.ANCHOR,
                (start, end),
                f"the alias *{escape(event.anchor)} stands for a value given elsewhere",
                "Write the value out.",
            )
            return True
        if event.anchor:
            at = max(self._text.find(f"&{event.anchor}", start, end + 1), start)
            self._problem(
                Code.ANCHOR,
                (at, at + len(event.anchor) + 1),
                f"the anchor &{escape(event.anchor)} is for aliases, which the grammar has not",
                "Remove it.",
            )
        if event.tag is None:
            return False
        at = max(self._text.find("!", start, end + 1), start)
        stop = at + len(_TAG_TEXT.match(self._text, at)[0])  # type: ignore[index]
        self._problem(
            Code.TAG,
            (at, stop),
            f"the tag {escape(self._text[at:stop])} changes how a value is read",
            "Remove it, and write the value in quotes if it must be text.",
        )
        return True

    def _escaped_control(self, event: ScalarEvent) -> bool:
        odd = _CONTROL.search(event.value)
        if odd is None:
            return False
        self._problem(
            Code.CONTROL_CHARACTER,
            (event.start_mark.index, event.end_mark.index),
            f"the text holds the character U+{ord(odd[0][0]):04X}, written as an escape",
            "Remove the escape.",
        )
        return True

    def _scalar(self, event: ScalarEvent, place: tuple[int, int]) -> tuple[Plain, bool]:
        """The value of a scalar, and whether it is one that nothing can be said about."""
        if self._escaped_control(event):
            return "", True
        if event.style or event.tag is not None:
            return event.value, False
        text = event.value
        if _AMBIGUOUS.fullmatch(text) or (
            len(text) > _LONGEST_NUMBER and _NUMBER_LIKE.fullmatch(text)
        ):
            self._problem(
                Code.AMBIGUOUS_NUMBER,
                place,
                f"{shortened(text)} is a number that YAML readers understand differently",
                _number_cure(text),
            )
            return 0, True
        return resolve(text), False


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar by the core schema of YAML 1.2.

    The caller keeps numbers with leading zeros and very long ones away.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _number_cure(text: str) -> str:
    in_quotes = f"in quotes if it is text: {quoted(text)}."
    sign, digits = ("-", text[1:]) if text[0] == "-" else ("", text.lstrip("+"))
    if len(text) > _LONGEST_NUMBER:
        return f"Write it {in_quotes}"
    digits = digits.lstrip("0")
    bare = digits if digits[:1].isdigit() else f"0{digits}"
    return f"Write {sign}{bare}, or {in_quotes}"
